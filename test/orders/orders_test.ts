import postgres from "postgres";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { createSync, syncUp } from "../../adapters/postgres/mod.ts";
import { ordersApp } from "../../examples/orders/app.ts";
import { makeSchema, tables } from "../../examples/orders/schema.ts";
import { afterAll } from "../postgres/fixtures/after_all.ts";
import { startPostgres } from "../postgres/fixtures/server.ts";

const server = await startPostgres({ fsync: "off" });
const sql = postgres(server.url, { max: 4, onnotice: () => {} });
await makeSchema(sql);
await sql.unsafe(syncUp({ tables }));
const sync = createSync({ sql, tables });
await sync.ready();
const app = ordersApp(sql, sync);
await afterAll(async () => {
  await sync.close();
  await sql.end();
  await server.stop();
});

/** The rows as one page is told them; each call gives the next. */
async function* rowsOf(organization: string, signal: AbortSignal): AsyncGenerator<string> {
  const response = await app.request(`/${organization}/events`, { signal });
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const data = /^event: rows\ndata: (.*)$/.exec(event)?.[1];
      if (data !== undefined) yield JSON.parse(data);
    }
  }
}

async function until(
  rows: AsyncGenerator<string>,
  fits: (html: string) => boolean,
): Promise<string> {
  for (;;) {
    const { value, done } = await rows.next();
    if (done) throw new Error("The events ended");
    if (fits(value)) return value;
  }
}

function post(path: string, body: Record<string, string>): Promise<Response> {
  return Promise.resolve(app.request(path, {
    method: "POST",
    headers: { origin: "http://localhost" },
    body: new URLSearchParams(body),
  }));
}

test("[EO1] what is changed by SQL or on a page is on the pages of its organisation, and on no other", async (t) => {
  const abort = new AbortController();
  t.defer(() => abort.abort());
  const [acme, globex] = ["acme", "globex"].map((name) => rowsOf(name, abort.signal));
  await until(acme!, (html) => html.includes("anvil"));
  await until(globex!, (html) => html.includes("rope"));
  await sql`INSERT INTO orders (organization, item, quantity) VALUES ('acme', 'rocket <skates>', 3)`;
  const html = await until(acme!, (text) => text.includes("rocket"));
  assert(html.includes("rocket &lt;skates&gt;"), "the item is not escaped");
  assertEquals((await post("/globex/orders", { item: "tape", quantity: "5" })).status, 303);
  assert(!(await until(globex!, (text) => text.includes("tape"))).includes("rocket"));
  await post("/acme/orders/1", { status: "packed" });
  await until(acme!, (text) => text.includes("packed"));
  await sql`UPDATE orders SET organization = 'globex' WHERE item = 'anvil' AND organization = 'acme'`;
  await until(acme!, (text) => !text.includes("anvil"));
  await until(globex!, (text) => text.split("anvil").length === 3);
});

test("[EO2] a page shows the orders without a script, and another organisation's cannot be changed", async () => {
  const page = await (await app.request("/acme")).text();
  assert(page.includes("rope") && page.includes("<form"), page);
  const [theirs] = await sql`SELECT id FROM orders WHERE organization = 'globex' LIMIT 1`;
  await post(`/acme/orders/${theirs!["id"]}`, { status: "gone" });
  assertEquals((await sql`SELECT FROM orders WHERE id = ${theirs!["id"]}`).length, 1);
  assertEquals((await app.request("/initech")).status, 404);
  assertEquals((await app.request("/initech/events")).status, 404);
  const foreign = await app.request("/acme/orders", {
    method: "POST",
    headers: { origin: "http://elsewhere", "content-type": "application/x-www-form-urlencoded" },
    body: "item=x&quantity=1",
  });
  assertEquals(foreign.status, 403);
});

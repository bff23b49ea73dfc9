import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { assert, assertEquals, test, type TestContext } from "../harness/mod.ts";
import { type Answer, Jar } from "./jar.ts";
import { type ServerProcess, startServer } from "./process.ts";

/** The order wizard in a process of its own. */
interface Wizard {
  readonly folder: string;
  readonly server: ServerProcess;
  readonly url: string;
  /** Starts it on the same folder. */
  start(env?: Readonly<Record<string, string>>): Promise<ServerProcess>;
}

async function wizard(t: TestContext): Promise<Wizard> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-example-"));
  t.defer(() => rmSync(folder, { recursive: true, force: true }));
  const start: Wizard["start"] = async (env = {}) => {
    const server = await startServer("examples/order_wizard/main.ts", {
      PORT: "0",
      DATA_DIR: folder,
      STORAGE: "sqlite",
      HOLDFAST_SECRET: "",
      ...env,
    });
    t.defer(() => server.stop());
    return server;
  };
  const server = await start();
  return { folder, server, url: server.url, start };
}

/** The page instance an answer leads to or holds. */
function pageOf(answer: Answer): string {
  const text = answer.headers.location ?? answer.body;
  return /(?:page=|name="page" value=")([\w-]{16})/.exec(text)?.[1] ?? "";
}

function noteOf({ body }: Answer): string | undefined {
  // HTML drops the first line break in a textarea.
  return /<textarea id="note"[^>]*>\n?([^<]*)</.exec(body)?.[1];
}

const address = { name: "Ada", street: "Quay 1", postcode: "1234 AB", city: "Port" };

test("[EX1] it says in one line where it listens, on what, and where it stores", async (t) => {
  const { server, folder } = await wizard(t);
  const [line, ...more] = server.output().trimEnd().split("\n");
  assertEquals(more, []);
  const expected =
    /^Order wizard on http:\/\/127\.0\.0\.1:\d+ \((Bun|Deno|Node), SQLite in (.*)\)$/;
  assertEquals(expected.exec(line ?? "")?.[2], join(folder, "order_wizard.db"));
});

test("[EX2] an order goes through every step, and sent twice it is placed once", async (t) => {
  const { url } = await wizard(t);
  const jar = new Jar();
  const added = await jar.post(`${url}/cart`, { product: "kelp", quantity: "2", line: "line-one" });
  assertEquals(added.status, 303);
  await jar.post(`${url}/cart`, { product: "kelp", quantity: "2", line: "line-one" });
  assert((await jar.get(url)).body.includes("2 in the cart"), "the same form counts once");
  assertEquals((await jar.get(`${url}/review`)).headers.location?.split("?")[0], "/address");
  assertEquals((await jar.post(`${url}/address`, address)).status, 303);
  assert((await jar.get(`${url}/review`)).body.includes("Quay 1"), "the address is shown");
  const order = { order: "order-number-one" };
  const placed = await jar.post(`${url}/review`, order);
  assertEquals(placed.headers.location?.split("?")[0], "/done");
  assertEquals((await jar.post(`${url}/review`, order)).headers.location?.split("?")[0], "/done");
  const done = await jar.get(`${url}/done`);
  assertEquals(done.body.match(/<code>/g)?.length, 1);
  assert((await jar.get(url)).body.includes("Nothing in it yet"), "the cart is empty");
});

test("[EX3] a mistake in a form is told beside its field, and what was typed stays", async (t) => {
  const { url } = await wizard(t);
  const jar = new Jar();
  await jar.post(`${url}/cart`, { product: "tea", quantity: "1" });
  const typed = { ...address, name: '"><script>', postcode: "!" };
  const answer = await jar.post(`${url}/address`, typed);
  assertEquals(answer.status, 422);
  assert(answer.body.includes('value="Quay 1"'), "what was right stays");
  assert(answer.body.includes('value="&quot;&gt;&lt;script&gt;"'), "and is escaped");
  assert(answer.body.includes('aria-describedby="postcode-mistake"'), "the mistake has a name");
});

test("[EX4] a note is a draft of its tab and comes back after a kill; the theme is everywhere", async (t) => {
  const { url, server, start } = await wizard(t);
  const jar = new Jar();
  const page = pageOf(await jar.post(`${url}/note`, { note: "\nhalf a thought" }));
  await jar.post(`${url}/theme`, { theme: "dark", page });
  const tab = pageOf(await jar.post(`${url}/note`, { note: "another tab" }));
  assert(page !== tab && page !== "", "each tab is a page instance of its own");
  server.kill("SIGKILL");
  await server.exited;
  const again = await start();
  const look = async (query: string) => await jar.get(`${again.url}/${query}`);
  assertEquals(noteOf(await look(`?page=${page}`)), "\nhalf a thought");
  assertEquals(noteOf(await look(`?page=${tab}`)), "another tab");
  const fresh = await look("");
  assertEquals([noteOf(fresh), fresh.body.includes('data-theme="dark"')], ["", true]);
});

test("[EX5] forms of other sites are refused, and no form leads to another site", async (t) => {
  const { url } = await wizard(t);
  const foreign = await fetch(`${url}/cart`, {
    method: "POST",
    headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    body: new URLSearchParams({ product: "kelp" }),
    redirect: "manual",
  });
  await foreign.body?.cancel();
  assertEquals([foreign.status, foreign.headers.getSetCookie()], [403, []]);
  const back = await new Jar().post(`${url}/theme`, { theme: "dark", back: "//evil.example" });
  assert(back.headers.location?.startsWith("/?page="), `leads to ${back.headers.location}`);
  const { headers } = await new Jar().get(url);
  assert(headers["content-security-policy"]?.includes("default-src 'none'"), "has a policy");
});

test("[EX6] a secret is made once, for its owner alone, and shown to nobody", async (t) => {
  const { folder, server, start } = await wizard(t);
  const path = join(folder, "secret");
  const secret = readFileSync(path, "utf8");
  assert(secret.length >= 43, "32 bytes");
  if (process.platform !== "win32") assertEquals(statSync(path).mode & 0o777, 0o600);
  const again = await start();
  assertEquals(readFileSync(path, "utf8"), secret);
  for (const { output } of [server, again]) assert(!output().includes(secret), "not in the log");
});

test("[EX7] logging in changes the id and keeps the cart, logging out ends both", async (t) => {
  const { url } = await wizard(t);
  const jar = new Jar();
  await jar.post(`${url}/cart`, { product: "soap", quantity: "3" });
  const anonymous = jar.header;
  await jar.post(`${url}/login`, { name: "Ada <b>" });
  const known = jar.header;
  assert(known !== anonymous, "a new id");
  const aboard = (await jar.get(url)).body;
  assert(aboard.includes("3 in the cart") && aboard.includes("Ada &lt;b&gt;"), "cart and name");
  const lines = async (header: string) =>
    JSON.parse((await new Jar(header).get(`${url}/api/cart`)).body).lines.length;
  assertEquals([await lines(anonymous), await lines(known)], [0, 1]);
  await jar.post(`${url}/logout`);
  assertEquals([jar.header, await lines(known)], ["", 0]);
});

test("[EX10] readers without a cookie get no cookie, on any page", async (t) => {
  const { url } = await wizard(t);
  for (let i = 0; i < 25; i++) {
    for (const path of ["/", "/address", "/review", "/api/cart"]) {
      assertEquals((await new Jar().get(url + path)).headers["set-cookie"], undefined);
    }
  }
});

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import process from "node:process";
import type { Locator, Page } from "playwright-core";
import postgres from "postgres";
import { assert, assertEquals, runtime, skip, test } from "../harness/mod.ts";
import { Frames } from "../e2e/live/frames.ts";
import { until } from "../e2e/live/look.ts";
import { type Scene, Stage } from "../e2e/live/stage.ts";
import { afterAll } from "../postgres/fixtures/after_all.ts";
import { startPostgres } from "../postgres/fixtures/server.ts";

const server = await startPostgres({ fsync: "off" });
const sql = postgres(server.url, { max: 2, onnotice: () => {} });
await afterAll(async () => {
  await sql.end();
  await server.stop();
});

const orders = new Stage({
  script: "examples/orders/main.ts",
  env: () => ({
    DATABASE_URL: server.url,
    SECRET: "a secret of the tests, as long as it has to be",
    PORT: "0",
  }),
});

const row = (page: Page, item: string) => page.locator("tbody tr", { hasText: item });

/** A browser of its own, in which somebody of an organisation looks at the orders. */
async function within(s: Scene, organization: string): Promise<Page> {
  const page = await s.open("/", await s.context());
  await page.getByRole("button", { name: organization }).click();
  await row(page, "rope").waitFor();
  return page;
}

async function fill(page: Page, item: string, quantity: string): Promise<void> {
  await page.locator("#item").fill(item);
  await page.locator("#quantity").fill(quantity);
  await page.getByRole("button", { name: "Order", exact: true }).click();
}

/** Loads a page without a script until it shows something: what it is answered may be made before. */
async function shown(page: Page, what: Locator): Promise<void> {
  await until(async () => await what.isVisible() || (await page.goto(page.url()), false));
}

orders.scenario(
  "[EO1] what is changed by SQL or on a page is on the pages of its organisation, and on no other",
  async (s) => {
    s.proxy.lead(await s.node());
    const [ada, bob, eve] = [
      await within(s, "acme"),
      await within(s, "acme"),
      await within(s, "globex"),
    ];
    await sql`INSERT INTO orders (organization, item, quantity) VALUES ('acme', 'rocket <skates>', 3)`;
    for (const page of [ada, bob]) await row(page, "rocket <skates>").waitFor();
    await fill(ada, "tape", "5");
    await row(ada, "tape").waitFor();
    await row(bob, "tape").getByRole("button", { name: "tape: packed" }).click();
    await row(ada, "tape").locator(".badge.packed").waitFor();
    // What somebody is typing stays as rows come and go around it.
    await bob.locator("#item").fill("half a th");
    await sql`UPDATE orders SET organization = 'globex' WHERE item = 'tape'`;
    for (const page of [ada, bob]) await row(page, "tape").waitFor({ state: "detached" });
    await row(eve, "tape").waitFor();
    assertEquals(await bob.locator("#item").inputValue(), "half a th");
    await row(eve, "tape").getByRole("button", { name: "Remove tape" }).click();
    await row(eve, "tape").waitFor({ state: "detached" });
    assert(!JSON.stringify(Frames.of(eve).all).includes("rocket"), "another organisation saw it");
    // Changing to the other one shows its rows, and nothing of the first any more.
    await eve.getByRole("button", { name: "Change" }).click();
    await eve.getByRole("button", { name: "acme" }).click();
    await row(eve, "rocket").waitFor();
    await sql`INSERT INTO orders (organization, item, quantity) VALUES ('globex', 'anchor', 1)`;
    await sql`DELETE FROM orders WHERE item = 'rocket <skates>'`;
    for (const page of [ada, bob, eve]) await row(page, "rocket").waitFor({ state: "detached" });
    assert(!JSON.stringify(Frames.of(eve).all).includes("anchor"), "the one before was shown");
  },
);

orders.scenario(
  "[EO2] the orders work without a script, and another organisation's cannot be changed",
  async (s) => {
    s.proxy.lead(await s.node());
    const page = await (await s.context({ javaScriptEnabled: false })).newPage();
    await page.goto(s.proxy.url);
    await page.getByRole("button", { name: "globex" }).click();
    await fill(page, "kelp", "2");
    await shown(page, row(page, "kelp"));
    await page.getByRole("button", { name: "kelp: packed" }).click();
    await shown(page, row(page, "kelp").locator(".badge.packed"));
    const [theirs] = await sql<
      { id: number }[]
    >`SELECT id FROM orders WHERE organization = 'acme' LIMIT 1`;
    const { origin } = new URL(page.url());
    for (const _event of ["remove", "step"]) {
      const form = { _event, id: String(theirs!.id), status: "sent" };
      await page.request.post(page.url(), { form, headers: { origin } });
    }
    const [left] = await sql`SELECT status FROM orders WHERE id = ${theirs!.id}`;
    assertEquals(left!["status"], "new");
  },
);

const demo = "[EO3] the demo ends with everything it has begun when npm is told to end";

/** Whether something listens there. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
    socket.on("close", () => socket.destroy());
    socket.unref();
  });
}

async function ends(signal: "SIGINT" | "SIGTERM"): Promise<void> {
  const npm = spawn("npm", ["run", "demo:orders"], {
    env: { ...process.env, PORT: "0", DATABASE_URL: "" },
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const ended = new Promise((resolve) => npm.on("close", resolve));
  let output = "";
  npm.stdout.setEncoding("utf8").on("data", (text: string) => output += text);
  await until(() => output.includes("psql"));
  const ports = [...output.matchAll(/:(\d+)/g)].map(([, port]) => Number(port));
  assertEquals(ports.length, 2, output);
  const its = postgres(/postgres:\S+/.exec(output)![0], { max: 1 });
  const [folder] = await its`SHOW data_directory`;
  await its.end();
  // A terminal tells everybody of the group; whoever else wants it to end tells npm.
  process.kill(signal === "SIGINT" ? -npm.pid! : npm.pid!, signal);
  await ended;
  for (const port of ports) await until(async () => !await listens(port));
  await until(() => !existsSync(folder!["data_directory"]));
}

if (runtime !== "bun" || !existsSync("/proc")) skip(demo, "only on Bun: npm runs it with that");
else {test(demo, async () => {
    await ends("SIGTERM");
    await ends("SIGINT");
  });}

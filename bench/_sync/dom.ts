import process from "node:process";
import { Hono } from "hono";
import { html } from "hono/html";
import postgres from "postgres";
import { session, type SessionEnv } from "../../adapters/hono/mod.ts";
import { createLive, defineView, type LiveOptions } from "../../adapters/live/mod.ts";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import { createSync, type Sync } from "../../adapters/postgres/mod.ts";
import type { ServeOptions, Server } from "../../adapters/web/serving.ts";
import { createHoldfast } from "../../mod.ts";
import { quantiles } from "./clock.ts";
import type { Job, Latency } from "./job.ts";

interface Row {
  readonly id: number;
  readonly n: number;
  readonly at: string;
}

interface Adapter {
  serve(options: ServeOptions): Promise<Server>;
  readonly upgradeWebSocket: NonNullable<LiveOptions["upgradeWebSocket"]>;
}

const name = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";

function listView(sync: Sync<postgres.Sql>) {
  return defineView({
    name: "list",
    state: () => ({}),
    watch: (rows) => ({ list: rows(sync, { table: "measured", key: () => 0, orderBy: "id" }) }),
    render: ({ ctx }) => {
      const list = ctx.rows.list.value as readonly Row[];
      return html`<ul>${
        list.map(({ id, n, at }) => html`<li id="r${id}">${n} <i>${at}</i></li>`)
      }</ul>`;
    },
  });
}

/** Runs in the page: how old the newest row is whenever something has changed. */
const script = `window.heard = [];
  let newest = 0;
  new MutationObserver(() => {
    const now = (performance.timeOrigin + performance.now()) * 1000;
    const before = newest;
    for (const { textContent } of document.querySelectorAll("i")) newest = Math.max(newest, textContent);
    if (newest > before) heard.push(now - newest);
  }).observe(document, { subtree: true, childList: true, characterData: true });`;

/** From the moment a row is written until it is in a page of Chromium, in microseconds. */
export async function dom(
  { url }: Job,
  ready: () => void,
  enough: Promise<void>,
): Promise<Latency> {
  const sql = postgres(url, { max: 2, onnotice: () => {} });
  const sync = createSync({ sql, tables: { measured: { key: "org" } } });
  await sync.ready();
  const { serve, upgradeWebSocket }: Adapter = await import(`../../adapters/${name}/mod.ts`);
  const storage = memoryStorage();
  const cookie = { dev: true };
  const holdfast = createHoldfast({
    storage,
    secrets: ["a secret of the benchmark, long enough"],
    cookie,
  });
  const view = listView(sync);
  const live = createLive(holdfast, { views: [view], upgradeWebSocket });
  const app = new Hono<SessionEnv>();
  app.use(session(holdfast));
  app.all("/live/*", live.routes());
  app.all("/", live.page(view));
  const server = await serve({ fetch: app.fetch, port: 0, holdfast, live, signals: [] });
  const { chromium } = await import("playwright-core");
  const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu"],
  });
  const page = await browser.newPage();
  await page.goto(server.url);
  await page.waitForSelector('[data-live-state="connected"]', { state: "attached" });
  await page.evaluate(script);
  ready();
  await enough;
  const all: number[] = await page.evaluate("heard");
  await browser.close();
  await server.close();
  await sync.close();
  await sql.end();
  return { heard: all.length, ...quantiles(all) };
}

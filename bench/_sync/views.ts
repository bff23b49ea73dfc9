import process from "node:process";
import { Hono } from "hono";
import postgres from "postgres";
import { session, type SessionEnv } from "../../adapters/hono/mod.ts";
import { createLive, defineView, type LiveOptions } from "../../adapters/live/mod.ts";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import { createSync, type Sync } from "../../adapters/postgres/mod.ts";
import { createHoldfast } from "../../mod.ts";
import { nowMicros, quantiles } from "./clock.ts";
import type { Job, Views } from "./job.ts";

const VIEWS = 1000;
const ORIGIN = "https://app.example";

interface Row {
  readonly n: number;
  readonly at: string;
}

type Upgrade = NonNullable<LiveOptions["upgradeWebSocket"]>;
type Events = Awaited<ReturnType<Parameters<Upgrade>[0]>>;

/** One view for each key, which shows its one row. */
function rowView(sync: Sync<postgres.Sql>) {
  return defineView({
    name: "row",
    state: () => ({ key: 0 }),
    watch: (rows) => ({ rows: rows(sync, { table: "spread", key: ({ state }) => state.key }) }),
    params({ state }, url) {
      state.key = Number(url.searchParams.get("key"));
    },
    render: ({ ctx }) => {
      const [row] = ctx.rows.rows.value as readonly Row[];
      return `<p>${row?.n}</p><p>${row?.at}</p>`;
    },
  });
}

/** The sockets end here: what a page does with a frame is not measured. */
function sinks(heard: (frame: string) => void) {
  const opened: Events[] = [];
  const upgrade: Upgrade = (make) => async (c) => {
    const events = await make(c);
    opened.push(events);
    events.onOpen?.({}, { send: heard, close: () => {} });
    return new Response(null, { headers: { "x-upgraded": "yes" } });
  };
  return { upgrade, opened };
}

/** A thousand live views, each with a watch and a socket of its own. */
export async function views(
  { url }: Job,
  ready: () => void,
  enough: Promise<void>,
): Promise<Views> {
  const sql = postgres(url, { max: 4, onnotice: () => {} });
  const sync = createSync({ sql, tables: { spread: { key: "org" } }, publication: "spread" });
  await sync.ready();
  const all: number[] = [];
  let [joined, frames, problem] = [0, 0, ""];
  const { upgrade, opened } = sinks((text) => {
    frames++;
    if (text.includes('"t":"joined"')) return void joined++;
    if (text.includes('"t":"error"')) problem = text;
    const at = /\d{16}/.exec(text)?.[0];
    if (at !== undefined) all.push(nowMicros() - Number(at));
  });
  const holdfast = createHoldfast({
    storage: memoryStorage(),
    secrets: ["a secret of the benchmark, long enough"],
  });
  const view = rowView(sync);
  const live = createLive(holdfast, {
    views: [view],
    upgradeWebSocket: upgrade,
    limits: { maxConnections: VIEWS * 2 },
  });
  const app = new Hono<SessionEnv>();
  app.use(session(holdfast));
  app.all("/live/*", live.routes());
  app.all("/row", live.page(view));
  for (let key = 0; key < VIEWS; key++) await join(app, opened, key);
  while (joined < VIEWS) {
    if (problem !== "") throw new Error(`A view has not joined: ${problem}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  all.length = frames = 0;
  const [cpu, start] = [process.cpuUsage(), performance.now()];
  ready();
  await enough;
  const { user, system } = process.cpuUsage(cpu);
  const share = (user + system) / 1000 / (performance.now() - start) * 100;
  const megabytes = process.memoryUsage().rss / 2 ** 20;
  return { heard: all.length, frames, cpu: share, megabytes, ...quantiles(all) };
}

async function join(app: Hono<SessionEnv>, opened: Events[], key: number): Promise<void> {
  const path = `/row?key=${key}`;
  const response = await app.request(ORIGIN + path);
  const [cookie = ""] = response.headers.get("set-cookie")?.split(";") ?? [];
  const html = await response.text();
  const [, id, token] = /id="([^"]*)" data-live-view="row" data-live-token="([^"]*)"/.exec(html)!;
  await app.request(`${ORIGIN}/live/socket`, {
    headers: { upgrade: "websocket", connection: "upgrade", origin: ORIGIN, cookie },
  });
  const frame = { t: "join", id, ref: 1, v: 1, token, url: path, mounts: 0, attempts: 0 };
  const data = JSON.stringify({ ...frame, nav: "navigate" });
  opened.at(-1)?.onMessage?.({ data }, { send: () => {}, close: () => {} });
}

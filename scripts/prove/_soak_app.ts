// Everything of the library in one small server: what soak.ts has several of. Prints what nobody handled.
import process from "node:process";
import {
  createHoldfast,
  defineObject,
  type DocumentDefinition,
  type Holdfast,
  type ObjectDefinition,
  type Tree,
  treeDocument,
  type TreeOp,
} from "holdfast";
import { documentSocket, session, type SessionEnv } from "holdfast/hono";
import { type AnyView, createLive, defineView } from "holdfast/live";
import { natsCluster } from "holdfast/nats";
import { createSync, type Sync } from "holdfast/postgres";
import { sqliteStorage } from "holdfast/sqlite";
import { Hono } from "hono";
import { html } from "hono/html";
import postgres, { type Sql } from "postgres";
import { takeIn, type Taken } from "./_cluster_tally.ts";

type Upgrade = Parameters<typeof documentSocket>[2]["upgradeWebSocket"];

/** Whose rows there are. */
export const tenants = ["acme", "globex"] as const;

/** A row that is kept current. */
export interface Row {
  readonly id: number;
  readonly tenant: string;
  readonly amount: number;
}

interface TillState extends Taken {
  /** How many there were when the alarm fired last. */
  settled: number;
}

interface TillHandlers {
  add(
    ctx: { state: TillState; schedule(name: "settle", delayMs: number): void },
    worker: string,
    seq: number,
  ): void;
  report: { readOnly: true; run(ctx: { state: TillState }): TillState };
}

/** Takes in numbers, and settles them by an alarm. */
export const Till: ObjectDefinition<TillState, TillHandlers> = defineObject({
  name: "till",
  vsn: 1,
  state: (): TillState => ({ by: {}, count: 0, settled: 0 }),
  handlers: {
    add({ state, schedule }, worker: string, seq: number): void {
      takeIn(state, worker, seq);
      schedule("settle", 1000);
    },
    report: { readOnly: true, run: ({ state }): TillState => state },
  },
  alarms: { settle: ({ state }) => void (state.settled = state.count) },
});

/** What everybody writes to. */
export const Notes: DocumentDefinition<Tree, TreeOp> = treeDocument({
  name: "notes",
  vsn: 1,
  gracePeriodMs: 5000,
});

const adapters = {
  bun: () => import("holdfast/bun"),
  deno: () => import("holdfast/deno"),
  node: () => import("holdfast/node"),
};
const runtime = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";

/** Frees what can be freed, as far as the runtime lets a program ask for it. */
function collect(): void {
  const { Bun: bun, gc } = globalThis as {
    Bun?: { gc(sync: boolean): void };
    gc?: () => void;
  };
  if (bun !== undefined) bun.gc(true);
  else gc?.();
}

/** What a page shows: its own count, rows of its tenant, and who is on a document. */
function counterOn(sync: Sync<Sql>): AnyView {
  return defineView({
    name: "counter",
    stored: ["count", "tenant"],
    state: () => ({ count: 0, tenant: tenants[Math.random() < 0.5 ? 0 : 1] as string }),
    watch: (rows) => ({
      rows: rows(sync, { table: "soak", key: ({ state }) => state.tenant, orderBy: "id" }),
    }),
    mount: async (ctx) => void await ctx.join(Notes, "notes-0", { actor: null, readOnly: true }),
    events: { inc: ({ state }) => void state.count++ },
    render: ({ state: { count, tenant }, ctx: { rows } }) => {
      const shown = (rows.rows.value ?? []) as readonly Row[];
      const foreign = shown.some((row) => row.tenant !== tenant);
      return html`
        <p data-count="${count}" data-foreign="${foreign}">${rows.rows.status}</p>
      `;
    },
  });
}

/** Routes that are no pages. */
function routes(app: Hono<SessionEnv>, holdfast: Holdfast, upgradeWebSocket: Upgrade): void {
  const notes = documentSocket(holdfast, Notes, {
    upgradeWebSocket,
    access: () => ({ actor: "somebody" }),
    allowMissingOrigin: true,
  });
  app.get("/notes/:id", notes);
  app.get("/notes/:id/state", async (c) => {
    return c.json(await holdfast.document(Notes, c.req.param("id")).state());
  });
  app.post("/till/:id", async (c) => {
    const { worker, seq } = await c.req.json();
    await holdfast.object(Till, c.req.param("id")).add(worker, seq);
    return c.text("taken");
  });
  app.get("/till/:id", async (c) => {
    return c.json(await holdfast.object(Till, c.req.param("id")).report());
  });
  app.get("/memory", (c) => {
    collect();
    return c.json(process.memoryUsage());
  });
  // Who asked for it knows that it may have failed.
  app.onError((_, c) => c.text("Not now", 503));
}

async function main(): Promise<void> {
  const { STORE = "", NATS = "", DATABASE = "", SECRET = "" } = process.env;
  const { serve, upgradeWebSocket } = await adapters[runtime]();
  const sql = postgres(DATABASE, { onnotice: () => {} });
  const sync = createSync({ sql, tables: { soak: { key: "tenant" } } });
  const holdfast = createHoldfast({
    storage: sqliteStorage(STORE),
    secrets: [SECRET],
    objects: [Till],
    cookie: { dev: true },
    ...(NATS === "" ? {} : { cluster: natsCluster({ servers: NATS }) }),
  });
  const counter = counterOn(sync);
  const live = createLive(holdfast, { upgradeWebSocket, views: [counter] });
  const app = new Hono<SessionEnv>();
  routes(app, holdfast, upgradeWebSocket);
  const watched = tenants.map((key) => {
    return sync.watch<readonly Row[]>({ table: "soak", key, orderBy: "id" });
  });
  app.get("/rows", (c) => c.json(watched.map((one) => one.getSnapshot())));
  app.use(session(holdfast));
  app.all("/live/*", live.routes());
  app.all("/counter", live.page(counter));
  const server = await serve({ fetch: app.fetch, port: 0, holdfast, live, signals: [] });
  const end = async (): Promise<never> => {
    const report = await server.close();
    if (!report.complete) console.error("INCOMPLETE", JSON.stringify(report));
    await sync.close();
    await sql.end({ timeout: 1 });
    process.exit(report.complete ? 0 : 1);
  };
  process.once("SIGTERM", end);
  console.log(`Listening on ${server.url} `);
}

if (import.meta.main) {
  process.on("unhandledRejection", (reason) => console.error("UNHANDLED", reason));
  process.on("uncaughtException", (error) => console.error("UNHANDLED", error));
  await main();
}

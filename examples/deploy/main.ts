/**
 * The board of examples/board as it is deployed, on Bun, Deno and Node: storage, cluster and secrets come from
 * the environment (config.ts), probes are answered, and a SIGTERM loses nothing.
 *
 *     SECRETS=$(openssl rand -base64 32) STORAGE=sqlite DATA_DIR=.data npx bun examples/deploy/main.ts
 */
import process from "node:process";
import { createHoldfast } from "holdfast";
import { health } from "holdfast/hono";
import { Hono } from "hono";
import { createApp } from "../board/app.ts";
import { joinCluster, openStorage, probes, readSettings, withinMs } from "./config.ts";

// Yours needs one of them: import { serve, upgradeWebSocket } from "holdfast/bun";
const adapters = {
  bun: () => import("holdfast/bun"),
  deno: () => import("holdfast/deno"),
  node: () => import("holdfast/node"),
};
const runtime = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";
const { serve, upgradeWebSocket } = await adapters[runtime]();

const { hostname, port, production, secrets, store, meeting } = readSettings(process.env);
const holdfast = createHoldfast({
  storage: await openStorage(store),
  secrets,
  cookie: { dev: !production },
  ...(meeting === undefined ? {} : { cluster: await joinCluster(meeting) }),
});
const board = createApp(holdfast, upgradeWebSocket);

// Where nobody waits between turning clients away and the SIGTERM, a signal comes first: it is not ready, and that is all.
let isLeaving = false;
process.on("SIGUSR2", () => isLeaving = true);

const app = new Hono();
const { alive, ready } = health(holdfast, { live: board.live });
app.get(probes.alive, alive);
app.get(probes.ready, (c) => isLeaving ? c.json({ status: "draining" }, 503) : ready());
app.route("/", board.app);

const { live } = board;
const server = await serve({ fetch: app.fetch, port, hostname, holdfast, live, withinMs });
console.log(`Board on ${server.url} (${store.kind}${meeting === undefined ? "" : ", NATS"})`);

/**
 * The inspector with something to look at: a harbour with traffic of its own, on Bun, Deno and Node:
 *
 *     npx bun examples/inspector/main.ts
 *
 * PORT (3000) can be set. Everything is in memory and gone when the process ends.
 */
import process from "node:process";
import { createHoldfast } from "holdfast";
import { session, type SessionEnv } from "holdfast/hono";
import { createInspector } from "holdfast/inspector";
import { createLive } from "holdfast/live";
import { memoryStorage } from "holdfast/memory";
import { Hono } from "hono";
import { Gate, objects, traffic } from "./harbour.ts";

// Yours needs one of them: import { serve, upgradeWebSocket } from "holdfast/bun";
const adapters = {
  bun: () => import("holdfast/bun"),
  deno: () => import("holdfast/deno"),
  node: () => import("holdfast/node"),
};
const runtime = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";
const { serve, upgradeWebSocket } = await adapters[runtime]();

const holdfast = createHoldfast({
  storage: memoryStorage(),
  secrets: [crypto.getRandomValues(new Uint8Array(32))],
  objects,
  cookie: { dev: true },
});
const live = createLive(holdfast, { upgradeWebSocket, views: [Gate], node: "pier-1" });
const inspector = createInspector(holdfast, {
  upgradeWebSocket,
  live,
  redact: ["harbourMaster.name"],
  // Whoever runs a demo may do everything in it. Yours asks its own login, and for each action.
  authorize: () => ({ operator: "demo" }),
});
holdfast.subscribe("holdfast.inspector.*", (event) => console.log(JSON.stringify(event)));

const app = new Hono<SessionEnv>();
app.all("/_holdfast/*", inspector.routes());
app.use(session(holdfast));
app.all("/live/*", live.routes());
app.all("/", live.page(Gate));

traffic(holdfast);
const server = await serve({
  fetch: app.fetch,
  port: Number(process.env["PORT"] || 3000),
  holdfast,
  live,
});
console.log(`Harbour on ${server.url} (its inspector is at /_holdfast)`);

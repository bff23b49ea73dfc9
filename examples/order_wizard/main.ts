/**
 * The order wizard: a cart that survives a crash of its server. Runs on Bun, Deno and Node; see
 * `config.ts` for what can be set.
 */
import { createHoldfast } from "holdfast";
import { createInspector } from "holdfast/inspector";
import { Hono } from "hono";
import { createApp } from "./app.ts";
import { readConfig } from "./config.ts";

const runtimes = {
  bun: { name: "Bun", adapter: () => import("holdfast/bun") },
  deno: { name: "Deno", adapter: () => import("holdfast/deno") },
  node: { name: "Node", adapter: () => import("holdfast/node") },
};
const runtime = runtimes["Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node"];

const config = await readConfig();
const holdfast = createHoldfast({
  storage: config.storage,
  secrets: [config.secret],
  cookie: { dev: config.dev },
});
const { stored, durable } = config;
const { serve, upgradeWebSocket } = await runtime.adapter();
const app = new Hono();
if (config.dev) {
  // What the process holds, for whoever is at this machine. In production it needs an "authorize".
  app.all("/_holdfast/*", createInspector(holdfast, { upgradeWebSocket }).routes());
}
app.route("/", createApp(holdfast, { stored, durable, runtime: runtime.name }));
const server = await serve({
  fetch: app.fetch,
  port: config.port,
  hostname: config.hostname,
  holdfast,
});
console.log(`Order wizard on ${server.url} (${runtime.name}, ${stored})`);

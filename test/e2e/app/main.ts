/** The fixture app: one node of it. See README.md. */
import { createHoldfast } from "holdfast";
import { createApp } from "./app.ts";
import { readConfig } from "./config.ts";

const adapters = {
  bun: () => import("holdfast/bun"),
  deno: () => import("holdfast/deno"),
  node: () => import("holdfast/node"),
};
const runtime = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";

const config = await readConfig();
const { port, secrets, storage, node, version, drainMs } = config;
const holdfast = createHoldfast({
  storage,
  secrets: [...secrets],
  cookie: { dev: true },
  limits: { maxActive: 100_000 },
});
const { serve, upgradeWebSocket } = await adapters[runtime]();
const { app, live } = createApp(holdfast, config, upgradeWebSocket);
const server = await serve({ fetch: app.fetch, port, holdfast, live, withinMs: drainMs });
console.log(`Fixture app "${node}" (version ${version}, ${runtime}) on ${server.url} `);

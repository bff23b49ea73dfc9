/** One node of the shop, in version 1 or 2. `demo.ts` starts it; SIGTERM drains it. */
import process from "node:process";
import { createHoldfast } from "holdfast";
import { session, type SessionEnv } from "holdfast/hono";
import { createLive } from "holdfast/live";
import { sqliteStorage } from "holdfast/sqlite";
import { Hono } from "hono";
import { html } from "hono/html";
import { orderView } from "./order.ts";
import { style } from "./style.ts";

const adapters = {
  bun: () => import("holdfast/bun"),
  deno: () => import("holdfast/deno"),
  node: () => import("holdfast/node"),
};
const runtime = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";
const { serve, upgradeWebSocket } = await adapters[runtime]();

const { env } = process;
const node = env["NODE_NAME"] || "a";
const version = env["VERSION"] === "2" ? 2 : 1;
const holdfast = createHoldfast({
  storage: sqliteStorage(env["DATABASE"] || "rolling_restart.db"),
  secrets: [env["SECRET"] ?? ""],
  cookie: { dev: true },
});
const Order = orderView(version, node);
const live = createLive(holdfast, {
  upgradeWebSocket,
  views: [Order],
  node,
  build: `v${version}`,
  // Few pages here, and people who watch: they need not spread over two seconds.
  drain: { spreadMs: 300 },
});

const app = new Hono<SessionEnv>();
app.get("/style.css", (c) => c.body(style, 200, { "content-type": "text/css; charset=utf-8" }));
app.use(session(holdfast));
app.all("/live/*", live.routes());
app.all(
  "/",
  live.page(Order, {
    layout: ({ content, script }) =>
      html`
        <!doctype html>
        <html lang="en">
          <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>Ship chandler</title>
            <link rel="stylesheet" href="/style.css">
            <link rel="icon" href="data:,">
          </head>
          <body>
                          <main>
                            <h1>Ship chandler</h1>
                            <p class="lead">Type, and keep typing while the server is replaced under your fingers.</p>
                            ${content}
                          </main>
                          ${script}
                        </body>
        </html>
      `,
  }),
);
const server = await serve({ fetch: app.fetch, port: Number(env["PORT"] || 0), holdfast, live });
console.log(`Node ${node}, version ${version}, on ${server.url} `);

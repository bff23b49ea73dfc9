/**
 * A todo list that survives a crash of its server, on Bun, Deno and Node:
 *
 *     SECRET=$(openssl rand -base64 32) npx bun examples/todo_live/main.ts
 *
 * PORT (3000) and DATABASE (todos.db) can be set.
 */
import process from "node:process";
import { createHoldfast } from "holdfast";
import { sqliteStorage } from "holdfast/sqlite";
import { createApp } from "./app.ts";

// Yours needs one of them: import { serve, upgradeWebSocket } from "holdfast/bun";
const adapters = {
  bun: () => import("holdfast/bun"),
  deno: () => import("holdfast/deno"),
  node: () => import("holdfast/node"),
};
const runtime = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";
const { serve, upgradeWebSocket } = await adapters[runtime]();

const holdfast = createHoldfast({
  storage: sqliteStorage(process.env["DATABASE"] || "todos.db"),
  secrets: [process.env["SECRET"] ?? ""],
  cookie: { dev: process.env["NODE_ENV"] !== "production" },
});
const { app, live } = createApp(holdfast, upgradeWebSocket);
const server = await serve({
  fetch: app.fetch,
  port: Number(process.env["PORT"] || 3000),
  holdfast,
  live,
});
console.log(`Todos on ${server.url} `);

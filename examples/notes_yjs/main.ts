/**
 * Notes that several people type into at once, and that survive crashes and deploys, on Bun, Deno and Node:
 *
 *     SECRET=$(openssl rand -base64 32) npx bun examples/notes_yjs/main.ts
 *
 * PORT (3000) and DATABASE (notes.db) can be set. Without SECRET one is made up, outside of production: the
 * notes stay, who is who is forgotten when the process ends.
 */
import { randomBytes } from "node:crypto";
import process from "node:process";
import { createHoldfast } from "holdfast";
import { sqliteStorage } from "holdfast/sqlite";
import { createApp } from "./app.ts";
import { bundlePage } from "./bundle.ts";

// Yours needs one of them: import { serve, upgradeWebSocket } from "holdfast/bun";
const adapters = {
  bun: () => import("holdfast/bun"),
  deno: () => import("holdfast/deno"),
  node: () => import("holdfast/node"),
};
const runtime = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";
const { serve, upgradeWebSocket } = await adapters[runtime]();

const production = process.env["NODE_ENV"] === "production";
const secret = process.env["SECRET"] || (production ? "" : randomBytes(32).toString("base64"));
const holdfast = createHoldfast({
  storage: sqliteStorage(process.env["DATABASE"] || "notes.db"),
  secrets: [secret],
  cookie: { dev: !production },
});
const app = createApp(holdfast, upgradeWebSocket, await bundlePage());
const server = await serve({
  fetch: app.fetch,
  port: Number(process.env["PORT"] || 3000),
  holdfast,
  // What somebody pastes is one frame.
  sockets: { maxFrameBytes: 512 * 1024 },
});
console.log(`Notes on ${server.url} `);

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Hono } from "hono";
import { documentSocket } from "../../adapters/hono/mod.ts";
import { sqliteStorage } from "../../adapters/sqlite/mod.ts";
import type { ServeOptions, Server } from "../../adapters/web/serving.ts";
import type { UpgradeWebSocket } from "../../adapters/web/sockets.ts";
import { createHoldfast, treeDocument } from "../../mod.ts";
import { filling, node, type Served } from "./served.ts";

interface Adapter {
  serve(options: ServeOptions): Promise<Server>;
  readonly upgradeWebSocket: UpgradeWebSocket;
}

const runtime = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";
const Board = treeDocument({ name: "bench", vsn: 1 });
/** Those who write as fast as they can are what is measured, whether they read as fast or not. */
const limits = { framesPerSecond: 1e9, burst: 1e9, maxBacklogBytes: 2 ** 24 };
const sockets = { maxBufferedBytes: 2 ** 26 };

/** Serves documents of this library, durable in SQLite before anybody hears of a change. */
export async function start(folder: string): Promise<Served> {
  const { serve, upgradeWebSocket }: Adapter = await import(`../../adapters/${runtime}/mod.ts`);
  const storage = sqliteStorage(join(folder, "documents.db"));
  const holdfast = createHoldfast({ storage, secrets: [randomBytes(32)] });
  const app = new Hono();
  const access = () => ({ actor: null });
  const route = documentSocket(holdfast, Board, {
    upgradeWebSocket,
    access,
    limits,
    allowMissingOrigin: true,
  });
  // What the route needs of a context, Hono's has; its type says more than can be told here.
  app.get("/:id", route as never);
  const { port } = await serve({ fetch: app.fetch, port: 0, holdfast, signals: [], sockets });
  return {
    port,
    async seed(document, nodes) {
      const board = holdfast.document(Board, document);
      for (let from = 0; from < nodes; from += 50) {
        await board.mutate({
          op: "put",
          nodes: Array.from({ length: Math.min(50, nodes - from) }, (_, n) => {
            return { id: node(from + n), type: "card", attrs: { text: filling }, parent: null };
          }),
        });
      }
      await board.join({ deliver: () => {} });
    },
  };
}

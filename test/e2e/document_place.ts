/** A server whose only route is the socket of documents, on the runtime that runs this. */
import { Hono } from "hono";
import { documentSocket, type DocumentSocketOptions, session } from "../../adapters/hono/mod.ts";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import type { ServeOptions, Server } from "../../adapters/web/serving.ts";
import { createHoldfast, type DocumentDefinition, type Storage } from "../../mod.ts";
import type { TestContext } from "../harness/mod.ts";
import { open } from "../object_model/world.ts";
import { serve, upgradeWebSocket } from "./runtime.ts";

/** What of it differs from test to test. */
export interface Place extends Partial<Pick<ServeOptions, "port" | "sockets">> {
  /** @default {one of its own, in memory} */
  readonly storage?: Storage;
  /** Options of the route. @default {anybody who has `?actor=`; "guest" may only look} */
  readonly route?: Partial<DocumentSocketOptions>;
}

/** Serves documents at a path with the parameter `:id`. */
export async function serveDocuments<S, Op>(
  t: TestContext,
  definition: DocumentDefinition<S, Op>,
  path: string,
  { storage = memoryStorage(), route, port = 0, sockets }: Place = {},
): Promise<Server> {
  const secrets = ["a secret of the tests, as long as it has to be"];
  const holdfast = createHoldfast({ storage: open(storage), secrets });
  const app = new Hono();
  app.use(session(holdfast));
  const handler = documentSocket(holdfast, definition, {
    upgradeWebSocket,
    access: (c) => {
      const actor = new URL(c.req.raw.url).searchParams.get("actor");
      return actor === null ? undefined : { actor, readOnly: actor === "guest" };
    },
    allowMissingOrigin: true,
    ...route,
  });
  // What the route needs of a context, Hono's has; its type says more than can be told here.
  app.get(path, handler as never);
  const options = sockets === undefined ? {} : { sockets };
  const server = await serve({ fetch: app.fetch, port, holdfast, signals: [], ...options });
  t.defer(async () => void await server.close());
  return server;
}

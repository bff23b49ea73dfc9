import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { App } from "./apps.ts";

const HOST = "127.0.0.1";

type Fetch = Extract<App, { fetch: unknown }>["fetch"];

/** What this file uses of the runtimes' own servers. */
interface Runtimes {
  readonly Bun?: {
    serve(options: { hostname: string; port: 0; fetch: Fetch }): { readonly port: number };
  };
  readonly Deno?: {
    serve(
      options: { hostname: string; port: 0; onListen: () => void },
      fetch: Fetch,
    ): { readonly addr: { readonly port: number } };
  };
}

/**
 * Serves an application with the server this runtime's users would take.
 *
 * @returns The port on the loopback interface.
 */
export async function serve(app: App): Promise<number> {
  const { Bun: bun, Deno: deno } = globalThis as Runtimes;
  // Express knows no other server.
  if ("listener" in app) {
    return await listen(createServer(app.listener as RequestListener));
  }
  const { fetch } = app;
  if (bun !== undefined) {
    return bun.serve({ hostname: HOST, port: 0, fetch }).port;
  }
  if (deno !== undefined) {
    return deno.serve({ hostname: HOST, port: 0, onListen: () => {} }, fetch)
      .addr.port;
  }
  const { serve } = await import("@hono/node-server");
  return await new Promise((resolve) => {
    serve({ fetch, hostname: HOST, port: 0 }, ({ port }) => resolve(port));
  });
}

/** Listens on a free port of the loopback interface, and answers with it. */
export function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, HOST, () => resolve((server.address() as AddressInfo).port));
  });
}

import {
  cannotListen,
  type Listener,
  type ProcessControl,
  type ServeOptions,
  type Server,
  serverOf,
  type ServeSettings,
  serveSettings,
} from "../web/serving.ts";
import { Sockets } from "../web/sockets.ts";
import { type BunSocketHandlers, socketHandlers } from "./sockets.ts";

/** What is used of `Bun.serve()`. */
interface BunServer {
  readonly port: number;
  readonly pendingRequests: number;
  stop(closeActiveConnections?: boolean): Promise<void>;
}

/** What is used of Bun. */
interface BunGlobals {
  readonly Bun?: {
    serve(options: {
      readonly fetch: (request: Request, server: object) => Response | Promise<Response>;
      readonly port: number;
      readonly hostname: string;
      readonly development: boolean;
      readonly idleTimeout: number;
      readonly reusePort: boolean;
      readonly websocket: object;
    }): BunServer;
  };
  readonly process?: {
    on(signal: string, listener: () => void): void;
    off(signal: string, listener: () => void): void;
    exit(code: number): void;
  };
}

/** Options of {@linkcode serve}. */
export interface BunServeOptions extends ServeOptions {
  /**
   * Handlers for sockets that another helper than `upgradeWebSocket` opens, as `websocket` of Hono's;
   * the limits of `sockets` hold for them.
   */
  readonly websocket?: object;
}

/** Seconds a connection may be silent; Bun's own 10 would cut slow handlers that Node lets finish. */
const IDLE_SECONDS = 60;

/**
 * Listens for requests on Bun. The second argument of `fetch` is Bun's server.
 *
 * @param options What to serve, where, and how to end.
 * @returns The server, once it listens.
 * @throws {TypeError} If `fetch` is not a function.
 * @throws {RangeError} If the port, `withinMs` or a limit of the sockets is out of range.
 * @throws {Error} If this is not Bun, or the port cannot be had.
 *
 * @example An app, until a signal ends it
 * ```ts ignore
 * import { createHoldfast } from "@holdfast/holdfast";
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { serve } from "@holdfast/holdfast/bun";
 * import { assertEquals } from "@std/assert";
 *
 * const secret = crypto.getRandomValues(new Uint8Array(32));
 * const holdfast = createHoldfast({ storage: memoryStorage(), secrets: [secret] });
 * const server = await serve({ fetch: () => new Response("hello"), port: 0, holdfast });
 *
 * assertEquals(await (await fetch(server.url)).text(), "hello");
 * assertEquals((await server.close()).complete, true);
 * ```
 */
export function serve(options: BunServeOptions): Promise<Server> {
  return new Promise((resolve) => {
    const settings = serveSettings(options, { websocket: true });
    const { Bun: bun, process } = globalThis as BunGlobals;
    if (bun === undefined || process === undefined) {
      throw new Error('Cannot serve with "holdfast/bun": this is not Bun');
    }
    const control: ProcessControl = {
      onSignal(signal, callback) {
        process.on(signal, callback);
        return () => process.off(signal, callback);
      },
      exit: (code) => process.exit(code),
    };
    const sockets = new Sockets(settings.sockets);
    const websocket: BunSocketHandlers = { ...socketHandlers(sockets), ...options.websocket };
    resolve(serverOf(listen(bun, settings, sockets, websocket), settings, control));
  });
}

function listen(
  bun: NonNullable<BunGlobals["Bun"]>,
  settings: ServeSettings,
  sockets: Sockets,
  websocket: BunSocketHandlers,
): Listener {
  const { fetch, port, hostname } = settings;
  const options = {
    fetch,
    port,
    hostname,
    idleTimeout: IDLE_SECONDS,
    development: false,
    // Outside of development Bun lets several processes share a port, unless told otherwise.
    reusePort: false,
    websocket,
  };
  let server: BunServer;
  try {
    server = bun.serve(options);
  } catch (cause) {
    throw cannotListen(settings, cause);
  }
  return {
    port: server.port,
    sockets,
    // Closes idle connections too, and the others after their answer.
    drain: () => server.stop(),
    cut: () => void server.stop(true),
    pending: () => server.pendingRequests,
  };
}

import { wrongArgument } from "../../src/core/options.ts";
import type {
  RawSocket,
  SocketEvents,
  SocketLink,
  Sockets,
  UpgradeContext,
  UpgradeHandler,
} from "../web/sockets.ts";
import { wantsSocket } from "../web/sockets.ts";

/** What is used of a socket of Bun. */
export interface BunSocket {
  readonly data: SocketData;
  readonly readyState: number;
  send(text: string): number;
  close(code?: number, reason?: string): void;
  terminate(): void;
  getBufferedAmount(): number;
}

/** What goes with a socket from the request on. */
interface SocketData {
  readonly events: SocketEvents;
  link?: SocketLink;
}

/** What `Bun.serve()` takes for sockets. */
export interface BunSocketHandlers {
  readonly maxPayloadLength: number;
  readonly backpressureLimit: number;
  readonly closeOnBackpressureLimit: boolean;
  readonly idleTimeout: number;
  readonly perMessageDeflate: boolean;
  readonly open: (socket: BunSocket) => void;
  readonly message: (socket: BunSocket, data: unknown) => void;
  readonly close: (socket: BunSocket, code: number, reason: string) => void;
}

/** What is used of the server that Bun passes beside a request. */
interface Upgrading {
  upgrade(request: Request, options: { readonly data: SocketData }): boolean;
}

/** Handlers for `Bun.serve()`, with the limits of `sockets`. */
export function socketHandlers(sockets: Sockets): BunSocketHandlers {
  const { maxFrameBytes, maxBufferedBytes, idleMs, compress } = sockets.settings;
  return {
    maxPayloadLength: maxFrameBytes,
    backpressureLimit: maxBufferedBytes,
    closeOnBackpressureLimit: true,
    idleTimeout: Math.ceil(idleMs / 1000),
    perMessageDeflate: compress,
    open: (socket) => void (socket.data.link = sockets.open(socket.data.events, rawOf(socket))),
    message: ({ data }, message) => data.link?.message(message),
    close: ({ data }, code, reason) => data.link?.closed(code, reason),
  };
}

function rawOf(socket: BunSocket): RawSocket {
  return {
    raw: socket,
    get readyState() {
      return socket.readyState;
    },
    buffered: () => socket.getBufferedAmount(),
    send: (text) => void socket.send(text),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
  };
}

/** Bun's server, passed as it is or, as some do, in an object. */
function serverIn(env: unknown): Upgrading {
  const { server = env } = (env ?? {}) as { readonly server?: unknown };
  if (typeof (server as Partial<Upgrading> | null | undefined)?.upgrade !== "function") {
    throw wrongArgument('Cannot upgrade: the second argument of "fetch" has to reach the app');
  }
  return server as Upgrading;
}

/**
 * Makes a handler that turns requests into sockets, on a server of `serve()`. Messages are text, as
 * large as `sockets.maxFrameBytes` allows.
 *
 * @param createEvents Says what to do with the socket of a request; called before it is opened.
 * @returns A handler for a route of Hono. It leaves a request for anything else to the next.
 * @throws {TypeError} When a request comes, if the second argument of `fetch` is not passed on.
 *
 * @example An echo
 * ```ts ignore
 * import { serve, upgradeWebSocket } from "@holdfast/holdfast/bun";
 * import { Hono } from "hono";
 *
 * const app = new Hono();
 * app.get("/echo", upgradeWebSocket(() => ({
 *   onMessage: ({ data }, socket) => socket.send(data),
 * })));
 * await using server = await serve({ fetch: app.fetch, port: 0 });
 * const socket = new WebSocket(server.url.replace("http", "ws") + "/echo");
 * ```
 */
export function upgradeWebSocket<C extends UpgradeContext>(
  createEvents: (c: C) => SocketEvents | Promise<SocketEvents>,
): UpgradeHandler<C> {
  return async (c, next) => {
    const request = c.req.raw;
    if (!wantsSocket(request)) return void await next();
    const events = await createEvents(c);
    // Bun has taken the connection, whatever is answered.
    if (serverIn(c.env).upgrade(request, { data: { events } })) return new Response(null);
    return new Response("This is no WebSocket handshake", { status: 400 });
  };
}

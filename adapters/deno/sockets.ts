import {
  findSockets,
  type RawSocket,
  type SocketEvents,
  Sockets,
  socketSettings,
  type UpgradeContext,
  type UpgradeHandler,
  wantsSocket,
} from "../web/sockets.ts";

/** What is used of a socket of Deno. */
interface DenoSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onerror: ((event: object) => void) | null;
  send(text: string): void;
  close(code: number, reason: string): void;
}

/** What is used of Deno. */
interface DenoSockets {
  upgradeWebSocket(
    request: Request,
    options: { readonly idleTimeout: number },
  ): { readonly socket: DenoSocket; readonly response: Response };
}

/**
 * Makes a handler that turns requests into sockets. Messages are text, as large as
 * `sockets.maxFrameBytes` of `serve()` allows.
 *
 * @param createEvents Says what to do with the socket of a request; called before it is opened.
 * @returns A handler for a route of Hono. It leaves a request for anything else to the next.
 *
 * @example An echo
 * ```ts
 * import { serve, upgradeWebSocket } from "@holdfast/holdfast/deno";
 * import { assertEquals } from "@std/assert";
 * import { Hono } from "hono";
 *
 * const app = new Hono();
 * app.get(
 *   "/echo",
 *   upgradeWebSocket(() => ({ onMessage: ({ data }, socket) => socket.send(data) })),
 * );
 * await using server = await serve({ fetch: app.fetch, port: 0 });
 *
 * const socket = new WebSocket(`${server.url.replace("http", "ws")}/echo`);
 * socket.onopen = () => socket.send("hello");
 * const answer = await new Promise((resolve) => socket.onmessage = ({ data }) => resolve(data));
 * assertEquals(answer, "hello");
 * ```
 */
export function upgradeWebSocket<C extends UpgradeContext>(
  createEvents: (c: C) => SocketEvents | Promise<SocketEvents>,
): UpgradeHandler<C> {
  return async (c, next) => {
    const request = c.req.raw;
    if (!wantsSocket(request)) return void await next();
    const events = await createEvents(c);
    // Served by something else they have the default limits.
    const sockets = findSockets<Sockets>(c.env) ?? new Sockets(socketSettings());
    if (sockets.closing) return new Response("The server goes away", { status: 503 });
    return upgrade(request, events, sockets);
  };
}

function upgrade(request: Request, events: SocketEvents, sockets: Sockets): Response {
  const { Deno: deno } = globalThis as { readonly Deno?: DenoSockets };
  if (deno === undefined) throw new Error('Cannot upgrade with "holdfast/deno": this is not Deno');
  const idleTimeout = Math.ceil(sockets.settings.idleMs / 1000);
  let upgraded: ReturnType<DenoSockets["upgradeWebSocket"]>;
  try {
    upgraded = deno.upgradeWebSocket(request, { idleTimeout });
  } catch {
    return new Response("This is no WebSocket handshake", { status: 400 });
  }
  const { socket, response } = upgraded;
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    const link = sockets.open(events, rawOf(socket));
    socket.onmessage = ({ data }) => link.message(data);
    // 0 if the connection was lost.
    socket.onclose = ({ code, reason }) => link.closed(code || 1006, reason);
    socket.onerror = (error) => link.failed(error);
  };
  return response;
}

function rawOf(socket: DenoSocket): RawSocket {
  return {
    raw: socket,
    get readyState() {
      return socket.readyState;
    },
    buffered: () => socket.bufferedAmount,
    send: (text) => socket.send(text),
    close: (code, reason) => socket.close(code, reason),
    // There is no way to end one without its handshake.
    terminate: () => socket.readyState < 2 ? socket.close(1011, "Cut") : undefined,
  };
}

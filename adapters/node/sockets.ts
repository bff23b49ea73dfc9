import {
  findSockets,
  type RawSocket,
  type SocketEvents,
  type SocketLink,
  type Sockets,
  type UpgradeContext,
  type UpgradeHandler,
  wantsSocket,
} from "../web/sockets.ts";
import { SharedFrame } from "./shared_frame.ts";

/** What is used of a socket of `ws`. */
interface NodeWebSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(text: string): void;
  close(code: number, reason: string): void;
  terminate(): void;
  ping(): void;
  on(event: "pong", listener: () => void): unknown;
}

/** What is used of the connection under a socket. */
interface Wire {
  write(bytes: Uint8Array): unknown;
}

/** What is used of a server of `ws`. */
interface WebSocketServer {
  readonly clients: Iterable<NodeWebSocket>;
  on(
    event: "connection",
    listener: (socket: NodeWebSocket, request: { readonly socket: Wire }) => void,
  ): unknown;
}

/** What is used of `ws`. */
export interface SocketServerModule {
  /** Opens sockets on connections of a server. */
  readonly WebSocketServer: new (options: {
    noServer: true;
    maxPayload: number;
    perMessageDeflate: boolean;
    clientTracking: true;
  }) => object;
}

/** What the helper of `@hono/node-server` is given. */
interface HelperEvents {
  onOpen(event: object, socket: { readonly raw?: unknown }): void;
  onMessage(event: { readonly data: unknown }): void;
  onClose(event: { readonly code: number; readonly reason: string }): void;
  onError(event: object): void;
}

/** The helper of `@hono/node-server`, as used here. */
export type SocketHelper = (c: object, events: HelperEvents) => Promise<Response>;

/** What `serve()` leaves beside a request. */
export interface NodeSockets {
  readonly sockets: Sockets;
  readonly helper: SocketHelper;
}

/** Makes a server of `ws` that keeps the limits of `sockets`. */
export function socketServer(ws: SocketServerModule, { settings }: Sockets): object {
  const { maxFrameBytes, idleMs, compress } = settings;
  const server = new ws.WebSocketServer({
    noServer: true,
    maxPayload: maxFrameBytes,
    perMessageDeflate: compress,
    clientTracking: true,
  });
  pingAll(server as WebSocketServer, idleMs);
  if (!compress) shareFrames(server as WebSocketServer);
  return server;
}

/** The connections under sockets that compress nothing, so that what is sent can be written to them as it is. */
const wires = new WeakMap<NodeWebSocket, Wire>();

function shareFrames(server: WebSocketServer): void {
  server.on("connection", (socket, request) => void wires.set(socket, request.socket));
}

const shared: SharedFrame = new SharedFrame();

/** Ends sockets that leave pings unanswered: `ws` would never notice that a client is gone. */
function pingAll(server: WebSocketServer, idleMs: number): void {
  const silent = new WeakSet<NodeWebSocket>();
  server.on("connection", (socket) => socket.on("pong", () => silent.delete(socket)));
  const round = () => {
    for (const socket of server.clients) {
      if (silent.has(socket)) socket.terminate();
      else {
        silent.add(socket);
        socket.ping();
      }
    }
  };
  setInterval(round, idleMs / 2).unref();
}

/**
 * Makes a handler that turns requests into sockets, on a server of `serve()`, through the packages
 * `@hono/node-server` and `ws`. Messages are text, as large as `sockets.maxFrameBytes` allows.
 *
 * @param createEvents Says what to do with the socket of a request; called before it is opened.
 * @returns A handler for a route of Hono. It leaves a request for anything else to the next.
 * @throws {Error} When a request comes, if something else serves, or `ws` is not installed.
 *
 * @example An echo
 * ```ts ignore
 * import { serve, upgradeWebSocket } from "@holdfast/holdfast/node";
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
    const found = findSockets<NodeSockets>(c.env);
    if (found === undefined) {
      throw new Error('Cannot upgrade: serve() of "holdfast/node" with "ws" installed is needed');
    }
    const { sockets, helper } = found;
    const events = await createEvents(c);
    if (sockets.closing) return new Response("The server goes away", { status: 503 });
    return await helper(helperContext(request, c.env), helperEvents(events, sockets));
  };
}

function helperContext(request: Request, env: unknown): object {
  const header = (name: string) => request.headers.get(name) ?? undefined;
  return { env, req: { url: request.url, header } };
}

function helperEvents(events: SocketEvents, sockets: Sockets): HelperEvents {
  let link: SocketLink | undefined;
  return {
    onOpen: (_, { raw }) => void (link = sockets.open(events, rawOf(raw as NodeWebSocket))),
    onMessage: ({ data }) => link?.message(data),
    onClose: ({ code, reason }) => link?.closed(code, reason),
    onError: (error) => link?.failed(error),
  };
}

function rawOf(socket: NodeWebSocket): RawSocket {
  const wire = wires.get(socket);
  return {
    raw: socket,
    get readyState() {
      return socket.readyState;
    },
    buffered: () => socket.bufferedAmount,
    send: wire === undefined
      ? (text) => socket.send(text)
      : (text) => void wire.write(shared.of(text)),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
  };
}

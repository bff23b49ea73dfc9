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
import { leaveSockets, Sockets } from "../web/sockets.ts";
import {
  type NodeSockets,
  type SocketHelper,
  socketServer,
  type SocketServerModule,
} from "./sockets.ts";
import process from "node:process";

/** What is used of a response of `node:http`. */
interface NodeResponse {
  /** Whether it is too late for another header. */
  readonly headersSent: boolean;
  /** Sets a header. */
  setHeader(name: string, value: string): unknown;
  /** Tells of its end. */
  once(event: "close", listener: () => void): unknown;
}

/** What is used of a connection. */
interface NodeSocket {
  /** Ends it at once. */
  destroy(): unknown;
  /** Tells of its end. */
  once(event: "close", listener: () => void): unknown;
}

/** What is used of a server of `node:http`. */
interface NodeHttpServer {
  /** Begins to listen. */
  listen(port: number, hostname: string, listener: () => void): unknown;
  /** Tells of requests, before anything else hears of them. */
  prependListener(
    event: "request",
    listener: (request: { readonly socket: NodeSocket }, response: NodeResponse) => void,
  ): unknown;
  /** Tells of connections. */
  on(event: "connection", listener: (socket: NodeSocket) => void): unknown;
  /** Tells of a failure. */
  once(event: "error", listener: (error: Error) => void): unknown;
  /** Forgets a listener. */
  off(event: "error", listener: (error: Error) => void): unknown;
  /** Where it listens. */
  address(): string | { readonly port: number } | null;
  /** Accepts nothing more. */
  close(callback: () => void): unknown;
  /** Closes connections without a request. */
  closeIdleConnections(): void;
  /** Closes every connection. */
  closeAllConnections(): void;
}

/** What is used of `@hono/node-server`. */
export interface NodeServerModule {
  /** Makes a server of `node:http` from a fetch handler. */
  createAdaptorServer(options: { fetch: ServeOptions["fetch"] }): object;
  /** Waits for the socket of a request. */
  readonly upgradeWebSocket?: object;
}

/** Options of {@linkcode serve}. */
export interface NodeServeOptions extends ServeOptions {
  /**
   * The module `@hono/node-server`, for bundlers, which cannot follow the import.
   * @default {import("@hono/node-server")}
   */
  readonly nodeServer?: NodeServerModule | Promise<NodeServerModule>;
  /**
   * The module `ws`, for bundlers, which cannot follow the import.
   * @default {import("ws"), if it is installed}
   */
  readonly ws?: SocketServerModule | Promise<SocketServerModule>;
}

/**
 * Listens for requests on Node, through `@hono/node-server`, which has to be installed. The second
 * argument of `fetch` holds the request and the response of `node:http`.
 *
 * @param options What to serve, where, and how to end.
 * @returns The server, once it listens.
 * @throws {TypeError} If `fetch` is not a function.
 * @throws {RangeError} If the port, `withinMs` or a limit of the sockets is out of range.
 * @throws {Error} If `@hono/node-server`, or with `live` `ws`, is not installed, or the port cannot be
 *   had.
 *
 * @example An app, until a signal ends it
 * ```ts ignore
 * import { createHoldfast } from "@holdfast/holdfast";
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { serve } from "@holdfast/holdfast/node";
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
export async function serve(options: NodeServeOptions): Promise<Server> {
  const settings = serveSettings(options, { nodeServer: true, ws: true });
  const nodeServer = await (options.nodeServer ?? needed("@hono/node-server"));
  const ws = await (options.ws ?? socketModule(settings));
  const sockets = new Sockets(settings.sockets);
  const server = createServer(nodeServer, settings, sockets, ws);
  const control: ProcessControl = {
    onSignal(signal, callback) {
      process.on(signal, callback);
      return () => void process.off(signal, callback);
    },
    exit: (code) => process.exit(code),
  };
  return serverOf(await listen(server, settings, sockets), settings, control);
}

function createServer(
  { createAdaptorServer, upgradeWebSocket }: NodeServerModule,
  { fetch }: ServeSettings,
  sockets: Sockets,
  ws: SocketServerModule | undefined,
): NodeHttpServer {
  if (ws === undefined || upgradeWebSocket === undefined) {
    return createAdaptorServer({ fetch }) as NodeHttpServer;
  }
  const beside: NodeSockets = { sockets, helper: upgradeWebSocket as SocketHelper };
  const upgrading = {
    fetch: (request: Request, env?: object) => fetch(request, leaveSockets(env, beside)),
    websocket: { server: socketServer(ws, sockets) },
  };
  return createAdaptorServer(upgrading) as NodeHttpServer;
}

/** `ws`, which only live views need. */
async function socketModule({ live }: ServeSettings): Promise<SocketServerModule | undefined> {
  if (live !== undefined) return await needed("ws");
  return await imported<SocketServerModule>("ws").catch(() => undefined);
}

async function needed<T>(name: string): Promise<T> {
  try {
    return await imported(name);
  } catch (cause) {
    throw new Error(`Cannot serve on Node: "${name}" is missing, run "npm install ${name}"`, {
      cause,
    });
  }
}

// The name is not a literal: who serves in another way need not have it.
function imported<T>(name: string): Promise<T> {
  return import(name);
}

async function listen(
  server: NodeHttpServer,
  settings: ServeSettings,
  sockets: Sockets,
): Promise<Listener> {
  const { port, hostname } = settings;
  const connections = new Connections(server);
  await new Promise<void>((resolve, reject) => {
    const failed = (cause: Error) => reject(cannotListen(settings, cause));
    server.once("error", failed);
    server.listen(port, hostname, () => {
      server.off("error", failed);
      resolve();
    });
  });
  const address = server.address();
  return {
    port: typeof address === "object" ? address?.port ?? port : port,
    sockets,
    drain: () => connections.drain(),
    cut: () => server.closeAllConnections(),
    pending: () => connections.pending,
  };
}

/**
 * Sees to it that connections end after their answer: a closed server of Node waits for those that
 * are kept alive, and goes on to answer what comes in on them.
 */
class Connections {
  readonly #server: NodeHttpServer;
  readonly #responses: Set<NodeResponse> = new Set();
  /** Connections on which no request has come yet; Node does not count them as idle. */
  readonly #unused: Set<NodeSocket> = new Set();
  #draining = false;

  constructor(server: NodeHttpServer) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#unused.add(socket);
      socket.once("close", () => this.#unused.delete(socket));
    });
    server.prependListener("request", ({ socket }, response) => {
      this.#unused.delete(socket);
      this.#track(response);
    });
  }

  get pending(): number {
    return this.#responses.size;
  }

  drain(): Promise<void> {
    this.#draining = true;
    for (const response of this.#responses) endConnection(response);
    for (const socket of this.#unused) socket.destroy();
    return new Promise((resolve) => void this.#server.close(() => resolve()));
  }

  #track(response: NodeResponse): void {
    this.#responses.add(response);
    if (this.#draining) endConnection(response);
    response.once("close", () => {
      this.#responses.delete(response);
      // It had promised to keep the connection. It is idle only after this event.
      if (this.#draining) setTimeout(() => this.#server.closeIdleConnections(), 0);
    });
  }
}

function endConnection(response: NodeResponse): void {
  if (!response.headersSent) response.setHeader("connection", "close");
}

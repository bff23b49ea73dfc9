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

/** What `Deno.serve()` passes beside a request. */
interface DenoServeInfo {
  /** Settles when the answer has been sent, or could not be. */
  readonly completed: Promise<void>;
}

/** What is used of Deno. */
interface DenoLike {
  serve(
    options: {
      readonly port: number;
      readonly hostname: string;
      onListen(): void;
    },
    handler: (request: Request, info: DenoServeInfo) => Response | Promise<Response>,
  ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
  addSignalListener(signal: string, listener: () => void): void;
  removeSignalListener(signal: string, listener: () => void): void;
  exit(code: number): void;
}

/**
 * Listens for requests on Deno. The second argument of `fetch` is what Deno tells of the connection.
 *
 * @param options What to serve, where, and how to end.
 * @returns The server, once it listens.
 * @throws {TypeError} If `fetch` is not a function.
 * @throws {RangeError} If the port, `withinMs` or a limit of the sockets is out of range.
 * @throws {Error} If this is not Deno, or the port cannot be had.
 *
 * @example An app, until a signal ends it
 * ```ts
 * import { createHoldfast } from "@holdfast/holdfast";
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { serve } from "@holdfast/holdfast/deno";
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
export function serve(options: ServeOptions): Promise<Server> {
  return new Promise((resolve) => {
    const settings = serveSettings(options);
    const { Deno: deno } = globalThis as { readonly Deno?: DenoLike };
    if (deno === undefined) {
      throw new Error('Cannot serve with "holdfast/deno": this is not Deno');
    }
    const control: ProcessControl = {
      onSignal(signal, callback) {
        deno.addSignalListener(signal, callback);
        return () => deno.removeSignalListener(signal, callback);
      },
      exit: (code) => deno.exit(code),
    };
    resolve(serverOf(listen(deno, settings), settings, control));
  });
}

function listen(deno: DenoLike, settings: ServeSettings): Listener {
  const { port, hostname } = settings;
  const sockets = new Sockets(settings.sockets);
  const requests = new Requests((request, env) =>
    settings.fetch(request, leaveSockets(env, sockets))
  );
  let server: ReturnType<DenoLike["serve"]>;
  try {
    server = deno.serve({ port, hostname, onListen() {} }, requests.handle);
  } catch (cause) {
    throw cannotListen(settings, cause);
  }
  return {
    port: server.addr.port,
    sockets,
    // Closes idle connections too, and the others after their answer.
    drain: () => requests.arrived().then(() => server.shutdown()),
    cut: () => requests.cut(),
    pending: () => requests.pending,
  };
}

/**
 * Knows the requests under way. Deno has no way to end connections once it is shutting down: to
 * abort it then is an uncaught error. So requests that are cut get an answer, 503, and streams that
 * go on end with the process. Nor can a body be read any more then, so it does not begin to while there
 * may be one that has not arrived.
 */
class Requests {
  readonly #fetch: ServeOptions["fetch"];
  readonly #giveUp: Set<() => void> = new Set();
  /** Requests with a body that are not answered yet. */
  readonly #bodies: Set<Promise<unknown>> = new Set();
  #closing = false;
  pending = 0;

  constructor(fetch: ServeOptions["fetch"]) {
    this.#fetch = fetch;
  }

  readonly handle = (request: Request, info: DenoServeInfo): Promise<Response> => {
    if (this.#closing) {
      const headers = { connection: "close", "retry-after": "1" };
      return Promise.resolve(new Response(null, { status: 503, headers }));
    }
    const done = () => void this.pending--;
    this.pending++;
    // Rejects when the client is gone before the end.
    info.completed.then(done, done);
    if (request.method !== "GET" && request.method !== "HEAD") {
      const body = info.completed.catch(() => {}).finally(() => this.#bodies.delete(body));
      this.#bodies.add(body);
    }
    return new Promise((resolve, reject) => {
      const giveUp = () => resolve(new Response(null, { status: 503 }));
      this.#giveUp.add(giveUp);
      this.#answer(request, info).then(resolve, reject).finally(() => this.#giveUp.delete(giveUp));
    });
  };

  /** Takes no more requests, and settles once those with a body are answered. */
  async arrived(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#bodies);
  }

  cut(): void {
    for (const giveUp of this.#giveUp) giveUp();
  }

  async #answer(request: Request, info: DenoServeInfo): Promise<Response> {
    return await this.#fetch(request, info);
  }
}

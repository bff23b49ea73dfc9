import type { Clock } from "../../src/ports/clock.ts";
import type { CloseReport, Holdfast } from "./holdfast.ts";
import { webClock } from "./clock.ts";

/** Signals a server can be told to stop with. */
export type StopSignal = "SIGTERM" | "SIGINT" | "SIGHUP";

/** Options of `serve()`, the same on every runtime. */
export interface ServeOptions {
  /** Answers a request; `app.fetch` of Hono fits. `env` is what the runtime passes beside it. */
  fetch(request: Request, env?: object): Response | Promise<Response>;
  /** Port to listen on, 0 to 65,535; 0 takes a free one. */
  readonly port: number;
  /** Address to listen on. @default {"127.0.0.1"} */
  readonly hostname?: string;
  /** Closed after the last request, so that everything accepted is durable when the process ends. */
  readonly holdfast?: Pick<Holdfast, "close">;
  /**
   * Milliseconds that closing may take, 0 or more. Requests still under way after four fifths of it
   * are cut; the last fifth is for storage.
   * @default {10000}
   */
  readonly withinMs?: number;
  /**
   * Signals that close the server and end the process, with exit code 0 if everything accepted is
   * durable, else 1. A second signal cuts the requests under way, a third ends the process at once.
   * @default {["SIGTERM", "SIGINT"]}
   */
  readonly signals?: readonly StopSignal[];
}

/** What closing a server came to. */
export interface ServerReport extends CloseReport {
  /** Requests that were cut at the limit or by a second signal. */
  readonly cut: number;
}

/** A server that listens. */
export interface Server extends AsyncDisposable {
  /** Its address, as `http://127.0.0.1:3000`. */
  readonly url: string;
  /** The port it has. */
  readonly port: number;
  /**
   * Accepts nothing more, lets requests under way finish, then closes the holdfast. Called again it
   * returns the same.
   */
  close(): Promise<ServerReport>;
}

/** What a runtime contributes to a server. */
export interface Listener {
  readonly port: number;
  /** Accepts nothing more; resolves when every request under way is answered. */
  drain(): Promise<unknown>;
  /** Cuts what is still under way. */
  cut(): void;
  /** How many requests are under way. */
  pending(): number;
}

/** How a runtime tells of signals and ends. */
export interface ProcessControl {
  /** Calls back on a signal until the function it returns is called. */
  onSignal(signal: StopSignal, callback: () => void): () => void;
  exit(code: number): void;
}

/** {@linkcode ServeOptions} that were checked, with nothing left open. */
export type ServeSettings = Required<Omit<ServeOptions, "holdfast">> & {
  readonly holdfast: ServeOptions["holdfast"];
};

/**
 * Checks options and fills in the defaults.
 *
 * @throws {TypeError} If `fetch` is not a function.
 * @throws {RangeError} If the port or `withinMs` is out of range.
 */
export function serveSettings(options: ServeOptions): ServeSettings {
  const { hostname = "127.0.0.1", withinMs = 10_000, signals = ["SIGTERM", "SIGINT"] } = options;
  const { port, holdfast } = options;
  if (typeof options.fetch !== "function") {
    throw new TypeError('Cannot serve: "fetch" is not a function');
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError(`Cannot serve: port is ${port}, not a whole number from 0 to 65535`);
  }
  if (!(withinMs >= 0)) {
    throw new RangeError(`Cannot serve: withinMs is ${withinMs}, not 0 or more`);
  }
  const fetch: ServeSettings["fetch"] = (request, env) => options.fetch(request, env);
  return { fetch, port, hostname, holdfast, withinMs, signals };
}

/** The error of a port that cannot be had, the same on every runtime. */
export function cannotListen({ hostname, port }: ServeSettings, cause: unknown): Error {
  return new Error(`Cannot listen on "${originOf(hostname, port)}": the system refused`, { cause });
}

function originOf(hostname: string, port: number): string {
  return `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** Makes a server of what the runtime listens with. */
export function serverOf(
  listener: Listener,
  settings: ServeSettings,
  control: ProcessControl,
  clock: Clock = webClock(),
): Server {
  const closing = new Closing(listener, settings, clock);
  let signalled = 0;
  const offs = settings.signals.map((signal) =>
    control.onSignal(signal, () => {
      signalled++;
      if (signalled > 2) return control.exit(1);
      if (signalled === 2) return closing.hurry();
      closing.run().then(({ complete }) => control.exit(complete ? 0 : 1), () => control.exit(1));
    })
  );
  const close: Server["close"] = async () => {
    try {
      return await closing.run();
    } finally {
      for (const off of offs.splice(0)) off();
    }
  };
  return {
    url: originOf(settings.hostname, listener.port),
    port: listener.port,
    close,
    [Symbol.asyncDispose]: async () => void await close(),
  };
}

/** Closes a server once, against the clock. */
class Closing {
  readonly #listener: Listener;
  readonly #settings: ServeSettings;
  readonly #clock: Clock;
  readonly #hurried: Promise<false>;
  #hurry: () => void = () => {};
  #running: Promise<ServerReport> | undefined;

  constructor(listener: Listener, settings: ServeSettings, clock: Clock) {
    this.#listener = listener;
    this.#settings = settings;
    this.#clock = clock;
    this.#hurried = new Promise((resolve) => this.#hurry = () => resolve(false));
  }

  run(): Promise<ServerReport> {
    return this.#running ??= this.#close();
  }

  /** Waits no longer for requests. */
  hurry(): void {
    this.#hurry();
  }

  async #close(): Promise<ServerReport> {
    const { holdfast, withinMs } = this.#settings;
    const start = this.#clock.monotonic();
    const answered = await this.#drained(withinMs * 0.8);
    const cut = answered ? 0 : this.#listener.pending();
    if (!answered) this.#listener.cut();
    const leftMs = Math.max(0, withinMs - (this.#clock.monotonic() - start));
    const report = await holdfast?.close({ withinMs: leftMs });
    return { complete: true, unfinished: 0, ...report, cut };
  }

  async #drained(limitMs: number): Promise<boolean> {
    let cancel = () => {};
    const late = new Promise<false>((resolve) => {
      cancel = this.#clock.timer(limitMs, () => resolve(false));
    });
    const drained = this.#listener.drain().then(() => true);
    // What comes of it after the limit is nobody's concern.
    drained.catch(() => {});
    try {
      return await Promise.race([drained, late, this.#hurried]);
    } finally {
      cancel();
    }
  }
}

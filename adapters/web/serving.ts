import type { Clock } from "../../src/ports/clock.ts";
import type { CloseReport, Holdfast } from "./holdfast.ts";
import { webClock } from "./clock.ts";
import {
  type SocketOptions,
  type Sockets,
  type SocketSettings,
  socketSettings,
} from "./sockets.ts";
import { checkKnown, type OptionNames, outOfRange, wrongArgument } from "../../src/core/options.ts";

/** Signals a server can be told to stop with. */
export type StopSignal = "SIGTERM" | "SIGINT" | "SIGHUP";

/** What draining live views came to. */
export interface LiveDrained {
  /** Views whose state could not be stored. */
  readonly failed?: number;
}

/** What can be drained; `createLive()` of `holdfast/live` makes it. */
export interface Drainable {
  /** Tells the clients, stores what they have, and closes their sockets. `hurry` ends the waiting. */
  drain(options: { readonly hurry: AbortSignal }): Promise<LiveDrained>;
}

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
  /** Drained before anything else, while requests are still answered. */
  readonly live?: Drainable;
  /** Limits of the sockets that `upgradeWebSocket` opens. */
  readonly sockets?: SocketOptions;
  /**
   * Milliseconds that closing may take, 0 or more. Live views are hurried after three fifths of it;
   * requests still under way after four fifths are cut; the last fifth is for storage.
   * @default {10000}
   */
  readonly withinMs?: number;
  /**
   * Signals that close the server and end the process, with exit code 0 if everything accepted is
   * durable, else 1. A second signal hurries live views and cuts the requests under way, a third ends
   * the process at once.
   * @default {["SIGTERM", "SIGINT"]}
   */
  readonly signals?: readonly StopSignal[];
}

/** What closing a server came to. */
export interface ServerReport extends CloseReport {
  /** Requests that were cut at the limit or by a second signal. */
  readonly cut: number;
  /** What draining the live views came to; missing without any, or if they were not done in time. */
  readonly live?: LiveDrained;
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
  /** The sockets it has opened. */
  readonly sockets?: Sockets;
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
export type ServeSettings = Required<Omit<ServeOptions, "holdfast" | "live" | "sockets">> & {
  readonly holdfast: ServeOptions["holdfast"];
  readonly live: ServeOptions["live"];
  readonly sockets: SocketSettings;
};

const optionNames: OptionNames<ServeOptions> = {
  fetch: true,
  port: true,
  hostname: "a string",
  holdfast: ".close",
  live: ".drain",
  sockets: true,
  withinMs: true,
  signals: "an array",
};

/**
 * Checks options and fills in the defaults.
 *
 * @param more Names of the options that only this runtime has.
 * @throws {TypeError} If `fetch` is not a function.
 * @throws {RangeError} If the port, `withinMs` or a limit of the sockets is out of range.
 */
export function serveSettings(
  options: ServeOptions,
  more: Readonly<Record<string, true>> = {},
): ServeSettings {
  checkKnown<ServeOptions>(options, { ...optionNames, ...more }, "serve");
  const { hostname = "127.0.0.1", withinMs = 10_000, signals = ["SIGTERM", "SIGINT"] } = options;
  const { port, holdfast, live } = options;
  if (typeof options.fetch !== "function") {
    throw wrongArgument('Cannot serve: "fetch" is not a function');
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw outOfRange(
      `Cannot serve: port is ${String(port)}, not a whole number from 0 to 65535`,
    );
  }
  if (!(withinMs >= 0)) {
    throw outOfRange(`Cannot serve: withinMs is ${String(withinMs)}, not 0 or more`);
  }
  const fetch: ServeSettings["fetch"] = (request, env) => options.fetch(request, env);
  const sockets = socketSettings(options.sockets);
  return { fetch, port, hostname, holdfast, live, sockets, withinMs, signals };
}

/** Why systems refuse a port. */
const refusals: Readonly<Record<string, string>> = {
  EADDRINUSE: "somebody listens there already",
  EACCES: "this user may not listen there",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "there is no such host",
};

/** Deno has names of its own for it. */
const ofDeno: Readonly<Record<string, string>> = {
  AddrInUse: "EADDRINUSE",
  PermissionDenied: "EACCES",
  AddrNotAvailable: "EADDRNOTAVAIL",
};

/** The error of a port that cannot be had, the same on every runtime. */
export function cannotListen({ hostname, port }: ServeSettings, cause: unknown): Error {
  const { code, name = "" } = (cause ?? {}) as { readonly code?: unknown; readonly name?: string };
  const known = typeof code === "string" ? code : ofDeno[name] ?? "";
  const why = refusals[known] ?? "the system refused";
  const message = `Cannot listen on port ${port} of "${hostname}": ${why}`;
  const error = new Error(known === "" ? message : `${message} (${known})`, { cause });
  return known === "" ? error : Object.assign(error, { code: known });
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
  readonly #hurried: Promise<undefined>;
  readonly #hurry: AbortController = new AbortController();
  #running: Promise<ServerReport> | undefined;

  constructor(listener: Listener, settings: ServeSettings, clock: Clock) {
    this.#listener = listener;
    this.#settings = settings;
    this.#clock = clock;
    this.#hurried = new Promise((resolve) => {
      this.#hurry.signal.addEventListener("abort", () => resolve(undefined));
    });
  }

  run(): Promise<ServerReport> {
    return this.#running ??= this.#close();
  }

  /** Waits no longer for requests, and has live views wait no longer for their clients. */
  hurry(): void {
    this.#hurry.abort();
  }

  async #close(): Promise<ServerReport> {
    const { holdfast, withinMs } = this.#settings;
    const start = this.#clock.monotonic();
    const leftMs = (part: number) =>
      Math.max(0, withinMs * part - (this.#clock.monotonic() - start));
    const live = await this.#live(leftMs);
    await this.#listener.sockets?.close(this.#clock);
    const answered = await this.#within(
      leftMs(0.8),
      this.#listener.drain().then(() => true),
      this.#hurried,
    );
    const cut = answered ? 0 : this.#listener.pending();
    if (!answered) this.#listener.cut();
    const report = await holdfast?.close({ withinMs: leftMs(1) });
    const stored = report?.complete !== false && (live?.failed ?? 0) === 0;
    const told = live === undefined ? {} : { live };
    return { unfinished: 0, ...report, complete: stored, cut, ...told };
  }

  /** Drains live views: asked to hurry after three fifths of the time, left behind after four. */
  async #live(leftMs: (part: number) => number): Promise<LiveDrained | undefined> {
    const { live } = this.#settings;
    if (live === undefined) return undefined;
    const hurry = new AbortController();
    const now = () => hurry.abort();
    const cancel = this.#clock.timer(leftMs(0.6), now);
    this.#hurry.signal.addEventListener("abort", now);
    if (this.#hurry.signal.aborted) now();
    try {
      return await this.#within(leftMs(0.8), live.drain({ hurry: hurry.signal }));
    } catch {
      return { failed: 1 };
    } finally {
      cancel();
    }
  }

  /** What comes first: one of the promises, or nothing at the limit. */
  async #within<T>(limitMs: number, ...promises: Promise<T>[]): Promise<T | undefined> {
    let cancel = () => {};
    const late = new Promise<undefined>((resolve) => {
      cancel = this.#clock.timer(limitMs, () => resolve(undefined));
    });
    // What comes of it after the limit is nobody's concern.
    for (const promise of promises) promise.catch(() => {});
    try {
      return await Promise.race([...promises, late]);
    } finally {
      cancel();
    }
  }
}

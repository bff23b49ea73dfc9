import { utf8Length } from "../../src/core/json.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { checkKnown, type OptionNames, outOfRange } from "../../src/core/options.ts";

/** A WebSocket as its handlers see it; one and the same object for the life of the socket. */
export interface SocketHandle {
  /** Sends text. Does nothing once the socket is closing. */
  send(text: string): void;
  /** Closes the socket with a code that the page gets to see: 1000 to 1013, or 3000 to 4999. */
  close(code?: number, reason?: string): void;
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** The socket of the runtime. */
  readonly raw?: unknown;
}

/** A message; text only. */
export interface SocketMessage {
  /** What was sent. */
  readonly data: string;
}

/** How a socket ended. */
export interface SocketClose {
  /** The code; 1006 if the connection was lost. */
  readonly code: number;
  /** The reason that was given, or empty. */
  readonly reason: string;
}

/** What failed on a socket, or in one of its handlers. */
export interface SocketFailure {
  /** The error. */
  readonly error: unknown;
}

/** What to do with a socket. A handler that throws or rejects closes its socket with 1011. */
export interface SocketEvents {
  /** It is open. */
  onOpen?(event: object, socket: SocketHandle): void | Promise<void>;
  /** A message came. Handlers are started in the order of the messages; nobody waits for their end. */
  onMessage?(event: SocketMessage, socket: SocketHandle): void | Promise<void>;
  /** It is closed; called once, last. */
  onClose?(event: SocketClose, socket: SocketHandle): void | Promise<void>;
  /** Something failed. */
  onError?(event: SocketFailure, socket: SocketHandle): void | Promise<void>;
}

/** What is needed of a context of Hono. */
export interface UpgradeContext {
  /** Holds the request as it came. */
  readonly req: { readonly raw: Request };
  /** What `serve()` passes beside a request. */
  readonly env: unknown;
}

/** A handler for a route: answers a request to upgrade, and leaves every other one to the next. */
export type UpgradeHandler<C extends UpgradeContext> = (
  c: C,
  next: () => Promise<void>,
) => Promise<Response | undefined>;

/** Makes a handler that turns requests into sockets; shaped as Hono's own helpers are. */
export type UpgradeWebSocket = <C extends UpgradeContext>(
  createEvents: (c: C) => SocketEvents | Promise<SocketEvents>,
) => UpgradeHandler<C>;

/** Limits of the sockets of a server. */
export interface SocketOptions {
  /**
   * Bytes a message may have, 1 to 2³² - 1; a larger one closes its socket with 1009. A binary one
   * closes it with 1003.
   * @default {65536}
   */
  readonly maxFrameBytes?: number;
  /**
   * Bytes that may wait for a client that does not read, 1 or more; past it the socket is ended.
   * @default {4194304}
   */
  readonly maxBufferedBytes?: number;
  /**
   * Milliseconds a client may leave pings unanswered, 1,000 to 960,000. Rounded up to seconds on Bun
   * and Deno; Bun takes no fewer than eight.
   * @default {60000}
   */
  readonly idleMs?: number;
  /**
   * Compress messages if the client can (`permessage-deflate`). Costs memory for each socket on
   * Node; Deno cannot.
   * @default {false}
   */
  readonly compress?: boolean;
}

/** {@linkcode SocketOptions} that were checked, with nothing left open. */
export type SocketSettings = Required<SocketOptions>;

const optionNames: OptionNames<SocketOptions> = {
  maxFrameBytes: true,
  maxBufferedBytes: true,
  idleMs: true,
  compress: "a boolean",
};

/**
 * Checks options and fills in the defaults.
 *
 * @throws {RangeError} If a limit is out of range.
 */
export function socketSettings(options: SocketOptions = {}): SocketSettings {
  checkKnown(options, optionNames, "serve", "sockets");
  const { maxFrameBytes = 65_536, maxBufferedBytes = 4_194_304, idleMs = 60_000 } = options;
  const check = (name: string, value: number, from: number, to: number) => {
    if (Number.isInteger(value) && value >= from && value <= to) return;
    throw outOfRange(
      `Cannot serve: sockets.${name} is ${value}, not a whole number from ${from} to ${to}`,
    );
  };
  check("maxFrameBytes", maxFrameBytes, 1, 2 ** 32 - 1);
  check("maxBufferedBytes", maxBufferedBytes, 1, 2 ** 32 - 1);
  check("idleMs", idleMs, 1_000, 960_000);
  return { maxFrameBytes, maxBufferedBytes, idleMs, compress: options.compress ?? false };
}

/** The server goes away. */
const GOING_AWAY = 1012;

/** Milliseconds a client gets to answer that its socket is closed. */
const CLOSE_GRACE_MS = 1_000;

/** How often it is looked how much waits for a client, while as much is sent as may wait. */
const looksPerLimit = 16;

/** What a runtime contributes to a socket. */
export interface RawSocket {
  readonly readyState: number;
  /** The runtime's own object. */
  readonly raw: unknown;
  /** Bytes that wait for the client. */
  buffered(): number;
  send(text: string): void;
  close(code: number, reason: string): void;
  /** Ends the connection without the handshake, where the runtime can. */
  terminate(): void;
}

/** The sockets of one server. */
export class Sockets {
  readonly settings: SocketSettings;
  readonly #links: Set<SocketLink> = new Set();
  #closing = false;
  #emptied: () => void = () => {};

  constructor(settings: SocketSettings) {
    this.settings = settings;
  }

  /** How many are not closed yet. */
  get size(): number {
    return this.#links.size;
  }

  /** Whether no more are to be opened. */
  get closing(): boolean {
    return this.#closing;
  }

  /** Takes charge of a socket that is open. */
  open(events: SocketEvents, raw: RawSocket): SocketLink {
    const link = new SocketLink(events, raw, this.settings, () => {
      this.#links.delete(link);
      if (this.#links.size === 0) this.#emptied();
    });
    this.#links.add(link);
    if (this.#closing) link.close(GOING_AWAY, "The server goes away");
    link.opened();
    return link;
  }

  /**
   * Closes all with 1012 and waits until their clients have answered, a second at most: servers of
   * Bun and Node wait for open sockets for ever when they are stopped, one of Deno cuts them.
   */
  async close(clock: Clock): Promise<void> {
    this.#closing = true;
    if (this.#links.size === 0) return;
    const emptied = new Promise<void>((resolve) => this.#emptied = resolve);
    for (const link of [...this.#links]) link.close(GOING_AWAY, "The server goes away");
    let cancel = () => {};
    const late = new Promise<void>((resolve) => cancel = clock.timer(CLOSE_GRACE_MS, resolve));
    await Promise.race([emptied, late]);
    cancel();
    this.terminate();
  }

  /** Ends all that are left. */
  terminate(): void {
    for (const link of [...this.#links]) link.terminate();
  }
}

/** One socket: keeps the limits, and keeps what its handlers throw from the runtime. */
export class SocketLink {
  readonly #events: SocketEvents;
  readonly #raw: RawSocket;
  readonly #settings: SocketSettings;
  readonly #gone: () => void;
  readonly #handle: SocketHandle;
  #closed = false;
  /** Characters that were sent since it was seen how much waits. */
  #unseen = 0;

  constructor(events: SocketEvents, raw: RawSocket, settings: SocketSettings, gone: () => void) {
    this.#events = events;
    this.#raw = raw;
    this.#settings = settings;
    this.#gone = gone;
    this.#handle = {
      raw: raw.raw,
      get readyState() {
        return raw.readyState;
      },
      send: (text) => this.#send(text),
      close: (code = 1000, reason = "") => this.close(code, reason),
    };
  }

  opened(): void {
    this.#run(() => this.#events.onOpen?.({}, this.#handle));
  }

  /** A message of any kind. */
  message(data: unknown): void {
    if (this.#raw.readyState !== 1) return;
    if (typeof data !== "string") return this.close(1003, "Only text is understood");
    if (!fits(data, this.#settings.maxFrameBytes)) return this.close(1009, "Too large");
    this.#run(() => this.#events.onMessage?.({ data }, this.#handle));
  }

  closed(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#gone();
    this.#run(() => this.#events.onClose?.({ code, reason }, this.#handle));
  }

  failed(error: unknown): void {
    const failed = () => this.close(1011, "Failed");
    try {
      Promise.resolve(this.#events.onError?.({ error }, this.#handle)).catch(failed);
    } catch {
      failed();
    }
  }

  close(code: number, reason: string): void {
    if (this.#raw.readyState < 2) this.#raw.close(code, reason);
  }

  /** Ends it. Its handlers hear of it now: Deno would tell them when the client reads again. */
  terminate(): void {
    this.#raw.terminate();
    this.closed(1006, "");
  }

  #send(text: string): void {
    const { readyState } = this.#raw;
    if (readyState !== 1) return;
    this.#raw.send(text);
    const { maxBufferedBytes } = this.#settings;
    // A frame has a head, too.
    this.#unseen += text.length + 8;
    // To look costs as much as to send.
    if (this.#unseen * looksPerLimit < maxBufferedBytes) return;
    this.#unseen = 0;
    if (this.#raw.buffered() > maxBufferedBytes) this.terminate();
  }

  #run(handler: () => void | Promise<void>): void {
    const failed = (error: unknown) => {
      this.failed(error);
      this.close(1011, "Failed");
    };
    try {
      handler()?.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

/** Whether text is no longer than so many bytes; most is told without counting. */
function fits(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return false;
  return text.length * 3 <= maxBytes || utf8Length(text) <= maxBytes;
}

/** Whether a request asks for a socket; the runtimes and proxies differ in how they spell it. */
export function wantsSocket({ headers }: Request): boolean {
  return headers.get("upgrade")?.toLowerCase() === "websocket";
}

const ours: unique symbol = Symbol.for("holdfast.sockets");

/** What `serve()` leaves beside a request for `upgradeWebSocket`; a spread keeps it. */
export interface SocketsBeside<T> {
  readonly [ours]: T;
}

/** Leaves something beside a request. */
export function leaveSockets<T>(env: object | undefined, found: T): SocketsBeside<T> {
  return Object.assign(env ?? {}, { [ours]: found });
}

/** What {@linkcode leaveSockets} left; `undefined` if something else serves. */
export function findSockets<T>(env: unknown): T | undefined {
  return (env as Partial<SocketsBeside<T>> | null | undefined)?.[ours];
}

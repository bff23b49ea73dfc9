/** Pages without a browser: a cookie, a token, a socket, and the rules a page keeps to. */
import { afterClose } from "../../src/client/closing.ts";
import { retryDelay } from "../../src/client/backoff.ts";
import { defaultTiming } from "../../src/client/timing.ts";
import type { ServerFrame } from "../../src/live/protocol.ts";

/** A socket that can send headers, as Bun's can. */
const Socket = WebSocket as unknown as new (
  url: string,
  options: { readonly headers: Readonly<Record<string, string>> },
) => WebSocket;

/** What all pages add up to. */
export class Tally {
  /** Milliseconds from an event to its reply. */
  readonly latencies: number[] = [];
  /** How often a socket closed with a code. */
  readonly codes: Map<number, number> = new Map();
  /** When a page was joined for the second time and later. */
  readonly rejoins: number[] = [];
  /** When a page tried to connect again. */
  readonly tries: number[] = [];
  readonly errors: string[] = [];
  stale = 0;
}

/** One page on `/counter`. */
export class LoadPage {
  readonly #tally: Tally;
  /** Where to connect to; asked each time. */
  readonly #where: () => string;
  readonly #sent: Map<number, number> = new Map();
  #cookie = "";
  #token = "";
  #ref = 0;
  #mounts = 0;
  #failed = 0;
  #spreadMs: number | undefined;
  #socket: WebSocket | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #joined: () => void = () => {};
  #over = false;
  /** Clicks that were sent, those that were answered, and those that the server said to be stored. */
  sent = 0;
  answered = 0;
  stored = 0;
  /** Which text the answered clicks have led to that were not said to be stored yet. */
  #unstored: number[] = [];

  constructor(tally: Tally, where: () => string) {
    this.#tally = tally;
    this.#where = where;
  }

  /** What the browser would send. */
  get cookie(): string {
    return this.#cookie;
  }

  /** Whether it is joined. */
  get open(): boolean {
    return this.#heartbeat !== undefined;
  }

  /** Loads the page and joins. */
  async load(): Promise<void> {
    const response = await fetch(`${this.#where()}/counter`);
    const html = await response.text();
    this.#cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
    this.#token = /data-live-token="([^"]+)"/.exec(html)?.[1] ?? "";
    if (this.#cookie === "" || this.#token === "") throw new Error(html.slice(0, 200));
    const joined = new Promise<void>((resolve) => this.#joined = resolve);
    this.#connect();
    await joined;
  }

  /** Clicks; the reply is timed. */
  click(): void {
    const ref = ++this.#ref;
    this.sent++;
    this.#sent.set(ref, performance.now());
    this.#send({ t: "event", id: "live-counter", ref, name: "inc", type: "click" });
  }

  close(): void {
    this.#over = true;
    this.#socket?.close(1000);
  }

  #send(frame: object): void {
    this.#socket?.send(JSON.stringify(frame));
  }

  #connect(): void {
    const url = this.#where();
    const socket = new Socket(`${url.replace("http", "ws")}/live/socket`, {
      headers: { origin: url, cookie: this.#cookie },
    });
    this.#socket = socket;
    socket.onopen = () => this.#join();
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(String(data)));
    socket.onclose = ({ code }) => this.#closed(code);
  }

  #join(): void {
    this.#send({
      t: "join",
      id: "live-counter",
      ref: ++this.#ref,
      v: 1,
      token: this.#token,
      url: "/counter",
      mounts: this.#mounts,
      attempts: this.#failed,
      nav: "navigate",
    });
  }

  #receive(frame: ServerFrame): void {
    if (frame.t === "joined") {
      if (this.#mounts++ > 0) this.#tally.rejoins.push(performance.now());
      this.#token = frame.token;
      this.#failed = 0;
      this.#beat(frame.heartbeatMs);
      this.#joined();
    } else if (frame.t === "reply") {
      const since = this.#sent.get(frame.ref);
      this.#sent.delete(frame.ref);
      if (since === undefined) return;
      this.answered++;
      this.#unstored.push(frame.rev ?? 0);
      this.#tally.latencies.push(performance.now() - since);
    } else if (frame.t === "stash") {
      const left = this.#unstored.filter((rev) => rev > frame.rev);
      if (!frame.durable) return;
      this.stored += this.#unstored.length - left.length;
      this.#unstored = left;
    } else if (frame.t === "drain") {
      this.#spreadMs = frame.spreadMs;
      this.#send({ t: "drained" });
    } else if (frame.t === "error") {
      this.#tally.errors.push(frame.code);
    }
  }

  #beat(everyMs: number): void {
    let n = 0;
    const beat = () => this.#send({ t: "ping", n: ++n });
    clearInterval(this.#heartbeat);
    // Somewhere within the interval, as with pages that came at different times.
    this.#heartbeat = setInterval(beat, everyMs * (0.5 + Math.random() * 0.5));
  }

  #closed(code: number): void {
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
    this.#sent.clear();
    this.#unstored = [];
    if (this.#over) return;
    this.#tally.codes.set(code, (this.#tally.codes.get(code) ?? 0) + 1);
    const closing = afterClose(code);
    if (closing !== "retry" && closing !== "retry-later") {
      return void this.#tally.errors.push(`closed ${code}`);
    }
    const spread = this.#spreadMs;
    this.#spreadMs = undefined;
    const delayMs = spread === undefined
      ? retryDelay(defaultTiming, this.#failed++, Math.random())
      : Math.random() * spread;
    setTimeout(() => {
      if (this.#over) return;
      this.#tally.tries.push(performance.now());
      this.#connect();
    }, Math.max(delayMs, closing === "retry" ? 0 : 5000));
  }
}

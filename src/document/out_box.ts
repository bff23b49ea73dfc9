import type { Clock } from "../ports/clock.ts";

/** Characters of a frame that goes out whole. */
const maxWhole = 65_536;

/** Milliseconds between looks at a socket that has too much to send. */
const lookEveryMs = 50;

/** What an out-box sends with. */
export interface OutBoxPorts {
  readonly clock: Clock;
  send(text: string): void;
  /** Bytes that wait in the socket. */
  buffered(): number;
  /** All has been sent, and something was refused before. */
  drained(): void;
}

/**
 * Frames on their way out, in order. Long ones go out in parts, one a turn of the event loop, so that
 * a document of a megabyte stalls nobody else; and what a slow client cannot take is refused rather
 * than kept (SPEC DO20).
 */
export class OutBox {
  readonly #ports: OutBoxPorts;
  readonly #maxBytes: number;
  /** What comes before the answer to the join waits for it. */
  #opened = false;
  #early: string[] = [];
  #queue: string[] = [];
  #queued = 0;
  #refused = false;
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(ports: OutBoxPorts, maxBytes: number) {
    this.#ports = ports;
    this.#maxBytes = maxBytes;
  }

  /** Sends the answer to the join, then what has waited for it. */
  open(text: string): void {
    this.#opened = true;
    this.add(text);
    for (const early of this.#early.splice(0)) this.add(early);
  }

  /** Sends a frame after those before it. */
  add(text: string): void {
    if (this.#closed) return;
    if (this.#queue.length === 0 && text.length <= maxWhole) return this.#ports.send(text);
    for (let at = 0; at < text.length; at += maxWhole) {
      const left = text.length - at;
      const part = text.slice(at, at + maxWhole);
      this.#queue.push(
        left === text.length && left <= maxWhole
          ? text
          : JSON.stringify({ t: "part", left: Math.max(0, left - maxWhole), text: part }),
      );
      this.#queued += part.length;
    }
    this.#pump();
  }

  /**
   * Sends a frame unless too much waits already.
   *
   * @param always It is what a slow client needs to go on.
   * @returns `false` if it was refused.
   */
  offer(text: string, always: boolean): boolean {
    if (!this.#opened) {
      this.#early.push(text);
      return true;
    }
    if (!always && this.#queued + this.#ports.buffered() > this.#maxBytes) {
      this.#refused = true;
      this.#pump();
      return false;
    }
    this.add(text);
    return true;
  }

  /** Forgets everything. */
  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#queue = [];
    this.#early = [];
  }

  #pump(): void {
    this.#cancel ??= this.#ports.clock.timer(this.#fits() ? 0 : lookEveryMs, () => this.#next());
  }

  #fits(): boolean {
    return this.#ports.buffered() <= this.#maxBytes / 4;
  }

  #next(): void {
    this.#cancel = undefined;
    if (this.#fits()) {
      const text = this.#queue.shift();
      if (text !== undefined) {
        this.#queued = Math.max(0, this.#queued - text.length);
        if (this.#queue.length === 0) this.#queued = 0;
        this.#ports.send(text);
      }
    }
    if (this.#queue.length > 0) return this.#pump();
    if (!this.#refused) return;
    if (!this.#fits()) return this.#pump();
    this.#refused = false;
    this.#ports.drained();
  }
}

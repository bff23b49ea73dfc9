import type { Clock } from "../ports/clock.ts";
import { inParts, maxWhole } from "./parts.ts";

/** Parts that go out in one turn of the event loop. */
const partsInATurn = 4;

/** Most milliseconds between looks at a socket that has too much to send; the first come sooner. */
const lookEveryMs = 50;

/** What an out-box sends with. */
export interface OutBoxPorts {
  readonly clock: Clock;
  send(text: string): void;
  /** Bytes that wait in the socket. */
  buffered(): number;
  /** All has been sent, and something was refused before. */
  drained(): void;
  /** The client asks for more than it takes in. */
  overflow(): void;
}

/** A frame that waits. */
interface Queued {
  readonly frame: string;
  /** It is an answer, which cannot be left out. */
  readonly owed: boolean;
}

/**
 * Frames on their way out, in order. Long ones go out in parts, a few a turn of the event loop, so
 * that a document of a megabyte stalls nobody else; and what a slow client cannot take is refused rather
 * than kept (SPEC DO20).
 */
export class OutBox {
  readonly #ports: OutBoxPorts;
  readonly #maxBytes: number;
  /** What comes before the answer to the join waits for it. */
  #opened = false;
  #early: (readonly string[])[] = [];
  #queue: Queued[] = [];
  #queued = 0;
  /** Bytes of answers among them. */
  #owed = 0;
  #refused = false;
  /** Bytes that wait in the socket at most: to ask it costs as much as to send. */
  #most = 0;
  #cancel: (() => void) | undefined;
  #waitMs = 0;
  #closed = false;

  constructor(ports: OutBoxPorts, maxBytes: number) {
    this.#ports = ports;
    this.#maxBytes = maxBytes;
  }

  /** Sends the answer to the join, then what has waited for it. */
  open(frames: readonly string[]): void {
    this.#opened = true;
    this.#add(frames, false);
    for (const early of this.#early.splice(0)) this.#add(early, false);
  }

  /** Sends an answer after the frames before it. What a client is owed cannot be left out, so it ends. */
  add(text: string): void {
    if (this.#closed) return;
    if (!this.#has(2 * this.#maxBytes - this.#owed)) return this.#ports.overflow();
    this.#add(inParts(text), true);
  }

  #add(frames: readonly string[], owed: boolean): void {
    if (this.#closed) return;
    // Not taken apart as a list: that costs as much as the rest where the code is cold.
    const first = frames[0] ?? "";
    if (this.#queue.length === 0 && frames.length === 1 && first.length <= maxWhole) {
      return this.#send(first);
    }
    for (const frame of frames) {
      this.#queue.push({ frame, owed });
      this.#queued += frame.length;
      if (owed) this.#owed += frame.length;
    }
    this.#pump();
  }

  /**
   * Sends a frame, or its parts, unless too much waits already.
   *
   * @param always It is what a slow client needs to go on.
   * @returns `false` if it was refused.
   */
  offer(frames: readonly string[], always: boolean): boolean {
    if (!this.#opened) {
      this.#early.push(frames);
      return true;
    }
    if (!always && !this.#has(this.#maxBytes - this.#queued)) {
      this.#refused = true;
      this.#pump();
      return false;
    }
    this.#add(frames, false);
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
    if (this.#cancel !== undefined) return;
    // What the network takes at once is gone in a moment.
    this.#waitMs = this.#fits() ? 0 : Math.min(lookEveryMs, Math.max(1, 2 * this.#waitMs));
    this.#cancel = this.#ports.clock.timer(this.#waitMs, () => this.#next());
  }

  /** Tells whether no more than so many bytes wait in the socket. */
  #has(bytes: number): boolean {
    if (this.#most > bytes) this.#most = this.#ports.buffered();
    return this.#most <= bytes;
  }

  #fits(): boolean {
    return this.#has(this.#maxBytes / 4);
  }

  #send(frame: string): void {
    // As UTF-8 it has at most three bytes a character, and a head of at most ten.
    this.#most += 3 * frame.length + 10;
    this.#ports.send(frame);
  }

  #next(): void {
    this.#cancel = undefined;
    for (let sent = 0; sent < partsInATurn && this.#fits(); sent++) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      const { frame, owed } = next;
      this.#queued -= frame.length;
      if (owed) this.#owed -= frame.length;
      this.#send(frame);
    }
    if (this.#queue.length > 0) return this.#pump();
    if (!this.#refused) return;
    if (!this.#fits()) return this.#pump();
    this.#refused = false;
    this.#ports.drained();
  }
}

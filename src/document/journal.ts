import { HoldfastError } from "../core/errors.ts";
import { nextDelay, type RetryPolicy } from "../core/retry.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { LogStore } from "./log_store.ts";
import type { Entry, Segment } from "./stored.ts";
import type { Version } from "./version.ts";

/** Entries, and bytes of them, that go into one write. */
const maxBatch = { entries: 1000, bytes: 524_288 } as const;

/** A write that failed is tried again for as long as it takes: what was accepted is not dropped. */
const storeRetry: RetryPolicy = { tries: Infinity, firstDelayMs: 100, maxDelayMs: 5000 };

/** How long it is certain that nobody has cut the log where this node would write (SPEC DO9). */
const certainMs = 60_000;

/** An entry on its way into the log. */
export interface Item {
  readonly entry: Entry;
  /** The document after it. */
  readonly after: Version;
  /** Bytes of the entry as JSON, about. */
  readonly bytes: number;
}

/** What the journal stands on, and whom it tells. */
export interface JournalPorts {
  readonly log: LogStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly key: string;
  readonly vsn: number;
  /** These entries are durable. */
  committed(items: readonly Item[]): void;
  /** Another node was first; `undefined` if it is so far ahead that its entries are gone. */
  overtaken(segment: Segment | undefined): void;
  /** Storage failed; it will be tried again. */
  failed(error: unknown): void;
  /** It cannot go on. */
  over(error: unknown): void;
}

/**
 * The way of entries into the log: one write under way, everything since then in the next, and the
 * same write again for as long as storage fails.
 */
export class Journal {
  readonly #ports: JournalPorts;
  #waiting: Item[] = [];
  #sending: readonly Item[] = [];
  #unsavedBytes = 0;
  #stopped = false;
  #wake: (() => void) | undefined;
  /** When it was last certain that the end of the log is where this node thinks it is. */
  #certainAt: { readonly monotonic: number; readonly wall: number };
  /** Names the log; that of a new one until the first write. */
  epoch: string;

  constructor(ports: JournalPorts, epoch: string) {
    this.#ports = ports;
    this.epoch = epoch;
    this.#certainAt = this.#time();
  }

  /** Bytes of entries that are not durable. */
  get unsavedBytes(): number {
    return this.#unsavedBytes;
  }

  /** Nothing waits and nothing is being written. */
  get idle(): boolean {
    return this.#sending.length === 0 && this.#waiting.length === 0;
  }

  /** Takes an entry; {@linkcode Journal.flush} sends it. */
  add(item: Item): void {
    this.#waiting.push(item);
    this.#unsavedBytes += item.bytes;
  }

  /** Begins a write if there is something to write and none is under way. */
  flush(): void {
    if (this.#stopped || this.#sending.length > 0 || this.#waiting.length === 0) return;
    this.#sending = this.#take();
    void this.#write(this.#sending);
  }

  /** Forgets what is not durable: it will be run again. */
  forget(): void {
    this.#sending = [];
    this.#waiting = [];
    this.#unsavedBytes = 0;
  }

  /** The end of the log was just read. */
  confirm(): void {
    this.#certainAt = this.#time();
  }

  /** Tries no more. */
  stop(): void {
    this.#stopped = true;
    this.forget();
    this.#wake?.();
  }

  #take(): readonly Item[] {
    let bytes = 0;
    let count = 0;
    for (const item of this.#waiting) {
      bytes += item.bytes;
      if (count > 0 && (bytes > maxBatch.bytes || count === maxBatch.entries)) break;
      count++;
    }
    if (count === this.#waiting.length) {
      const all = this.#waiting;
      this.#waiting = [];
      return all;
    }
    return this.#waiting.splice(0, count);
  }

  async #write(items: readonly Item[]): Promise<void> {
    const { log, key, vsn } = this.#ports;
    const from = items[0]?.entry.seq ?? 0;
    const segment: Segment = { vsn, epoch: this.epoch, entries: items.map(({ entry }) => entry) };
    for (let failed = 1; !this.#stopped; failed++) {
      const began = this.#time();
      try {
        const appended = await log.append(key, from, segment);
        if (this.#stopped) return;
        if (!appended.ok) return this.#lost(appended.segment);
        if (!await this.#isEnd(from, began)) return this.#lost(undefined);
        if (!this.#stopped) this.#done(items);
        return;
      } catch (error) {
        if (error instanceof HoldfastError && !error.retryable) return this.#ports.over(error);
        this.#ports.failed(error);
        await this.#pause(failed);
      }
    }
  }

  /** After a long pause the log may have been cut at this place, and the write means nothing. */
  async #isEnd(from: number, began: { monotonic: number; wall: number }): Promise<boolean> {
    const { monotonic, wall } = this.#time();
    const quiet = Math.max(
      monotonic - this.#certainAt.monotonic,
      Math.abs(wall - this.#certainAt.wall),
    );
    if (quiet < certainMs) {
      this.#certainAt = began;
      return true;
    }
    const { log, key } = this.#ports;
    const { snapshot } = await log.snapshot(key);
    if (snapshot === undefined || snapshot.seq < from) {
      this.#certainAt = began;
      return true;
    }
    await log.remove(key, from);
    return false;
  }

  #done(items: readonly Item[]): void {
    this.#sending = [];
    for (const { bytes } of items) this.#unsavedBytes -= bytes;
    this.#ports.committed(items);
    this.flush();
  }

  #lost(segment: Segment | undefined): void {
    this.forget();
    const gone = segment !== undefined && segment.deleted === undefined &&
      segment.entries.length === 0;
    this.#ports.overtaken(gone ? undefined : segment);
  }

  #pause(failed: number): Promise<void> {
    const { clock, random } = this.#ports;
    const delayMs = nextDelay(storeRetry, failed, random.number()) ?? 0;
    return new Promise((resolve) => {
      const cancel = clock.timer(delayMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  #time(): { monotonic: number; wall: number } {
    const { clock } = this.#ports;
    return { monotonic: clock.monotonic(), wall: clock.now() };
  }
}

import type { Clock } from "../ports/clock.ts";
import { parseSnapshot, type Snapshot } from "./snapshot.ts";
import type { Xids } from "./xids.ts";

/** What a {@linkcode Visibility} stands on. */
export interface VisibilityOptions {
  /** Asks the database for `pg_current_snapshot()`. */
  readonly snapshot: () => Promise<string>;
  readonly clock: Clock;
  /** Is told of each snapshot that is newer than all before. */
  readonly seen: (snapshot: Snapshot) => void;
}

interface Waiting {
  readonly xids: Xids;
  /** So few may be left. */
  readonly left: number;
  readonly resolve: () => void;
}

const FIRST_DELAY_MS = 2;
const MAX_DELAY_MS = 1000;

/** Knows what queries see by now, and asks while somebody waits for more. */
export class Visibility {
  readonly #options: VisibilityOptions;
  #waiting: Waiting[] = [];
  #asking = false;
  #closed = false;
  #cancel: (() => void) | undefined;

  constructor(options: VisibilityOptions) {
    this.#options = options;
  }

  /** Takes note of a snapshot that a query has had. */
  observe(snapshot: Snapshot): void {
    this.#options.seen(snapshot);
    this.#waiting = this.#waiting.filter(({ xids, left, resolve }) => {
      xids.prune(snapshot);
      const done = xids.size <= left;
      if (done) resolve();
      return !done;
    });
  }

  /**
   * Settles when queries see all of these, or the first; they are taken out of the collection one by
   * one.
   */
  until(xids: Xids, which: "all" | "first"): Promise<void> {
    if (xids.empty || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ xids, left: which === "all" ? 0 : xids.size - 1, resolve });
      if (!this.#asking) void this.#ask(FIRST_DELAY_MS);
    });
  }

  /** Asks once, for nobody in particular. */
  probe(): void {
    if (!this.#asking && !this.#closed) void this.#ask(FIRST_DELAY_MS);
  }

  /** Lets go of everybody who waits. */
  close(): void {
    this.#closed = true;
    this.#cancel?.();
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  async #ask(delayMs: number): Promise<void> {
    this.#asking = true;
    try {
      this.observe(parseSnapshot(await this.#options.snapshot()));
    } catch {
      // The database is away; loading fails as well, and tells.
    }
    this.#asking = false;
    if (this.#waiting.length === 0 || this.#closed) return;
    this.#asking = true;
    this.#cancel = this.#options.clock.timer(delayMs, () => {
      this.#cancel = undefined;
      void this.#ask(Math.min(delayMs * 2, MAX_DELAY_MS));
    });
  }
}

import { setImmediate } from "node:timers";
import { StorageUnavailableError } from "../../src/core/errors.ts";
import { nextDelay } from "../../src/core/retry.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Random } from "../../src/ports/random.ts";
import { classify } from "./failure.ts";
import { type Batch, Queue, type Waiting } from "./queue.ts";
import {
  etagsOf,
  holds,
  type Named,
  transact,
  type Write,
  type Writer,
  type WriteResult,
} from "./write.ts";

/** A deadlock or a serialization failure is tried again this often. */
const RETRY = { tries: 8, firstDelayMs: 10, maxDelayMs: 500 };

/** What a {@linkcode GroupCommit} stands on. */
export interface GroupCommitOptions {
  /** The database, its table there; opened when the first write arrives. */
  readonly writer: () => Promise<Writer>;
  /** Makes an error for the caller out of what a read or a write was rejected with. */
  readonly explain: (what: string, thrown: unknown, outcome: "none" | "unknown") => Error;
  /** Milliseconds after which a write that is not answered is given up. */
  readonly writeTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * One transaction under way at a time, with everything that arrived while the one before it was:
 * the sync of the disk and the round trip cost the same for one write as for a thousand.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #queue = new Queue();
  #running: Promise<void> | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Settles when every write that was accepted is answered. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Accepts a write for the next transaction. */
  add(write: Write): Promise<WriteResult> {
    const result = this.#queue.push(write);
    this.#running ??= this.#run();
    return result;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#queue.empty) {
        // One turn later everything that this turn wants to write has arrived.
        await new Promise<void>((resolve) => void setImmediate(resolve));
        await this.#commit();
      }
    } finally {
      this.#running = undefined;
    }
  }

  async #commit(): Promise<void> {
    let writer: Writer;
    try {
      writer = await this.#options.writer();
    } catch (error) {
      // It could not be opened: none of them was written.
      for (const waiting of this.#queue.clear()) waiting.reject(error);
      return;
    }
    const batch = this.#queue.take(writer.nextEtag);
    if (batch.first.length === 0) return;
    try {
      const done = await this.#attempts(writer, batch.first);
      await this.#answer(writer, batch, done);
    } catch (error) {
      this.#fail(batch, error);
    }
  }

  async #attempts(writer: Writer, first: Batch["first"]): Promise<ReadonlySet<string>> {
    const { clock, random } = this.#options;
    for (let failed = 1;; failed++) {
      try {
        return await this.#limited(() => transact(writer, first));
      } catch (error) {
        if (classify(error) !== "retry") throw error;
        const delayMs = nextDelay(RETRY, failed, random.number());
        if (delayMs === undefined) throw error;
        await new Promise<void>((resolve) => void clock.timer(delayMs, resolve));
      }
    }
  }

  /** A connection that hangs must not hold up every later write. */
  #limited<T>(run: () => Promise<T>): Promise<T> {
    const { clock, writeTimeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const cancel = clock.timer(writeTimeoutMs, () => {
        const message = `Cannot write: Postgres did not answer within ${writeTimeoutMs} ms`;
        reject(new StorageUnavailableError(message, "unknown"));
      });
      run().then(resolve, reject).finally(cancel);
    });
  }

  async #answer(writer: Writer, batch: Batch, done: ReadonlySet<string>): Promise<void> {
    const lost: Waiting[] = [];
    for (const { write, etag } of batch.first) {
      if (!done.has(write.key) && !isPlainDelete(write)) {
        lost.push(write);
        continue;
      }
      write.resolve({ ok: true, etag });
      const behind = batch.behind.get(write.key) ?? [];
      this.#queue.answerLosers(behind, write.value === undefined ? null : etag);
    }
    if (lost.length > 0) await this.#answerLost(writer, batch, lost);
  }

  /** Says what was found, as of now: the statement saw what was there when it began. */
  async #answerLost(writer: Writer, { behind }: Batch, lost: readonly Waiting[]): Promise<void> {
    const keys = lost.map(({ key }) => key);
    let etags: ReadonlyMap<string, string>;
    try {
      etags = await this.#limited(() => etagsOf(writer, keys));
    } catch (error) {
      const reason = this.#options.explain("write", error, "none");
      const certain = new StorageUnavailableError(reason.message, "none", { cause: reason.cause });
      for (const waiting of lost) waiting.reject(certain);
      return;
    }
    // What it lost to is gone by now, as a key that was deleted since: it has another chance.
    const again = lost.filter((one) => holds(one, etags.get(one.key) ?? null));
    this.#queue.unshift(again);
    for (const waiting of lost) {
      if (again.includes(waiting)) continue;
      const found = etags.get(waiting.key) ?? null;
      waiting.resolve({ ok: false, found });
      this.#queue.answerLosers(behind.get(waiting.key) ?? [], found);
    }
  }

  #fail({ first }: Batch, error: unknown): void {
    const failure = classify(error);
    if (failure === "refused" && first.length > 1) {
      // Rolled back whole. One by one the refusal meets only the write that causes it.
      this.#queue.unshift(first.map(({ write }) => write), true);
      return;
    }
    const outcome = failure === "unknown" ? "unknown" : "none";
    const reason = this.#options.explain("write", error, outcome);
    for (const { write } of first) write.reject(reason);
  }
}

/** Has its way whether the key was there or not. */
function isPlainDelete(write: Named["write"]): boolean {
  return write.value === undefined && write.conditions.ifMatch === undefined;
}

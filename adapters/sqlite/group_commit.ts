import { setImmediate } from "node:timers";
import type { Database } from "./database.ts";
import { isBusy } from "./driver.ts";
import { type Patience, patiently } from "./patience.ts";
import { transact, type Write, type WriteResult } from "./write.ts";

/** Writes per transaction: a longer one would keep the event loop for tens of milliseconds. */
const MAX_BATCH = 1000;

/** Transactions before the event loop gets its turn in any case: timers and sockets wait so long. */
const MAX_COMMITS = 8;

/** After so many writes it gets its turn too. */
const MAX_WRITES = 1000;

/** Turns of the microtask queue in which those who were answered can come again; some 30 ns each. */
const COME_AGAIN = 16;

interface Waiting extends Write {
  readonly resolve: (result: WriteResult) => void;
  readonly reject: (error: unknown) => void;
}

/** What a {@linkcode GroupCommit} stands on. */
export interface GroupCommitOptions {
  /** The database; opened when the first write arrives. */
  readonly database: () => Database | Promise<Database>;
  /** Gives an etag that was never used. */
  readonly nextEtag: () => string;
  /** How a lock of another process is waited for. */
  readonly patience: Patience;
}

/**
 * Commits all writes of one turn of the event loop in one transaction: a sync of the disk costs the
 * same for one write as for a thousand. When as many as were answered write again at once (SPEC SQ17),
 * nobody is left to be waited for: a turn of the event loop costs more than a write on a fast disk.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #queue: Waiting[] = [];
  /** Set from the first write of a batch until nothing is left to commit. */
  #running: Promise<void> | undefined;
  /** While the database is locked or being opened: aborts are acted on as they come. */
  #stall: AbortController | undefined;
  /** How many writes at the head of the queue go one by one, since one of them failed the batch. */
  #singly = 0;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Settles when every write that was accepted is answered. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Accepts a write for the next transaction. */
  add(write: Write): Promise<WriteResult> {
    const { key, value, conditions } = write;
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { key, value, conditions, resolve, reject };
      this.#queue.push(waiting);
      if (this.#stall !== undefined) this.#heed(waiting, this.#stall);
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        // One turn later everything that this turn wants to write has arrived. Measured: as fast
        // as a MessageChannel on all three runtimes; a microtask alone would starve timers and
        // sockets, and would part requests that have arrived together.
        await new Promise<void>((resolve) => void setImmediate(resolve));
        await this.#commitTurn();
      }
    } finally {
      this.#running = undefined;
    }
  }

  /** Commits what has come, and what those who are answered write in the same turn. */
  async #commitTurn(): Promise<void> {
    let writes = 0;
    for (let commits = 1;; commits++) {
      const size = Math.min(this.#queue.length, MAX_BATCH);
      await this.#commit();
      writes += size;
      if (commits === MAX_COMMITS || writes >= MAX_WRITES) return;
      for (let turn = 0; turn < COME_AGAIN; turn++) await undefined;
      // Fewer: the others are on their way, or have arrived at the sockets.
      if (this.#queue.length === 0 || this.#queue.length < size) return;
    }
  }

  async #commit(): Promise<void> {
    const { patience } = this.#options;
    try {
      const opening = this.#options.database();
      if (opening instanceof Promise) this.#beginStall();
      const database = await opening;
      const onWait = (): void => this.#beginStall();
      await patiently(() => this.#attempt(database), { ...patience, onWait });
    } catch (error) {
      // It was locked for too long, or cannot be opened: none of them was written.
      for (const waiting of this.#queue.splice(0)) waiting.reject(error);
      this.#singly = 0;
    } finally {
      this.#stall?.abort();
      this.#stall = undefined;
    }
  }

  /** One transaction; a locked database leaves the queue as it is. */
  #attempt(database: Database): void {
    this.#dropAborted();
    const size = this.#singly > 0 ? 1 : MAX_BATCH;
    const batch = this.#queue.length <= size ? this.#queue : this.#queue.slice(0, size);
    if (batch.length === 0) return;
    try {
      const results = transact(database, batch, this.#options.nextEtag);
      this.#take(batch.length);
      for (let i = 0; i < batch.length; i++) batch[i]!.resolve(results[i]!);
    } catch (error) {
      if (isBusy(error)) throw error;
      if (batch.length > 1) {
        // Rolled back whole. One by one the failure meets only the write that causes it.
        this.#singly = batch.length;
        return;
      }
      this.#take(1);
      batch[0]!.reject(error);
    }
  }

  #take(count: number): void {
    this.#queue = this.#queue.slice(count);
    this.#singly = Math.max(0, this.#singly - count);
  }

  #dropAborted(): void {
    for (const waiting of this.#queue) {
      if (waiting.conditions.signal?.aborted) this.#drop(waiting);
    }
  }

  /** Listening costs a microsecond per call, so only those that really have to wait do it. */
  #beginStall(): void {
    if (this.#stall !== undefined) return;
    this.#stall = new AbortController();
    for (const waiting of this.#queue) this.#heed(waiting, this.#stall);
  }

  #heed(waiting: Waiting, stall: AbortController): void {
    const drop = (): void => this.#drop(waiting);
    // The end of the stall takes the listener away.
    waiting.conditions.signal?.addEventListener("abort", drop, { signal: stall.signal });
  }

  /** Takes back a write that no transaction has begun with (SPEC SQ7). */
  #drop(waiting: Waiting): void {
    const at = this.#queue.indexOf(waiting);
    if (at < 0) return;
    this.#queue = this.#queue.toSpliced(at, 1);
    if (at < this.#singly) this.#singly--;
    waiting.reject(waiting.conditions.signal?.reason);
  }
}

import { holds, kindOf, type Named, type Write, type WriteResult } from "./write.ts";

/** Writes per statement. */
const MAX_BATCH = 1000;

/** Characters of values per statement; a single larger one goes alone. */
const MAX_BATCH_CHARS = 8 * 2 ** 20;

/** A write and the caller who waits for it. */
export class Waiting implements Write {
  readonly key: string;
  readonly value: string | undefined;
  readonly conditions: Write["conditions"];
  readonly result: Promise<WriteResult>;
  readonly #onAbort: () => void;
  #resolve: (result: WriteResult) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(write: Write, drop: (waiting: Waiting) => void) {
    this.key = write.key;
    this.value = write.value;
    this.conditions = write.conditions;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#onAbort = (): void => {
      drop(this);
      this.reject(this.conditions.signal?.reason);
    };
    this.conditions.signal?.addEventListener("abort", this.#onAbort);
  }

  resolve(result: WriteResult): void {
    this.#forget();
    this.#resolve(result);
  }

  reject(error: unknown): void {
    this.#forget();
    this.#reject(error);
  }

  #forget(): void {
    this.conditions.signal?.removeEventListener("abort", this.#onAbort);
  }
}

/** A batch, and what was queued behind it on the same keys when it was taken. */
export interface Batch {
  readonly first: readonly Named<Waiting>[];
  readonly behind: ReadonlyMap<string, readonly Waiting[]>;
}

/** Writes in the order they arrived. */
export class Queue {
  #waiting: Waiting[] = [];
  /** Goes alone: a batch it was in was refused. */
  readonly #single = new WeakSet<Waiting>();

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Accepts a write. */
  push(write: Write): Promise<WriteResult> {
    const waiting = new Waiting(write, (one) => this.#remove(new Set([one])));
    this.#waiting.push(waiting);
    return waiting.result;
  }

  /** Puts writes back to the front; `alone`: each of them is a batch of its own from now on. */
  unshift(waiting: readonly Waiting[], alone = false): void {
    const left = waiting.filter((one) => one.conditions.signal?.aborted !== true);
    if (alone) left.forEach((one) => this.#single.add(one));
    this.#waiting.unshift(...left);
  }

  /** Takes the first write of each key, as many as one statement may have. */
  take(nextEtag: () => string): Batch {
    const first: Waiting[] = [];
    const behind = new Map<string, Waiting[]>();
    let chars = 0;
    for (const waiting of this.#waiting) {
      const queue = behind.get(waiting.key);
      if (queue !== undefined) {
        queue.push(waiting);
        continue;
      }
      // Blocks the key also if the write is not taken: a later one must not overtake it.
      behind.set(waiting.key, []);
      const size = waiting.value?.length ?? 0;
      if (!this.#fits(first, waiting, chars + size)) continue;
      chars += size;
      first.push(waiting);
    }
    this.#remove(new Set(first));
    return { first: first.map((write) => ({ write, etag: nextEtag() })), behind };
  }

  #fits(first: readonly Waiting[], next: Waiting, chars: number): boolean {
    if (first.length === 0) return true;
    if (first.length >= MAX_BATCH || chars > MAX_BATCH_CHARS) return false;
    return !this.#single.has(next) && !this.#single.has(first[0]!);
  }

  /**
   * Answers what waited behind a write of the same batch and has lost by its outcome: it came before
   * anybody could know that outcome, so the key was at that version while it waited. Fifty racing
   * puts cost one round trip so, not fifty.
   *
   * @param behind In the order they arrived.
   * @param found What the key is at.
   */
  answerLosers(behind: readonly Waiting[], found: string | null): void {
    const winner = behind.findIndex((one) => kindOf(one) === "write" || holds(one, found));
    const lost = winner < 0 ? behind : behind.slice(0, winner);
    this.#remove(new Set(lost));
    for (const waiting of lost) waiting.resolve({ ok: false, found });
  }

  /** Takes all there is. */
  clear(): readonly Waiting[] {
    return this.#waiting.splice(0);
  }

  #remove(gone: ReadonlySet<Waiting>): void {
    if (gone.size > 0) this.#waiting = this.#waiting.filter((one) => !gone.has(one));
  }
}

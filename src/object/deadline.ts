import type { Clock } from "../ports/clock.ts";

/** What is to be done within a time limit. */
export interface Limited<T> {
  /** What it is called. */
  readonly name: string;
  /** @param signal Aborted when the limit has passed. */
  readonly run: (signal: AbortSignal) => Promise<T>;
}

/** A call that has not been answered yet. */
interface Waiting {
  /** Reused by later calls for as long as it was not aborted: on Bun one costs half a microsecond. */
  readonly controller: AbortController;
  dueAt: number;
  of: Pick<Limited<unknown>, "name">;
  failed: (error: unknown) => void;
}

/** Controllers kept for reuse. */
const maxSpare = 256;

const nobody = () => {};
const nothing = { name: "" };

/**
 * One time limit for many calls. All calls share the limit, so they expire in the order they began
 * and one timer serves them all: a timer per call would cost more than a call on a local store.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #late: (of: Pick<Limited<unknown>, "name">) => Error;
  readonly #waiting: Set<Waiting> = new Set();
  readonly #spare: Waiting[] = [];
  #armed = false;

  /** @param late Makes the error of a call whose limit has passed. */
  constructor(clock: Clock, late: (of: Pick<Limited<unknown>, "name">) => Error) {
    this.#clock = clock;
    this.#late = late;
  }

  /**
   * Runs something and tells how it ended, exactly once: not through a promise of its own, which
   * every write would pay for.
   *
   * @param dueAt When the limit passes, on the monotonic clock; no earlier than that of the last call.
   */
  run<T>(
    call: Limited<T>,
    dueAt: number,
    done: (value: T) => void,
    failed: (error: unknown) => void,
  ): void {
    const entry = this.#spare.pop() ??
      { controller: new AbortController(), dueAt, of: nothing, failed: nobody };
    entry.dueAt = dueAt;
    entry.of = call;
    entry.failed = failed;
    this.#waiting.add(entry);
    if (!this.#armed) this.#arm(dueAt);
    let running: Promise<T>;
    try {
      running = call.run(entry.controller.signal);
    } catch (error) {
      running = Promise.reject(error);
    }
    running.then((value) => {
      if (this.#release(entry)) done(value);
    }, (error) => {
      if (this.#release(entry)) failed(error);
    });
  }

  /** Tells whether the limit had not passed. */
  #release(entry: Waiting): boolean {
    if (!this.#waiting.delete(entry)) return false;
    entry.of = nothing;
    entry.failed = nobody;
    if (this.#spare.length < maxSpare) this.#spare.push(entry);
    return true;
  }

  #arm(dueAt: number): void {
    this.#armed = true;
    const delayMs = Math.max(0, dueAt - this.#clock.monotonic());
    this.#clock.timer(delayMs, () => this.#fire(), { background: true });
  }

  #fire(): void {
    this.#armed = false;
    const now = this.#clock.monotonic();
    for (const entry of this.#waiting) {
      if (entry.dueAt > now) {
        this.#arm(entry.dueAt);
        return;
      }
      this.#waiting.delete(entry);
      const error = this.#late(entry.of);
      entry.failed(error);
      entry.controller.abort(error);
    }
  }
}

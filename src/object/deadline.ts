import type { Clock } from "../ports/clock.ts";

/** A call that has not been answered yet. */
interface Waiting {
  /** Reused by later calls for as long as it was not aborted: on Bun one costs half a microsecond. */
  readonly controller: AbortController;
  dueAt: number;
  expire: () => void;
}

/** Controllers kept for reuse. */
const maxSpare = 256;

const nothing = () => {};

/**
 * One time limit for many calls. All calls share the limit, so they expire in the order they began
 * and one timer serves them all: a timer per call would cost more than a call on a local store.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #waiting: Set<Waiting> = new Set();
  readonly #spare: Waiting[] = [];
  #armed = false;

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /**
   * Settles as `run` does, or rejects with what `late` makes once the limit has passed.
   *
   * @param run Gets a signal that is aborted when the limit has passed.
   */
  limit<T>(run: (signal: AbortSignal) => Promise<T>, late: () => Error): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const entry = this.#spare.pop() ??
        { controller: new AbortController(), dueAt: 0, expire: nothing };
      entry.dueAt = this.#clock.monotonic() + this.#limitMs;
      entry.expire = () => {
        const error = late();
        reject(error);
        entry.controller.abort(error);
      };
      this.#waiting.add(entry);
      if (!this.#armed) this.#arm(entry.dueAt);
      run(entry.controller.signal).then((value) => {
        this.#release(entry);
        resolve(value);
      }, (error) => {
        this.#release(entry);
        reject(error);
      });
    });
  }

  #release(entry: Waiting): void {
    if (!this.#waiting.delete(entry)) return;
    entry.expire = nothing;
    if (this.#spare.length < maxSpare) this.#spare.push(entry);
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
      entry.expire();
    }
  }
}

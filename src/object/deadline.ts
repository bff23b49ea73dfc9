import type { Clock } from "../ports/clock.ts";

interface Waiting {
  readonly dueAt: number;
  readonly expire: () => void;
}

/**
 * One time limit for many calls. All calls share the limit, so they expire in the order they began
 * and one timer serves them all: a timer per call would cost more than a call on a local store.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #waiting: Set<Waiting> = new Set();
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
    const controller = new AbortController();
    return new Promise<T>((resolve, reject) => {
      const entry: Waiting = {
        dueAt: this.#clock.monotonic() + this.#limitMs,
        expire: () => {
          const error = late();
          reject(error);
          controller.abort(error);
        },
      };
      this.#waiting.add(entry);
      this.#arm();
      const done = () => this.#waiting.delete(entry);
      run(controller.signal).then(
        (value) => (done(), resolve(value)),
        (error) => (done(), reject(error)),
      );
    });
  }

  #arm(): void {
    if (this.#armed) return;
    const [oldest] = this.#waiting;
    if (oldest === undefined) return;
    this.#armed = true;
    const delayMs = Math.max(0, oldest.dueAt - this.#clock.monotonic());
    this.#clock.timer(delayMs, () => this.#fire(), { background: true });
  }

  #fire(): void {
    this.#armed = false;
    const now = this.#clock.monotonic();
    for (const entry of this.#waiting) {
      if (entry.dueAt > now) break;
      this.#waiting.delete(entry);
      entry.expire();
    }
    this.#arm();
  }
}

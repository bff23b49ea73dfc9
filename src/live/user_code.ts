import { HoldfastError } from "../core/errors.ts";
import type { Clock } from "../ports/clock.ts";

/** Runs what an application has written, within the time of a step. */
export class UserCode {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #what: string;
  #deadline = 0;

  /** @param what Names the view in errors. */
  constructor(clock: Clock, limitMs: number, what: string) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#what = what;
  }

  /** A step begins. */
  begin(): void {
    this.#deadline = this.#clock.monotonic() + this.#limitMs;
  }

  /**
   * Runs a function; what it does after its time is up is nobody's concern.
   *
   * @throws What the function throws, and a {@linkcode HoldfastError} `ERR_DEADLINE`.
   */
  async run<T>(run: () => T | Promise<T>): Promise<T> {
    const value = run();
    return isThenable(value) ? await this.#inTime(value) : value;
  }

  #inTime<T>(promise: PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const leftMs = Math.max(0, this.#deadline - this.#clock.monotonic());
      const cancel = this.#clock.timer(leftMs, () => {
        const seconds = this.#limitMs / 1000;
        const message = `Cannot wait for ${this.#what}: no end within ${seconds} s`;
        reject(new HoldfastError("ERR_DEADLINE", message));
      }, { background: true });
      promise.then((value) => {
        cancel();
        resolve(value);
      }, (error) => {
        cancel();
        reject(error);
      });
    });
  }
}

function isThenable<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}

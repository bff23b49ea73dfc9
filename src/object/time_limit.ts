import { HoldfastError } from "../core/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { TimeLimit } from "./perform.ts";

/** The time limit of one call: it counts while the call waits or its handler runs. */
export interface CallLimit extends TimeLimit {
  /** What the caller was told when the limit passed. */
  readonly expired: HoldfastError | undefined;
  /**
   * Begins to count, unless it does: anew where a call is run again.
   *
   * @param now What the monotonic clock says, if the caller has just asked it.
   */
  begin(now?: number): void;
  /** Stops counting: the handler has come to an end. */
  end(): void;
}

/**
 * The time limits of all calls of a class. They are equally long, so they pass in the order in which
 * they began, and one timer serves them all. Those that count are a linked list: an entry leaves it
 * without being looked for.
 */
export class TimeLimits {
  readonly #clock: Clock;
  /** How long it is, in milliseconds. */
  readonly limitMs: number;
  readonly #what: string;
  #first: Limit | undefined;
  #last: Limit | undefined;
  #armed = false;

  /** @param what Names the class in errors: `object "cart"`. */
  constructor(clock: Clock, limitMs: number, what: string) {
    this.#clock = clock;
    this.limitMs = limitMs;
    this.#what = what;
  }

  /** Makes a limit that does not count yet. */
  limit(onExpire: (error: HoldfastError) => void): CallLimit {
    return new Limit(this, onExpire);
  }

  /** @internal */
  begin(limit: Limit, now?: number): void {
    if (limit.counting || this.limitMs === Infinity) return;
    limit.counting = true;
    limit.dueAt = (now ?? this.#clock.monotonic()) + this.limitMs;
    limit.before = this.#last;
    if (this.#last === undefined) this.#first = limit;
    else this.#last.after = limit;
    this.#last = limit;
    if (!this.#armed) this.#arm(limit.dueAt);
  }

  /** @internal */
  end(limit: Limit): void {
    if (!limit.counting) return;
    limit.counting = false;
    const { before, after } = limit;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    limit.before = undefined;
    limit.after = undefined;
  }

  #arm(dueAt: number): void {
    this.#armed = true;
    const delayMs = Math.max(0, dueAt - this.#clock.monotonic());
    this.#clock.timer(delayMs, () => this.#fire(), { background: true });
  }

  #fire(): void {
    this.#armed = false;
    const now = this.#clock.monotonic();
    for (let limit = this.#first; limit !== undefined; limit = this.#first) {
      if (limit.dueAt > now) return this.#arm(limit.dueAt);
      this.end(limit);
      limit.expire(
        new HoldfastError(
          "ERR_DEADLINE",
          `Cannot wait for ${this.#what}: no answer within ${this.limitMs / 1000} s`,
        ),
      );
    }
  }
}

const nobody = () => {};

class Limit implements CallLimit {
  readonly #limits: TimeLimits;
  readonly #onExpire: (error: HoldfastError) => void;
  #controller: AbortController | undefined;
  #late: (error: HoldfastError) => void = nobody;
  expired: HoldfastError | undefined;
  dueAt = 0;
  /** It is in the list; its neighbours there. */
  counting = false;
  before: Limit | undefined;
  after: Limit | undefined;

  constructor(limits: TimeLimits, onExpire: (error: HoldfastError) => void) {
    this.#limits = limits;
    this.#onExpire = onExpire;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  begin(now?: number): void {
    this.#limits.begin(this, now);
  }

  end(): void {
    this.#limits.end(this);
  }

  race<T>(promise: PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#late = reject;
      promise.then(resolve, reject);
    });
  }

  expire(error: HoldfastError): void {
    this.expired = error;
    this.#onExpire(error);
    this.#late(error);
    this.#controller?.abort(error);
  }
}

import { setImmediate } from "node:timers";
import type { Clock } from "../../src/ports/clock.ts";
import { checkKnown, type OptionNames, outOfRange, wrongArgument } from "../../src/core/options.ts";

/** Options of {@linkcode createVirtualClock}. */
export interface VirtualClockOptions {
  /** What `now()` says at first, in milliseconds since the Unix epoch. @default {0} */
  readonly now?: number;
}

/** A clock that moves only when it is told to. */
export interface VirtualClock extends Clock {
  /** How many timers have neither fired nor been cancelled, background ones included. */
  readonly pending: number;
  /**
   * Moves time on, firing what falls due in order of due time, then of creation. After each timer
   * everything that its promises set going runs, up to and including two turns of the event loop.
   *
   * @param ms Milliseconds, 0 or more; 0 fires what is due now.
   */
  advance(ms: number): Promise<void>;
  /**
   * Moves from timer to timer until none is left, or until the next would be past the limit.
   *
   * @param limitMs Milliseconds from now.
   * @returns Milliseconds that have passed. {@linkcode VirtualClock.pending} tells what is left.
   */
  runAll(limitMs: number): Promise<number>;
  /** Moves what `now()` says, not the timers: the wall clock was corrected by so many ms. */
  jump(ms: number): void;
}

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

const optionNames: OptionNames<VirtualClockOptions> = { now: "a number" };

/**
 * Makes a clock for tests.
 *
 * @param options Where it starts.
 * @returns The clock.
 *
 * @example A minute passes at once
 * ```ts
 * import { createVirtualClock } from "@holdfast/holdfast/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = createVirtualClock();
 * let rang = 0;
 * clock.timer(60_000, () => rang++);
 * await clock.advance(59_999);
 * assertEquals(rang, 0);
 * await clock.advance(1);
 * assertEquals([rang, clock.now(), clock.pending], [1, 60_000, 0]);
 * ```
 */
export function createVirtualClock(options: VirtualClockOptions = {}): VirtualClock {
  checkKnown(options, optionNames, "make a clock");
  return new Virtual(options.now ?? 0);
}

/**
 * Lets everything run that promises have set going, and two turns of the event loop: what is asked
 * for between two turns may be queued behind the first.
 */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 2; turns++) {
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
}

class Virtual implements VirtualClock {
  /** In the order in which they fire. */
  readonly #timers: Timer[] = [];
  #elapsed = 0;
  #offset: number;

  constructor(now: number) {
    this.#offset = now;
  }

  get pending(): number {
    return this.#timers.length;
  }

  now(): number {
    return this.#offset + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  timer(delayMs: number, callback: () => void): () => void {
    if (typeof delayMs !== "number" || !(delayMs >= 0)) {
      throw outOfRange(`Cannot start a timer: its delay is ${String(delayMs)} ms, not 0 or more`);
    }
    if (typeof callback !== "function") {
      throw wrongArgument("Cannot start a timer: its callback is not a function");
    }
    const timer: Timer = { due: this.#elapsed + delayMs, callback };
    const before = this.#timers.findLastIndex(({ due }) => due <= timer.due);
    this.#timers.splice(before + 1, 0, timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  }

  async advance(ms: number): Promise<void> {
    await this.#run(this.#elapsed + checkedMs(ms), true);
  }

  async runAll(limitMs: number): Promise<number> {
    const start = this.#elapsed;
    await this.#run(start + checkedMs(limitMs), false);
    return this.#elapsed - start;
  }

  jump(ms: number): void {
    if (!Number.isFinite(ms)) {
      throw outOfRange(`Cannot move the clock: ${String(ms)} ms is no time`);
    }
    this.#offset += ms;
  }

  async #run(until: number, toTheEnd: boolean): Promise<void> {
    await settle();
    for (let next = this.#timers[0]; next && next.due <= until; next = this.#timers[0]) {
      this.#timers.shift();
      this.#elapsed = Math.max(this.#elapsed, next.due);
      next.callback();
      await settle();
    }
    if (toTheEnd) this.#elapsed = Math.max(this.#elapsed, until);
  }
}

function checkedMs(ms: number): number {
  if (typeof ms === "number" && ms >= 0) return ms;
  throw outOfRange(`Cannot move the clock: ${String(ms)} ms is not 0 or more`);
}

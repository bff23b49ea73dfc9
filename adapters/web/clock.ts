import { outOfRange } from "../../src/core/options.ts";
import type { Clock, TimerOptions } from "../../src/ports/clock.ts";
import { outside } from "./async_context.ts";

/** Timers take a signed 32 bit delay; a longer one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** What `setTimeout` returns: an object on Node, Bun and Deno from 2.8, a number before and in browsers. */
type TimerHandle = ReturnType<typeof setTimeout> | number;

/**
 * Makes a Clock from `Date`, `performance` and `setTimeout`.
 *
 * @returns The clock. A delay of more than 24.8 days works; a negative one or NaN throws a
 * `RangeError`. A background timer does not keep the process alive where the runtime can say so, and
 * calls back in the async context of nobody's request.
 */
export function webClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    timer: startTimer,
  };
}

function startTimer(delayMs: number, callback: () => void, options: TimerOptions = {}): () => void {
  if (typeof delayMs !== "number" || !(delayMs >= 0)) {
    throw outOfRange(`Cannot start a timer: its delay is ${String(delayMs)} ms, not 0 or more`);
  }
  let handle: TimerHandle;
  const arm = (leftMs: number): void => {
    const stepMs = Math.min(leftMs, MAX_DELAY_MS);
    handle = setTimeout(() => leftMs > stepMs ? arm(leftMs - stepMs) : callback(), stepMs);
    if (options.background) unref(handle);
  };
  if (options.background) outside(() => arm(delayMs));
  else arm(delayMs);
  return () => clearTimeout(handle);
}

function unref(handle: TimerHandle | { unref?(): void }): void {
  if (typeof handle === "object") {
    handle.unref?.();
    return;
  }
  const { Deno: deno } = globalThis as { Deno?: { unrefTimer?(id: number): void } };
  deno?.unrefTimer?.(handle);
}

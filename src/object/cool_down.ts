import { HoldfastError } from "../core/errors.ts";

/** What is remembered, in memory, of an object that could not be activated. */
export interface Trouble {
  /** Failures in a row, none more than an hour after the one before. */
  readonly failures: number;
  /** When the last of them was, on the monotonic clock. */
  readonly failedAt: number;
  /** Not tried again before, on the monotonic clock. */
  readonly until: number;
  /** What the last one failed with. */
  readonly error: unknown;
}

/** Failures after which an object is given a rest, if they are no more than so long apart. */
const maxFailures = 5;
const apartMs = 60 * 60_000;

/** The first rest; each further failure doubles it, up to the longest. */
const firstRestMs = 1000;
const longestRestMs = 5 * 60_000;

/**
 * Decides what becomes of an object whose activation has failed once more: after a few failures it is
 * given a rest, in which nobody loads and fails it again.
 *
 * Only what the definition does counts: storage that fails has its own retries, and a state of a newer
 * version is an answer that costs nothing.
 *
 * @param before What is remembered of it, if anything.
 * @param now The monotonic clock.
 */
export function afterFailure(before: Trouble | undefined, error: unknown, now: number): Trouble {
  if (error instanceof HoldfastError && error.code === "ERR_NEWER_VERSION") {
    return before ?? { failures: 0, failedAt: now, until: now, error };
  }
  const fresh = before === undefined || now - before.failedAt > apartMs;
  const failures = fresh ? 1 : before.failures + 1;
  const beyond = failures - maxFailures;
  const restMs = beyond < 0 ? 0 : Math.min(longestRestMs, firstRestMs * 2 ** beyond);
  return { failures, failedAt: now, until: now + restMs, error };
}

/** What a call gets while its object rests; `undefined` if it may be tried. */
export function resting(
  trouble: Trouble | undefined,
  name: string,
  now: number,
): HoldfastError | undefined {
  if (trouble === undefined || now >= trouble.until) return undefined;
  const seconds = Math.ceil((trouble.until - now) / 1000);
  return new HoldfastError(
    "ERR_COOLING_DOWN",
    `Cannot use object "${name}": it failed to start ${trouble.failures} times, and rests for ${seconds} s`,
    { retryable: true, cause: trouble.error },
  );
}

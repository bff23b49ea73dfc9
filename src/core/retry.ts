/** How often, and for how long, something that may fail for a moment is tried. */
export interface RetryPolicy {
  /** Tries in all, 1 or more. */
  readonly tries: number;
  /** Delay before the second try, in milliseconds; doubles from there. */
  readonly firstDelayMs: number;
  /** Longest delay, in milliseconds. */
  readonly maxDelayMs: number;
}

/**
 * Delay before the next try: exponential with full jitter, so that many callers that failed
 * together do not come back together.
 *
 * Source: Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
 *
 * @param policy The limits.
 * @param failed How many tries have failed, from 1.
 * @param chance A random number in [0, 1).
 * @returns Milliseconds to wait, or `undefined` if there is no further try.
 */
export function nextDelay(policy: RetryPolicy, failed: number, chance: number): number | undefined {
  if (failed >= policy.tries) return undefined;
  const ceiling = Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** (failed - 1));
  return ceiling * (0.5 + chance / 2);
}

import type { Timing } from "./timing.ts";

function fromTable(table: readonly number[], step: number): number {
  return table[Math.min(step, table.length - 1)] ?? 0;
}

/**
 * Delay before the next try to connect: at once at random for the first, then along a table with
 * jitter, so that pages that lost a server together do not come back together.
 *
 * @param failed Tries since the connection was last stable, from 0.
 * @param chance A random number in [0, 1).
 * @returns Milliseconds.
 */
export function retryDelay(timing: Timing, failed: number, chance: number): number {
  if (failed === 0) return chance * timing.firstRetryMs;
  return fromTable(timing.retryMs, failed - 1) * (0.5 + chance);
}

/**
 * Delay before a view that crashed, or could not be mounted, is joined again.
 *
 * @param troubles Crashes in a row, from 1.
 * @param chance A random number in [0, 1).
 * @returns Milliseconds.
 */
export function rejoinDelay(timing: Timing, troubles: number, chance: number): number {
  if (troubles <= 1) return chance * timing.firstRejoinMs;
  return fromTable(timing.rejoinMs, troubles - 2) * (0.7 + chance * 0.6);
}

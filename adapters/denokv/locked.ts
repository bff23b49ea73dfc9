import { nextDelay } from "../../src/core/retry.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Random } from "../../src/ports/random.ts";

/** What waiting needs. */
export interface Patience {
  readonly clock: Clock;
  readonly random: Random;
}

/** About three seconds in all. */
const RETRY = { tries: 30, firstDelayMs: 2, maxDelayMs: 200 };

/** Tells whether a local database was only locked by another handle: nothing was done then. */
export function isLocked(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const said = error.cause instanceof Error ? error.cause : error;
  return said.message.startsWith("database is locked");
}

/**
 * Tries something until the database is not locked. Deno KV does not wait for it by itself.
 *
 * @param attempt What to try.
 * @param patience How to wait.
 * @returns What the first successful try returned; any other error is thrown as it is.
 */
export async function patiently<T>(
  attempt: () => Promise<T>,
  { clock, random }: Patience,
): Promise<T> {
  for (let failed = 1;; failed++) {
    try {
      return await attempt();
    } catch (error) {
      const delayMs = isLocked(error) ? nextDelay(RETRY, failed, random.number()) : undefined;
      if (delayMs === undefined) throw error;
      await new Promise<void>((resolve) => void clock.timer(delayMs, resolve));
    }
  }
}

import { StorageUnavailableError } from "../../src/core/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Random } from "../../src/ports/random.ts";
import { isBusy } from "./driver.ts";

/** How a lock that another connection holds is waited for. */
export interface Patience {
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds until it is given up. */
  readonly busyTimeoutMs: number;
  /** Called once, when the first try found the database locked. */
  readonly onWait?: () => void;
}

const FIRST_DELAY_MS = 1;
const MAX_DELAY_MS = 50;

/**
 * Tries something until the database is not locked, without blocking the process.
 *
 * @param attempt The first try is made at once, before this returns.
 * @param patience How to wait.
 * @returns What the first successful try returned.
 * @throws {StorageUnavailableError} With outcome `"none"`, if the time was up. Any error of a try
 * that does not mean "locked" is thrown as it is.
 */
export async function patiently<T>(attempt: () => T, patience: Patience): Promise<T> {
  const { clock, random, busyTimeoutMs } = patience;
  let deadline: number | undefined;
  for (let delayMs = FIRST_DELAY_MS;; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (deadline === undefined) patience.onWait?.();
      deadline ??= clock.monotonic() + busyTimeoutMs;
      if (clock.monotonic() >= deadline) throw busy(busyTimeoutMs, error);
    }
    // Never past the deadline, so that a short timeout is kept.
    const jitteredMs = delayMs * (0.5 + random.number());
    const waitMs = Math.min(jitteredMs, Math.max(0, deadline - clock.monotonic()));
    await new Promise<void>((resolve) => void clock.timer(waitMs, resolve));
  }
}

function busy(busyTimeoutMs: number, cause: unknown): StorageUnavailableError {
  const message = `Cannot use the SQLite database: it was busy for ${busyTimeoutMs} ms, ` +
    "locked by another connection";
  return new StorageUnavailableError(message, "none", { cause });
}

import type { StorageOperation } from "../../adapters/testing/faults.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Storage, StorageCallOptions } from "../../src/ports/storage.ts";

/** How late a call is; each in milliseconds. */
export interface Lateness {
  /** It happens at once, the answer takes this long. */
  readonly answerMs?: number;
  /** It happens after this long even if the caller has given up, and is never answered. */
  readonly strayMs?: number;
}

/** Decides how late a call is. */
export type LatePlan = (operation: StorageOperation) => Lateness;

/**
 * A network in front of a storage: between what happens and what is heard of it time passes, and a
 * request that was given up may arrive all the same.
 */
export function lateStorage(inner: Storage, clock: Clock, plan: LatePlan): Storage {
  const late = async <T>(
    operation: StorageOperation,
    options: StorageCallOptions | undefined,
    run: () => Promise<T>,
  ): Promise<T> => {
    const { answerMs = 0, strayMs } = plan(operation);
    if (strayMs !== undefined) {
      clock.timer(strayMs, () => void run().catch(() => {}));
      return await new Promise<never>((_, reject) => {
        const signal = options?.signal;
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    }
    const answer = await run();
    if (answerMs > 0) await new Promise<void>((done) => void clock.timer(answerMs, done));
    return answer;
  };
  const unsigned = <T extends StorageCallOptions>({ signal: _, ...rest }: T) => rest;
  return {
    get: (key, options) => late("get", options, () => inner.get(key)),
    put: (key, value, options = {}) =>
      late("put", options, () => inner.put(key, value, unsigned(options))),
    delete: (key, options = {}) =>
      late("delete", options, () => inner.delete(key, unsigned(options))),
    list: (prefix, options = {}) =>
      late("list", options, () => inner.list(prefix, unsigned(options))),
  };
}

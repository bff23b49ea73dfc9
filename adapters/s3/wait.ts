import type { Clock } from "../../src/ports/clock.ts";

/** Settles as the work does, or rejects with the signal's reason once it aborts. */
export async function untilAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return await work;
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    stop = () => signal.removeEventListener("abort", onAbort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    stop();
  }
}

/** Waits, unless the signal aborts first. */
export async function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  let cancel = (): void => {};
  const passed = new Promise<void>((resolve) => cancel = clock.timer(ms, resolve));
  try {
    await untilAborted(passed, signal);
  } finally {
    cancel();
  }
}

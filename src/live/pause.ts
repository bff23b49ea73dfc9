import type { Clock } from "../ports/clock.ts";

/** Waits, unless there is a hurry. */
export function pause(
  clock: Clock,
  ms: number,
  hurry: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      hurry?.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.timer(ms, done, { background: true });
    if (hurry?.aborted) done();
    else hurry?.addEventListener("abort", done);
  });
}

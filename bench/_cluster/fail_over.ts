import process from "node:process";
import type { Holdfast } from "../../adapters/web/holdfast.ts";
import { Place } from "./place.ts";

/** Which process to kill, and whose objects to call. */
export interface FailOverJob {
  readonly victim: string;
  readonly pid: number;
  readonly ids: readonly string[];
}

/** What became of the objects of a killed process; in ms since it was. */
export interface FailOver {
  /** When each object had answered somebody whose calls went on all the time. */
  readonly again: readonly number[];
  /** When each had answered somebody who called for the first time when it was killed. */
  readonly fresh: readonly number[];
  /** Calls of which nobody knows what became. */
  readonly unknown: number;
}

/** Kills a process while its objects are called, and calls them until another has answered for each. */
export async function failOver(
  holdfast: Holdfast,
  { victim, pid, ids }: FailOverJob,
): Promise<FailOver> {
  let killedAt = Infinity;
  let unknown = 0;
  const until = async (id: string): Promise<number> => {
    for (;;) {
      try {
        const { by } = await holdfast.object(Place, id).add();
        if (by !== victim) return performance.now() - killedAt;
      } catch (error) {
        const { code, outcome } = error as { readonly code?: string; readonly outcome?: string };
        if (code !== "ERR_STORAGE_UNAVAILABLE") throw error;
        if (outcome === "unknown") unknown++;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const steady = ids.map(until);
  await new Promise((resolve) => setTimeout(resolve, 300 + 500 * Math.random()));
  killedAt = performance.now();
  process.kill(pid, "SIGKILL");
  const fresh = ids.map(until);
  return { again: await Promise.all(steady), fresh: await Promise.all(fresh), unknown };
}

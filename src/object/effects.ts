import type { Effect } from "./types.ts";

/** Runs effects without waiting for them; what one throws reaches `failed` and stops no other. */
export function runEffects(
  effects: readonly Effect[] | undefined,
  failed: (error: unknown) => void,
): void {
  for (const effect of effects ?? []) {
    try {
      void Promise.resolve(effect()).catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

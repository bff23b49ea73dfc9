import { isExpired } from "../core/ttl.ts";
import type { Current } from "../object/types.ts";
import { judge, type SessionContext } from "./context.ts";
import { endedMs } from "./reserve.ts";

/** Options of a sweep. */
export interface SweepOptions {
  /** Where the last sweep stopped; from the beginning if absent. */
  readonly after?: string;
  /** Most records to look at, 1 to 1000. @default {1000} */
  readonly limit?: number;
}

/** What a sweep did. */
export interface SweepReport {
  /** Records looked at. */
  readonly examined: number;
  /** Sessions that had expired and were ended. */
  readonly ended: number;
  /** Records of ended sessions that were removed. */
  readonly removed: number;
  /** Records that could not be read or used; they are left alone. */
  readonly failed: number;
  /** Where the next sweep goes on; `undefined` after the last record. */
  readonly next: string | undefined;
}

/**
 * Ends expired sessions and removes the records of those ended an hour ago. Every step is a
 * compare-and-set, so that sweeps may run twice, at once, and on several nodes (SPEC SE13).
 */
export async function sweep(
  context: SessionContext,
  prefix: string,
  { after, limit = 1000 }: SweepOptions,
): Promise<SweepReport> {
  const keys = await context.engine.list(prefix, {
    limit,
    ...(after === undefined ? {} : { after }),
  });
  const counts = { ended: 0, removed: 0, failed: 0, kept: 0 };
  for (const key of keys) counts[await sweepOne(context, key)]++;
  const { ended, removed, failed } = counts;
  const next = keys.length < limit ? undefined : keys.at(-1);
  context.emit?.({ name: "holdfast.session.sweep", ref: "", removed: ended + removed });
  return { examined: keys.length, ended, removed, failed, next };
}

async function sweepOne(
  context: SessionContext,
  key: string,
): Promise<"ended" | "removed" | "failed" | "kept"> {
  const { engine } = context;
  try {
    const current = await engine.peek(key);
    if (current.ended !== undefined) {
      if (context.now() - current.ended < endedMs) return "kept";
      return (await engine.purge(key)).ok ? "removed" : "kept";
    }
    if (current.problem !== undefined) return "failed";
    if (!await isOver(context, current)) return "kept";
    const outcome = await engine.run<"ended" | "kept">(
      key,
      ({ rev }) =>
        rev === current.rev ? { kind: "end", reply: "ended" } : { kind: "keep", reply: "kept" },
      { fresh: true },
    );
    if (outcome === "ended") context.notices.ended([key], "expired");
    return outcome;
  } catch {
    // Told to telemetry by the storage call that failed; the next sweep tries again.
    return "failed";
  }
}

async function isOver(context: SessionContext, current: Current): Promise<boolean> {
  const { engine, lifetime, now } = context;
  const { state, gone } = judge(current, lifetime, now());
  if (state?.moved === undefined) return gone === "expired";
  if (!isExpired(state, lifetime, now())) return false;
  // The mark of an ended session here would end it everywhere: it has to be over where it lives.
  return judge(await engine.peek(state.moved), lifetime, now()).state === undefined;
}

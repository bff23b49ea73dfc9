import { type ErrorCode, HoldfastError } from "../core/errors.ts";
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

/** Why records could not be read or used. */
export interface SweepReason {
  /** The code of the error; `undefined` if it was none of this library's. */
  readonly code: ErrorCode | undefined;
  /** What was the case, without anything of the records. */
  readonly message: string;
  /** How many records it was the case with. */
  readonly records: number;
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
  /** Why, each reason once. */
  readonly reasons: readonly SweepReason[];
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
  const reasons = new Map<string, SweepReason>();
  for (const key of keys) {
    try {
      counts[await sweepOne(context, key)]++;
    } catch (error) {
      counts.failed++;
      addReason(reasons, reasonOf(error));
    }
  }
  const { ended, removed, failed } = counts;
  const next = keys.length < limit ? undefined : keys.at(-1);
  context.emit?.({ name: "holdfast.session.sweep", ref: "", removed: ended + removed });
  return { examined: keys.length, ended, removed, failed, reasons: [...reasons.values()], next };
}

/** Adds a reason to others, each of which is there once. */
export function addReason(reasons: Map<string, SweepReason>, reason: SweepReason): void {
  const name = `${reason.code} ${reason.message}`;
  const records = reason.records + (reasons.get(name)?.records ?? 0);
  reasons.set(name, { ...reason, records });
}

/** What a storage throws of its own may hold anything: of that only the class is told. */
function reasonOf(error: unknown): SweepReason {
  const { code, message } = error instanceof HoldfastError
    ? error
    : { code: undefined, message: error instanceof Error ? error.name : typeof error };
  return { code, message, records: 1 };
}

/** Deals with one record; the next sweep tries again what has failed. */
async function sweepOne(
  context: SessionContext,
  key: string,
): Promise<"ended" | "removed" | "kept"> {
  const { engine } = context;
  const current = await engine.peek(key);
  if (current.ended !== undefined) {
    if (context.now() - current.ended < endedMs) return "kept";
    return (await engine.purge(key)).ok ? "removed" : "kept";
  }
  if (current.problem !== undefined) throw current.problem;
  if (!await isOver(context, current)) return "kept";
  const outcome = await engine.run<"ended" | "kept">(
    key,
    ({ rev }) =>
      rev === current.rev ? { kind: "end", reply: "ended" } : { kind: "keep", reply: "kept" },
    { fresh: true },
  );
  if (outcome === "ended") context.notices.ended([key], "expired");
  return outcome;
}

async function isOver(context: SessionContext, current: Current): Promise<boolean> {
  const { engine, lifetime, now } = context;
  const { state, gone } = judge(current, lifetime, now());
  if (state?.moved === undefined) return gone === "expired";
  if (!isExpired(state, lifetime, now())) return false;
  // The mark of an ended session here would end it everywhere: it has to be over where it lives.
  return judge(await engine.peek(state.moved), lifetime, now()).state === undefined;
}

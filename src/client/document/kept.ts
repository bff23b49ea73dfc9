import type { JsonValue } from "../../core/json.ts";
import { did, type Pending, type Replica, type ReplicaSpec } from "./replica.ts";

/** What is kept over a reload of the page: what was done and not answered. */
interface Kept {
  readonly client: string;
  /** Version of the document it was done to. */
  readonly vsn?: number;
  readonly next: number;
  readonly pending: readonly {
    readonly seq: number;
    readonly kind: Pending<unknown>["kind"];
    readonly op?: JsonValue;
  }[];
}

/** What was kept, made one's own. */
export interface Revived<S, Op> {
  readonly client: string;
  readonly replica: Replica<S, Op>;
}

/** What is kept of a replica as text; `null` for nothing. */
export function keptText<S, Op>(
  { vsn }: ReplicaSpec<S, Op>,
  client: string,
  { next, pending }: Replica<S, Op>,
): string | null {
  if (pending.length === 0) return null;
  const kept = pending.map(({ seq, kind, op }) => ({ seq, kind, op }));
  return JSON.stringify({ client, vsn, next, pending: kept });
}

/**
 * Takes in what was done before the page was loaded again. Operations of an older version are
 * migrated.
 *
 * @returns `"newer"` if a newer version of the page has kept it: then it has to stay as it is. Nothing
 *   if nothing that can be read was kept.
 */
export function revive<S, Op>(
  spec: ReplicaSpec<S, Op>,
  replica: Replica<S, Op>,
  text: string | null,
): Revived<S, Op> | "newer" | undefined {
  const kept = text === null ? undefined : read(text);
  if (kept === undefined) return undefined;
  const { client, vsn = spec.vsn, next } = kept;
  if (vsn > spec.vsn) return "newer";
  const { migrateOp } = spec;
  const pending = kept.pending.map(({ seq, kind, op }): Pending<Op> => {
    if (op === undefined) return { seq, kind, sent: false };
    const current = vsn < spec.vsn && migrateOp !== undefined ? migrateOp(vsn, op) : op;
    return { seq, kind, op: current as Op, sent: false };
  });
  const view = pending.reduce(
    (now, { op }) => op === undefined ? now : did(spec, now, { kind: "op", op }),
    replica,
  ).view;
  return { client, replica: { ...replica, pending, next, view } };
}

function read(text: string): Kept | undefined {
  try {
    const kept: Kept = JSON.parse(text);
    return Array.isArray(kept.pending) && typeof kept.next === "number" ? kept : undefined;
  } catch {
    return undefined;
  }
}

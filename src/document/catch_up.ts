import { type JsonValue, utf8Length } from "../core/json.ts";
import type { CatchUp, DocumentSpec, LogEntry } from "./model.ts";
import type { Entry } from "./stored.ts";
import type { Touched } from "./touched.ts";

/** So few bytes of operations are sent whatever else could be. */
const fewBytes = 4096;

/** More bytes of operations are not sent, however large the document. */
const mostBytes = 262_144;

/** What there is to catch up with. */
export interface Present<S> {
  readonly spec: DocumentSpec<S, unknown>;
  readonly state: S;
  readonly seq: number;
  /** Bytes of the state as JSON, about. */
  readonly bytes: number;
  readonly touched: Touched;
}

/**
 * Decides how somebody at an older number gets to the present: with the operations in between, with
 * the parts they have changed, or with everything, whichever is the smallest (SPEC DO10).
 *
 * @param missed The entries in between; `undefined` if they are not at hand, or there is no number
 *   to start from.
 */
export function catchUp<S>(present: Present<S>, missed: readonly Entry[] | undefined): CatchUp {
  const snapshot = (): CatchUp => ({
    kind: "snapshot",
    seq: present.seq,
    state: present.state as JsonValue,
  });
  if (missed === undefined) return snapshot();
  const ops = (): CatchUp => ({
    kind: "ops",
    from: (missed[0]?.seq ?? present.seq + 1) - 1,
    entries: missed.map(publish),
  });
  if (fits(missed, fewBytes)) return ops();
  const parts = changedParts(present, missed);
  const partsBytes = parts === undefined ? Infinity : bytesOf(parts);
  // Not written out further than they could win: there may be ten thousand.
  if (fits(missed, Math.min(partsBytes, present.bytes, mostBytes))) return ops();
  return parts !== undefined && partsBytes < present.bytes ? parts : snapshot();
}

/** An entry as others see it: without what undoes it. */
export function publish({ inverse: _, rectified: __, ...entry }: Entry): LogEntry & {
  readonly client?: Entry["client"];
} {
  return entry;
}

/** Whether entries as others see them take no more than some bytes as JSON. */
function fits(entries: readonly Entry[], limit: number): boolean {
  let bytes = 0;
  return entries.every((entry) => (bytes += bytesOf(publish(entry))) <= limit);
}

function changedParts<S>(
  { spec, state, seq, touched }: Present<S>,
  missed: readonly Entry[],
): (CatchUp & { readonly kind: "parts" }) | undefined {
  const { parts } = spec;
  const names = parts === undefined ? undefined : touched.by(parts, missed);
  if (parts === undefined || names === undefined) return undefined;
  const changed: Record<string, JsonValue> = {};
  const gone: string[] = [];
  for (const name of names) {
    const part = parts.part(state, name);
    if (part === undefined) gone.push(name);
    else changed[name] = part;
  }
  return { kind: "parts", seq, parts: changed, gone };
}

function bytesOf(value: unknown): number {
  return utf8Length(JSON.stringify(value));
}

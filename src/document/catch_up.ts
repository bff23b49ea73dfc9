import { type JsonValue, utf8Length } from "../core/json.ts";
import type { CatchUp, DocumentSpec, LogEntry } from "./model.ts";
import type { Entry } from "./stored.ts";

/** What there is to catch up with. */
export interface Present<S> {
  readonly spec: DocumentSpec<S, unknown>;
  readonly state: S;
  readonly seq: number;
  /** Bytes of the state as JSON, about. */
  readonly bytes: number;
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
  const from = (missed[0]?.seq ?? present.seq + 1) - 1;
  const opsBytes = estimate(missed, Math.min(present.bytes, 262_144));
  if (opsBytes === undefined || opsBytes > 4096) {
    const parts = changedParts(present, missed);
    const partsBytes = parts === undefined ? Infinity : bytesOf(parts);
    const least = Math.min(opsBytes ?? Infinity, partsBytes);
    if (least >= present.bytes) return snapshot();
    if (parts !== undefined && partsBytes < (opsBytes ?? Infinity)) return parts;
  }
  return { kind: "ops", from, entries: missed.map(publish) };
}

/** An entry as others see it: without what undoes it. */
export function publish({ inverse: _, rectified: __, ...entry }: Entry): LogEntry & {
  readonly client?: Entry["client"];
} {
  return entry;
}

/** Bytes of entries as others see them, or `undefined` once they are more than a limit. */
function estimate(entries: readonly Entry[], limit: number): number | undefined {
  let bytes = 0;
  for (const entry of entries) {
    bytes += bytesOf(publish(entry));
    if (bytes > limit) return undefined;
  }
  return bytes;
}

function changedParts<S>(
  { spec, state, seq }: Present<S>,
  missed: readonly Entry[],
): (CatchUp & { readonly kind: "parts" }) | undefined {
  const { parts } = spec;
  if (parts === undefined) return undefined;
  const changed: Record<string, JsonValue> = {};
  const gone: string[] = [];
  const seen = new Set<string>();
  for (const { op } of missed) {
    // A restored state has been put in the place of everything.
    if (op === undefined) return undefined;
    for (const name of parts.touched(op)) {
      if (seen.has(name)) continue;
      seen.add(name);
      const part = parts.part(state, name);
      if (part === undefined) gone.push(name);
      else changed[name] = part;
    }
  }
  return { kind: "parts", seq, parts: changed, gone };
}

function bytesOf(value: unknown): number {
  return utf8Length(JSON.stringify(value));
}

import { HoldfastError } from "../core/errors.ts";
import { copyJson, type JsonValue, normalize } from "../core/json.ts";
import { Clients } from "./clients.ts";
import { rowOf } from "./in_row.ts";
import type { Applied, DocumentSpec, MutateAnswer } from "./model.ts";
import { corrupt, type Entry, type Segment, type Snapshot } from "./stored.ts";

/** A document at some number. Immutable: going back to one costs nothing. */
export interface Version {
  readonly state: unknown;
  readonly seq: number;
  readonly clients: Clients;
}

/** An operation about to be applied. */
export interface Proposal {
  readonly op: JsonValue;
  readonly actor: string | null;
  readonly at: number;
  readonly client?: Entry["client"];
  readonly undoes?: number;
  readonly redoes?: number;
}

/** What became of a proposal: an entry and the version after it, or an answer without either. */
export type Outcome =
  | { readonly entry: Entry; readonly next: Version }
  | { readonly answer: MutateAnswer<JsonValue> };

/** Any document class, as the engine handles it. */
export type AnySpec = DocumentSpec<unknown, unknown>;

/** How large an operation, or a state, may be besides its bytes. */
export const depthAndNodes = { maxDepth: 48, maxNodes: 1_000_000 } as const;

/** The version a document begins with. */
export function emptyVersion(spec: AnySpec): Version {
  return { state: spec.state(), seq: 0, clients: new Clients() };
}

/**
 * Applies a proposal to a version.
 *
 * @throws What `apply` throws; nothing has changed then.
 * @throws {TypeError} If `apply` answers something else than it may.
 */
export function propose(spec: AnySpec, version: Version, proposal: Proposal): Outcome {
  const { op, actor, at, client, undoes, redoes } = proposal;
  const seq = version.seq + 1;
  const applied = spec.apply(version.state, op, { actor, at, seq });
  const refusal = refused(spec, applied);
  if (refusal !== undefined) return { answer: refusal };
  const { state, op: rectified, inverse } = applied as Extract<typeof applied, { state: unknown }>;
  const entry: Entry = {
    seq,
    at,
    actor,
    op: rectified === undefined ? op : checked(spec, rectified, "an operation put right"),
    ...(rectified === undefined ? {} : { rectified: true as const }),
    ...(inverse === undefined ? {} : { inverse: checked(spec, inverse, "an inverse") }),
    ...(client === undefined ? {} : { client }),
    ...(undoes === undefined ? {} : { undoes }),
    ...(redoes === undefined ? {} : { redoes }),
  };
  return { entry, next: { state, seq, clients: version.clients.after([entry]) } };
}

function refused(
  spec: AnySpec,
  applied: Applied<unknown, unknown>,
): MutateAnswer<JsonValue> | undefined {
  if (typeof applied === "object" && applied !== null) {
    if ("state" in applied) return undefined;
    if ("discard" in applied) return { status: "discard", reason: applied.discard };
    if ("reject" in applied) return { status: "rejected", reason: applied.reject };
  }
  throw new TypeError(
    `Cannot apply an operation of document "${spec.name}": apply() answered neither a state, ` +
      '"discard" nor "reject"',
  );
}

function checked(spec: AnySpec, op: unknown, what: string): JsonValue {
  const copied = copyJson(op, { limits: { maxBytes: spec.maxOpBytes * 4, ...depthAndNodes } });
  if (copied.ok) return copied.value;
  const { path, reason } = copied.problems[0] ?? { path: "", reason: "is not JSON" };
  throw new HoldfastError(
    "ERR_INVALID_VALUE",
    `Cannot store ${what} of document "${spec.name}": "${path}" ${reason}`,
  );
}

/** Applies a segment of the log to the version before it. */
export type Replay = (version: Version, segment: Segment) => Version;

/**
 * What applies segments of the log in a row; nobody may look at a version before the last.
 *
 * @returns A function that throws a {@linkcode HoldfastError} `ERR_NEWER_VERSION`, `ERR_DELETED`, or
 *   `ERR_CORRUPT_RECORD` if a segment cannot be applied any more.
 */
export function replayOf(spec: AnySpec): Replay {
  const apply = rowOf(spec);
  return (version, segment) => {
    if (segment.deleted !== undefined) throw deleted(spec);
    if (segment.vsn > spec.vsn) throw newer(spec, segment.vsn);
    let { state } = version;
    for (const { op, restore, seq, at, actor } of upToDate(spec, segment).entries) {
      if (restore !== undefined) {
        state = restore;
        continue;
      }
      const applied = apply(state, op, { actor, at, seq });
      if (!("state" in applied)) throw corrupt(`log entry ${seq}`);
      state = applied.state;
    }
    const seq = segment.entries.at(-1)?.seq ?? version.seq;
    return { state, seq, clients: version.clients.after(segment.entries) };
  };
}

/** A segment with its operations, what undoes them, and states that were restored, in the shape of today. */
export function upToDate(spec: AnySpec, segment: Segment): Segment {
  const { vsn } = segment;
  if (vsn >= spec.vsn) return segment;
  const { migrateOp } = spec;
  // What it makes is stored and sent as JSON, as the operation was.
  const migrated = (op: JsonValue) =>
    migrateOp === undefined ? op : migrateOp(vsn, op) as JsonValue;
  const entries = segment.entries.map(({ op, inverse, restore, ...entry }): Entry => ({
    ...entry,
    ...(op === undefined ? {} : { op: migrated(op) }),
    ...(inverse === undefined ? {} : { inverse: migrated(inverse) }),
    ...(restore === undefined ? {} : { restore: upgradeState(spec, vsn, restore) as JsonValue }),
  }));
  return { ...segment, vsn: spec.vsn, entries };
}

/** The version of a snapshot, migrated if it is older. */
export function versionOf(spec: AnySpec, snapshot: Snapshot): Version {
  const state = upgradeState(spec, snapshot.vsn, snapshot.state);
  return { state, seq: snapshot.seq, clients: new Clients(snapshot.clients) };
}

function upgradeState(spec: AnySpec, vsn: number, state: unknown): unknown {
  if (vsn === spec.vsn) return state;
  if (vsn > spec.vsn) throw newer(spec, vsn);
  if (spec.migrate === undefined) {
    throw new HoldfastError(
      "ERR_INVALID_STATE",
      `Cannot use document "${spec.name}": it is of vsn ${vsn}, and there is no migrate`,
    );
  }
  return spec.migrate(vsn, state);
}

/** A state as it is stored. */
export function storable(
  spec: AnySpec,
  state: unknown,
): { readonly value: JsonValue; readonly bytes: number } {
  const limits = { maxBytes: spec.maxDocumentBytes * 2, ...depthAndNodes };
  const normal = normalize(state, { limits });
  if (normal.ok) return { value: normal.value, bytes: normal.bytes };
  const { path, reason } = normal.problems[0] ?? { path: "", reason: "is not JSON" };
  throw new HoldfastError(
    "ERR_INVALID_STATE",
    `Cannot store document "${spec.name}": "${path}" ${reason}`,
  );
}

/** The error of a document that a newer version of the application has written. */
export function newer({ name, vsn }: AnySpec, found: number): HoldfastError {
  return new HoldfastError(
    "ERR_NEWER_VERSION",
    `Cannot use document "${name}": a newer version of the application has written it, ` +
      `with vsn ${found}, and this one has vsn ${vsn}`,
  );
}

/** The error of a document that is gone. */
export function deleted({ name }: AnySpec): HoldfastError {
  return new HoldfastError("ERR_DELETED", `Cannot use document "${name}": it was deleted`);
}

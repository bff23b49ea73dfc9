import { HoldfastError } from "../core/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue, utf8Length } from "../core/json.ts";
import type { LogEntry } from "./model.ts";

/** An accepted operation as it is kept: with what undoes it, and which client's it was. */
export interface Entry extends LogEntry<JsonValue> {
  /** What undoes it. */
  readonly inverse?: JsonValue;
  /** Client and its number for the operation. */
  readonly client?: { readonly id: string; readonly seq: number };
  /** The operation was put right: the client did not send it like this. */
  readonly rectified?: true;
}

/** A part of the log: the entries of one write. */
export interface Segment {
  /** Version of the operations. */
  readonly vsn: number;
  /** Names the log. */
  readonly epoch: string;
  readonly entries: readonly Entry[];
  /** The document was deleted here, in ms since the epoch: nothing follows. */
  readonly deleted?: number;
}

/** The last accepted operation of a client. */
export interface ClientMark {
  /** Its number at the client. */
  readonly clientSeq: number;
  /** Its number in the log. */
  readonly seq: number;
  /** When, in ms since the epoch. */
  readonly at: number;
}

/** A state at some number, and which operations it contains. */
export interface Snapshot {
  readonly vsn: number;
  readonly epoch: string;
  readonly seq: number;
  readonly state: JsonValue;
  readonly clients: ReadonlyMap<string, ClientMark>;
  /** The log begins after this number. */
  readonly trimmed: number;
  /** An older snapshot that the log can be cut at one day: its number, and when it was put aside. */
  readonly aside?: { readonly seq: number; readonly at: number };
  /** When it was made, in ms since the epoch. */
  readonly at: number;
}

/** Bytes that entries take as JSON, about. */
export function entryBytes(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + utf8Length(JSON.stringify(entry)), 0);
}

/** The segment whose first entry has this number. */
export function segmentKey(key: string, from: number): string {
  return `${key}/log/${String(from).padStart(16, "0")}`;
}

/** The latest snapshot. */
export function headKey(key: string): string {
  return `${key}/head`;
}

/** The snapshot that the kept part of the log begins with. */
export function baseKey(key: string): string {
  return `${key}/base`;
}

/** A snapshot that the log can be cut at one day. */
export function asideKey(key: string): string {
  return `${key}/aside`;
}

/** The stored form of a segment. */
export function storeSegment({ vsn, epoch, entries, deleted }: Segment): JsonObject {
  const stored: JsonObject = { v: vsn, e: epoch, n: entries[0]?.seq ?? 0 };
  if (deleted !== undefined) return { ...stored, x: deleted, ops: [] };
  return { ...stored, ops: entries.map(storeEntry) };
}

function storeEntry(entry: Entry): JsonObject {
  const stored: JsonObject = { t: entry.at };
  if (entry.actor !== null) stored["a"] = entry.actor;
  if (entry.op !== undefined) stored["o"] = entry.op;
  if (entry.restore !== undefined) stored["r"] = entry.restore;
  if (entry.inverse !== undefined) stored["i"] = entry.inverse;
  if (entry.client !== undefined) stored["c"] = [entry.client.id, entry.client.seq];
  if (entry.rectified !== undefined) stored["f"] = 1;
  if (entry.undoes !== undefined) stored["u"] = entry.undoes;
  if (entry.redoes !== undefined) stored["d"] = entry.redoes;
  return stored;
}

/**
 * Reads a segment.
 *
 * @throws {HoldfastError} `ERR_CORRUPT_RECORD` if it is none.
 */
export function readSegment(stored: JsonObject, from: number): Segment {
  const { v, e, n, x, ops } = stored;
  if (typeof v !== "number" || typeof e !== "string" || !Array.isArray(ops)) throw corrupt("log");
  if (typeof x === "number") return { vsn: v, epoch: e, entries: [], deleted: x };
  if (n !== from || ops.length === 0) throw corrupt("log");
  return { vsn: v, epoch: e, entries: ops.map((op, index) => readEntry(op, from + index)) };
}

function readEntry(stored: JsonValue, seq: number): Entry {
  if (!isJsonObject(stored)) throw corrupt("log");
  const { t, a, o, r, i, c, f, u, d } = stored;
  if (typeof t !== "number" || (o === undefined) === (r === undefined)) throw corrupt("log");
  const client = readClient(c);
  return {
    seq,
    at: t,
    actor: typeof a === "string" ? a : null,
    ...(o === undefined ? {} : { op: o }),
    ...(r === undefined ? {} : { restore: r }),
    ...(i === undefined ? {} : { inverse: i }),
    ...(client === undefined ? {} : { client }),
    ...(f === undefined ? {} : { rectified: true as const }),
    ...(typeof u === "number" ? { undoes: u } : {}),
    ...(typeof d === "number" ? { redoes: d } : {}),
  };
}

function readClient(stored: JsonValue | undefined): Entry["client"] {
  if (!Array.isArray(stored)) return undefined;
  const [id, seq] = stored;
  return typeof id === "string" && typeof seq === "number" ? { id, seq } : undefined;
}

/** The stored form of a snapshot. */
export function storeSnapshot(snapshot: Snapshot): JsonObject {
  const { vsn, epoch, seq, state, clients, trimmed, aside, at } = snapshot;
  const marks: JsonObject = {};
  for (const [id, mark] of clients) marks[id] = [mark.clientSeq, mark.seq, mark.at];
  const stored: JsonObject = { v: vsn, e: epoch, seq, state, clients: marks, trimmed, t: at };
  return aside === undefined ? stored : { ...stored, aside: [aside.seq, aside.at] };
}

/**
 * Reads a snapshot.
 *
 * @throws {HoldfastError} `ERR_CORRUPT_RECORD` if it is none.
 */
export function readSnapshot(stored: JsonObject): Snapshot {
  const { v, e, seq, state, clients, trimmed, aside, t } = stored;
  if (typeof v !== "number" || typeof e !== "string" || typeof seq !== "number") {
    throw corrupt("snapshot");
  }
  if (state === undefined || !isJsonObject(clients)) throw corrupt("snapshot");
  if (typeof trimmed !== "number" || typeof t !== "number") throw corrupt("snapshot");
  const marks = new Map<string, ClientMark>();
  for (const [id, mark] of Object.entries(clients)) {
    const [clientSeq, at, time] = Array.isArray(mark) ? mark : [];
    if (typeof clientSeq === "number" && typeof at === "number" && typeof time === "number") {
      marks.set(id, { clientSeq, seq: at, at: time });
    }
  }
  const [asideSeq, asideAt] = Array.isArray(aside) ? aside : [];
  return {
    vsn: v,
    epoch: e,
    seq,
    state,
    clients: marks,
    trimmed,
    ...(typeof asideSeq === "number" && typeof asideAt === "number"
      ? { aside: { seq: asideSeq, at: asideAt } }
      : {}),
    at: t,
  };
}

/** The error of a document that cannot be read; nothing of it is overwritten. */
export function corrupt(what: string, cause?: unknown): HoldfastError {
  return new HoldfastError(
    "ERR_CORRUPT_RECORD",
    `Cannot use a document: its ${what} does not have the shape of one`,
    cause === undefined ? {} : { cause },
  );
}

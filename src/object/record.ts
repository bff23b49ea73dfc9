import { HoldfastError } from "../core/errors.ts";
import { isJsonObject, type JsonObject, parseJson, utf8Length } from "../core/json.ts";

/** The envelope format this code writes; a record of a later format is never overwritten. */
const FORMAT = 1;

/** Room the envelope itself takes beside the state, generously, in bytes. */
const ENVELOPE_BYTES = 256;

/** What every text of a migration between storages begins with, and no record. */
export const MIGRATION_PREFIX = '{"~holdfast-migrating":';

/** What a key holds, as read. */
export interface Loaded {
  /** Version of the key in storage; `null` if the key is absent. */
  readonly etag: string | null;
  /** How many writes the record has seen; 0 if absent. */
  readonly rev: number;
  /** Names the write that made it, so that a write whose answer was lost can be told. */
  readonly by: string;
  /** The state; `undefined` if absent, ended, or unreadable. */
  readonly state: JsonObject | undefined;
  /** When the object was ended, in ms since the epoch; `undefined` while it lives. */
  readonly ended: number | undefined;
  /** What the turn that ended it has left there. */
  readonly mark: string | undefined;
  /** Why the record cannot be used; it is then neither trusted nor overwritten, only ended. */
  readonly problem: HoldfastError | undefined;
  /** What a reader has made of the state, kept with it; the engine does not look at it. */
  view: unknown;
}

/** The content of a record about to be written. */
export interface Content {
  /** The state as JSON text, or `undefined` for an ended object. */
  readonly stateText: string | undefined;
  /** When the object was ended, in ms since the epoch. */
  readonly ended: number | undefined;
  /** What is stored with the end, if anything is. */
  readonly mark?: string | undefined;
}

/** A key that holds nothing. */
export const absent: Loaded = {
  etag: null,
  rev: 0,
  by: "",
  state: undefined,
  ended: undefined,
  mark: undefined,
  problem: undefined,
  view: undefined,
};

/**
 * Encodes a record. Two records are never equal, because `by` names the write: some stores derive
 * their etag from the content (SPEC OB9).
 *
 * @param by Letters, digits and `.`: nothing that JSON would have to escape.
 */
export function encodeRecord(rev: number, by: string, content: Content): string {
  const head = `{"f":${FORMAT},"rev":${rev},"by":"${by}"`;
  if (content.stateText !== undefined) return `${head},"state":${content.stateText}}`;
  const mark = content.mark === undefined ? "" : `,"mark":${JSON.stringify(content.mark)}`;
  return `${head},"ended":${content.ended ?? 0}${mark}}`;
}

function corrupt(etag: string, why: string): Loaded {
  const problem = new HoldfastError(
    "ERR_CORRUPT_RECORD",
    `Cannot use a stored record: ${why}`,
  );
  return { ...absent, etag, problem };
}

function newer(etag: string, rev: number, format: number): Loaded {
  const problem = new HoldfastError(
    "ERR_NEWER_VERSION",
    "Cannot use a stored record: a newer version of this library wrote it, " +
      `in format ${format}, and this one reads up to ${FORMAT}`,
  );
  return { ...absent, etag, rev, problem };
}

/**
 * Decodes a record. Never throws: what cannot be used is reported in `problem`, because a damaged
 * record must neither crash a request nor be overwritten (SPEC OB10).
 *
 * @param maxBytes Largest acceptable state in bytes, checked before parsing.
 */
export function decodeRecord(etag: string, text: string, maxBytes: number): Loaded {
  if (text.startsWith(MIGRATION_PREFIX)) {
    return corrupt(etag, "it was moved to another storage, or is being moved");
  }
  const limit = maxBytes + ENVELOPE_BYTES;
  if (utf8Length(text) > limit) return corrupt(etag, "it is larger than allowed");
  // A value takes a byte at least: what was small enough to be written can always be read.
  const parsed = parseJson(text, { maxBytes: limit, maxDepth: 64, maxNodes: limit });
  if (!parsed.ok) {
    const { path, reason } = parsed.problems[0] ?? { path: "", reason: "is not JSON" };
    return corrupt(etag, path === "" ? `it ${reason}` : `"${path}" ${reason}`);
  }
  if (!isJsonObject(parsed.value)) return corrupt(etag, "it is not an object");
  const { f, rev, by, state, ended, mark } = parsed.value;
  if (typeof f !== "number" || typeof rev !== "number") return corrupt(etag, "it has no envelope");
  if (f > FORMAT) return newer(etag, rev, f);
  const writer = typeof by === "string" ? by : "";
  if (typeof ended === "number") {
    const left = typeof mark === "string" ? mark : undefined;
    return { ...absent, etag, rev, by: writer, ended, mark: left };
  }
  if (!isJsonObject(state)) return corrupt(etag, "its state is not an object");
  return { ...absent, etag, rev, by: writer, state };
}

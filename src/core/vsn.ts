import { outOfRange, wrongArgument } from "./options.ts";
import { InvalidValueError } from "./errors.ts";
import {
  cloneJson,
  defaultJsonLimits,
  isJsonObject,
  type JsonLimits,
  type JsonObject,
  normalize,
} from "./json.ts";

/**
 * Turns stored data of an older version into the current shape. Gets a private copy, which it may
 * change; returns a JSON object.
 */
export type Migrate = (fromVsn: number, data: JsonObject) => unknown;

/** What became of stored data. */
export type Upgrade =
  /** It has the current version. */
  | { readonly status: "kept"; readonly data: JsonObject }
  /** It was older and `migrate` turned it into this. */
  | { readonly status: "migrated"; readonly from: number; readonly data: JsonObject }
  /** It was older and there is no `migrate`. */
  | { readonly status: "discarded"; readonly from: number }
  /** A newer version wrote it: leave it alone. */
  | { readonly status: "newer"; readonly found: number }
  /** `migrate` threw or returned something that is not a JSON object: leave it alone. */
  | { readonly status: "failed"; readonly from: number; readonly cause: unknown };

const maxVsn = 2 ** 31 - 1;

/** Decides what to do with stored data; the caller writes `"migrated"` data back. Never throws. */
export function upgrade(
  stored: { readonly vsn: number; readonly data: JsonObject },
  vsn: number,
  migrate?: Migrate,
  limits: JsonLimits = defaultJsonLimits,
): Upgrade {
  const from = stored.vsn;
  if (from === vsn) return { status: "kept", data: stored.data };
  if (from > vsn) return { status: "newer", found: from };
  if (!isVsn(from)) {
    return failed(from, new TypeError("Cannot migrate data: its vsn is unreadable"));
  }
  if (migrate === undefined) return { status: "discarded", from };
  try {
    return migrated(from, migrate(from, cloneJson(stored.data)), limits);
  } catch (cause) {
    return failed(from, cause);
  }
}

function migrated(from: number, result: unknown, limits: JsonLimits): Upgrade {
  // A promise is refused below; what it rejects with must not end the process all the same.
  if (result instanceof Promise) result.catch(() => {});
  const normal = normalize(result, { limits });
  const what = `the data that migrate returned for vsn ${from}`;
  if (!normal.ok) return failed(from, new InvalidValueError(what, normal.problems));
  if (isJsonObject(normal.value)) return { status: "migrated", from, data: normal.value };
  return failed(from, new TypeError(`Cannot store ${what}: it is not an object`));
}

function failed(from: number, cause: unknown): Upgrade {
  return { status: "failed", from, cause };
}

/**
 * Decides what a writer may do to a slice, so that an old node never undoes what a new one wrote.
 *
 * @param stored The version of the slice, `undefined` if there is none.
 * @param writer The version of the writer.
 * @returns `"merge"` its keys, `"replace"` the whole slice (it migrated or discarded the old one),
 * or `"refused"`.
 */
export function mayWrite(
  stored: number | undefined,
  writer: number,
): "merge" | "replace" | "refused" {
  if (stored === undefined || stored === writer) return "merge";
  return stored < writer ? "replace" : "refused";
}

/**
 * Checks the version of a definition.
 *
 * @param vsn An integer from 1 to 2147483647.
 * @param what Names the definition in errors: `stash "cart"`.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is not an integer in the range.
 */
export function checkVsn(vsn: unknown, what: string): number {
  if (typeof vsn !== "number") {
    throw wrongArgument(`Cannot define ${what}: its vsn is not a number`);
  }
  if (isVsn(vsn)) return vsn;
  throw outOfRange(
    `Cannot define ${what}: its vsn is ${vsn}, not an integer from 1 to ${maxVsn}`,
  );
}

function isVsn(vsn: unknown): vsn is number {
  return Number.isInteger(vsn) && (vsn as number) >= 1 && (vsn as number) <= maxVsn;
}

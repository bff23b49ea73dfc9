import { createHash } from "node:crypto";
import { checkStorageKey } from "../../src/core/key.ts";

/** Longest file name, in characters; file systems allow 255 bytes, some with encryption 143. */
const MAX_NAME = 140;

/** Where the record of a key is kept, below the directory of the records. */
export interface RecordPlace {
  /** One of 256 directories. */
  readonly shard: string;
  /** Name of the file. */
  readonly name: string;
}

/**
 * Names the file of a key. No two keys share a name, also where names that differ only in case are
 * the same file: upper case letters are written `+a`, and `/` as `+-`. A short name ends in `+0`, so
 * that none is one that an operating system reserves, or ends in a dot. A name that would be too
 * long is cut and ends in `+1` and a hash; its key is in the file.
 *
 * @param key A checked storage key.
 * @returns Its place.
 */
export function placeOf(key: string): RecordPlace {
  const hash = createHash("sha256").update(key).digest("hex");
  const escaped = key.replace(/[A-Z/]/g, (c) => c === "/" ? "+-" : `+${c.toLowerCase()}`);
  const name = escaped.length <= MAX_NAME
    ? `${escaped}+0`
    : `${escaped.slice(0, MAX_NAME - 64)}+1${hash}`;
  return { shard: hash.slice(0, 2), name };
}

/**
 * Reads the key back from a file name.
 *
 * @param name A file name.
 * @returns The key; `"in file"` if the name was too long to hold it; `undefined` if the name is not
 * one of ours.
 */
export function keyOf(name: string): { readonly key: string } | "in file" | undefined {
  if (/\+1[0-9a-f]{64}$/.test(name)) return "in file";
  if (!name.endsWith("+0")) return undefined;
  const escaped = name.slice(0, -2);
  const key = escaped.replace(/\+(.)/g, (_, c: string) => c === "-" ? "/" : c.toUpperCase());
  return isKey(key) && placeOf(key).name === name ? { key } : undefined;
}

function isKey(key: string): boolean {
  try {
    return checkStorageKey(key) === key;
  } catch {
    return false;
  }
}

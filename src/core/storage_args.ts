import { kindOf, outOfRange, wrongArgument } from "./options.ts";
import { checkStorageKey } from "./key.ts";

/** What every storage accepts as conditions of a write; the storage port's options satisfy it. */
export interface WriteConditions {
  /** Write only if the key is at this version. */
  readonly ifMatch?: string;
  /** Write only if the key is absent. */
  readonly ifNoneMatch?: "*";
}

/** The part of a listing that is left when its arguments have been checked. */
export interface ListWindow {
  /** Only keys greater than this one; `""` is less than every key. */
  readonly after: string;
  /** At most this many keys, 1 to 1000. */
  readonly limit: number;
}

const MAX_LIMIT = 1000;

/**
 * Checks the arguments of a storage's `put` (SPEC ST15, ST16, ST23).
 *
 * @param key As {@linkcode checkStorageKey} accepts it.
 * @param value Text without lone surrogates: those do not survive UTF-8.
 * @param conditions At most one of the two.
 * @throws {TypeError} If any of them is anything else. The message repeats none of them.
 */
export function checkPut(key: unknown, value: unknown, conditions: WriteConditions = {}): void {
  checkStorageKey(key);
  checkPutAt(value, conditions);
}

/** The same for a key that is there, so that it was checked before. */
export function checkPutAt(value: unknown, conditions: WriteConditions): void {
  if (typeof value !== "string") throw wrongArgument("Cannot put: the value is not a string");
  if (!value.isWellFormed()) throw wrongArgument("Cannot put: the value has a lone surrogate");
  checkCallOptions(conditions, "put");
  checkEtag(conditions.ifMatch);
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifNoneMatch === undefined) return;
  if (ifNoneMatch !== "*") throw wrongArgument('Cannot put: ifNoneMatch is not "*"');
  if (ifMatch !== undefined) throw wrongArgument("Cannot put: both conditions are given");
}

/**
 * Checks the arguments of a storage's `delete`.
 *
 * @param key As {@linkcode checkStorageKey} accepts it.
 * @param conditions The condition, if any.
 * @throws {TypeError} If any of them is anything else.
 */
export function checkDelete(key: unknown, conditions: { readonly ifMatch?: string } = {}): void {
  checkStorageKey(key);
  checkCallOptions(conditions, "delete");
  checkEtag(conditions.ifMatch);
}

/**
 * Checks the arguments of a storage's `list` and fills in the defaults (SPEC ST14).
 *
 * @param prefix Text of the characters a key has; may end anywhere in a key, and may be empty.
 * @param options `after`: text like the prefix; `limit`: 1 to 1000.
 * @returns The window.
 * @throws {TypeError} If the prefix or `after` cannot be the beginning of a key.
 * @throws {RangeError} If `limit` is not an integer of 1 to 1000.
 */
export function checkList(
  prefix: unknown,
  options: { readonly after?: string; readonly limit?: number } = {},
): ListWindow {
  checkCallOptions(options, "list");
  const { after = "", limit = MAX_LIMIT } = options;
  if (!isPartOfKey(prefix)) throw wrongArgument("Cannot list: no key begins with the prefix");
  if (!isPartOfKey(after)) throw wrongArgument('Cannot list: "after" is not part of a key');
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw outOfRange(`Cannot list: the limit is not an integer of 1 to ${MAX_LIMIT}`);
  }
  return { after, limit };
}

/**
 * Checks that the options of a storage's call are an object.
 *
 * @throws {TypeError} If they are anything else.
 */
export function checkCallOptions(options: unknown, task: string): void {
  if (typeof options === "object" && options !== null) return;
  throw wrongArgument(`Cannot ${task}: its options are ${kindOf(options)}, not an object`);
}

function checkEtag(etag: unknown): void {
  if (etag !== undefined && typeof etag !== "string") {
    throw wrongArgument("Cannot write: ifMatch is not a string");
  }
}

function isPartOfKey(text: unknown): boolean {
  return typeof text === "string" && text.length <= 1024 && /^[A-Za-z0-9_.~=/-]*$/.test(text);
}

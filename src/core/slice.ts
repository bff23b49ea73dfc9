import { canonicalText } from "./canonical.ts";
import { equalJson, type JsonObject, type JsonValue } from "./json.ts";

/** What to change in a slice, per top-level key: first drop, then set. */
export interface Patch {
  /** New values by key. */
  readonly set: JsonObject;
  /** Keys to remove. */
  readonly drop: readonly string[];
}

/** Finds what turns one slice into another; values are shared with `to`. */
export function diff(from: JsonObject, to: JsonObject): Patch {
  const changed = Object.keys(to).filter((key) =>
    !(Object.hasOwn(from, key) && equalJson(from[key] as JsonValue, to[key] as JsonValue))
  );
  const drop = Object.keys(from).filter((key) => !Object.hasOwn(to, key));
  // fromEntries defines keys; an assignment to `__proto__` would not.
  const set: JsonObject = changed.length === 0
    ? {}
    : Object.fromEntries(changed.map((key) => [key, to[key] as JsonValue]));
  return { set, drop };
}

/**
 * Applies a patch: returns a new object, with untouched values shared by reference. Both arguments
 * stay as they are.
 */
export function applyPatch(fields: JsonObject, patch: Patch): JsonObject {
  // Spread and fromEntries define keys; an assignment to `__proto__` would not.
  return { ...without(fields, patch.drop), ...patch.set };
}

/** Tells whether a patch changes nothing whatever it is applied to. */
export function isEmptyPatch(patch: Patch): boolean {
  return patch.drop.length === 0 && Object.keys(patch.set).length === 0;
}

/** Joins two patches into one that does what the first and then the second would do. */
export function mergePatches(first: Patch, second: Patch): Patch {
  const set = { ...without(first.set, second.drop), ...second.set };
  const drop = new Set([...first.drop, ...second.drop]);
  for (const key of Object.keys(set)) drop.delete(key);
  return { set, drop: [...drop] };
}

/**
 * Names a value: equal values have equal fingerprints, different ones never. It is the canonical
 * text itself and not a hash of it, because a hash short enough to be worth it can collide, and a
 * collision would be a change that nobody stores.
 */
export function fingerprint(value: JsonValue): string {
  return canonicalText(value);
}

function without(fields: JsonObject, keys: readonly string[]): JsonObject {
  if (keys.length === 0) return fields;
  const gone = new Set(keys);
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !gone.has(key)));
}

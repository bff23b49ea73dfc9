import type { Problem } from "../core/errors.ts";
import {
  copyJson,
  isJsonObject,
  type JsonLimits,
  type JsonObject,
  type JsonValue,
} from "../core/json.ts";
import { formatPath } from "../core/path.ts";
import { isPlainArray, isRefusedKey } from "../core/plain.ts";

/** How an object's state may be built; its size is limited when it is stored. */
export const stateLimits: JsonLimits = { maxBytes: 2 ** 26, maxDepth: 56, maxNodes: 2 ** 24 };

/** A state that a handler made, as it will be read back, or what is wrong with it. */
export type Checked =
  | {
    readonly ok: true;
    readonly value: JsonObject;
    /** No less than the bytes that the text of the state has grown by. */
    readonly growth: number;
  }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A walk through what has changed. */
interface Walk {
  readonly keys: (string | number)[];
  readonly problems: Problem[];
  growth: number;
}

/**
 * Checks a changed state against the one it was made from. What both hold by reference was checked
 * before and is not looked at again, so that a small change of a large state costs little.
 */
export function checkChange(base: JsonObject, next: object): Checked {
  const walk: Walk = { keys: [], problems: [], growth: 0 };
  const value = change(walk, base, next);
  return walk.problems.length > 0 || !isJsonObject(value)
    ? { ok: false, problems: walk.problems }
    : { ok: true, value, growth: walk.growth };
}

function change(walk: Walk, base: JsonValue | undefined, next: unknown): JsonValue | undefined {
  if (next === base && next !== undefined) return base;
  if (isJsonObject(base) && isJsonObject(next)) return changedObject(walk, base, next);
  if (Array.isArray(base) && Array.isArray(next) && isPlainArray(next)) {
    return changedArray(walk, base, next);
  }
  return fresh(walk, next);
}

function changedObject(walk: Walk, base: JsonObject, next: JsonObject): JsonObject {
  const copy: JsonObject = {};
  for (const key of Object.keys(next)) {
    const value: unknown = next[key];
    if (value === undefined) continue;
    walk.keys.push(key);
    if (isRefusedKey(key)) note(walk, "is a refused key");
    else if (!key.isWellFormed()) note(walk, "has a lone surrogate in its key");
    else {
      const before = Object.hasOwn(base, key) ? base[key] : undefined;
      if (before === undefined) walk.growth += 6 * key.length + 4;
      const kept = change(walk, before, value);
      if (kept !== undefined) copy[key] = kept;
    }
    walk.keys.pop();
  }
  return copy;
}

function changedArray(
  walk: Walk,
  base: readonly JsonValue[],
  next: readonly unknown[],
): JsonValue[] {
  const copy: JsonValue[] = [];
  for (let index = 0; index < next.length; index++) {
    const before = base[index];
    if (next[index] === before && before !== undefined) {
      copy.push(before);
      continue;
    }
    walk.keys.push(index);
    const hole = !Object.hasOwn(next, index);
    if (hole) note(walk, "is a hole in a sparse array");
    else {
      walk.growth++;
      const kept = change(walk, before, next[index]);
      if (kept !== undefined) copy.push(kept);
    }
    walk.keys.pop();
    // One index from outside is enough for four thousand million of them.
    if (hole) break;
  }
  return copy;
}

/** Something that has nothing of its kind before it. */
function fresh(walk: Walk, next: unknown): JsonValue | undefined {
  // What changes most often needs no walk of its own.
  if (typeof next === "number" && Number.isFinite(next)) {
    walk.growth += 25;
    return next + 0; // -0 + 0 is 0
  }
  if (typeof next === "boolean" || next === null) {
    walk.growth += 5;
    return next;
  }
  const path = formatPath(walk.keys);
  const maxDepth = stateLimits.maxDepth - walk.keys.length;
  const copied = copyJson(next, { path, limits: { ...stateLimits, maxDepth } });
  if (!copied.ok) {
    walk.problems.push(...copied.problems);
    return undefined;
  }
  walk.growth += mostBytes(copied.value);
  return copied.value;
}

function note(walk: Walk, reason: string): void {
  walk.problems.push({ path: formatPath(walk.keys), reason });
}

/** No less than the bytes a value takes as JSON: a code unit may need six as an escape. */
function mostBytes(value: JsonValue): number {
  if (typeof value === "string") return 6 * value.length + 2;
  if (typeof value !== "object" || value === null) return 25;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const item of value) bytes += mostBytes(item) + 1;
  } else {
    for (const key of Object.keys(value)) {
      bytes += 6 * key.length + 4 + mostBytes(value[key] as JsonValue);
    }
  }
  return bytes;
}

import type { Problem } from "./errors.ts";
import { formatPath } from "./path.ts";
import { isPlainArray, isPlainObject, isRefusedKey } from "./plain.ts";

/** What JSON can carry. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | JsonValue[]
  | { [key: string]: JsonValue };

/** A JSON object. */
export type JsonObject = { [key: string]: JsonValue };

/** How large a value may be. */
export interface JsonLimits {
  /** Bytes of its JSON text in UTF-8. */
  readonly maxBytes: number;
  /** Objects and arrays inside each other; 512 and more count as 512. */
  readonly maxDepth: number;
  /** Values of any kind, objects and arrays included. */
  readonly maxNodes: number;
}

/** 64 KiB, 32 levels, 10 000 values. */
export const defaultJsonLimits: JsonLimits = { maxBytes: 65_536, maxDepth: 32, maxNodes: 10_000 };

/** A value as it will be read back, or what is wrong with it. */
export type Normalized =
  | {
    readonly ok: true;
    /** A fresh deep copy of plain data. */
    readonly value: JsonValue;
    /** Its JSON text. */
    readonly text: string;
    /** The length of the text in UTF-8. */
    readonly bytes: number;
  }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Options of {@linkcode normalize}. */
export interface NormalizeOptions {
  /** How large the value may be. @default {defaultJsonLimits} */
  readonly limits?: JsonLimits;
  /** Where the value is, in front of every path in the problems. @default {""} */
  readonly path?: string;
}

/** `JSON.stringify` overflows the stack of Node at about 4 000 levels. */
const hardMaxDepth = 512;

type Key = string | number | undefined;

/** The state of one walk; `parents` and `keys` grow and shrink together. */
interface Walk {
  readonly limits: JsonLimits;
  readonly maxDepth: number;
  readonly root: string;
  readonly parents: object[];
  readonly keys: Key[];
  readonly problems: Problem[];
  nodes: number;
  /** No more than the text will take: lets a huge value be refused before it is written out. */
  bytes: number;
  stopped: boolean;
}

/** A value as it will be read back, without its text, or what is wrong with it. */
export type Copied =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Makes one checked JSON round trip.
 *
 * Reads own enumerable string keys, in order. Drops `undefined` properties as JSON does and turns
 * -0 into 0; everything else that JSON would change or lose is a problem (SPEC JS). Every property
 * is read once, and whatever reading it throws is a problem too: this function does not throw.
 */
export function normalize(value: unknown, options: NormalizeOptions = {}): Normalized {
  const copied = copyJson(value, options);
  if (!copied.ok) return copied;
  const { limits = defaultJsonLimits, path = "" } = options;
  try {
    const text = JSON.stringify(copied.value);
    const bytes = utf8Length(text);
    if (!(bytes <= limits.maxBytes)) return refuse(path, tooLong(limits));
    return { ok: true, value: copied.value, text, bytes };
  } catch {
    // Only a caller that has used up the stack gets here.
    return refuse(path, "cannot be read");
  }
}

/**
 * Does what {@linkcode normalize} does, without writing the text: for callers who write it later, as
 * part of something larger. Of the byte limit only what can be told from the values is checked.
 */
export function copyJson(value: unknown, options: NormalizeOptions = {}): Copied {
  if (typeof value === "boolean" || value === null) return { ok: true, value };
  const { limits = defaultJsonLimits, path: root = "" } = options;
  const maxDepth = Math.min(limits.maxDepth, hardMaxDepth);
  const walk: Walk = {
    limits,
    maxDepth,
    root,
    nodes: 0,
    bytes: 0,
    stopped: false,
    parents: [],
    keys: [],
    problems: [],
  };
  try {
    const copy = copyValue(walk, value, undefined);
    return copy === undefined || walk.problems.length > 0
      ? { ok: false, problems: walk.problems }
      : { ok: true, value: copy };
  } catch {
    // Only a caller that has used up the stack gets here.
    return refuse(root, "cannot be read");
  }
}

/**
 * Reads stored text. The size is checked before parsing, everything else after it; this function
 * does not throw, and no problem repeats any of the text.
 */
export function parseJson(text: string, limits: JsonLimits = defaultJsonLimits): Normalized {
  if (typeof text !== "string") return refuse("", "is not text");
  if (!(text.length <= limits.maxBytes && utf8Length(text) <= limits.maxBytes)) {
    return refuse("", tooLong(limits));
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse("", "is not JSON");
  }
  return normalize(value, { limits });
}

/** Copies an already normal value deeply. */
export function cloneJson<T extends JsonValue>(value: T): T;
export function cloneJson(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => cloneJson(item));
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) copy[key] = cloneJson(value[key] as JsonValue);
  return copy;
}

/** Compares two normal values; the order of keys does not matter. */
export function equalJson(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length &&
      a.every((item, index) => equalJson(item, b[index] as JsonValue));
  }
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length &&
    keys.every((key) =>
      Object.hasOwn(b, key) && equalJson(a[key] as JsonValue, b[key] as JsonValue)
    );
}

/** Tells whether a value is a plain object: no array, no `null`, no class instance. */
export function isJsonObject(value: unknown): value is JsonObject {
  if (typeof value !== "object" || value === null) return false;
  try {
    return !Array.isArray(value) && isPlainObject(value);
  } catch {
    return false; // a revoked proxy
  }
}

/** Counts the bytes a text takes in UTF-8, without encoding it. A lone surrogate takes 3. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // Two units that take 4 bytes together: 2 counted as units, 2 just added.
    if (unit >= 0xd800 && unit < 0xdc00 && isLow(text.charCodeAt(index + 1))) index++;
  }
  return bytes;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

function refuse(path: string, reason: string): Copied & { readonly ok: false } {
  return { ok: false, problems: [{ path, reason }] };
}

function tooLong(limits: JsonLimits): string {
  return `takes more than ${limits.maxBytes} bytes as JSON`;
}

function note(walk: Walk, key: Key, reason: string): undefined {
  walk.problems.push({ path: formatPath([...walk.keys, key], walk.root), reason });
}

/** A limit of the whole value: reported once, at its root, and the walk ends. */
function stop(walk: Walk, reason: string): undefined {
  if (!walk.stopped) walk.problems.push({ path: walk.root, reason });
  walk.stopped = true;
}

function copyValue(walk: Walk, value: unknown, key: Key): JsonValue | undefined {
  walk.bytes++;
  if (!(++walk.nodes <= walk.limits.maxNodes)) {
    return stop(walk, `holds more than ${walk.limits.maxNodes} values`);
  }
  switch (typeof value) {
    case "string":
      return copyString(walk, value, key);
    case "number":
      return Number.isFinite(value) ? value + 0 : note(walk, key, "is not finite"); // -0 + 0 is 0
    case "boolean":
      return value;
    case "object":
      return value === null ? null : copyContainer(walk, value, key);
    case "undefined":
      return note(walk, key, "is undefined");
    default:
      return note(walk, key, `is a ${typeof value}`);
  }
}

function copyString(walk: Walk, value: string, key: Key): string | undefined {
  walk.bytes += value.length;
  if (!(walk.bytes <= walk.limits.maxBytes)) return stop(walk, tooLong(walk.limits));
  return value.isWellFormed() ? value : note(walk, key, "holds a lone surrogate");
}

function copyContainer(walk: Walk, value: object, key: Key): JsonValue | undefined {
  const { parents, keys, maxDepth } = walk;
  const depth = parents.length;
  if (parents.includes(value)) return note(walk, key, "is part of a cycle");
  if (!(depth < maxDepth)) return note(walk, key, `is nested more than ${maxDepth} levels deep`);
  try {
    const reason = whyNotPlain(value);
    if (reason !== undefined) return note(walk, key, reason);
    parents.push(value);
    keys.push(key);
    const copy = Array.isArray(value) ? copyArray(walk, value) : copyObject(walk, value);
    parents.pop();
    keys.pop();
    return copy;
  } catch {
    parents.length = depth;
    keys.length = depth;
    return note(walk, key, "cannot be read");
  }
}

function whyNotPlain(value: object): string | undefined {
  if (!(Array.isArray(value) ? isPlainArray(value) : isPlainObject(value))) {
    const name: unknown = (value.constructor as { name?: unknown } | undefined)?.name;
    const readable = typeof name === "string" && /^(?!Object$)[\w$]{1,40}$/.test(name);
    return readable ? `is an instance of ${name}` : "is not a plain object";
  }
  // JSON.stringify would call it, also on the copy if somebody put it on a prototype.
  const { toJSON } = value as { toJSON?: unknown };
  return typeof toJSON === "function" ? "has a toJSON method" : undefined;
}

/** What {@linkcode read} answers when reading threw. */
const unreadable: unique symbol = Symbol("unreadable");

function read(walk: Walk, value: object, key: string | number): unknown {
  try {
    return (value as Record<string | number, unknown>)[key];
  } catch {
    note(walk, key, "cannot be read");
    return unreadable;
  }
}

function copyArray(walk: Walk, value: readonly unknown[]): JsonValue[] {
  const copy: JsonValue[] = [];
  const { length } = value; // of a proxy it can be anything
  if (!(walk.nodes + length <= walk.limits.maxNodes)) {
    stop(walk, `holds more than ${walk.limits.maxNodes} values`);
  }
  for (let index = 0; index < length && !walk.stopped; index++) {
    const item = read(walk, value, index);
    if (item === unreadable) continue;
    if (item === undefined && !Object.hasOwn(value, index)) {
      note(walk, index, "is a hole in a sparse array");
      continue;
    }
    const kept = copyValue(walk, item, index);
    if (kept !== undefined) copy.push(kept);
  }
  return copy;
}

function copyObject(walk: Walk, value: object): JsonObject {
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) {
    if (walk.stopped) break;
    if (isRefusedKey(key)) {
      note(walk, key, "is a refused key");
      continue;
    }
    const item = read(walk, value, key);
    if (item === undefined || item === unreadable) continue;
    if (!key.isWellFormed()) note(walk, key, "has a lone surrogate in its key");
    walk.bytes += key.length;
    const kept = copyValue(walk, item, key);
    if (kept !== undefined) copy[key] = kept;
  }
  return copy;
}

import { outOfRange, shown } from "../core/options.ts";

/**
 * Keys between keys: text whose order is that of code units, with room before, after and between any
 * two. A key is an integer of variable length, its length told by its first character, and a
 * fraction; so keys at either end grow with the logarithm of their number.
 *
 * Source: David Greenspan, "Implementing Fractional Indexing", Observable, 2020.
 */
const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const base = digits.length;

/** The first key of all. */
const first = "a0";

/** The integer that has no room before it. */
const smallest = `A${"0".repeat(26)}`;

/**
 * Makes a key between two others.
 *
 * @param before A key, `null` for the beginning.
 * @param after A greater key, `null` for the end.
 * @returns A key greater than `before` and less than `after`.
 * @throws {RangeError} If a key is none, or `before` is not less than `after`.
 *
 * @example
 * ```ts
 * import { keyBetween } from "@holdfast/holdfast";
 * import { assert } from "@std/assert";
 *
 * const one = keyBetween(null, null);
 * const two = keyBetween(one, null);
 * const half = keyBetween(one, two);
 * assert(one < half && half < two);
 * ```
 */
export function keyBetween(before: string | null, after: string | null): string {
  if (before !== null) check(before);
  if (after !== null) check(after);
  if (before !== null && after !== null && before >= after) {
    throw outOfRange(`Cannot make a key between "${before}" and "${after}"`);
  }
  if (before === null) return after === null ? first : beforeKey(after);
  if (after === null) return afterKey(before);
  const low = integerOf(before);
  const high = integerOf(after);
  if (low === high) {
    return low + midpoint(before.slice(low.length), after.slice(high.length));
  }
  const next = increment(low);
  return next !== undefined && next < after
    ? next
    : low + midpoint(before.slice(low.length), undefined);
}

/** Tells whether a text is a key. */
export function isKey(text: unknown): text is string {
  if (typeof text !== "string" || !/^[A-Za-z][0-9A-Za-z]*$/.test(text)) return false;
  const length = integerLength(text);
  return text.length >= length && text !== smallest &&
    !(text.length > length && text.endsWith("0"));
}

function check(key: string): void {
  if (!isKey(key)) throw outOfRange(`Cannot use the key ${shown(key)}: it is none`);
}

function beforeKey(after: string): string {
  const integer = integerOf(after);
  const fraction = after.slice(integer.length);
  if (integer === smallest) return integer + midpoint("", fraction);
  if (integer < after) return integer;
  const less = decrement(integer);
  if (less === undefined) throw outOfRange("Cannot make a key: there is no room before");
  return less;
}

function afterKey(before: string): string {
  const integer = integerOf(before);
  return increment(integer) ?? integer + midpoint(before.slice(integer.length), undefined);
}

/** The digits of the integer part, told by the first character: `a` to `z` up, `Z` to `A` down. */
function integerLength(key: string): number {
  const head = key.charCodeAt(0);
  return head >= 97 ? head - 97 + 2 : 90 - head + 2;
}

function integerOf(key: string): string {
  return key.slice(0, integerLength(key));
}

/** A fraction between two; the second `undefined` for one. Neither ends in a zero. */
function midpoint(low: string, high: string | undefined): string {
  if (high !== undefined) {
    let same = 0;
    while ((low[same] ?? "0") === high[same]) same++;
    if (same > 0) return high.slice(0, same) + midpoint(low.slice(same), high.slice(same));
  }
  const digitLow = low === "" ? 0 : digits.indexOf(low.charAt(0));
  const digitHigh = high === undefined ? base : digits.indexOf(high.charAt(0));
  if (digitHigh - digitLow > 1) return digits.charAt(Math.round((digitLow + digitHigh) / 2));
  if (high !== undefined && high.length > 1) return high.charAt(0);
  return digits.charAt(digitLow) + midpoint(low.slice(1), undefined);
}

function increment(integer: string): string | undefined {
  const [head = "", ...rest] = integer;
  for (let index = rest.length - 1; index >= 0; index--) {
    const digit = digits.indexOf(rest[index] ?? "0") + 1;
    if (digit < base) {
      rest[index] = digits.charAt(digit);
      return head + rest.join("");
    }
    rest[index] = "0";
  }
  if (head === "Z") return `a${"0"}`;
  if (head === "z") return undefined;
  const next = String.fromCharCode(head.charCodeAt(0) + 1);
  return next + (next > "a" ? [...rest, "0"] : rest.slice(1)).join("");
}

function decrement(integer: string): string | undefined {
  const [head = "", ...rest] = integer;
  for (let index = rest.length - 1; index >= 0; index--) {
    const digit = digits.indexOf(rest[index] ?? "0") - 1;
    if (digit >= 0) {
      rest[index] = digits.charAt(digit);
      return head + rest.join("");
    }
    rest[index] = "z";
  }
  if (head === "a") return "Zz";
  if (head === "A") return undefined;
  const next = String.fromCharCode(head.charCodeAt(0) - 1);
  return next + (next < "Z" ? [...rest, "z"] : rest.slice(1)).join("");
}

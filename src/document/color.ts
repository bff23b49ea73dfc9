import { kindOf, wrongArgument } from "../core/options.ts";

/**
 * A colour for somebody, always the same one, readable as text on white and on black.
 *
 * Source: FNV-1a, 32 bits (Fowler, Noll, Vo).
 *
 * @param id Any text.
 * @returns A CSS colour.
 * @throws {TypeError} If the id is no text.
 *
 * @example
 * ```ts
 * import { colorFor } from "@holdfast/holdfast";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(colorFor("ada"), colorFor("ada"));
 * ```
 */
export function colorFor(id: string): string {
  if (typeof id !== "string") {
    throw wrongArgument(`Cannot make a colour: the id is ${kindOf(id)}, not text`);
  }
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index++) {
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  }
  // Steps of the golden angle keep neighbours apart.
  const hue = Math.round(((hash >>> 0) * 137.508) % 360);
  return `hsl(${hue} 65% 45%)`;
}

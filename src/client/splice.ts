import type { Splice } from "../live/protocol.ts";

/**
 * Applies replacements to a text.
 *
 * @param base The text they were made for.
 * @param splices In ascending order, not overlapping, indexes into the base in UTF-16 units.
 * @returns The text, or `undefined` if they cannot have been made for this base.
 */
export function applySplices(base: string, splices: readonly Splice[]): string | undefined {
  let text = "";
  let at = 0;
  for (const [start, remove, insert] of splices) {
    if (start < at || remove < 0 || start + remove > base.length) return undefined;
    text += base.slice(at, start) + insert;
    at = start + remove;
  }
  return text + base.slice(at);
}

import { kindOf, outOfRange, wrongArgument } from "../../src/core/options.ts";
import type { Random } from "../../src/ports/random.ts";

/**
 * Makes a Random that repeats: the same seed gives the same sequence. For tests only, because what
 * it gives can be predicted.
 *
 * The generator is sfc32 by Chris Doty-Humphrey, from PractRand (public domain), seeded and warmed
 * up as there.
 *
 * @param seed Any integer; its lower 32 bits count.
 * @returns The source.
 *
 * @example The same seed, the same numbers
 * ```ts
 * import { seededRandom } from "@holdfast/holdfast/testing";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(seededRandom(7).number(), seededRandom(7).number());
 * assertEquals(seededRandom(7).bytes(5), seededRandom(7).bytes(5));
 * ```
 */
export function seededRandom(seed: number): Random {
  if (typeof seed !== "number") {
    throw wrongArgument(
      `Cannot make a source of numbers: its seed is ${kindOf(seed)}, not a number`,
    );
  }
  const next = sfc32(seed);
  return {
    number: () => next() / 2 ** 32,
    bytes: (length) => {
      if (!Number.isSafeInteger(length) || length < 0) {
        throw outOfRange(`Cannot draw bytes: ${String(length)} is not an integer of 0 or more`);
      }
      return Uint8Array.from({ length }, () => next() & 255);
    },
  };
}

function sfc32(seed: number): () => number {
  let a = 0;
  let b = seed | 0;
  let c = 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

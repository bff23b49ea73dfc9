import { outOfRange } from "../../src/core/options.ts";
import type { Random } from "../../src/ports/random.ts";

/** The most `getRandomValues` fills in one call. */
const MAX_FILL_BYTES = 65_536;

/**
 * Makes a Random from `crypto.getRandomValues`.
 *
 * @returns The source. `bytes()` throws a `RangeError` unless its length is an integer of 0 or more.
 */
export function webRandom(): Random {
  return {
    bytes: randomBytes,
    number: () => crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32,
  };
}

function randomBytes(length: number): Uint8Array {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw outOfRange(`Cannot draw bytes: ${String(length)} is not an integer of 0 or more`);
  }
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += MAX_FILL_BYTES) {
    crypto.getRandomValues(bytes.subarray(at, at + MAX_FILL_BYTES));
  }
  return bytes;
}

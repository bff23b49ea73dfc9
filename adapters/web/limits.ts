import { checkKnown, outOfRange } from "../../src/core/options.ts";

/** Sizes, counts and time limits. Everything has a limit, and every limit can be set. */
export interface HoldfastLimits {
  /** Largest session in bytes of JSON text, 1,024 to 1,048,576. @default {65536} */
  readonly maxSessionBytes: number;
  /** Drafts kept per stash and session, 1 to 100; the oldest are dropped. @default {8} */
  readonly maxDrafts: number;
  /** Milliseconds after which a draft nobody writes to is dropped. @default {86400000} */
  readonly draftMs: number;
  /** Largest object in bytes of JSON text, 1,024 to 16,777,216. @default {1048576} */
  readonly maxObjectBytes: number;
  /** Milliseconds one storage call may take, retries included, 10 to 60,000. @default {2000} */
  readonly storageTimeoutMs: number;
  /** Milliseconds a call to an object may take, waiting included, 10 to 3,600,000. @default {30000} */
  readonly callTimeoutMs: number;
  /** Calls that may wait for one session or object, 1 to 1,000,000. @default {1000} */
  readonly mailbox: number;
  /** Sessions kept in memory as a cache, 1 to 10,000,000. @default {10000} */
  readonly maxActive: number;
  /** Objects whose state is kept in memory, 1 to 10,000,000. @default {100000} */
  readonly maxObjects: number;
}

const ranges: Readonly<Record<keyof HoldfastLimits, readonly [number, number, number]>> = {
  maxSessionBytes: [65_536, 1024, 1_048_576],
  maxDrafts: [8, 1, 100],
  draftMs: [24 * 60 * 60_000, 1000, Number.MAX_SAFE_INTEGER],
  maxObjectBytes: [1_048_576, 1024, 16_777_216],
  storageTimeoutMs: [2000, 10, 60_000],
  callTimeoutMs: [30_000, 10, 3_600_000],
  mailbox: [1000, 1, 1_000_000],
  maxActive: [10_000, 1, 10_000_000],
  maxObjects: [100_000, 1, 10_000_000],
};

/**
 * Fills in the defaults and checks the ranges.
 *
 * @throws {RangeError} If a limit is not a whole number in its range.
 */
export function checkLimits(given: Partial<HoldfastLimits> = {}): HoldfastLimits {
  checkKnown(given, ranges, "create a holdfast", "limits");
  const limit = (name: keyof HoldfastLimits): number => {
    const [fallback, least, most] = ranges[name];
    const value = given[name] ?? fallback;
    if (!Number.isInteger(value) || value < least || value > most) {
      throw outOfRange(
        `Cannot use limit "${name}": it is ${
          String(value)
        }, not a whole number from ${least} to ${most}`,
      );
    }
    return value;
  };
  return {
    maxSessionBytes: limit("maxSessionBytes"),
    maxDrafts: limit("maxDrafts"),
    draftMs: limit("draftMs"),
    maxObjectBytes: limit("maxObjectBytes"),
    storageTimeoutMs: limit("storageTimeoutMs"),
    callTimeoutMs: limit("callTimeoutMs"),
    mailbox: limit("mailbox"),
    maxActive: limit("maxActive"),
    maxObjects: limit("maxObjects"),
  };
}

import { checkKnown, outOfRange } from "../core/options.ts";
/** Limits of what one page may ask for. */
export interface LiveLimits {
  /** Largest frame in bytes, 1,024 to 1,048,576. @default {65536} */
  readonly maxFrameBytes: number;
  /** Events per second of one connection, on average, 1 to 10,000. @default {50} */
  readonly eventsPerSecond: number;
  /** Events of one connection at once, 1 to 100,000. @default {100} */
  readonly eventBurst: number;
  /** Connections of one session on this node, 1 to 10,000. @default {20} */
  readonly socketsPerSession: number;
  /** Connections on this node, 1 to 1,000,000. @default {100000} */
  readonly maxConnections: number;
  /** Views of one connection, 1 to 1,000. @default {16} */
  readonly viewsPerConnection: number;
  /** Steps that may wait for one view, 1 to 1,000,000. @default {1000} */
  readonly mailbox: number;
}

const limitRanges: Readonly<Record<keyof LiveLimits, readonly [number, number, number]>> = {
  maxFrameBytes: [65_536, 1024, 1_048_576],
  eventsPerSecond: [50, 1, 10_000],
  eventBurst: [100, 1, 100_000],
  socketsPerSession: [20, 1, 10_000],
  maxConnections: [100_000, 1, 1_000_000],
  viewsPerConnection: [16, 1, 1000],
  mailbox: [1000, 1, 1_000_000],
};

/** Durations of a connection, in milliseconds. */
export interface LiveTiming {
  /** A connection that has not joined after so long is closed. @default {5000} */
  readonly joinMs: number;
  /** How often the client sends a heartbeat. @default {25000} */
  readonly heartbeatMs: number;
  /** How long one function of a view may take. @default {30000} */
  readonly handlerMs: number;
  /** How long after a change it is stored. @default {250} */
  readonly stashMs: number;
  /** How long after a failure of storage it is tried again; doubles up to a minute. @default {1000} */
  readonly stashRetryMs: number;
  /** How long a page that comes back waits for what its older connection is still doing. @default {2000} */
  readonly handoverMs: number;
  /** How long a token of a page is worth something. @default {86400000} */
  readonly tokenMs: number;
  /** A view that crashes so soon after it was recovered counts as poisoned by it. @default {10000} */
  readonly poisonMs: number;
}

const timingRanges: Readonly<Record<keyof LiveTiming, readonly [number, number, number]>> = {
  joinMs: [5000, 1, 600_000],
  heartbeatMs: [25_000, 10, 600_000],
  handlerMs: [30_000, 1, 3_600_000],
  stashMs: [250, 0, 60_000],
  stashRetryMs: [1000, 1, 60_000],
  handoverMs: [2000, 0, 60_000],
  tokenMs: [24 * 3_600_000, 1000, 30 * 24 * 3_600_000],
  poisonMs: [10_000, 0, 3_600_000],
};

/** How a node takes leave of its pages. Durations in milliseconds. */
export interface DrainTiming {
  /** Longest time for all of it. @default {25000} */
  readonly withinMs: number;
  /** Connections told at once. @default {1000} */
  readonly batch: number;
  /** Time between two batches. @default {500} */
  readonly everyMs: number;
  /** Time over which the pages spread their reconnects. @default {2000} */
  readonly spreadMs: number;
  /** How long one page may take to send what is pending. @default {3000} */
  readonly answerMs: number;
}

const drainRanges: Readonly<Record<keyof DrainTiming, readonly [number, number, number]>> = {
  withinMs: [25_000, 0, 3_600_000],
  batch: [1000, 1, 1_000_000],
  everyMs: [500, 0, 60_000],
  spreadMs: [2000, 0, 60_000],
  answerMs: [3000, 0, 600_000],
};

/** @throws {RangeError} If a limit is not a whole number in its range. */
export function checkLiveLimits(given: Partial<LiveLimits> = {}): LiveLimits {
  return checkNumbers(given, limitRanges, "limit", "limits");
}

/** @throws {RangeError} If a duration is not a whole number in its range. */
export function checkLiveTiming(given: Partial<LiveTiming> = {}): LiveTiming {
  return checkNumbers(given, timingRanges, "timing", "timing");
}

/** @throws {RangeError} If a number is not a whole one in its range. */
export function checkDrainTiming(given: Partial<DrainTiming> = {}): DrainTiming {
  return checkNumbers(given, drainRanges, "drain option", "drain");
}

function checkNumbers<K extends string>(
  given: { readonly [P in K]?: number },
  ranges: Readonly<Record<K, readonly [number, number, number]>>,
  what: string,
  path: string,
): { readonly [P in K]: number } {
  checkKnown(given, ranges, "create live views", path);
  const checked: Partial<Record<K, number>> = {};
  for (const name of Object.keys(ranges) as K[]) {
    const [fallback, least, most] = ranges[name];
    const value = given[name] ?? fallback;
    if (!Number.isInteger(value) || value < least || value > most) {
      throw outOfRange(
        `Cannot use ${what} "${name}": it is ${
          String(value)
        }, not a whole number from ${least} to ${most}`,
      );
    }
    checked[name] = value;
  }
  return checked as { readonly [P in K]: number };
}

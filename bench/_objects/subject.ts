/** One way to call a thousand counters: what a call answers is durable where the label says so. */
export interface Subject {
  /** Adds one to a counter and answers with what it has become. */
  readonly increment: (counter: number) => Promise<number>;
  /** Releases what it holds. */
  readonly close: () => Promise<void>;
}

/** Objects that 64 callers spread over. */
export const OBJECTS = 1000;

/** Who calls how. */
export interface Load {
  readonly callers: number;
  readonly objects: number;
}

/** One after the other, 64 callers on 1,000 objects, or 500 callers on one. */
export type LoadName = "sequential" | "spread" | "crowd";

/** The loads, by the names they have in tables. */
export const loads: Readonly<Record<LoadName, Load>> = {
  sequential: { callers: 1, objects: 1 },
  spread: { callers: 64, objects: OBJECTS },
  crowd: { callers: 500, objects: 1 },
};

/** What one slice of a load has cost. */
export interface Slice {
  readonly perSecond: number;
  /** CPU time of this process per call, all its threads, in µs. */
  readonly cpuUs: number;
}

import type { ZeroPorts } from "./peers/zero.ts";

/** What a worker is told to do; its answer is the last line it prints. */
export interface Job {
  readonly task: "write" | "latency" | "dom" | "decode" | "decoder" | "views" | "slow";
  readonly url: string;
  /** How changes are heard of: `latency` and `decode`. */
  readonly by?: "holdfast" | "notify" | "pg_recvlogical" | "zero";
  /** `latency` by Zero: its ports. */
  readonly ports?: ZeroPorts;
  /** Updates, or transactions, a second. */
  readonly rate?: number;
  readonly seconds?: number;
  /** `write`: also tell the listeners of a channel. */
  readonly notify?: boolean;
  /** `write`: adds rows of a kilobyte instead. */
  readonly inserts?: boolean;
  /**
   * `write`: which table, how many rows that has, and how many a transaction changes. `decoder`: rows of
   * a transaction.
   */
  readonly table?: string;
  readonly of?: number;
  readonly rows?: number;
  /** `decode`: the slot with the backlog, and how many rows and transactions that has. */
  readonly slot?: string;
  readonly expect?: { readonly rows: number; readonly transactions: number };
  /** `decoder`: somebody watches every row. */
  readonly watched?: boolean;
  /** `slow`: watches whose query does not answer. */
  readonly watches?: number;
}

/** What the writer came to. */
export interface Written {
  readonly sent: number;
  /** Statements that were not answered when their time was up. */
  readonly late: number;
  readonly perSecond: number;
}

/** Microseconds. */
export interface Latency {
  readonly heard: number;
  readonly p50: number;
  readonly p99: number;
}

export interface Decoded {
  readonly rows: number;
  readonly transactions: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export interface Views extends Latency {
  readonly frames: number;
  /** Of one core, in percent. */
  readonly cpu: number;
  readonly megabytes: number;
}

export interface Slow {
  readonly changes: number;
  readonly megabytes: number;
  readonly heapMegabytes: number;
}

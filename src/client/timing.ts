/** Every wait of the client, in milliseconds; tests shrink them. */
export interface Timing {
  /** The first reconnect comes at a random time within this. */
  readonly firstRetryMs: number;
  /** The reconnects after it, each times 0.5 to 1.5; the last for ever. */
  readonly retryMs: readonly number[];
  /** The first join after a crash comes at a random time within this. */
  readonly firstRejoinMs: number;
  /** The joins after it, each times 0.7 to 1.3; the last for ever. */
  readonly rejoinMs: readonly number[];
  /** A transport that has not opened by then has failed. */
  readonly connectMs: number;
  /** A join not answered by then has failed. */
  readonly joinMs: number;
  /** A heartbeat not answered by then: the connection is dead. */
  readonly pongMs: number;
  /** A connection that held so long begins the table of reconnects anew. */
  readonly stableMs: number;
  /** A connection lost for less than this is not shown. */
  readonly quietMs: number;
  /** Recovery of forms that takes longer is not waited for. */
  readonly recoverMs: number;
  /** A form that appears within this after a rejoin is still recovered. */
  readonly lateFormMs: number;
  /** What was done while the server drained is held back so long for the next one. */
  readonly holdMs: number;
}

/** What `connect()` uses unless told otherwise. */
export const defaultTiming: Timing = {
  firstRetryMs: 250,
  retryMs: [250, 500, 1000, 2000, 5000, 10_000],
  firstRejoinMs: 100,
  rejoinMs: [1000, 2000, 5000, 10_000],
  connectMs: 8000,
  joinMs: 10_000,
  pongMs: 10_000,
  stableMs: 5000,
  quietMs: 500,
  recoverMs: 5000,
  lateFormMs: 60_000,
  holdMs: 30_000,
};

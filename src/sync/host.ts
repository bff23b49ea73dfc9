import type { Clock } from "../ports/clock.ts";
import type { TelemetryEvent } from "../ports/telemetry.ts";
import type { Key } from "./key.ts";
import type { Urgency } from "./load_queue.ts";
import type { AnyWatchOptions, Plan, PlanContext } from "./plan.ts";
import type { Receiver } from "./receiver.ts";
import type { Codec } from "./row.ts";
import type { Ring } from "./ring.ts";
import type { ChangeReader } from "./rows.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Table } from "./table.ts";
import type { Xids } from "./xids.ts";

/** A value that was loaded, and what the query had seen. */
export interface Loaded {
  readonly value: unknown;
  /** Made by us, so that its rows are known to hold the columns of the log. */
  readonly generated: boolean;
  readonly snapshot: Snapshot;
  /** Everything the snapshot sees was committed before this. */
  readonly lsn: bigint;
}

/** A load that is asked for. */
export interface LoadRequest {
  readonly plan: Plan;
  readonly options: AnyWatchOptions;
  readonly key: Key;
  readonly urgency: Urgency;
  /** Is called just before the query begins; `false` if it need not. */
  readonly begun: () => boolean;
}

/** Limits of the hub. */
export interface HubLimits {
  /** Changes kept for one watch while it loads; beyond, it loads once more instead. */
  readonly bufferedChanges: number;
}

/** What channels stand on. */
export interface Host {
  readonly clock: Clock;
  readonly codec: Codec;
  readonly reader: ChangeReader;
  readonly ring: Ring;
  /** Transactions that a new stream may lack. */
  readonly suspects: Xids;
  readonly limits: HubLimits;
  /** The history the stream belongs to; `undefined` while there is none. */
  readonly epoch: string | undefined;
  /** Changes arrive at the moment. */
  readonly live: boolean;
  /** The tables, as soon as they are known; rejects while that fails. */
  context(): Promise<PlanContext>;
  /**
   * Resolves a watch against the tables as they are by now.
   *
   * @throws {TypeError} If it names what is not there any more.
   * @throws {HoldfastError} With the code `ERR_SYNC_SETUP` if a table has never been set up.
   */
  plan(options: AnyWatchOptions): Plan;
  /** Hands changes of these tables and this key to a receiver from now on. */
  route(receiver: Receiver, tables: ReadonlySet<Table>, key: string): void;
  unroute(receiver: Receiver, tables: ReadonlySet<Table>, key: string): void;
  /**
   * Loads a value, when it is its turn.
   *
   * @param request What, and for whom.
   * @returns `undefined` if it was not wanted any more, and was not asked for.
   */
  load(request: LoadRequest): Promise<Loaded | undefined>;
  /** Settles when queries see these transactions, all or the first of them. */
  visible(xids: Xids, which: "all" | "first"): Promise<void>;
  /** So many more changes are kept for watches that load, or fewer. */
  held(changes: number): void;
  retryDelayMs(failures: number): number;
  emit(event: TelemetryEvent): void;
  /** Tells telemetry of something a user's function or a field's parser threw. */
  report(error: unknown): void;
}

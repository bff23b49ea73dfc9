import type { Clock } from "../ports/clock.ts";
import type { Feed } from "../ports/feed.ts";
import type { Random } from "../ports/random.ts";
import type { SyncRole, Telemetry } from "../ports/telemetry.ts";
import type { HubLimits } from "./host.ts";
import type { Key } from "./key.ts";
import type { AnyWatchOptions, Plan } from "./plan.ts";
import type { Codec } from "./row.ts";
import type { SharedPorts } from "./shared_source.ts";
import type { TableInfo } from "./table.ts";
import type { ReadText } from "./tuple.ts";

/** A value with what its query had seen, as texts of the database. */
export interface RawLoaded {
  readonly value: unknown;
  /** Made without a `load` of the user's. */
  readonly generated: boolean;
  /** `pg_current_snapshot()` of the transaction that loaded it. */
  readonly snapshot: string;
  /** `pg_current_wal_insert_lsn()`, asked for after the snapshot was taken. */
  readonly lsn: string;
}

/** The database as a port: what the hub asks it for beside the log. */
export interface SyncDatabase {
  /**
   * Looks up the watched tables; those that are not set up have `problems`.
   *
   * @throws {HoldfastError} With the code `ERR_SYNC_SETUP` if something has to be set up before any of
   *   them can be followed.
   */
  describe(): Promise<readonly TableInfo[]>;
  /** Names how each table is set up, by what it is called: another text when something has changed. */
  setup(): Promise<ReadonlyMap<string, string>>;
  /** Loads a value in one snapshot. */
  load(plan: Plan, options: AnyWatchOptions, key: Key): Promise<RawLoaded>;
  /** Asks for `pg_current_snapshot()`. */
  snapshot(): Promise<string>;
  /** How it reads rows; there as soon as the tables are known. */
  readonly codec: Codec;
}

/** What a {@linkcode Hub} stands on. */
export interface HubPorts {
  readonly feed: Feed;
  readonly database: SyncDatabase;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry?: Telemetry;
  readonly readText?: ReadText;
  /** Other nodes to share the stream with. */
  readonly shared?: SharedPorts;
}

/** Numbers of a {@linkcode Hub}; see the options of `createSync()`. */
export interface HubOptions extends HubLimits {
  readonly transactionChanges: number;
  readonly ringTransactions: number;
  readonly ringChanges: number;
  readonly concurrentLoads: number;
  readonly reloadJitterMs: number;
  readonly statusEveryMs: number;
  readonly checkEveryMs: number;
  readonly lingerMs: number;
  /** Changes that all loading watches together may keep before the stream is held back. */
  readonly pauseAtChanges: number;
}

/** How the hub is doing. */
export interface SyncStatus {
  /** `"live"`: changes are followed, at least of some tables; `"connecting"`: not yet, or not now. */
  readonly state: "connecting" | "live" | "closed";
  /** Why it is not live, or which of the tables are not set up, with the SQL. */
  readonly error?: unknown;
  /** What it is among the nodes of a cluster, once that is known; without one it is not there. */
  readonly role?: SyncRole;
}

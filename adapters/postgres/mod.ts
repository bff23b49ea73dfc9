/**
 * A storage in one table of a Postgres database, and rows of any table kept current by logical
 * replication; both through the `postgres` package.
 *
 * @module
 */
export { postgresMigration } from "./migration.ts";
export { postgresStorage } from "./storage.ts";
export type { PostgresStorage, PostgresStorageOptions } from "./storage.ts";
export type { PostgresSql } from "./connect.ts";
export { createSync } from "./sync.ts";
export type { Sync, SyncLimits, SyncOptions } from "./sync.ts";
export { postgresDates } from "./dates.ts";
export type { PostgresDates } from "./dates.ts";
export { syncDown, syncUp } from "./replication_setup.ts";
export type { SyncSetupOptions } from "./replication_setup.ts";
export type { SlotOptions } from "./slot.ts";
export type { SyncQueries, SyncSql, SyncSqlOptions, TransactionOf } from "./sync_sql.ts";
export type { SyncTable } from "./sync_tables.ts";
export { SyncSetupError } from "../../src/sync/setup.ts";
export type { SyncProblem } from "../../src/sync/setup.ts";
export type { SyncStatus } from "../../src/sync/hub_ports.ts";
export type { Key } from "../../src/sync/key.ts";
export type { Compare } from "../../src/sync/order.ts";
export type { Row } from "../../src/sync/row.ts";
export type {
  BuiltQuery,
  ChangeInfo,
  Loading,
  NestedOptions,
  OpenWatch,
  OrderColumn,
  RowOf,
  WatchOptions,
  WatchSnapshot,
  WatchSource,
} from "../../src/sync/watch.ts";

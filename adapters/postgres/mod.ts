/**
 * A storage in one table of a Postgres database, through the `postgres` package.
 *
 * @module
 */
export { postgresMigration } from "./migration.ts";
export { postgresStorage } from "./storage.ts";
export type { PostgresStorage, PostgresStorageOptions } from "./storage.ts";
export type { PostgresSql } from "./connect.ts";

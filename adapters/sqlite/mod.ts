/**
 * A storage in an SQLite file, the embedded default: `bun:sqlite` on Bun, `node:sqlite` on Node and
 * Deno.
 *
 * @module
 */
export { sqliteStorage } from "./storage.ts";
export type { SqliteStorage, SqliteStorageOptions } from "./storage.ts";

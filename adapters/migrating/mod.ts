/**
 * A storage that moves from one store to another while the application runs.
 *
 * @module
 */
export { migratingStorage } from "./storage.ts";
export type { MigratingStorage, MigratingStorageOptions } from "./storage.ts";
export type { MigrateOptions, MigrationProgress, MigrationReport } from "./pass.ts";
export type { MigrationPhase } from "./protocol.ts";

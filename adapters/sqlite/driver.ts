import process from "node:process";
import { StorageUnavailableError } from "../../src/core/errors.ts";

/** What a column can hold here. */
export type Value = string | number | Uint8Array;

/** The part of a prepared statement that both drivers have. */
export interface Statement {
  /** Runs it; `changes` counts the rows it changed. */
  run(...values: Value[]): { readonly changes: number | bigint };
  /** Its first row; the drivers differ in what stands for none. */
  get(...values: Value[]): unknown;
  /** All its rows. */
  all(...values: Value[]): unknown[];
  /** Only Bun's: without it the file stays open after a close. */
  finalize?(): void;
}

/** The part of a database connection that both drivers have. */
export interface Connection {
  exec(sql: string): unknown;
  prepare(sql: string): Statement;
  close(): void;
}

/** The class that opens a database. */
export type Driver = new (path: string) => Connection;

/** Node's `process.getBuiltinModule`, which Bun and Deno have too. */
type LoadBuiltin = (name: string) => unknown;

/**
 * Loads the driver the runtime has: `bun:sqlite` on Bun, `node:sqlite` on Node and Deno. On first
 * use, so that the module can be imported everywhere.
 *
 * @returns The class that opens a database: a path of a file, or `":memory:"`.
 * @throws {StorageUnavailableError} If the runtime has no driver.
 */
export function loadDriver(): Driver {
  // Older versions of Node have no such function, whatever their types say.
  const load = process.getBuiltinModule as LoadBuiltin | undefined;
  return findDriver(load?.bind(process), "Bun" in globalThis);
}

/**
 * Finds the class that opens a database.
 *
 * @param load Gives a builtin module or `undefined`; itself `undefined` on older versions of Node.
 * @param isBun Whether this is Bun.
 * @returns The class.
 * @throws {StorageUnavailableError} If there is none. The message says what to do.
 */
export function findDriver(load: LoadBuiltin | undefined, isBun: boolean): Driver {
  const name = isBun ? "Database" : "DatabaseSync";
  const driver = load?.(isBun ? "bun:sqlite" : "node:sqlite") as Record<string, Driver> | undefined;
  const found = driver?.[name];
  if (found !== undefined) return found;
  throw new StorageUnavailableError(
    "Cannot open the SQLite storage: this runtime has no SQLite; " +
      "use Node 22.13 or later, Bun, or Deno 2.2 or later, or another storage",
    "none",
  );
}

const SQLITE_BUSY = 5;

/**
 * Tells whether a statement failed only because another connection holds a lock.
 *
 * @param error What a driver threw.
 * @returns `true` if trying again can help.
 */
export function isBusy(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  // Bun names it; the code may go on, as in SQLITE_BUSY_SNAPSHOT.
  if (typeof code === "string" && code.startsWith("SQLITE_BUSY")) return true;
  if (code !== "ERR_SQLITE_ERROR") return false;
  // Node numbers it, with what Bun appends in the upper bits; Deno says it in the message only.
  if (typeof errcode === "number") return (errcode & 0xff) === SQLITE_BUSY;
  return error.message.startsWith("database is locked");
}

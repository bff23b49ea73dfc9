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

type Open = new (path: string) => Connection;

/** What is looked at: Node's own function, which Bun and Deno have too. */
type LoadBuiltin = (name: string) => unknown;

/**
 * Opens a database with the driver the runtime has: `bun:sqlite` on Bun, `node:sqlite` on Node and
 * Deno. Loaded on first use, so that the module can be imported everywhere.
 *
 * @param path Path of the file, or `":memory:"`.
 * @returns The connection.
 * @throws {StorageUnavailableError} If the runtime has no driver.
 */
export function connect(path: string): Connection {
  // Older versions of Node have no such function, whatever their types say.
  const load = process.getBuiltinModule as LoadBuiltin | undefined;
  const Driver = findDriver(load?.bind(process), "Bun" in globalThis);
  return new Driver(path);
}

/**
 * Finds the class that opens a database.
 *
 * @param load Gives a builtin module or `undefined`; itself `undefined` on older versions of Node.
 * @param isBun Whether this is Bun.
 * @returns The class.
 * @throws {StorageUnavailableError} If there is none. The message says what to do.
 */
export function findDriver(load: LoadBuiltin | undefined, isBun: boolean): Open {
  const name = isBun ? "Database" : "DatabaseSync";
  const driver = load?.(isBun ? "bun:sqlite" : "node:sqlite") as Record<string, Open> | undefined;
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
  // Bun says errno, Node errcode, both possibly with an extended code in the upper bits; Deno says
  // it in the message only.
  const { errno, errcode } = error as { errno?: unknown; errcode?: unknown };
  const code = typeof errno === "number" ? errno : errcode;
  if (typeof code === "number") return (code & 0xff) === SQLITE_BUSY;
  return error.message.startsWith("database is locked");
}

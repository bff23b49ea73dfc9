import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { StorageUnavailableError } from "../../src/core/errors.ts";
import { type Connection, isBusy, loadDriver, type Statement, type Value } from "./driver.ts";

/** "Hold" as a number: tells a file of ours from the database of another application. */
const APPLICATION_ID = 0x486f6c64;

const FORMAT = 1;

/**
 * A table with a rowid, measured: with rows of 1 KB it writes 1.3 to 1.6 times as fast as one
 * without, whose rows overflow their b-tree pages from about 1,000 bytes on.
 */
const SCHEMA = "CREATE TABLE record " +
  "(key TEXT PRIMARY KEY NOT NULL, etag TEXT NOT NULL, value ANY NOT NULL) STRICT";

/** An open database and the statements prepared on it. */
export interface Database {
  readonly read: Statement;
  readonly etag: Statement;
  readonly list: Statement;
  readonly write: Statement;
  readonly replace: Statement;
  readonly create: Statement;
  readonly remove: Statement;
  readonly begin: Statement;
  readonly commit: Statement;
  readonly rollback: Statement;
  /** The connection; for pragmas. */
  readonly connection: Connection;
  /** Closes the statements and the connection. */
  close(): void;
}

const STATEMENTS = {
  read: "SELECT value, etag FROM record WHERE key = ?",
  etag: "SELECT etag FROM record WHERE key = ?",
  list: "SELECT key FROM record WHERE key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?",
  write: "INSERT INTO record (key, value, etag) VALUES (?, ?, ?) " +
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value, etag = excluded.etag",
  replace: "UPDATE record SET value = ?, etag = ? WHERE key = ? AND etag = ?",
  create: "INSERT INTO record (key, value, etag) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING",
  remove: "DELETE FROM record WHERE key = ?",
  // The lock is taken at once: a transaction that reads first can fail halfway, when it writes.
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollback: "ROLLBACK",
} as const;

/**
 * Opens the file, creating it and its directory if they are absent, and prepares the statements.
 *
 * @param path Path of the file, or `":memory:"`.
 * @returns The database.
 * @throws {StorageUnavailableError} If it cannot be used. An error of the driver for which
 * {@linkcode isBusy} holds is thrown as it is: the caller tries again.
 */
export function openDatabase(path: string): Database {
  try {
    // First, so that nothing is created where there is no SQLite.
    const Driver = loadDriver();
    createFile(path);
    const connection = new Driver(path);
    try {
      configure(connection, path);
      return prepare(connection);
    } catch (error) {
      connection.close();
      throw error;
    }
  } catch (error) {
    if (isBusy(error) || error instanceof StorageUnavailableError) throw error;
    throw unusable(path, "it cannot be read or written as an SQLite database", error);
  }
}

/** So that nobody else may read the file; SQLite gives the files beside it the same mode. */
function createFile(path: string): void {
  if (path === ":memory:") return;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    // Exclusively: closing a second descriptor of a file that SQLite has open would drop its locks.
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EEXIST") throw error;
  }
}

function configure(connection: Connection, path: string): void {
  // Waiting is done by timers: SQLite's own waiting blocks the whole process.
  connection.exec("PRAGMA busy_timeout = 0");
  // In one transaction: read one by one, half of this could be older than another's creation.
  connection.exec("BEGIN");
  checkFormat(connection, path);
  connection.exec("COMMIT");
  const mode = pragma(connection, "journal_mode = WAL");
  if (mode !== "wal" && path !== ":memory:") {
    throw unusable(path, "its file system has no shared memory for a write-ahead log");
  }
  // In WAL mode less than FULL loses acknowledged commits when the power fails.
  connection.exec("PRAGMA synchronous = FULL");
  // Pages that are written over and over are copied back once per 16 MB of log, not per 4 MB.
  connection.exec("PRAGMA wal_autocheckpoint = 4000");
  connection.exec("PRAGMA journal_size_limit = 67108864");
  if (pragma(connection, "user_version") === 0) createSchema(connection, path);
}

function createSchema(connection: Connection, path: string): void {
  connection.exec("BEGIN IMMEDIATE");
  // Another process may have been first since the last look.
  checkFormat(connection, path);
  if (pragma(connection, "user_version") === 0) {
    connection.exec(SCHEMA);
    connection.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    connection.exec(`PRAGMA user_version = ${FORMAT}`);
  }
  connection.exec("COMMIT");
}

function checkFormat(connection: Connection, path: string): void {
  const application = pragma(connection, "application_id");
  const format = pragma(connection, "user_version");
  if (application === APPLICATION_ID) {
    if (Number(format) <= FORMAT) return;
    throw unusable(path, `its format is ${format}, and this version knows formats up to ${FORMAT}`);
  }
  const objects = first(connection, "SELECT count(*) FROM sqlite_schema");
  if (application === 0 && format === 0 && objects === 0) return;
  throw unusable(path, "the file belongs to another application; give the storage its own");
}

function pragma(connection: Connection, text: string): unknown {
  return first(connection, `PRAGMA ${text}`);
}

function first(connection: Connection, sql: string): unknown {
  const statement = connection.prepare(sql);
  try {
    return Object.values((statement.get() as Record<string, Value> | null | undefined) ?? {})[0];
  } finally {
    statement.finalize?.();
  }
}

function prepare(connection: Connection): Database {
  const entries = Object.entries(STATEMENTS).map(([name, sql]) =>
    [name, connection.prepare(sql)] as const
  );
  const statements = Object.fromEntries(entries) as Record<keyof typeof STATEMENTS, Statement>;
  return {
    ...statements,
    connection,
    close: () => {
      for (const [, statement] of entries) statement.finalize?.();
      connection.close();
    },
  };
}

function unusable(path: string, why: string, cause?: unknown): StorageUnavailableError {
  const options = cause === undefined ? {} : { cause };
  return new StorageUnavailableError(`Cannot open "${path}": ${why}`, "none", options);
}

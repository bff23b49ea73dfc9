import { StorageUnavailableError } from "../../src/core/errors.ts";
import { wrongArgument } from "../../src/core/options.ts";
import type { PostgresSql } from "./connect.ts";

/** The format of the table; written into its comment. */
const FORMAT = 1;

const COMMENT = /^holdfast records, format (\d+)$/;

/** "Holdfast" as a number: nobody else takes this advisory lock. */
const LOCK = 0x486f6c6466617374n;

const NAME = /^(?:[a-z_][a-z0-9_]{0,62}\.)?[a-z_][a-z0-9_]{0,62}$/;

/**
 * Checks the name of a table and quotes it.
 *
 * @param table `name` or `schema.name`, each 1 to 63 of `[a-z0-9_]`, the first not a digit.
 * @returns It, quoted for SQL.
 * @throws {TypeError} If it is anything else.
 */
export function quoteTable(table: unknown): string {
  if (typeof table === "string" && NAME.test(table)) {
    return table.split(".").map((part) => `"${part}"`).join(".");
  }
  throw wrongArgument(
    "Cannot use the table: its name is not 1 to 63 of a-z, 0-9 and _, the first not a digit, " +
      "after a schema and a dot or without one",
  );
}

/**
 * Writes the SQL that makes the table of a {@linkcode postgresStorage}: one statement, which takes
 * an advisory lock, and does nothing where the table is there. For roles that may not create tables
 * themselves: run it with a migration tool, and pass `migrate: false`.
 *
 * @param table Name of the table, `schema.name` or `name`. @default {"holdfast_records"}
 * @returns The SQL.
 * @throws {TypeError} If the name is not `[a-z_][a-z0-9_]*`, with a schema or without.
 *
 * @example
 * ```ts
 * import { postgresMigration } from "@holdfast/holdfast/postgres";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(postgresMigration("app.sessions").includes('CREATE TABLE "app"."sessions"'), true);
 * ```
 */
export function postgresMigration(table = "holdfast_records"): string {
  const name = quoteTable(table);
  // One statement: it is atomic in any tool, and a failure leaves no transaction open.
  return `DO $holdfast$
BEGIN
  PERFORM pg_advisory_xact_lock(${LOCK});
  IF to_regclass('${name}') IS NULL THEN
    CREATE TABLE ${name} (
      key text COLLATE "C" PRIMARY KEY,
      value text NOT NULL,
      etag text NOT NULL
    ) WITH (fillfactor = 90);
    COMMENT ON TABLE ${name} IS 'holdfast records, format ${FORMAT}';
  END IF;
END
$holdfast$;`;
}

const PROBE = "SELECT to_regclass($1::text) IS NOT NULL AS there, " +
  "obj_description(to_regclass($1::text), 'pg_class') AS about, " +
  "current_setting('server_encoding') AS encoding";

/** A table, and whether it may be made. */
export interface TableOptions {
  /** As the user named it. */
  readonly table: string;
  readonly migrate: boolean;
  readonly prepare: boolean;
}

/**
 * Finds the table of the storage, or makes it.
 *
 * @param sql The database.
 * @param options The table.
 * @throws {StorageUnavailableError} If it is not there and not to be made, or is not ours. Any other
 * error is the driver's own.
 */
export async function ensureTable(sql: PostgresSql, options: TableOptions): Promise<void> {
  const { table, migrate, prepare } = options;
  const [row] = await sql.unsafe(PROBE, [quoteTable(table)], { prepare });
  if (row?.["encoding"] !== "UTF8") {
    throw unusable(table, "the encoding of its database is not UTF8");
  }
  if (row["there"] === true) return checkFormat(table, row["about"]);
  if (!migrate) throw missingTable(table);
  await sql.unsafe(postgresMigration(table));
}

function checkFormat(table: string, about: unknown): void {
  const format = COMMENT.exec(String(about))?.[1];
  if (format === undefined) {
    throw unusable(table, "it belongs to another application; give the storage its own");
  }
  if (Number(format) <= FORMAT) return;
  throw unusable(table, `its format is ${format}, and this version knows formats up to ${FORMAT}`);
}

/** What to say where the table is not there and we do not make it. */
export function missingTable(table: string): StorageUnavailableError {
  return unusable(table, `it does not exist; run this SQL first:\n${postgresMigration(table)}`);
}

function unusable(table: string, why: string): StorageUnavailableError {
  return new StorageUnavailableError(`Cannot use the table "${table}": ${why}`, "none");
}

import { SyncSetupError } from "../../src/sync/setup.ts";

/** A row of an answer. */
export type SyncRow = Readonly<Record<string, unknown>>;

/** Runs queries: what of a transaction of the `postgres` package is used. */
export interface SyncQueries {
  /** Runs a statement; without parameters by the simple protocol, and then it may be several. */
  unsafe(
    query: string,
    parameters?: never[],
    options?: { prepare?: boolean },
  ): PromiseLike<unknown>;
}

/** How an instance of the `postgres` package reads what it gets. */
export interface SyncSqlOptions {
  readonly parsers: Readonly<Record<number, unknown>>;
  readonly transform: {
    readonly column: { readonly from?: unknown };
    readonly value: { readonly from?: unknown };
    readonly row: { readonly from?: unknown };
  };
}

/** What of an instance of the `postgres` package is used. */
export interface SyncSql extends SyncQueries {
  /** Runs a transaction. */
  begin(options: string, run: (sql: SyncQueries) => Promise<unknown>): Promise<unknown>;
  /** How it was made. */
  readonly options: SyncSqlOptions;
}

/** What an instance hands to a transaction: `TransactionSql` of the `postgres` package. */
export type TransactionOf<Sql> = Sql extends {
  begin(options: string, run: (sql: infer Transaction) => never): unknown;
} ? Transaction
  : SyncQueries;

/** An instance that can be closed. */
export interface OwnSyncSql extends SyncSql {
  end(options: { timeout: number }): Promise<void>;
}

/** The raw stream of a replication connection. */
export interface ReplicationStream {
  on(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  on(event: "error" | "close", listener: (error?: unknown) => void): unknown;
  pause(): unknown;
  resume(): unknown;
  write(bytes: Uint8Array): unknown;
}

/** A connection that speaks the replication protocol. */
export interface ReplicationSql {
  unsafe(query: string): PromiseLike<readonly SyncRow[]> & {
    writable(): Promise<ReplicationStream>;
  };
  end(options: { timeout: number }): Promise<void>;
}

/** The package's function that makes an instance. */
export type MakeSyncSql = (
  target: string | object,
  options?: Readonly<Record<string, unknown>>,
) => OwnSyncSql & ReplicationSql;

/**
 * Loads the `postgres` package.
 *
 * @param load Loads a module by name; a parameter, so that what happens without it can be tested.
 * @throws {SyncSetupError} If it is not installed.
 */
export async function importPostgres(
  load: (name: string) => Promise<unknown> = (name) => import(name),
): Promise<MakeSyncSql> {
  try {
    const module = await load("postgres") as { readonly default: MakeSyncSql };
    return module.default;
  } catch (cause) {
    const message = 'the package "postgres" is not installed; add it (npm install postgres, ' +
      "bun add postgres, deno add npm:postgres)";
    throw new SyncSetupError([{ code: "postgres_version", message }], { cause });
  }
}

/** Quotes a name for SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes the name of a table with its schema. */
export function quoteQualified(
  { schema, name }: { readonly schema: string; readonly name: string },
): string {
  return `${quoteName(schema)}.${quoteName(name)}`;
}

/** Quotes a text for SQL. */
export function quoteText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes("\\") ? ` E${quoted.replaceAll("\\", "\\\\")}` : quoted;
}

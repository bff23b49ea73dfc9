import type { RawLoaded, SyncDatabase } from "../../src/sync/hub_ports.ts";
import type { Key } from "../../src/sync/key.ts";
import type { AnyWatchOptions, Plan } from "../../src/sync/plan.ts";
import { type SyncProblem, SyncSetupError } from "../../src/sync/setup.ts";
import type { TableInfo } from "../../src/sync/table.ts";
import type { Codec } from "../../src/sync/row.ts";
import { readSetup } from "./replication_catalog.ts";
import { allProblems, inspect, isWarning } from "./replication_check.ts";
import { codecOf } from "./sync_codec.ts";
import { runGenerated, runLoad } from "./sync_load.ts";
import { quoteQualified, type SyncQueries, type SyncSql } from "./sync_sql.ts";
import type { ResolvedTable } from "./sync_tables.ts";

/** What a {@linkcode Database} stands on. */
export interface DatabaseOptions {
  /** Asks something, and fails if there is no answer in time. */
  readonly ask: <T>(question: (sql: SyncSql) => Promise<T>) => Promise<T>;
  /** Longest time of a statement of a load, in milliseconds. */
  readonly queryTimeoutMs: number;
  readonly tables: readonly ResolvedTable[];
  readonly publication: string;
}

const SEEN = "SELECT pg_current_snapshot()::text AS snapshot, " +
  "pg_current_wal_insert_lsn()::text AS lsn";

const IDENTITY = "SELECT system_identifier || '/' || oid FROM pg_control_system(), pg_database " +
  "WHERE datname = current_database()";

/** What the hub asks the database for beside the log. */
export class Database implements SyncDatabase {
  readonly #options: DatabaseOptions;
  #codec: Codec | undefined;
  readonly #bases = new Map<number, number>();

  constructor(options: DatabaseOptions) {
    this.#options = options;
  }

  get codec(): Codec {
    if (this.#codec !== undefined) return this.#codec;
    throw new Error("Assertion failed: rows are read before the tables are known");
  }

  async describe(): Promise<readonly TableInfo[]> {
    const { tables, publication, ask } = this.#options;
    const { options, found } = await ask(async (sql) => {
      return { options: sql.options, found: await inspect(sql, tables, publication, false) };
    });
    const wrong = found.problems.some((problem) => !isWarning(problem));
    const infos = found.tables.map(({ info }) => info);
    // Without any that is set up there is nothing to follow.
    if (wrong || infos.every((info) => info.problems !== undefined)) {
      throw new SyncSetupError(allProblems(found).filter((problem) => !isWarning(problem)));
    }
    // Not before: an instance learns of its array types with its first query.
    this.#codec = codecOf(options, this.#bases);
    for (const { type, base } of infos.flatMap(({ columns }) => columns)) {
      if (base !== undefined) this.#bases.set(type, base);
    }
    return infos;
  }

  async setup(): Promise<ReadonlyMap<string, string>> {
    const { tables, publication, ask } = this.#options;
    return await ask((sql) => readSetup(sql, tables, publication));
  }

  /** Looks at everything, as somebody who has no slot yet. */
  async check(): Promise<readonly SyncProblem[]> {
    const { tables, publication, ask } = this.#options;
    return allProblems(await ask((sql) => inspect(sql, tables, publication, true)));
  }

  async snapshot(): Promise<string> {
    const query = "SELECT pg_current_snapshot()::text AS snapshot";
    return textOf(await this.#options.ask(async (sql) => await sql.unsafe(query)), 0);
  }

  /** Names the database: no other one has the same, on whatever server. */
  async identity(): Promise<string> {
    return textOf(await this.#options.ask(async (sql) => await sql.unsafe(IDENTITY)), 0);
  }

  async load(plan: Plan, options: AnyWatchOptions, key: Key): Promise<RawLoaded> {
    const generated = options.load === undefined;
    const run = async (sql: SyncQueries): Promise<RawLoaded> => {
      const { snapshot, lsn } = await begin(sql, plan, this.#options.queryTimeoutMs);
      const value = generated
        ? await runGenerated(sql, plan, options, key, this.codec)
        : await runLoad(sql, options, key);
      return { value, generated, snapshot, lsn };
    };
    return await this.#options.ask(async (sql) =>
      await sql.begin("isolation level repeatable read read only", run) as RawLoaded
    );
  }
}

/**
 * Locks the tables against changes of their form, then takes the snapshot, in this order: a table that
 * is rewritten between the two would look empty to the snapshot. The server ends what takes too long, a wait for
 * the lock too: it would not hear of it that the connection was closed.
 */
async function begin(
  sql: SyncQueries,
  { tables }: Plan,
  timeoutMs: number,
): Promise<{ readonly snapshot: string; readonly lsn: string }> {
  const names = [...tables].map(({ info }) => quoteQualified(info)).join(", ");
  const answers = await sql.unsafe(
    `${atMost(timeoutMs)}; LOCK TABLE ${names} IN ACCESS SHARE MODE; ${SEEN}`,
  );
  const rows = (answers as readonly unknown[]).at(-1);
  return { snapshot: textOf(rows, 0), lsn: textOf(rows, 1) };
}

/** Ends statements of this transaction after a time, unless they end sooner anyway. */
function atMost(timeoutMs: number): string {
  const ms = `${Math.min(2 ** 31 - 1, Math.ceil(timeoutMs))}ms`;
  const now = "current_setting('statement_timeout')::interval";
  return `SELECT set_config('statement_timeout', '${ms}', true) ` +
    `WHERE ${now} = '0' OR ${now} > '${ms}'`;
}

/** A column of the first row, by its place: names and values may be changed by the instance. */
function textOf(rows: unknown, column: number): string {
  const [row] = rows as readonly Readonly<Record<string, unknown>>[];
  return String(Object.values(row ?? {})[column]);
}

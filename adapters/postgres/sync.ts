import type { Clock } from "../../src/ports/clock.ts";
import type { Cluster } from "../../src/ports/cluster.ts";
import type { Random } from "../../src/ports/random.ts";
import type { SyncSlotEvent, Telemetry } from "../../src/ports/telemetry.ts";
import { Hub } from "../../src/sync/hub.ts";
import type { HubOptions, SyncStatus } from "../../src/sync/hub_ports.ts";
import type { Key } from "../../src/sync/key.ts";
import type { AnyWatchOptions } from "../../src/sync/plan.ts";
import type { SyncProblem } from "../../src/sync/setup.ts";
import type { OpenWatch, WatchOptions, WatchSource } from "../../src/sync/watch.ts";
import { webClock } from "../web/clock.ts";
import { webRandom } from "../web/random.ts";
import { ReplicationFeed } from "./feed.ts";
import {
  DEFAULT_PUBLICATION,
  syncDown,
  type SyncSetupOptions,
  syncUp,
} from "./replication_setup.ts";
import { checkSlotName, type SlotOptions } from "./slot.ts";
import { Database } from "./sync_database.ts";
import { readText } from "./read_text.ts";
import { Connections } from "./sync_connections.ts";
import type { SyncSql, TransactionOf } from "./sync_sql.ts";
import { resolveTables, type SyncTable } from "./sync_tables.ts";
import { checkWatch } from "./watch_check.ts";
import { checkKnown, type OptionNames, outOfRange, wrongArgument } from "../../src/core/options.ts";

/**
 * Numbers of a sync; each has a default that suits most. Where changes are counted, one of more than a
 * kilobyte counts as many times as it has kilobytes, so that memory is bounded however large rows are.
 */
export interface SyncLimits {
  /** Loads that run at a time, each on a connection of the pool, 1 or more. @default {4} */
  readonly concurrentLoads?: number;
  /** Changes kept for one watch while it loads, 1 or more; beyond, it loads again. @default {10_000} */
  readonly bufferedChanges?: number;
  /** Changes kept for all of them before the server is held back, 1 or more. @default {50_000} */
  readonly pauseAtChanges?: number;
  /** Changes of one transaction, 1 or more; beyond, its tables are loaded again. @default {10_000} */
  readonly transactionChanges?: number;
  /** Transactions that are kept because queries may not see them yet, 4 or more. @default {1024} */
  readonly ringTransactions?: number;
  /** Their changes together, 4 or more. @default {20_000} */
  readonly ringChanges?: number;
  /** Milliseconds over which many watches spread their loading after a gap, 0 or more. @default {2000} */
  readonly reloadJitterMs?: number;
  /** Milliseconds between reports to the server, above 0. @default {1000} */
  readonly statusEveryMs?: number;
  /** Milliseconds what nobody watches any more is kept current, 0 or more. @default {2000} */
  readonly lingerMs?: number;
  /**
   * Milliseconds between two looks at how the database is set up, above 0: the log does not say that a
   * table has left the publication.
   *
   * @default {10_000}
   */
  readonly checkEveryMs?: number;
}

/** Options of {@linkcode createSync}. */
export interface SyncOptions<Sql extends SyncSql = SyncSql> {
  /**
   * An instance of the `postgres` package, of the primary server; it stays yours to end. What is
   * loaded goes through it; the log gets a connection of its own with the same settings.
   */
  readonly sql?: Sql;
  /** Where to connect to, instead of `sql`: `postgres://user:password@host:5432/database`. */
  readonly url?: string;
  /**
   * Types, with `url`, as the `postgres` package takes them. Without one for dates they are read by
   * {@linkcode postgresDates}: `Date`, and `Infinity` or `-Infinity` where Postgres has that.
   */
  readonly types?: Readonly<Record<string, object>>;
  /** The watched tables, by what they are called in watches. */
  readonly tables: Readonly<Record<string, SyncTable>>;
  /** Name of the publication. @default {"holdfast"} */
  readonly publication?: string;
  /** A slot that outlives its connections. @default one that ends with its connection */
  readonly slot?: SlotOptions;
  /**
   * Nodes that share one stream of the log, and one slot: one of them reads it, and hands the others
   * the rows of the keys they watch. `natsCluster()` is one. @default each process reads it for itself
   */
  readonly cluster?: Cluster;
  readonly limits?: SyncLimits;
  /**
   * Longest time of a load, in milliseconds, above 0; what takes longer fails, and is tried again. The
   * server ends it then. Five seconds later nobody waits for an answer, and it is asked again over new
   * connections: one may have died without a word. Those of `sql` stay yours: in their place up to five of our
   * own, with the same settings, are asked until `sql` has noticed.
   *
   * @default {60_000}
   */
  readonly queryTimeoutMs?: number;
  /** Hears what happens: no key and no value of a row. */
  readonly telemetry?: Telemetry;
  /** Where waiting happens. @default the runtime's clock */
  readonly clock?: Clock;
  /** Where names and jitter come from. @default the runtime's secure source */
  readonly random?: Random;
}

/** Rows kept current. */
export interface Sync<Sql extends SyncSql = SyncSql>
  extends WatchSource<TransactionOf<Sql>>, AsyncDisposable {
  /** Whether changes are followed, and if not, why. */
  readonly status: SyncStatus;
  /**
   * How far behind it is: milliseconds from the last commit until it was dealt with, as far as the
   * clocks of server and process agree; 0 when nothing is left to deal with. `undefined` at first.
   */
  readonly lagMs: number | undefined;
  /**
   * Settles when changes of all tables are followed.
   *
   * @throws {SyncSetupError} If something has to be set up first; the message has the SQL.
   */
  ready(): Promise<void>;
  /**
   * Opens a watch.
   *
   * @param options What is watched, and for which key.
   * @throws {TypeError} If there is no key, or the options make no sense.
   */
  watch<Value>(
    options: WatchOptions<Value, TransactionOf<Sql>> & { readonly key: Key },
  ): OpenWatch<Value>;
  /** Looks for what is not set up; nothing is changed. */
  check(): Promise<readonly SyncProblem[]>;
  /** Runs the SQL of `syncUp()`. */
  up(): Promise<void>;
  /** Runs the SQL of `syncDown()`. */
  down(): Promise<void>;
  /** Ends all watches, the stream, and the connections it has opened. Safe to call twice. */
  close(): Promise<void>;
}

const DEFAULTS: HubOptions = {
  concurrentLoads: 4,
  bufferedChanges: 10_000,
  pauseAtChanges: 50_000,
  transactionChanges: 10_000,
  ringTransactions: 1024,
  ringChanges: 20_000,
  reloadJitterMs: 2000,
  statusEveryMs: 1000,
  checkEveryMs: 10_000,
  lingerMs: 2000,
};

const optionNames: OptionNames<SyncOptions> = {
  sql: true,
  url: "a string",
  types: "an object",
  tables: true,
  publication: "a string",
  slot: "an object",
  cluster: ".join",
  limits: true,
  queryTimeoutMs: "a number",
  telemetry: "a function",
  clock: ".now",
  random: ".bytes",
};

/** The least each of them may be. */
const LEAST: HubOptions = {
  concurrentLoads: 1,
  bufferedChanges: 1,
  pauseAtChanges: 1,
  transactionChanges: 1,
  ringTransactions: 4,
  ringChanges: 4,
  reloadJitterMs: 0,
  statusEveryMs: 1,
  checkEveryMs: 1,
  lingerMs: 0,
};

/**
 * Keeps rows of Postgres tables current, whoever changes them: values are loaded by queries, and what
 * is committed after arrives through logical replication, without a gap between the two. The server
 * has to be set up once: `syncUp()` has the SQL, `npx holdfast sync up` runs it.
 *
 * The log ignores row-level security: who sees which row is decided by the key a watch is opened with,
 * so take it from the session, never from the browser.
 *
 * @param options The database and the tables.
 * @returns The sync; it begins to connect at once.
 * @throws {TypeError} If not exactly one of `sql` and `url` is given, or the tables make no sense.
 * @throws {RangeError} If a number is out of its range.
 *
 * @example
 * ```ts ignore
 * import { createSync } from "@holdfast/holdfast/postgres";
 * import postgres from "postgres";
 *
 * const sql = postgres("postgres://app:secret@localhost:5432/app");
 * await using sync = createSync({ sql, tables: { orders: { key: "organization_id" } } });
 * await sync.ready();
 *
 * const orders = sync.watch({
 *   table: "orders",
 *   key: 7,
 *   load: (sql, key) => sql`SELECT * FROM orders WHERE organization_id = ${key} AND NOT done`,
 *   where: (row) => !row.done,
 *   orderBy: "id",
 * });
 * orders.subscribe(({ value }) => console.log(value));
 * ```
 */
export function createSync<Sql extends SyncSql>(options: SyncOptions<Sql>): Sync<Sql> {
  checkKnown(options, optionNames, "sync");
  const { sql, url, tables, publication, slot } = options;
  if ((sql === undefined) === (url === undefined)) {
    throw wrongArgument('Cannot sync: give either "sql" or "url"');
  }
  if (slot !== undefined) checkSlotName(slot.name);
  const { queryTimeoutMs } = options;
  if (queryTimeoutMs !== undefined && !(queryTimeoutMs > 0)) {
    throw outOfRange(`Cannot sync: queryTimeoutMs is ${queryTimeoutMs}, not above 0`);
  }
  const setup = {
    tables,
    publication: publication ?? DEFAULT_PUBLICATION,
    ...(slot !== undefined && { slot: slot.name }),
  };
  resolveTables(tables);
  return new PostgresSync<Sql>(options, setup, numbers(options.limits ?? {}));
}

function numbers(limits: SyncLimits): HubOptions {
  checkKnown(limits, DEFAULTS, "sync", "limits");
  const all: { -readonly [K in keyof HubOptions]: number } = { ...DEFAULTS };
  for (const name of Object.keys(LEAST) as (keyof HubOptions)[]) {
    const value = limits[name] ?? DEFAULTS[name];
    if (!(typeof value === "number" && value >= LEAST[name])) {
      throw outOfRange(`Cannot sync: ${name} is ${String(value)}, not ${LEAST[name]} or more`);
    }
    all[name] = value;
  }
  return all;
}

class PostgresSync<Sql extends SyncSql> implements Sync<Sql> {
  readonly #connections: Connections;
  readonly #setup: SyncSetupOptions;
  readonly #database: Database;
  readonly #hub: Hub;
  #closing: Promise<void> | undefined;

  constructor(
    options: SyncOptions<Sql>,
    setup: Required<Pick<SyncSetupOptions, "tables" | "publication">> & SyncSetupOptions,
    limits: HubOptions,
  ) {
    const { clock = webClock(), random = webRandom(), telemetry, slot, cluster } = options;
    const { publication } = setup;
    const connections = new Connections(options, { ...options, clock });
    [this.#connections, this.#setup] = [connections, setup];
    const database = new Database({
      ask: (question) => connections.ask(question),
      queryTimeoutMs: connections.queryTimeoutMs,
      tables: resolveTables(setup.tables),
      publication,
    });
    this.#database = database;
    const own = {
      connect: () => connections.replication(),
      publication,
      clock,
      random,
      emit: (event: SyncSlotEvent) => this.#hub.emit(event),
    };
    const log = async (): Promise<string> => `${await database.identity()}/${publication}`;
    // Of a slot that stays there is one, and whoever leads has it.
    const shared = cluster && {
      cluster,
      log,
      leaderFeed: new ReplicationFeed({ ...own, slot, lease: `holdfast/sync/${publication}` }),
    };
    const observed = telemetry !== undefined && { telemetry };
    this.#hub = new Hub(
      {
        feed: new ReplicationFeed({ ...own, slot: shared === undefined ? slot : undefined }),
        database,
        clock,
        random,
        readText,
        ...observed,
        ...(shared !== undefined && { shared }),
      },
      limits,
    );
    this.#hub.start();
  }

  get status(): SyncStatus {
    return this.#hub.status;
  }

  get lagMs(): number | undefined {
    return this.#hub.lagMs;
  }

  ready(): Promise<void> {
    return this.#hub.ready();
  }

  watch<Value>(
    options: WatchOptions<Value, TransactionOf<Sql>> & { readonly key: Key },
  ): OpenWatch<Value> {
    checkWatch(options);
    return this.open(options, options.key);
  }

  open<Value>(options: WatchOptions<Value, TransactionOf<Sql>>, key: Key): OpenWatch<Value> {
    checkWatch(options);
    return this.#hub.open(options as unknown as AnyWatchOptions, key) as unknown as OpenWatch<
      Value
    >;
  }

  check(): Promise<readonly SyncProblem[]> {
    return this.#database.check();
  }

  async up(): Promise<void> {
    await (await this.#connections.sql()).unsafe(syncUp(this.#setup));
    await this.#hub.retry();
  }

  async down(): Promise<void> {
    await (await this.#connections.sql()).unsafe(syncDown(this.#setup));
  }

  close(): Promise<void> {
    return this.#closing ??= this.#hub.close().then(() => this.#connections.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

import { StorageUnavailableError } from "../../src/core/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { webClock } from "../web/clock.ts";
import { postgresDates } from "./dates.ts";
import { importPostgres, type OwnSyncSql, type ReplicationSql, type SyncSql } from "./sync_sql.ts";

/** Where the database is. */
export interface ConnectionOptions {
  readonly sql?: SyncSql;
  readonly url?: string;
  readonly types?: Readonly<Record<string, object>>;
  /** Hears the notices of the server, with `url`; of its warnings check() says more. */
  readonly notice?: (message: string) => void;
}

/** A replication connection: one, for as long as it lasts, and nothing is asked when it opens. */
const REPLICATION = {
  max: 1,
  fetch_types: false,
  idle_timeout: null,
  max_lifetime: null,
  prepare: false,
  onnotice: (): void => {},
  onclose: (): void => {},
};

const POOL = { max: 5 };

/** So much later than the server has ended a question that nobody waits for an answer any more. */
const GRACE_MS = 5000;

/** Seconds until the connections of a pool that is given up, or not needed any more, are ended. */
const END_S = 1;

/** What connections wait by. */
export interface Waiting {
  readonly clock?: Clock;
  /** Longest time of a question, in milliseconds. @default {60_000} */
  readonly queryTimeoutMs?: number;
}

/** Connections through the `postgres` package: those for queries, and one for the log. */
export class Connections {
  readonly #options: ConnectionOptions;
  readonly #clock: Clock;
  /** Longest time of a question, in milliseconds. */
  readonly queryTimeoutMs: number;
  /** Our own: without an instance that was given, and in place of one that says nothing. */
  #own: Promise<OwnSyncSql> | undefined;
  /** Questions to an instance that was given of which nothing was heard in time, and nothing since. */
  #silent = 0;
  /** Pools that were given up. */
  readonly #ending: Set<Promise<void>> = new Set();

  constructor(
    options: ConnectionOptions,
    { clock = webClock(), queryTimeoutMs = 60_000 }: Waiting = {},
  ) {
    this.#options = options;
    this.#clock = clock;
    this.queryTimeoutMs = queryTimeoutMs;
  }

  /** The instance for queries. */
  async sql(): Promise<SyncSql> {
    const { sql } = this.#options;
    if (sql !== undefined && this.#silent === 0) return sql;
    return await (this.#own ??= this.#make());
  }

  async #make(): Promise<OwnSyncSql> {
    const { sql, url, types, notice } = this.#options;
    const make = await importPostgres();
    if (sql !== undefined) return make({ ...settingsOf(sql), ...POOL });
    const onnotice = ({ severity, message }: Readonly<Record<string, unknown>>): void => {
      if (severity === "NOTICE") notice?.(String(message));
    };
    return make(url!, { ...POOL, onnotice, types: { holdfastDates: postgresDates, ...types } });
  }

  /**
   * Asks the database something. A connection can die without a word, and would be waited for until the
   * system gives up, which takes it many minutes: what follows a question without an answer goes over new ones,
   * in place of those of an instance that was given until that has noticed.
   *
   * @throws {StorageUnavailableError} If there is no answer in time.
   */
  async ask<T>(question: (sql: SyncSql) => Promise<T>): Promise<T> {
    const waitMs = this.queryTimeoutMs + GRACE_MS;
    const sql = await this.sql();
    return await new Promise<T>((resolve, reject) => {
      const late = (): void => {
        this.#giveUp(sql, asked);
        const why = `Postgres did not answer within ${waitMs} ms`;
        reject(new StorageUnavailableError(`Cannot read rows: ${why}`, "none"));
      };
      const cancel = this.#clock.timer(waitMs, late, { background: true });
      const asked = question(sql).finally(cancel);
      asked.then(resolve, reject);
    });
  }

  /** Of an instance that is not ours only its owner can end the connections: it is left alone meanwhile. */
  #giveUp(sql: SyncSql, asked: Promise<unknown>): void {
    if (sql !== this.#options.sql) return this.#end(sql);
    this.#silent++;
    const heard = (): void => {
      if (--this.#silent === 0) this.#end();
    };
    asked.then(heard, heard);
  }

  /** Ends our own, or no other one than this. */
  #end(sql?: SyncSql): void {
    const own = this.#own;
    own?.then(async (pool) => {
      if ((sql !== undefined && pool !== sql) || this.#own !== own) return;
      this.#own = undefined;
      const ending = pool.end({ timeout: END_S }).catch(() => {});
      this.#ending.add(ending);
      await ending;
      this.#ending.delete(ending);
    }, () => {});
  }

  /** A new connection that speaks the replication protocol. */
  async replication(): Promise<ReplicationSql> {
    const { sql, url } = this.#options;
    const make = await importPostgres();
    const connection = { replication: "database" };
    if (sql === undefined) return make(url!, { ...REPLICATION, connection });
    const settings = settingsOf(sql);
    return make({
      ...settings,
      ...REPLICATION,
      // Names and values as they are: these answers are for us.
      transform: { column: {}, value: {}, row: {} },
      connection: { ...settings.connection, ...connection },
    });
  }

  /** Ends those we opened. */
  async close(): Promise<void> {
    const own = await this.#own?.catch(() => undefined);
    await own?.end({ timeout: END_S });
    await Promise.all(this.#ending);
  }
}

/** The settings of an instance, for another one beside it. */
function settingsOf(
  { options }: SyncSql,
): SyncSql["options"] & { readonly connection?: object } {
  const own = { onclose: (): void => {}, parameters: {}, shared: { retries: 0, typeArrayMap: {} } };
  return { ...options, ...own };
}

import { StorageUnavailableError } from "../../src/core/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { webClock } from "../web/clock.ts";
import { importPostgres, type OwnSyncSql, type ReplicationSql, type SyncSql } from "./sync_sql.ts";

/** Where the database is. */
export interface ConnectionOptions {
  readonly sql?: SyncSql;
  readonly url?: string;
  readonly types?: Readonly<Record<string, object>>;
  /** Hears what the server remarks, with `url`. */
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
  #own: Promise<OwnSyncSql> | undefined;
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
    const { sql, url, types, notice } = this.#options;
    if (sql !== undefined) return sql;
    const onnotice = ({ message }: { readonly message?: string }): void => notice?.(`${message}`);
    this.#own ??= importPostgres().then((make) =>
      make(url!, { ...POOL, onnotice, ...(types && { types }) })
    );
    return await this.#own;
  }

  /**
   * Asks the database something. A connection can die without a word, and would be waited for until the
   * system gives up, which takes it many minutes: what follows a question without an answer goes over new ones.
   *
   * @throws {StorageUnavailableError} If there is no answer in time.
   */
  async ask<T>(question: (sql: SyncSql) => Promise<T>): Promise<T> {
    const waitMs = this.queryTimeoutMs + GRACE_MS;
    const sql = await this.sql();
    return await new Promise<T>((resolve, reject) => {
      const late = (): void => {
        this.#giveUp(sql);
        const why = `Postgres did not answer within ${waitMs} ms`;
        reject(new StorageUnavailableError(`Cannot read rows: ${why}`, "none"));
      };
      const cancel = this.#clock.timer(waitMs, late, { background: true });
      question(sql).finally(cancel).then(resolve, reject);
    });
  }

  /** Of an instance that is not ours, only its owner can end the connections. */
  #giveUp(sql: SyncSql): void {
    const own = this.#own;
    if (own === undefined || this.#options.sql !== undefined) return;
    own.then(async (pool) => {
      if (pool !== sql || this.#own !== own) return;
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
    const options = sql.options as SyncSql["options"] & { readonly connection?: object };
    return make({
      ...options,
      ...REPLICATION,
      // Names and values as they are: these answers are for us.
      transform: { column: {}, value: {}, row: {} },
      connection: { ...options.connection, ...connection },
      parameters: {},
      shared: { retries: 0, typeArrayMap: {} },
    });
  }

  /** Ends those we opened. */
  async close(): Promise<void> {
    const own = await this.#own?.catch(() => undefined);
    await own?.end({ timeout: END_S });
    await Promise.all(this.#ending);
  }
}

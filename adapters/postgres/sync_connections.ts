import { importPostgres, type OwnSyncSql, type ReplicationSql, type SyncSql } from "./sync_sql.ts";

/** Where the database is. */
export interface ConnectionOptions {
  readonly sql?: SyncSql;
  readonly url?: string;
  readonly types?: Readonly<Record<string, object>>;
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

const POOL = { max: 5, onnotice: (): void => {} };

/** Connections through the `postgres` package: those for queries, and one for the log. */
export class Connections {
  readonly #options: ConnectionOptions;
  #own: Promise<OwnSyncSql> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** The instance for queries. */
  async sql(): Promise<SyncSql> {
    const { sql, url, types } = this.#options;
    if (sql !== undefined) return sql;
    this.#own ??= importPostgres().then((make) => make(url!, { ...POOL, ...(types && { types }) }));
    return await this.#own;
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
    await own?.end({ timeout: 1 });
  }
}

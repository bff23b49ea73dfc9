import { encodeBase64url } from "../../src/core/base64url.ts";
import { HoldfastError } from "../../src/core/errors.ts";
import { checkStorageKey } from "../../src/core/key.ts";
import { checkDelete, checkList, checkPut } from "../../src/core/storage_args.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Random } from "../../src/ports/random.ts";
import type {
  DeleteOptions,
  DeleteResult,
  ListOptions,
  PutOptions,
  PutResult,
  Storage,
  StorageCallOptions,
  Stored,
} from "../../src/ports/storage.ts";
import { webClock } from "../web/clock.ts";
import { webRandom } from "../web/random.ts";
import { checkCallOptions } from "./call_args.ts";
import { connectPool, type OwnSql, type PostgresSql, type Row } from "./connect.ts";
import { classify, unavailable } from "./failure.ts";
import { GroupCommit } from "./group_commit.ts";
import { ensureTable, missingTable, quoteTable } from "./migration.ts";
import { decodeText, type Statements, statementsFor } from "./statements.ts";
import type { Writer } from "./write.ts";
import { checkKnown, type OptionNames, outOfRange, wrongArgument } from "../../src/core/options.ts";

/** Options of {@linkcode postgresStorage}: where the database is, and how it is used. */
export interface PostgresStorageOptions {
  /** An instance of the `postgres` package, which stays yours to end; either this or `url`. */
  readonly sql?: PostgresSql;
  /**
   * Where to connect to with the `postgres` package, `postgres://user:password@host:5432/database`;
   * settings such as `?sslmode=require` and `?statement_timeout=5000` may follow.
   */
  readonly url?: string;
  /** Name of the table, `name` or `schema.name` of `[a-z0-9_]`. @default {"holdfast_records"} */
  readonly table?: string;
  /** Make the table if it is absent; `false`: refuse, and say the SQL to run. @default {true} */
  readonly migrate?: boolean;
  /**
   * Prepare statements, which saves a round trip. `false` for a pooler that shares connections
   * between transactions and does not keep prepared statements.
   *
   * @default {true}
   */
  readonly prepare?: boolean;
  /** Connections to a `url` at most, 1 or more; one of them writes. @default {4} */
  readonly maxConnections?: number;
  /**
   * Milliseconds, above 0, after which a write that was sent and not answered is given up: its
   * outcome is unknown then, and later writes go on without it.
   *
   * @default {30_000}
   */
  readonly writeTimeoutMs?: number;
  /** Where waiting happens. @default the runtime's clock */
  readonly clock?: Clock;
  /** Where etags and jitter come from. @default the runtime's secure source */
  readonly random?: Random;
}

/** A storage in a Postgres table. */
export interface PostgresStorage extends Storage {
  /** Finishes the calls it has accepted, then ends the connections it opened itself. */
  close(): Promise<void>;
}

const optionNames: OptionNames<PostgresStorageOptions> = {
  sql: true,
  url: "a string",
  table: true,
  migrate: "a boolean",
  prepare: "a boolean",
  maxConnections: true,
  writeTimeoutMs: true,
  clock: ".now",
  random: ".bytes",
};

/** Every query of ours is answered by then; the package has been seen to wait for a dead socket. */
const CLOSE_TIMEOUT_S = 1;

/**
 * Makes a storage in one table of a Postgres database. An `ok` write is committed, and on disk if
 * the server has `fsync` on, as it has unless told otherwise; `synchronous_commit = off` is overruled
 * for our writes. Everything written while a commit is under way goes into the next one, a single
 * statement, so that a thousand writes at once cost a few round trips. Any number of nodes may share
 * the table. Give it the primary server: a replica may be behind.
 *
 * A call whose signal aborts rejects at once; a write no statement was begun with is taken back then.
 * No query is ever cancelled at the server: on a shared connection that could hit another one.
 *
 * @param options The database: `sql` or `url`.
 * @returns The storage. It connects on first use.
 * @throws {TypeError} If not exactly one of `sql` and `url` is given, or the table's name is none.
 * @throws {RangeError} If a number is out of its range.
 *
 * @example
 * ```ts ignore
 * import { postgresStorage } from "@holdfast/holdfast/postgres";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = postgresStorage({ url: "postgres://app:secret@localhost:5432/app" });
 * await storage.put("carts/1", "[]");
 * assertEquals((await storage.get("carts/1"))?.value, "[]");
 * await storage.close();
 * ```
 */
export function postgresStorage(options: PostgresStorageOptions): PostgresStorage {
  checkKnown(options, optionNames, "make the Postgres storage");
  const { sql, url, maxConnections = 4, writeTimeoutMs = 30_000 } = options;
  if ((sql === undefined) === (url === undefined)) {
    throw wrongArgument('Cannot make the Postgres storage: give either "sql" or "url"');
  }
  if (!(typeof maxConnections === "number" && maxConnections >= 1)) {
    throw outOfRange("Cannot make the Postgres storage: maxConnections is not 1 or more");
  }
  if (!(typeof writeTimeoutMs === "number" && writeTimeoutMs > 0)) {
    throw outOfRange("Cannot make the Postgres storage: writeTimeoutMs is not above 0");
  }
  return new Postgres(options, { maxConnections, writeTimeoutMs });
}

/** Etags of this handle: nobody else draws the same 72 bits, and the counter never goes back. */
function etagSource(random: Random): () => string {
  const prefix = encodeBase64url(random.bytes(9));
  let count = 0;
  return () => `${prefix}.${(count++).toString(36)}`;
}

type Numbers = Required<Pick<PostgresStorageOptions, "maxConnections" | "writeTimeoutMs">>;

class Postgres implements PostgresStorage {
  readonly #options: PostgresStorageOptions & Numbers;
  readonly #table: string;
  readonly #prepare: boolean;
  readonly #statements: Statements;
  readonly #nextEtag: () => string;
  readonly #commits: GroupCommit;
  readonly #reads = new Set<Promise<unknown>>();
  #pool: Promise<OwnSql> | undefined;
  #ready: Promise<PostgresSql> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: PostgresStorageOptions, numbers: Numbers) {
    const { table = "holdfast_records", clock = webClock(), random = webRandom() } = options;
    this.#options = { ...options, ...numbers };
    this.#table = table;
    this.#prepare = options.prepare ?? true;
    this.#statements = statementsFor(quoteTable(table));
    this.#nextEtag = etagSource(random);
    const explain = this.#explain.bind(this);
    const { writeTimeoutMs } = numbers;
    const writer = (): Promise<Writer> => this.#writer();
    this.#commits = new GroupCommit({ writer, explain, writeTimeoutMs, clock, random });
  }

  async get(key: string, options: StorageCallOptions = {}): Promise<Stored | undefined> {
    checkCallOptions(options, "get");
    checkStorageKey(key);
    const [row] = await this.#read(options, this.#statements.read, [key]);
    return row && { value: decodeText(String(row["value"])), etag: String(row["etag"]) };
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    checkCallOptions(options, "list");
    const { after, limit } = checkList(prefix, options);
    const rows = await this.#read(options, this.#statements.list, [prefix, after, String(limit)]);
    return rows.map((row) => String(row["key"]));
  }

  async put(key: string, value: string, options: PutOptions = {}): Promise<PutResult> {
    checkCallOptions(options, "put");
    checkPut(key, value, options);
    this.#admit(options);
    return await this.#commits.add({ key, value, conditions: options });
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<DeleteResult> {
    checkCallOptions(options, "delete");
    checkDelete(key, options);
    this.#admit(options);
    const result = await this.#commits.add({ key, value: undefined, conditions: options });
    return result.ok ? { ok: true } : result;
  }

  close(): Promise<void> {
    return this.#closing ??= this.#finish();
  }

  #admit({ signal }: StorageCallOptions): void {
    if (this.#closing !== undefined) {
      throw new HoldfastError("ERR_CLOSED", "Cannot use the storage: it is closed");
    }
    signal?.throwIfAborted();
  }

  #read(options: StorageCallOptions, query: string, parameters: string[]): Promise<readonly Row[]> {
    this.#admit(options);
    const read = this.#query(query, parameters);
    this.#reads.add(read);
    const forget = (): void => void this.#reads.delete(read);
    read.then(forget, forget);
    return options.signal === undefined ? read : orAborted(read, options.signal);
  }

  async #query(query: string, parameters: string[]): Promise<readonly Row[]> {
    const sql = await this.#open();
    try {
      return await sql.unsafe(query, parameters, { prepare: this.#prepare });
    } catch (error) {
      throw this.#explain("read", error, "none");
    }
  }

  async #writer(): Promise<Writer> {
    const sql = await this.#open();
    const [prepare, nextEtag] = [this.#prepare, this.#nextEtag];
    return { sql, statements: this.#statements, prepare, nextEtag };
  }

  /** A failure is not remembered: the next call tries again. */
  #open(): Promise<PostgresSql> {
    return this.#ready ??= this.#prepareTable().catch((error) => {
      this.#ready = undefined;
      throw this.#explain("open the table", error, "none");
    });
  }

  async #prepareTable(): Promise<PostgresSql> {
    const sql = this.#options.sql ?? await this.#connect();
    const { migrate = true } = this.#options;
    await ensureTable(sql, { table: this.#table, migrate, prepare: this.#prepare });
    return sql;
  }

  #connect(): Promise<OwnSql> {
    const { url = "", maxConnections } = this.#options;
    return this.#pool ??= connectPool({ url, maxConnections, prepare: this.#prepare })
      .catch((error) => {
        this.#pool = undefined;
        throw error;
      });
  }

  #explain(what: string, thrown: unknown, outcome: "none" | "unknown"): Error {
    if (classify(thrown) !== "no-table") return unavailable(what, thrown, outcome);
    // Somebody dropped it: the next call looks, and makes it again if it may.
    this.#ready = undefined;
    return missingTable(this.#table);
  }

  async #finish(): Promise<void> {
    await this.#commits.idle();
    await Promise.allSettled(this.#reads);
    const pool = await this.#pool?.catch(() => undefined);
    await pool?.end({ timeout: CLOSE_TIMEOUT_S });
  }
}

/** What the promise says, unless the signal aborts first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

import { resolve } from "node:path";
import { encodeBase64url } from "../../src/core/base64url.ts";
import { HoldfastError, StorageUnavailableError } from "../../src/core/errors.ts";
import { checkStorageKey } from "../../src/core/key.ts";
import { checkKnown, type OptionNames, outOfRange, wrongArgument } from "../../src/core/options.ts";
import { checkCallOptions, checkDelete, checkList, checkPut } from "../../src/core/storage_args.ts";
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
import { type Database, openDatabase } from "./database.ts";
import { isBusy } from "./driver.ts";
import { GroupCommit } from "./group_commit.ts";
import { type Patience, patiently } from "./patience.ts";
import { decode } from "./write.ts";

/** Options of {@linkcode sqliteStorage}. */
export interface SqliteStorageOptions {
  /**
   * Milliseconds a call waits while another process holds the database's lock, 0 or more.
   *
   * @default {5000}
   */
  readonly busyTimeoutMs?: number;
  /** Where that waiting happens. @default the runtime's clock */
  readonly clock?: Clock;
  /** Where etags and jitter come from. @default the runtime's secure source */
  readonly random?: Random;
}

/** A storage in an SQLite file. */
export interface SqliteStorage extends Storage {
  /** Finishes the calls it has accepted, then closes the file. */
  close(): Promise<void>;
}

const optionNames: OptionNames<SqliteStorageOptions> = {
  busyTimeoutMs: true,
  clock: ".now",
  random: ".bytes",
};

/**
 * Makes a storage in an SQLite file: the default for one machine. An `ok` write survives the death
 * of the process and of the machine (WAL, `synchronous=FULL`). All writes that arrive in one turn of
 * the event loop are committed together. Several processes on one machine may share the file; it
 * must not lie on a network file system.
 *
 * Needs Bun, Deno 2.2 or Node 22.13. The file is opened on first use, created with mode 0600 if it
 * is absent, and must be the storage's own.
 *
 * A call whose signal aborts before its transaction began writes nothing and rejects with the
 * signal's reason.
 *
 * @param path Path of the file, its directory created if absent; `":memory:"` keeps everything in
 * memory.
 * @param options How to wait for other processes.
 * @returns The storage.
 * @throws {TypeError} If the path is not a non-empty string.
 * @throws {RangeError} If `busyTimeoutMs` is not 0 or more.
 *
 * @example
 * ```ts
 * import { sqliteStorage } from "@holdfast/holdfast/sqlite";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = sqliteStorage(":memory:");
 * await storage.put("carts/1", "[]");
 * assertEquals((await storage.get("carts/1"))?.value, "[]");
 * await storage.close();
 * ```
 */
export function sqliteStorage(path: string, options: SqliteStorageOptions = {}): SqliteStorage {
  if (typeof path !== "string" || path === "") {
    throw wrongArgument("Cannot make the SQLite storage: the path is not a non-empty string");
  }
  checkKnown(options, optionNames, "make the SQLite storage");
  const { busyTimeoutMs = 5000, clock = webClock(), random = webRandom() } = options;
  if (!(busyTimeoutMs >= 0)) {
    throw outOfRange("Cannot make the SQLite storage: busyTimeoutMs is not 0 or more");
  }
  return new Sqlite(path === ":memory:" ? path : resolve(path), { busyTimeoutMs, clock, random });
}

function getFrom({ read }: Database, key: string): Stored | undefined {
  const row = read.get(key) as Stored | null | undefined;
  return row ? { value: decode(row.value), etag: row.etag } : undefined;
}

/** Etags of this handle: nobody else draws the same 72 bits, and the counter never goes back. */
function etagSource(random: Random): () => string {
  const prefix = encodeBase64url(random.bytes(9));
  let count = 0;
  return () => `${prefix}.${count++}`;
}

class Sqlite implements SqliteStorage {
  readonly #path: string;
  readonly #patience: Patience;
  readonly #commits: GroupCommit;
  /** Reads that found the database closed or locked, and that a close waits for. */
  readonly #slow = new Set<Promise<unknown>>();
  #database: Database | undefined;
  #opening: Promise<Database> | undefined;
  #closing: Promise<void> | undefined;

  constructor(path: string, patience: Patience) {
    this.#path = path;
    this.#patience = patience;
    const database = (): Database | Promise<Database> => this.#open();
    this.#commits = new GroupCommit({ database, nextEtag: etagSource(patience.random), patience });
  }

  get(key: string, options: StorageCallOptions = {}): Promise<Stored | undefined> {
    const check = (): void => {
      checkStorageKey(key);
      checkCallOptions(options, "get");
    };
    return this.#read(options, check, (database) => getFrom(database, key));
  }

  getSync(key: string): Stored | undefined {
    checkStorageKey(key);
    this.#admit({});
    const database = this.#database;
    if (database === undefined) {
      throw new StorageUnavailableError("Cannot read at once: the database is not open", "none");
    }
    return reading(() => getFrom(database, key));
  }

  list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    return this.#read(options, () => checkList(prefix, options), ({ list }, { after, limit }) => {
      // DEL is greater than every character of a key.
      const rows = list.all(prefix, `${prefix}\x7f`, after, limit) as { readonly key: string }[];
      return rows.map(({ key }) => key);
    });
  }

  put(key: string, value: string, options: PutOptions = {}): Promise<PutResult> {
    try {
      checkPut(key, value, options);
      this.#admit(options);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#commits.add({ key, value, conditions: options });
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<DeleteResult> {
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

  /** Reads at once if the database is open, which sees committed writes only. */
  #read<A, T>(
    options: StorageCallOptions,
    check: () => A,
    run: (database: Database, checked: A) => T,
  ): Promise<T> {
    return new Promise((resolve) => {
      const checked = check();
      this.#admit(options);
      const attempt = (database: Database): T => {
        options.signal?.throwIfAborted();
        return reading(() => run(database, checked));
      };
      const database = this.#open();
      if (database instanceof Promise) return resolve(this.#readLater(attempt));
      try {
        resolve(attempt(database));
      } catch (error) {
        if (!isBusy(error)) throw error;
        resolve(this.#readLater(attempt));
      }
    });
  }

  #readLater<T>(attempt: (database: Database) => T): Promise<T> {
    const read = (async () => {
      const database = await this.#open();
      return await patiently(() => attempt(database), this.#patience);
    })();
    this.#slow.add(read);
    const forget = (): void => void this.#slow.delete(read);
    read.then(forget, forget);
    return read;
  }

  #open(): Database | Promise<Database> {
    if (this.#database !== undefined) return this.#database;
    // A failure is not remembered: the next call tries again.
    this.#opening ??= patiently(() => openDatabase(this.#path), this.#patience)
      .then((database) => this.#database = database)
      .finally(() => this.#opening = undefined);
    return this.#opening;
  }

  async #finish(): Promise<void> {
    await this.#commits.idle();
    await Promise.allSettled(this.#slow);
    this.#database?.close();
    this.#database = undefined;
  }
}

function reading<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (isBusy(cause)) throw cause;
    const message = "Cannot read: the SQLite database reported an error";
    throw new StorageUnavailableError(message, "none", { cause });
  }
}

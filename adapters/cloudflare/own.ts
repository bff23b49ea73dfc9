import { wrongArgument } from "../../src/core/options.ts";
import { HoldfastError, StorageUnavailableError } from "../../src/core/errors.ts";
import { checkStorageKey } from "../../src/core/key.ts";
import { checkDelete, checkList, checkPut } from "../../src/core/storage_args.ts";
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
import { webRandom } from "../web/random.ts";
import type { DurableObjectStorageLike } from "./platform.ts";
import { Records } from "./records.ts";

/**
 * Makes a storage of what a Durable Object keeps itself, for a holdfast inside of it. All events of a
 * Durable Object share their I/O, so that one holdfast, made in its constructor, serves them all. What
 * it answers leaves the object when it is durable.
 *
 * A key with its value may have 2 MB, and all of them 10 GB.
 *
 * @param storage `ctx.storage` of a class made as `new_sqlite_classes`. Two tables in it are ours:
 * their names begin with `holdfast_`.
 * @returns The storage.
 * @throws {TypeError} If there is no SQL in it.
 *
 * @example A Durable Object with a holdfast
 * ```ts ignore
 * import { createHoldfast } from "@holdfast/holdfast";
 * import { type DurableObjectContext, ownStorage } from "@holdfast/holdfast/cloudflare";
 *
 * export class Room {
 *   readonly #holdfast;
 *   constructor(ctx: DurableObjectContext, env: { readonly SECRET: string }) {
 *     this.#holdfast = createHoldfast({ storage: ownStorage(ctx.storage), secrets: [env.SECRET] });
 *   }
 * }
 * ```
 */
export function ownStorage(storage: DurableObjectStorageLike): Storage {
  if (typeof storage?.sql?.exec !== "function") {
    throw wrongArgument("Cannot make the storage: the Durable Object has no SQL");
  }
  return new OwnStorage(new Records(storage.sql, webRandom()));
}

/** Runs now and answers as a promise, so that wrong arguments reject instead of throwing. */
function answer<T>(run: () => T): Promise<T> {
  return new Promise((resolve) => resolve(run()));
}

/** Records of a Durable Object as a storage. */
export class OwnStorage implements Storage {
  readonly #records: Records;
  #closed = false;

  constructor(records: Records) {
    this.#records = records;
  }

  get(key: string, options?: StorageCallOptions): Promise<Stored | undefined> {
    return answer(() => this.#read(key, options));
  }

  getSync(key: string): Stored | undefined {
    return this.#read(key, undefined);
  }

  put(key: string, value: string, options?: PutOptions): Promise<PutResult> {
    return answer(() => this.putSync(key, value, options));
  }

  putSync(key: string, value: string, options: PutOptions = {}): PutResult {
    checkPut(key, value, options);
    this.#admit(options);
    return trying("put", () => this.#records.put(key, value, options));
  }

  delete(key: string, options: DeleteOptions = {}): Promise<DeleteResult> {
    return answer(() => {
      checkDelete(key, options);
      this.#admit(options);
      return trying("delete", () => this.#records.delete(key, options.ifMatch));
    });
  }

  list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    return answer(() => {
      const { after, limit } = checkList(prefix, options);
      this.#admit(options);
      return trying("list", () => this.#records.list(prefix, after, limit));
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #read(key: string, options: StorageCallOptions | undefined): Stored | undefined {
    checkStorageKey(key);
    this.#admit(options);
    return trying("get", () => this.#records.get(key));
  }

  #admit(options: StorageCallOptions | undefined): void {
    if (this.#closed) {
      throw new HoldfastError("ERR_CLOSED", "Cannot use the storage: it is closed");
    }
    options?.signal?.throwIfAborted();
  }
}

/** A statement that fails has done nothing. */
function trying<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    const message = `Cannot ${what}: the database of the Durable Object reported an error`;
    throw new StorageUnavailableError(message, "none", { cause });
  }
}

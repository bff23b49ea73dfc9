import { resolve } from "node:path";
import { encodeBase64url } from "../../src/core/base64url.ts";
import { HoldfastError, StorageUnavailableError } from "../../src/core/errors.ts";
import { checkStorageKey } from "../../src/core/key.ts";
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
import { codeOf, makeDirectory } from "./disk.ts";
import { lock, type LockWait } from "./lock.ts";
import { Store } from "./store.ts";
import { Tasks } from "./tasks.ts";
import { checkKnown, type OptionNames, outOfRange, wrongArgument } from "../../src/core/options.ts";

/** Options of {@linkcode fileStorage}. */
export interface FileStorageOptions {
  /**
   * Milliseconds the first call waits while another process has the directory open, 0 or more.
   *
   * @default {5000}
   */
  readonly lockTimeoutMs?: number;
  /** Where that waiting happens. @default the runtime's clock */
  readonly clock?: Clock;
  /** Where etags and jitter come from. @default the runtime's secure source */
  readonly random?: Random;
}

/** A storage in a directory. */
export interface FileStorage extends Storage {
  /** Finishes the calls it has accepted, then lets other processes open the directory. */
  close(): Promise<void>;
}

const optionNames: OptionNames<FileStorageOptions> = {
  lockTimeoutMs: true,
  clock: ".now",
  random: ".bytes",
};

/**
 * Makes a storage of one file per key: for what one wants to look at, copy or diff with ordinary
 * tools. An `ok` write survives the death of the process and of the machine: a file is written
 * beside its place, synced, moved there in one step, and the directory is synced. Each write syncs
 * the disk twice; where many write at once, SQLite is many times as fast.
 *
 * One process at a time: the first call takes a lock in the directory and waits for a process that
 * has it; the lock of a process that died is taken over, on the same host only. So containers that
 * share a directory need host names of their own. A second storage on the same directory is refused,
 * in the same process too. All keys are held in memory.
 *
 * @param directory Path of the directory, created if absent.
 * @param options How to wait for the process that has it open.
 * @returns The storage.
 * @throws {TypeError} If the path is not a non-empty string.
 * @throws {RangeError} If `lockTimeoutMs` is not 0 or more.
 *
 * @example
 * ```ts
 * import { fileStorage } from "@holdfast/holdfast/file";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * const storage = fileStorage(directory);
 * await storage.put("carts/1", "[]");
 * assertEquals(await storage.list("carts/"), ["carts/1"]);
 * await storage.close();
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export function fileStorage(directory: string, options: FileStorageOptions = {}): FileStorage {
  if (typeof directory !== "string" || directory === "") {
    throw wrongArgument("Cannot make the file storage: the path is not a non-empty string");
  }
  checkKnown(options, optionNames, "make the file storage");
  const { lockTimeoutMs = 5000, clock = webClock(), random = webRandom() } = options;
  if (!(lockTimeoutMs >= 0)) {
    throw outOfRange("Cannot make the file storage: lockTimeoutMs is not 0 or more");
  }
  return new Files(resolve(directory), { lockTimeoutMs, clock, random });
}

class Files implements FileStorage {
  readonly #directory: string;
  readonly #wait: LockWait;
  readonly #tasks = new Tasks();
  /** Of this handle: nobody else draws the same 72 bits, and the counter never goes back. */
  readonly #nonce: string;
  #version = 0;
  #opening: Promise<Store> | undefined;
  #unlock: (() => Promise<void>) | undefined;
  #closing: Promise<void> | undefined;

  constructor(directory: string, wait: LockWait) {
    this.#directory = directory;
    this.#wait = wait;
    this.#nonce = encodeBase64url(wait.random.bytes(9));
  }

  async get(key: string, options: StorageCallOptions = {}): Promise<Stored | undefined> {
    checkStorageKey(key);
    checkCallOptions(options, "get");
    // Behind the writes of the same key: what is being written is not durable yet.
    return await this.#task(key, options, async (store) => {
      const record = await store.read(key);
      return record && { value: record.value, etag: record.etag };
    });
  }

  async put(key: string, value: string, options: PutOptions = {}): Promise<PutResult> {
    checkPut(key, value, options);
    return await this.#task(key, options, async (store): Promise<PutResult> => {
      const { ifMatch, ifNoneMatch } = options;
      if (ifMatch !== undefined || ifNoneMatch !== undefined) {
        const found = (await store.read(key))?.etag ?? null;
        if (found !== (ifMatch ?? null)) return { ok: false, found };
      }
      const etag = `${this.#nonce}.${(this.#version++).toString(36)}`;
      await store.write({ key, etag, value });
      return { ok: true, etag };
    });
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<DeleteResult> {
    checkDelete(key, options);
    return await this.#task(key, options, async (store): Promise<DeleteResult> => {
      if (options.ifMatch !== undefined) {
        const found = (await store.read(key))?.etag ?? null;
        if (found !== options.ifMatch) return { ok: false, found };
      }
      if (store.keys.has(key)) await store.remove(key);
      return { ok: true };
    });
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    const { after, limit } = checkList(prefix, options);
    // No key is empty, so a listing waits for no other call.
    return await this.#task("", options, ({ keys }) => {
      const found = [...keys].filter((key) => key > after && key.startsWith(prefix));
      return Promise.resolve(found.sort().slice(0, limit));
    });
  }

  close(): Promise<void> {
    return this.#closing ??= this.#finish();
  }

  #task<T>(
    key: string,
    { signal }: StorageCallOptions,
    run: (store: Store) => Promise<T>,
  ): Promise<T> {
    if (this.#closing !== undefined) {
      throw new HoldfastError("ERR_CLOSED", "Cannot use the storage: it is closed");
    }
    signal?.throwIfAborted();
    const result = this.#tasks.add(key, async () => {
      const store = await this.#open();
      signal?.throwIfAborted();
      return await run(store);
    });
    return signal === undefined ? result : untilAborted(result, signal);
  }

  #open(): Promise<Store> {
    // A failure is not remembered: the next call tries again.
    return this.#opening ??= this.#begin().catch((error) => {
      this.#opening = undefined;
      throw error;
    });
  }

  async #begin(): Promise<Store> {
    try {
      await makeDirectory(this.#directory);
      this.#unlock = await lock(this.#directory, this.#nonce, this.#wait);
      const store = new Store(this.#directory);
      await store.open();
      return store;
    } catch (cause) {
      await this.#unlock?.();
      this.#unlock = undefined;
      if (cause instanceof HoldfastError) throw cause;
      const reason = codeOf(cause) ?? String(cause);
      const message = `Cannot open "${this.#directory}": the file system answered ${reason}`;
      throw new StorageUnavailableError(message, "none", { cause });
    }
  }

  async #finish(): Promise<void> {
    await this.#tasks.idle();
    await this.#unlock?.();
    this.#unlock = undefined;
  }
}

/** Stops waiting when the signal aborts; the call itself goes on. */
async function untilAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  const settled = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { signal: settled.signal });
  });
  try {
    return await Promise.race([result, aborted]);
  } finally {
    settled.abort();
  }
}

import { HoldfastError } from "../../src/core/errors.ts";
import { checkStorageKey } from "../../src/core/key.ts";
import { checkDelete, checkList, checkPut, checkPutAt } from "../../src/core/storage_args.ts";
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

/** A storage that keeps everything in this process's memory. */
export interface MemoryStorage extends Storage {
  /** How many keys there are. */
  readonly size: number;
  /** Forgets everything and refuses later calls. */
  close(): Promise<void>;
}

/**
 * Makes a storage that keeps everything in memory and loses it with the process: for tests, for
 * development, and as the reference the other storages are compared with.
 *
 * @returns A storage of its own; two calls share nothing.
 *
 * @example Compare-and-set
 * ```ts
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = memoryStorage();
 * const first = await storage.put("carts/1", "[]", { ifNoneMatch: "*" });
 * const second = await storage.put("carts/1", "[1]", { ifNoneMatch: "*" });
 *
 * assertEquals(first.ok, true);
 * assertEquals(second, { ok: false, found: first.ok ? first.etag : null });
 * assertEquals((await storage.get("carts/1"))?.value, "[]");
 * ```
 */
export function memoryStorage(): MemoryStorage {
  return new Memory();
}

/** Runs now and answers as a promise, so that wrong arguments reject instead of throwing. */
function answer<T>(run: () => T): Promise<T> {
  return new Promise((resolve) => resolve(run()));
}

class Memory implements MemoryStorage {
  readonly #entries = new Map<string, Stored>();
  /** Of the whole storage, so that a key that was deleted never sees its old etags again. */
  #version = 0;
  #closed = false;

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, options?: StorageCallOptions): Promise<Stored | undefined> {
    return answer(() => {
      checkStorageKey(key);
      this.#admit(options);
      return this.#entries.get(key);
    });
  }

  getSync(key: string): Stored | undefined {
    this.#admit(undefined);
    return this.#entries.get(key) ?? void checkStorageKey(key);
  }

  put(key: string, value: string, options?: PutOptions): Promise<PutResult> {
    return answer(() => this.putSync(key, value, options));
  }

  putSync(key: string, value: string, options: PutOptions = {}): PutResult {
    const known = this.#entries.get(key);
    if (known === undefined) checkPut(key, value, options);
    else checkPutAt(value, options);
    this.#admit(options);
    const found = known?.etag ?? null;
    const lost = options.ifNoneMatch === "*" ? found !== null : this.#isStale(found, options);
    if (lost) return { ok: false, found };
    const etag = String(++this.#version);
    this.#entries.set(key, { value, etag });
    return { ok: true, etag };
  }

  delete(key: string, options: DeleteOptions = {}): Promise<DeleteResult> {
    return answer(() => {
      checkDelete(key, options);
      this.#admit(options);
      const found = this.#entries.get(key)?.etag ?? null;
      if (this.#isStale(found, options)) return { ok: false, found };
      this.#entries.delete(key);
      return { ok: true };
    });
  }

  list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    return answer(() => {
      const { after, limit } = checkList(prefix, options);
      this.#admit(options);
      const keys = [...this.#entries.keys()];
      return keys.filter((key) => key > after && key.startsWith(prefix)).sort().slice(0, limit);
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#entries.clear();
    return Promise.resolve();
  }

  #isStale(found: string | null, { ifMatch }: DeleteOptions): boolean {
    return ifMatch !== undefined && ifMatch !== found;
  }

  #admit(options: StorageCallOptions | undefined): void {
    if (this.#closed) {
      throw new HoldfastError("ERR_CLOSED", "Cannot use the storage: it is closed");
    }
    options?.signal?.throwIfAborted();
  }
}

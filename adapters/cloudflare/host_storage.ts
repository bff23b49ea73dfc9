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
import type { Ids } from "./ids.ts";
import type { OwnStorage } from "./own.ts";
import type { Wake } from "./wake.ts";

/** What a Durable Object keeps of the object it hosts, in step with its alarm and with the ids. */
export class HostStorage implements Storage {
  readonly #own: OwnStorage;
  readonly #wake: Wake;
  readonly #ids: Ids | undefined;

  constructor(own: OwnStorage, wake: Wake, ids: Ids | undefined) {
    this.#own = own;
    this.#wake = wake;
    this.#ids = ids;
  }

  get(key: string, options?: StorageCallOptions): Promise<Stored | undefined> {
    return this.#own.get(key, options);
  }

  getSync(key: string): Stored | undefined {
    return this.#own.getSync(key);
  }

  async put(key: string, value: string, options: PutOptions = {}): Promise<PutResult> {
    if (this.#wake.watches(key)) {
      // Nothing comes between the two, so that they are one write of the Durable Object.
      const [put] = await Promise.all([this.#own.put(key, value, options), this.#wake.arm()]);
      return put;
    }
    if (isNew(options)) await this.#ids?.add(key, options);
    return await this.#own.put(key, value, options);
  }

  putSync(key: string, value: string, options: PutOptions = {}): PutResult {
    // What has to be waited for is for `put()`, to which the caller then comes.
    if (this.#wake.watches(key) || (this.#ids !== undefined && isNew(options))) {
      throw new Error("Cannot put at once");
    }
    return this.#own.putSync(key, value, options);
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<DeleteResult> {
    if (this.#wake.watches(key)) {
      const [deleted] = await Promise.all([this.#own.delete(key, options), this.#wake.arm()]);
      return deleted;
    }
    // That of a deleted object: nobody makes it anew before it is gone.
    if (this.#own.getSync(key)?.etag === options.ifMatch) await this.#ids?.remove(key, options);
    return await this.#own.delete(key, options);
  }

  list(prefix: string, options?: ListOptions): Promise<readonly string[]> {
    return this.#own.list(prefix, options);
  }
}

/** Whether a record is to be the first under its key. */
function isNew({ ifNoneMatch }: PutOptions): boolean {
  return ifNoneMatch === "*";
}

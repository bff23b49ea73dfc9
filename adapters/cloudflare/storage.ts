import { ownerOf } from "../../src/cluster/placement.ts";
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
import type { DurableObjectNamespaceLike } from "./platform.ts";
import type { Asked, Told } from "./wire.ts";
import { checkKnown, type OptionNames, outOfRange, wrongArgument } from "../../src/core/options.ts";

/** Options of {@linkcode durableObjectStorage}. */
export interface DurableObjectStorageOptions {
  /**
   * How many Durable Objects share the records, 1 to 256. One takes some hundred writes a second; a list
   * asks all of them. Can not be changed once something is stored: the objects refuse it.
   * @default {16}
   */
  readonly shards?: number;
  /** What the names of the Durable Objects begin with, 1 to 64 of `A-Z a-z 0-9 _ -`. @default {"holdfast"} */
  readonly name?: string;
}

type Without<A, K extends string> = A extends unknown ? Omit<A, K> : never;

/** A call without what the stores are told to know each other by. */
type Call = Without<Asked, "shards" | "admitted">;

const optionNames: OptionNames<DurableObjectStorageOptions> = { shards: true, name: true };

/**
 * Makes a storage of Durable Objects of Cloudflare, for Workers. Each key belongs to one of them, which
 * does one thing at a time: a compare-and-set needs nothing else. An `ok` write survives what the
 * storage of Durable Objects does. A key with its value may have 2 MB.
 *
 * Make it inside of each request, as the holdfast: it holds nothing.
 *
 * @param namespace The binding to the class that `durableObjectStore()` made: `env.STORE`.
 * @param options How many of them.
 * @returns The storage.
 * @throws {TypeError} If the namespace or the name makes no sense.
 * @throws {RangeError} If the number of shards is out of range.
 *
 * @example In a Worker
 * ```ts ignore
 * import { createHoldfast } from "@holdfast/holdfast";
 * import { durableObjectStorage, durableObjectStore } from "@holdfast/holdfast/cloudflare";
 *
 * export const HoldfastStore = durableObjectStore();
 * const holdfastFor = (env) =>
 *   createHoldfast({ storage: durableObjectStorage(env.STORE), secrets: [env.SECRET] });
 * ```
 */
export function durableObjectStorage(
  namespace: DurableObjectNamespaceLike,
  options: DurableObjectStorageOptions = {},
): Storage {
  checkKnown(options, optionNames, "make the storage");
  const { shards = 16, name = "holdfast" } = options;
  if (typeof namespace?.idFromName !== "function" || typeof namespace.get !== "function") {
    throw wrongArgument("Cannot make the storage: there is no binding to a Durable Object");
  }
  if (typeof name !== "string" || !/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    throw wrongArgument("Cannot make the storage: the name is not 1 to 64 of A-Z a-z 0-9 _ -");
  }
  if (!Number.isInteger(shards) || shards < 1 || shards > 256) {
    throw outOfRange(
      `Cannot make the storage: shards is ${shards}, not a whole number from 1 to 256`,
    );
  }
  return new Sharded(namespace, Array.from({ length: shards }, (_, n) => `${name}-${n}`));
}

class Sharded implements Storage {
  readonly #namespace: DurableObjectNamespaceLike;
  readonly #names: readonly string[];
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  constructor(namespace: DurableObjectNamespaceLike, names: readonly string[]) {
    this.#namespace = namespace;
    this.#names = names;
  }

  async get(key: string, options: StorageCallOptions = {}): Promise<Stored | undefined> {
    checkStorageKey(key);
    return await this.#ask<Stored | null>(key, { call: "get", key }, options) ?? undefined;
  }

  async put(key: string, value: string, options: PutOptions = {}): Promise<PutResult> {
    checkPut(key, value, options);
    const { ifMatch, ifNoneMatch } = options;
    const conditions = {
      ...(ifMatch === undefined ? {} : { ifMatch }),
      ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
    };
    return await this.#ask(key, { call: "put", key, value, ...conditions }, options);
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<DeleteResult> {
    checkDelete(key, options);
    const condition = options.ifMatch === undefined ? {} : { ifMatch: options.ifMatch };
    return await this.#ask(key, { call: "delete", key, ...condition }, options);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    const { after, limit } = checkList(prefix, options);
    const call = { call: "list", prefix, after, limit } as const;
    const parts = await Promise.all(
      this.#names.map((name) => this.#send<readonly string[]>(name, call, options)),
    );
    return parts.flat().sort().slice(0, limit);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#running);
  }

  #ask<T>(key: string, call: Call, options: StorageCallOptions): Promise<T> {
    return this.#send(ownerOf(this.#names, key) ?? "", call, options);
  }

  async #send<T>(name: string, call: Call, { signal }: StorageCallOptions): Promise<T> {
    if (this.#closed) {
      throw new HoldfastError("ERR_CLOSED", "Cannot use the storage: it is closed");
    }
    signal?.throwIfAborted();
    const sent = this.#deliver(name, call, signal);
    this.#running.add(sent);
    try {
      const told = await sent;
      // What the object that belongs to the call has answered is what the call answers.
      if (told.ok) return told.answer as T;
      const message = `Cannot ${call.call}: Durable Object "${name}" refused it: ${told.why}`;
      throw new StorageUnavailableError(message, "none");
    } finally {
      this.#running.delete(sent);
    }
  }

  /** Has the first store agree to their number before another one begins. */
  async #deliver(name: string, call: Call, signal: AbortSignal | undefined): Promise<Told> {
    const [first = name] = this.#names;
    const told = await this.#post(name, call, name === first, signal);
    if (told.ok || told.isNew !== true) return told;
    const agreed = await this.#post(first, { call: "join" }, true, signal);
    return agreed.ok ? await this.#post(name, call, true, signal) : agreed;
  }

  async #post(
    name: string,
    call: Call,
    admitted: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Told> {
    const body = JSON.stringify({ ...call, shards: this.#names.length, admitted });
    try {
      const stub = this.#namespace.get(this.#namespace.idFromName(name) as never);
      const init = { method: "POST", body, ...(signal === undefined ? {} : { signal }) };
      const response = await stub.fetch("https://holdfast.invalid/", init);
      return await response.json() as Told;
    } catch (cause) {
      signal?.throwIfAborted();
      const writes = call.call === "put" || call.call === "delete";
      const message = `Cannot ${call.call}: Durable Object "${name}" did not answer`;
      throw new StorageUnavailableError(message, writes ? "unknown" : "none", { cause });
    }
  }
}

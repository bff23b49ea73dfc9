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
import { type DenoKv, openDenoKv } from "./kv.ts";
import { type Patience, patiently } from "./locked.ts";
import { Records } from "./records.ts";
import { checkKnown, type OptionNames, wrongArgument } from "../../src/core/options.ts";

/** Options of {@linkcode denokvStorage}. */
export interface DenokvStorageOptions {
  /** First parts of every key, to share a database with other data. @default {["holdfast"]} */
  readonly prefix?: readonly string[];
  /** Where waiting for a locked local database happens. @default the runtime's clock */
  readonly clock?: Clock;
  /** Where the names of chunks and jitter come from. @default the runtime's secure source */
  readonly random?: Random;
}

/** A storage in Deno KV. */
export interface DenokvStorage extends Storage {
  /** Finishes the calls it has accepted, then closes the database if the storage opened it. */
  close(): Promise<void>;
}

const optionNames: OptionNames<DenokvStorageOptions> = {
  prefix: true,
  clock: ".now",
  random: ".bytes",
};

/**
 * Makes a storage in Deno KV. Only on Deno, which has it with `--unstable-kv` or with
 * `"unstable": ["kv"]` in its configuration. An `ok` write survives the death of the process; of the
 * machine, as far as Deno KV promises that.
 *
 * A value of Deno KV has at most 64 KiB. A longer text, up to 2 MiB of UTF-8, is cut into chunks that
 * are written first; the commit that makes them the value checks that all of them are there. A
 * process that dies in between leaves chunks, which the next large write of that key removes.
 *
 * @param kv An instance, which stays yours to close; or what to open on first use: a file,
 * `":memory:"`, the URL of a remote database, or `undefined` for the one of the application.
 * @param options Where in the database.
 * @returns The storage.
 * @throws {TypeError} If the prefix is not an array of strings.
 *
 * @example
 * ```ts
 * import { denokvStorage } from "@holdfast/holdfast/denokv";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = denokvStorage(":memory:");
 * await storage.put("carts/1", "[]");
 * assertEquals((await storage.get("carts/1"))?.value, "[]");
 * await storage.close();
 * ```
 */
export function denokvStorage(
  kv?: DenoKv | string,
  options: DenokvStorageOptions = {},
): DenokvStorage {
  checkKnown(options, optionNames, "make the Deno KV storage");
  const { prefix = ["holdfast"], clock = webClock(), random = webRandom() } = options;
  if (!Array.isArray(prefix) || !prefix.every((part) => typeof part === "string")) {
    throw wrongArgument("Cannot make the Deno KV storage: the prefix is not an array of strings");
  }
  return new Denokv(kv, prefix, { clock, random });
}

class Denokv implements DenokvStorage {
  readonly #given: DenoKv | string | undefined;
  readonly #prefix: readonly string[];
  readonly #patience: Patience;
  readonly #running = new Set<Promise<unknown>>();
  #opening: Promise<DenoKv> | undefined;
  #closing: Promise<void> | undefined;

  constructor(given: DenoKv | string | undefined, prefix: readonly string[], patience: Patience) {
    this.#given = given;
    this.#prefix = prefix;
    this.#patience = patience;
  }

  async get(key: string, options: StorageCallOptions = {}): Promise<Stored | undefined> {
    checkStorageKey(key);
    checkCallOptions(options, "get");
    return await this.#run(options, (records) => records.get(key));
  }

  async put(key: string, value: string, options: PutOptions = {}): Promise<PutResult> {
    checkPut(key, value, options);
    return await this.#run(options, (records) => records.put(key, value, options));
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<DeleteResult> {
    checkDelete(key, options);
    return await this.#run(options, (records) => records.delete(key, options));
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    const { after, limit } = checkList(prefix, options);
    return await this.#run(options, (records) => records.list(prefix, after, limit));
  }

  close(): Promise<void> {
    return this.#closing ??= this.#finish();
  }

  #run<T>({ signal }: StorageCallOptions, call: (records: Records) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) {
      throw new HoldfastError("ERR_CLOSED", "Cannot use the storage: it is closed");
    }
    signal?.throwIfAborted();
    const running = this.#open().then(async (kv) => {
      signal?.throwIfAborted();
      return await call(new Records(kv, this.#prefix, this.#patience));
    }).catch((error) => {
      throw explained(error, signal);
    });
    this.#running.add(running);
    const forget = (): void => void this.#running.delete(running);
    running.then(forget, forget);
    return signal === undefined ? running : orAborted(running, signal);
  }

  /** A failure is not remembered: the next call tries again. */
  #open(): Promise<DenoKv> {
    const given = this.#given;
    if (typeof given === "object") return Promise.resolve(given);
    return this.#opening ??= patiently(() => openDenoKv(given), this.#patience).catch((error) => {
      this.#opening = undefined;
      throw error;
    });
  }

  async #finish(): Promise<void> {
    await Promise.allSettled(this.#running);
    (await this.#opening?.catch(() => undefined))?.close();
  }
}

/** Whatever fails without having been told apart was a read, which has changed nothing. */
function explained(error: unknown, signal: AbortSignal | undefined): unknown {
  if (error instanceof HoldfastError || (signal?.aborted && error === signal.reason)) return error;
  return new StorageUnavailableError("Cannot read: Deno KV failed", "none", { cause: error });
}

/** What the promise says, unless the signal aborts first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

import { HoldfastError, StorageUnavailableError } from "../../src/core/errors.ts";
import { checkStorageKey } from "../../src/core/key.ts";
import { checkDelete, checkList, checkPut } from "../../src/core/storage_args.ts";
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
import { webRandom } from "../web/random.ts";
import { isReserved, STATE_KEY } from "./envelope.ts";
import { inParallel, pagesOf } from "./keys.ts";
import {
  migrateAll,
  type MigrateOptions,
  type MigrationProgress,
  type MigrationReport,
  verifyAll,
} from "./pass.ts";
import type { MigrationPhase, Stores } from "./protocol.ts";
import { type Call, Records } from "./records.ts";
import { checkKnown, kindOf, type OptionNames, wrongArgument } from "../../src/core/options.ts";

/** Options of {@linkcode migratingStorage}. */
export interface MigratingStorageOptions {
  /** The storage that is left. */
  readonly from: Storage;
  /** The storage that is moved to; empty at first. */
  readonly to: Storage;
  /**
   * - `"copying"`: the old storage has the say. The new one may be filled, and is not relied upon.
   * - `"cutover"`: what is written moves for good, each key on its own.
   */
  readonly phase: MigrationPhase;
  /** Where the names of copies come from. @default the runtime's secure source */
  readonly random?: Random;
}

/** A storage that moves. */
export interface MigratingStorage extends Storage {
  /**
   * Goes through all keys once: copies them (`"copying"`), or moves what was not touched yet and
   * makes plain records of the copies (`"cutover"`). Beside everything else, on any node; may be
   * interrupted and repeated, and goes on behind `after`.
   *
   * @returns How far it came: to the end, unless it rejects.
   */
  migrate(options?: MigrateOptions): Promise<MigrationProgress>;
  /** Looks at all keys, changes nothing, and says whether the phase is complete. */
  verify(options?: StorageCallOptions): Promise<MigrationReport>;
  /** Finishes the calls it has accepted, then closes both storages. */
  close(): Promise<void>;
}

const optionNames: OptionNames<MigratingStorageOptions> = {
  from: ".get",
  to: ".get",
  phase: true,
  random: ".bytes",
};

/** Reads of a listing at a time: whether a key is there shows only in its text. */
const LIST_READS = 16;

/**
 * Makes a storage that moves from one store to another while any number of nodes use it, during
 * rolling deploys too, without losing an update or bringing back what was deleted.
 *
 * 1. Deploy `phase: "copying"` everywhere. The old storage has the say, as for the nodes that do not
 *    know of the migration yet; both may run side by side.
 * 2. When no such node is left: run `migrate()` once, on any node. It copies. Without it
 *    `"cutover"` refuses to work.
 * 3. Deploy `phase: "cutover"` everywhere. Nodes of both phases may run side by side.
 * 4. When no `"copying"` node is left: run `migrate()`, then, a minute later, `verify()`; again, until
 *    it says `complete`.
 * 5. Deploy the new storage alone; nodes that still migrate may run beside it.
 *
 * What cannot be checked from here: that step 3 begins after the last node without the migration is
 * gone, and step 5 after `complete`. There is no way back but a migration in the other direction.
 *
 * **How it works.** A key moves by one compare-and-set in the old storage, which replaces its record
 * by a *mark*, for good; whoever finds a mark turns to the new storage. Before, the text is put there
 * as a *copy* that carries a random token and the version it is of, and the mark names that token. A
 * copy counts only if the mark names it, so one that arrives late, after the key was deleted, counts
 * for nothing. A copy is replaced only by who has seen the old storage at a later version since; so
 * nobody replaces one that a mark may still come to name. A key that is absent gets a mark before it
 * is created in the new storage, so that nobody creates it in the old one too. Etags begin with
 * `from:` or `to:`, and a version keeps its etag when it moves.
 *
 * **What it costs.** While keys move, a call makes up to four calls, later one or two; a listing reads
 * every key it answers. `migrate()` can make a conditional write lose although nobody else wrote.
 *
 * A record whose text begins with `{"~holdfast-migrating":` is refused.
 *
 * @param options The two storages and the phase.
 * @returns The storage.
 * @throws {TypeError} If the phase is none, or both storages are the same.
 *
 * @example From memory to memory
 * ```ts
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { migratingStorage } from "@holdfast/holdfast/migrating";
 * import { assertEquals } from "@std/assert";
 *
 * const [from, to] = [memoryStorage(), memoryStorage()];
 * await from.put("carts/1", "[]");
 *
 * await migratingStorage({ from, to, phase: "copying" }).migrate();
 * const storage = migratingStorage({ from, to, phase: "cutover" });
 * await storage.put("carts/2", "[2]");
 * await storage.migrate();
 *
 * assertEquals((await storage.verify()).complete, true);
 * assertEquals((await to.get("carts/1"))?.value, "[]");
 * assertEquals((await to.get("carts/2"))?.value, "[2]");
 * ```
 */
export function migratingStorage(options: MigratingStorageOptions): MigratingStorage {
  checkKnown(options, optionNames, "migrate");
  const { from, to, phase, random = webRandom() } = options;
  if (phase !== "copying" && phase !== "cutover") {
    throw wrongArgument('Cannot migrate: the phase is neither "copying" nor "cutover"');
  }
  if (from === undefined || to === undefined) {
    throw wrongArgument('Cannot migrate: "from" or "to" is not given');
  }
  if (from === to) throw wrongArgument("Cannot migrate: both storages are the same");
  return new Migrating({ from, to, random }, phase);
}

class Migrating implements MigratingStorage {
  readonly #stores: Stores;
  readonly #phase: MigrationPhase;
  readonly #records: Records;
  readonly #running = new Set<Promise<unknown>>();
  #copied = false;
  #closing: Promise<void> | undefined;

  constructor(stores: Stores, phase: MigrationPhase) {
    this.#stores = stores;
    this.#phase = phase;
    this.#records = new Records(stores, phase);
  }

  async get(key: string, options: StorageCallOptions = {}): Promise<Stored | undefined> {
    checkKey(key);
    return await this.#run(options, () => this.#records.get(key, only(options)));
  }

  async put(key: string, value: string, options: PutOptions = {}): Promise<PutResult> {
    checkKey(key);
    checkPut(key, value, options);
    if (isReserved(value)) {
      throw wrongArgument("Cannot put: the value begins as the marks of a migration do");
    }
    return await this.#run(options, () => this.#records.put(callOf(key, options), value));
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<DeleteResult> {
    checkKey(key);
    checkDelete(key, options);
    return await this.#run(options, () => this.#records.delete(callOf(key, options)));
  }

  async list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    const { after, limit } = checkList(prefix, options);
    const walk = { prefix, after, pageSize: limit, ...only(options) };
    return await this.#run(options, async () => {
      const { from, to } = this.#stores;
      const found: string[] = [];
      const stores = this.#phase === "copying" ? [from] : [from, to];
      for await (const page of pagesOf(stores, walk)) {
        const there = await inParallel(
          page,
          LIST_READS,
          async (key) => await this.#records.get(key, only(options)) !== undefined,
        );
        found.push(...page.filter((_, i) => there[i]));
        if (found.length >= limit) break;
      }
      return found.slice(0, limit);
    });
  }

  migrate(options: MigrateOptions = {}): Promise<MigrationProgress> {
    return this.#run(options, () => migrateAll(this.#stores, this.#phase, options));
  }

  verify(options: StorageCallOptions = {}): Promise<MigrationReport> {
    return this.#run(options, () => verifyAll(this.#stores, this.#phase, only(options)));
  }

  close(): Promise<void> {
    return this.#closing ??= this.#finish();
  }

  async #run<T>(options: StorageCallOptions, call: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) {
      throw new HoldfastError("ERR_CLOSED", "Cannot use the storage: it is closed");
    }
    if (typeof options !== "object" || options === null) {
      throw wrongArgument(
        `Cannot use the storage: its options are ${kindOf(options)}, not an object`,
      );
    }
    options.signal?.throwIfAborted();
    const running = this.#admitted(options).then(call);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Lets nobody cut over who has skipped the phase before. */
  async #admitted(options: StorageCallOptions): Promise<void> {
    if (this.#copied || this.#phase === "copying") return;
    if (await this.#stores.from.get(STATE_KEY, only(options)) === undefined) {
      throw new StorageUnavailableError(
        'Cannot cut over: migrate() was not run to its end in the phase "copying"',
        "none",
      );
    }
    this.#copied = true;
  }

  async #finish(): Promise<void> {
    await Promise.allSettled(this.#running);
    await Promise.all([this.#stores.from.close?.(), this.#stores.to.close?.()]);
  }
}

function checkKey(key: unknown): void {
  if (checkStorageKey(key) === STATE_KEY) {
    throw wrongArgument("Cannot use the key: it belongs to the migration");
  }
}

function only({ signal }: StorageCallOptions): StorageCallOptions {
  return signal === undefined ? {} : { signal };
}

function callOf(key: string, options: PutOptions): Call {
  const { ifMatch, ifNoneMatch } = options;
  return { key, ifMatch, create: ifNoneMatch !== undefined, options: only(options) };
}

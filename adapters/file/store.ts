import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { StorageUnavailableError } from "../../src/core/errors.ts";
import { codeOf, makeDirectory, readIfThere, replaceFile, syncDirectory } from "./disk.ts";
import { keyOf, placeOf } from "./names.ts";
import { damaged, type FileRecord, formatRecord, parseRecord } from "./record.ts";

/**
 * The files of one directory, for the process that has its lock. Below the directory: `records` with
 * up to 256 directories of files, one per key, and `tmp`, where files are written before they are
 * moved to their place.
 */
export class Store {
  /** Every key there is, so that a listing need not look at the disk. */
  readonly keys: Set<string> = new Set();
  readonly #records: string;
  readonly #temporary: string;
  readonly #shards = new Set<string>();
  #written = 0;

  constructor(directory: string) {
    this.#records = join(directory, "records");
    this.#temporary = join(directory, "tmp");
  }

  /** Prepares the directories, drops what a crash left half written, and finds the keys. */
  async open(): Promise<void> {
    await rm(this.#temporary, { recursive: true, force: true });
    await makeDirectory(this.#temporary);
    await makeDirectory(this.#records);
    await syncDirectory(join(this.#records, ".."));
    for (const shard of await readdir(this.#records)) {
      this.#shards.add(shard);
      for (const name of await readdir(join(this.#records, shard))) {
        const key = await this.#keyOf(join(this.#records, shard, name), name);
        if (key !== undefined) this.keys.add(key);
      }
    }
  }

  /** Reads a record; `undefined` if the key is absent. */
  async read(key: string): Promise<FileRecord | undefined> {
    if (!this.keys.has(key)) return undefined;
    const file = await failing("read", "none", () => readIfThere(this.#path(key)));
    if (file === undefined) return undefined;
    const record = parseRecord(file);
    if (record.key !== key) throw damaged();
    return record;
  }

  /** Writes a record in one step: a crash leaves the old one or the new one. */
  async write(record: FileRecord): Promise<void> {
    const { shard } = placeOf(record.key);
    const directory = join(this.#records, shard);
    await failing("write", "none", async () => {
      await this.#makeShard(shard);
      const temporary = join(this.#temporary, String(this.#written++));
      await replaceFile(temporary, this.#path(record.key), formatRecord(record));
    });
    this.keys.add(record.key);
    await failing("write", "unknown", () => syncDirectory(directory));
  }

  /** Removes a record that is there. */
  async remove(key: string): Promise<void> {
    const path = this.#path(key);
    await failing("delete", "none", () => rm(path, { force: true }));
    this.keys.delete(key);
    await failing("delete", "unknown", () => syncDirectory(join(path, "..")));
  }

  #path(key: string): string {
    const { shard, name } = placeOf(key);
    return join(this.#records, shard, name);
  }

  async #makeShard(shard: string): Promise<void> {
    if (this.#shards.has(shard)) return;
    await makeDirectory(join(this.#records, shard));
    await syncDirectory(this.#records);
    this.#shards.add(shard);
  }

  async #keyOf(path: string, name: string): Promise<string | undefined> {
    const found = keyOf(name);
    if (found !== "in file") return found?.key;
    const file = await readIfThere(path);
    return file === undefined ? undefined : parseRecord(file).key;
  }
}

/** Says in the library's own words that the file system failed. */
async function failing<T>(
  what: "read" | "write" | "delete",
  outcome: "none" | "unknown",
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    const message = `Cannot ${what} a record: the file system answered ${codeOf(cause)}`;
    throw new StorageUnavailableError(message, outcome, { cause });
  }
}

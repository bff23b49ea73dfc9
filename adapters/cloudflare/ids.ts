import type { Storage, StorageCallOptions } from "../../src/ports/storage.ts";

/**
 * Which objects there are, noted in a storage beside theirs: under the key of an object's record, before
 * there is that record, and taken off before the record is removed. So a note can be one too many, never
 * one too few.
 */
export class Ids {
  readonly #notes: Storage;

  constructor(notes: Storage) {
    this.#notes = notes;
  }

  /** Notes an object. */
  async add(key: string, { signal }: StorageCallOptions): Promise<void> {
    await this.#notes.put(key, "{}", signal && { signal });
  }

  /** Takes an object off. Nothing that arrives late can take a later note off. */
  async remove(key: string, { signal }: StorageCallOptions): Promise<void> {
    const options = signal === undefined ? {} : { signal };
    const noted = await this.#notes.get(key, options);
    if (noted !== undefined) await this.#notes.delete(key, { ...options, ifMatch: noted.etag });
  }
}

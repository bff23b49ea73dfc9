/** A stored value and the version it was read at. */
export interface Stored {
  /** The text, exactly as it was put. */
  readonly value: string;
  /** Names this version of the key; never used again for another version of it. */
  readonly etag: string;
}

/** Options every storage call takes. */
export interface StorageCallOptions {
  /** Ends the call early; the caller has stopped waiting. Whether a write happened is then unknown. */
  readonly signal?: AbortSignal;
}

/** Conditions of {@linkcode Storage.put}; at most one of the two. */
export interface PutOptions extends StorageCallOptions {
  /** Write only if the key is at this version. */
  readonly ifMatch?: string;
  /** Write only if the key is absent. */
  readonly ifNoneMatch?: "*";
}

/** Conditions of {@linkcode Storage.delete}. */
export interface DeleteOptions extends StorageCallOptions {
  /** Delete only if the key is at this version. */
  readonly ifMatch?: string;
}

/** Options of {@linkcode Storage.list}. */
export interface ListOptions extends StorageCallOptions {
  /** Only keys greater than this one. */
  readonly after?: string;
  /** At most this many keys, 1 to 1000. @default {1000} */
  readonly limit?: number;
}

/** Outcome of a write: losing a race is an answer, not an exception. */
export type PutResult =
  | { readonly ok: true; readonly etag: string }
  | { readonly ok: false; readonly found: string | null };

/** Outcome of a delete. */
export type DeleteResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly found: string | null };

/**
 * Keyed text with compare-and-set. A storage neither parses nor changes the text.
 *
 * What an implementation promises (SPEC ST): of two concurrent writes with the same condition at
 * most one is `ok`; a read that starts after an `ok` write sees that version or a newer one; an
 * `ok` write survives the death of the process, unless the adapter's page says that it keeps
 * things in memory only. A rejected promise means that the outcome is unknown.
 */
export interface Storage {
  /** Reads a key; `undefined` if absent. */
  get(key: string, options?: StorageCallOptions): Promise<Stored | undefined>;
  /**
   * Reads a key as `get` does, at once: only in storages that need not wait for anything. What it
   * throws says nothing about the key; the caller then asks `get`.
   */
  getSync?(key: string): Stored | undefined;
  /** Writes a key. */
  put(key: string, value: string, options?: PutOptions): Promise<PutResult>;
  /**
   * Writes a key as `put` does, at once: only in storages that need not wait for anything. If it
   * throws, nothing was written; the caller then asks `put`.
   */
  putSync?(key: string, value: string, options?: PutOptions): PutResult;
  /** Deletes a key; deleting an absent key without a condition is `ok`. */
  delete(key: string, options?: DeleteOptions): Promise<DeleteResult>;
  /** Lists the keys that begin with a prefix, in ascending order. */
  list(prefix: string, options?: ListOptions): Promise<readonly string[]>;
  /** Releases what the storage holds (files, connections). Safe to call twice. */
  close?(): Promise<void>;
}

import { encodeBase64url } from "../../src/core/base64url.ts";
import { HoldfastError, StorageUnavailableError } from "../../src/core/errors.ts";
import type { Random } from "../../src/ports/random.ts";
import type { Storage, StorageCallOptions, Stored } from "../../src/ports/storage.ts";
import { copyText, markText, type New, type Old, readNew, readOld } from "./envelope.ts";

/** Which half of a migration a node is in. */
export type MigrationPhase = "copying" | "cutover";

/** The two stores. */
export interface Stores {
  readonly from: Storage;
  readonly to: Storage;
  readonly random: Random;
}

/** How often a step is repeated because somebody else was first; each time somebody got on. */
const MAX_ROUNDS = 100;

/**
 * What has been seen of one key. The new store is always read before the old one: what was seen of
 * the old store is then not older than what was seen of the new one, which is what makes it safe to
 * replace a copy whose version the old store has left behind.
 */
export interface Seen {
  readonly old: Old;
  readonly new: New;
}

/** Reads both stores, the new one first. */
export async function look(
  { from, to }: Stores,
  key: string,
  options: StorageCallOptions,
): Promise<Seen> {
  const fresh = readNew(await to.get(key, options));
  return { new: fresh, old: readOld(await from.get(key, options)) };
}

/** The record the new store has under a key whose mark has this token. */
export function recordIn(found: New, token: string): Stored | undefined {
  if (found.kind === "record") return { value: found.value, etag: `to:${found.etag}` };
  // The version keeps its name while it moves, so that nobody who has read it loses a race to that.
  const moved = found.kind === "copy" && found.token === token;
  return moved ? { value: found.value, etag: `from:${found.from}` } : undefined;
}

/** Repeats a step until it has an answer; `undefined` means that somebody else was first. */
export async function repeat<T>(
  signal: AbortSignal | undefined,
  step: (round: number) => Promise<T | undefined>,
): Promise<T> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    signal?.throwIfAborted();
    const answer = await step(round);
    if (answer !== undefined) return answer;
  }
  throw new StorageUnavailableError("Cannot write: other writers were always first", "none");
}

/** A condition on what one has seen, as a store takes it. */
export function over(
  found: { readonly kind: string; readonly etag?: string },
  { signal }: StorageCallOptions,
): { ifMatch: string; signal?: AbortSignal } | { ifNoneMatch: "*"; signal?: AbortSignal } {
  const rest = signal === undefined ? {} : { signal };
  return found.etag === undefined
    ? { ifNoneMatch: "*", ...rest }
    : { ifMatch: found.etag, ...rest };
}

/** A name that nobody else draws. */
export function newToken({ random }: Stores): string {
  return encodeBase64url(random.bytes(12));
}

/**
 * Copies the record of the old store that was seen to the new one.
 *
 * @returns The token of the copy; `undefined` if somebody else was first.
 * @throws {HoldfastError} With `ERR_CORRUPT_RECORD`, if both stores have a record: somebody writes
 * past the migration.
 */
export async function copy(
  stores: Stores,
  key: string,
  seen: Seen,
  options: StorageCallOptions,
): Promise<string | undefined> {
  const { old, new: found } = seen;
  if (old.kind !== "record") return undefined;
  if (found.kind === "record") throw bothHaveIt();
  // Somebody has begun to move this very version: helping is safe, replacing would not be, because
  // the mark that names the token may be written at any moment.
  if (found.kind === "copy" && found.from === old.etag) return found.token;
  const token = newToken(stores);
  const text = copyText(token, old.etag, old.value);
  const put = await stores.to.put(key, text, over(found, options));
  return put.ok ? token : undefined;
}

/**
 * Gives the say about a key to the new store: copies the record there, then replaces it by a mark
 * that names the copy, which fails if the record has changed since.
 *
 * @returns `true` if done; `undefined` if somebody else was first, or there is nothing to move.
 */
export async function move(
  stores: Stores,
  key: string,
  seen: Seen,
  options: StorageCallOptions,
): Promise<true | undefined> {
  const token = await copy(stores, key, seen, options);
  return token === undefined ? undefined : await mark(stores, key, seen.old, token, options);
}

/** Replaces what was seen in the old store by a mark. */
export async function mark(
  { from }: Stores,
  key: string,
  old: Old,
  token: string,
  options: StorageCallOptions,
): Promise<true | undefined> {
  const put = await from.put(key, markText(token), over(old, options));
  return put.ok ? true : undefined;
}

/**
 * Runs what comes before the write a caller asked for. If it fails, that write did not happen,
 * whatever became of the steps towards it.
 */
export async function beforehand<T>(steps: Promise<T>): Promise<T> {
  try {
    return await steps;
  } catch (error) {
    if (!(error instanceof StorageUnavailableError) || error.outcome === "none") throw error;
    throw new StorageUnavailableError(error.message, "none", { cause: error });
  }
}

function bothHaveIt(): HoldfastError {
  return new HoldfastError(
    "ERR_CORRUPT_RECORD",
    "Cannot migrate: both storages have a record of the same key; " +
      "the new one was in use, or is written to by a node that does not migrate",
  );
}

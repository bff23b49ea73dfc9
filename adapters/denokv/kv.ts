import { StorageUnavailableError } from "../../src/core/errors.ts";

/** A key of Deno KV, of the parts we use. */
export type DenoKvKey = readonly (string | number)[];

/** What Deno KV has under a key; an absent one has no versionstamp. */
export interface DenoKvEntry {
  readonly key: readonly unknown[];
  readonly value: unknown;
  readonly versionstamp: string | null;
}

/** The part of `Deno.AtomicOperation` that the storage needs. */
export interface DenoKvAtomic {
  check(check: { key: DenoKvKey; versionstamp: string | null }): DenoKvAtomic;
  set(key: DenoKvKey, value: unknown): DenoKvAtomic;
  delete(key: DenoKvKey): DenoKvAtomic;
  commit(): Promise<{ ok: true; versionstamp: string } | { ok: false }>;
}

/** The part of `Deno.Kv` that the storage needs. */
export interface DenoKv {
  get(key: DenoKvKey): Promise<DenoKvEntry>;
  list(
    selector: { start: DenoKvKey; end: DenoKvKey },
    options: { limit?: number },
  ): AsyncIterable<DenoKvEntry>;
  atomic(): DenoKvAtomic;
  close(): void;
}

interface DenoLike {
  readonly openKv?: (path?: string) => Promise<DenoKv>;
}

/**
 * Opens Deno KV.
 *
 * @param path A file, `":memory:"`, the URL of a remote one, or `undefined` for the application's own.
 * @param deno Where `openKv` is looked for.
 * @returns The database.
 * @throws {StorageUnavailableError} If there is no Deno KV here, or it cannot be opened.
 */
export async function openDenoKv(
  path: string | undefined,
  deno: DenoLike | undefined = (globalThis as { readonly Deno?: DenoLike }).Deno,
): Promise<DenoKv> {
  if (deno?.openKv === undefined) throw unavailable(deno === undefined);
  try {
    return await deno.openKv(path);
  } catch (cause) {
    throw new StorageUnavailableError("Cannot open Deno KV: see the cause", "none", { cause });
  }
}

function unavailable(elsewhere: boolean): StorageUnavailableError {
  const why = elsewhere
    ? "this runtime is not Deno; use another storage"
    : 'it is not enabled; run Deno with --unstable-kv, or put "unstable": ["kv"] into deno.json';
  return new StorageUnavailableError(`Cannot open Deno KV: ${why}`, "none");
}

import { StorageUnavailableError } from "../../src/core/errors.ts";
import type { DeleteResult, PutOptions, PutResult } from "../../src/ports/storage.ts";
import type { Database } from "./database.ts";
import { isBusy, type Value } from "./driver.ts";

/** A write that waits for its transaction. */
export interface Write {
  readonly key: string;
  /** The text; `undefined` to delete. */
  readonly value: string | undefined;
  readonly conditions: PutOptions;
}

/** Outcome of a put or a delete; the etag of a delete means nothing. */
export type WriteResult = PutResult & DeleteResult;

/**
 * Carries out writes in one transaction. Nobody may be told of an outcome before this returned.
 *
 * @param database An open database.
 * @param writes In the order they arrived; a later one sees what an earlier one wrote.
 * @param nextEtag Gives an etag that was never used.
 * @returns One outcome per write, in the same order.
 * @throws {StorageUnavailableError} If a statement failed; nothing was written then, except that
 * after a failed commit that is not known. A driver's error for which {@linkcode isBusy} holds is
 * thrown as it is.
 */
export function transact(
  database: Database,
  writes: readonly Write[],
  nextEtag: () => string,
): readonly WriteResult[] {
  let committing = false;
  try {
    database.begin.run();
    const results: WriteResult[] = [];
    for (const write of writes) results.push(apply(database, write, nextEtag()));
    committing = true;
    database.commit.run();
    return results;
  } catch (error) {
    rollBack(database);
    if (isBusy(error)) throw error;
    const outcome = committing ? "unknown" : "none";
    const message = "Cannot write: the SQLite database reported an error";
    throw new StorageUnavailableError(message, outcome, { cause: error });
  }
}

function apply(database: Database, write: Write, etag: string): WriteResult {
  const { key, value, conditions: { ifMatch, ifNoneMatch } } = write;
  if (value === undefined) return remove(database, key, ifMatch);
  const encoded = encode(value);
  if (ifMatch !== undefined) {
    const { changes } = database.replace.run(encoded, etag, key, ifMatch);
    return Number(changes) === 1 ? { ok: true, etag } : { ok: false, found: etagOf(database, key) };
  }
  const { changes } = ifNoneMatch === undefined
    ? database.write.run(key, encoded, etag)
    : database.create.run(key, encoded, etag);
  return Number(changes) === 1 ? { ok: true, etag } : { ok: false, found: etagOf(database, key) };
}

function remove(database: Database, key: string, ifMatch: string | undefined): WriteResult {
  if (ifMatch !== undefined) {
    const found = etagOf(database, key);
    if (found !== ifMatch) return { ok: false, found };
  }
  database.remove.run(key);
  return { ok: true, etag: "" };
}

function etagOf(database: Database, key: string): string | null {
  const row = database.etag.get(key) as { readonly etag: string } | null | undefined;
  return row?.etag ?? null;
}

function rollBack(database: Database): void {
  try {
    database.rollback.run();
  } catch {
    // Some errors end the transaction by themselves, and a busy BEGIN never began one.
  }
}

const encoder = new TextEncoder();
const decoder: TextDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Text that has a NUL is stored as bytes: Deno's driver reads text up to the first NUL only. */
function encode(value: string): Value {
  return value.includes("\0") ? encoder.encode(value) : value;
}

/** Turns a stored value back into text. */
export function decode(value: string | Uint8Array): string {
  return typeof value === "string" ? value : decoder.decode(value);
}

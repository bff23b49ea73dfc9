import { encodeBase64url } from "../../src/core/base64url.ts";
import type { WriteConditions } from "../../src/core/storage_args.ts";
import type { DeleteResult, PutResult, Stored } from "../../src/ports/storage.ts";
import type { Random } from "../../src/ports/random.ts";
import type { SqlLike } from "./platform.ts";

const SCHEMA = "CREATE TABLE IF NOT EXISTS holdfast_record " +
  "(key TEXT PRIMARY KEY NOT NULL, etag TEXT NOT NULL, value TEXT NOT NULL) STRICT";

/**
 * The records in the database of a Durable Object. Nothing here waits, so nothing comes between a
 * condition and its write; and nothing leaves the object before what it has written is durable, which
 * Cloudflare calls the output gate.
 */
export class Records {
  readonly #sql: SqlLike;
  readonly #nextEtag: () => string;
  /** The table is known to be there. */
  #made = false;

  constructor(sql: SqlLike, random: Random) {
    this.#sql = sql;
    // Nobody else draws the same 72 bits, and the counter never goes back: also after a restore.
    const prefix = encodeBase64url(random.bytes(9));
    let count = 0;
    this.#nextEtag = () => `${prefix}.${count++}`;
  }

  /** Told that all there was of the database is gone. */
  forget(): void {
    this.#made = false;
  }

  get(key: string): Stored | undefined {
    if (!this.#isMade()) return undefined;
    const query = "SELECT value, etag FROM holdfast_record WHERE key = ?";
    const [row] = this.#sql.exec(query, key).toArray();
    return row && { value: String(row["value"]), etag: String(row["etag"]) };
  }

  put(key: string, value: string, { ifMatch, ifNoneMatch }: WriteConditions): PutResult {
    const found = this.#etag(key);
    const lost = ifNoneMatch === "*" ? found !== null : ifMatch !== undefined && ifMatch !== found;
    if (lost) return { ok: false, found };
    if (!this.#made) this.#sql.exec(SCHEMA);
    this.#made = true;
    const etag = this.#nextEtag();
    this.#sql.exec(
      "INSERT INTO holdfast_record (key, etag, value) VALUES (?, ?, ?) " +
        "ON CONFLICT (key) DO UPDATE SET etag = excluded.etag, value = excluded.value",
      key,
      etag,
      value,
    );
    return { ok: true, etag };
  }

  delete(key: string, ifMatch: string | undefined): DeleteResult {
    const found = this.#etag(key);
    if (ifMatch !== undefined && ifMatch !== found) return { ok: false, found };
    if (found !== null) this.#sql.exec("DELETE FROM holdfast_record WHERE key = ?", key);
    return { ok: true };
  }

  list(prefix: string, after: string, limit: number): readonly string[] {
    if (!this.#isMade()) return [];
    // DEL is greater than every character of a key.
    const rows = this.#sql.exec(
      "SELECT key FROM holdfast_record WHERE key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?",
      prefix,
      `${prefix}\x7f`,
      after,
      limit,
    ).toArray();
    return rows.map(({ key }) => String(key));
  }

  #etag(key: string): string | null {
    if (!this.#isMade()) return null;
    const [row] = this.#sql.exec("SELECT etag FROM holdfast_record WHERE key = ?", key).toArray();
    return row === undefined ? null : String(row["etag"]);
  }

  /** The first write makes the table, since a Durable Object that was only read from costs nothing. */
  #isMade(): boolean {
    const query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'holdfast_record'";
    return this.#made ||= this.#sql.exec(query).toArray().length > 0;
  }
}

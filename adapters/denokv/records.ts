import { encodeBase64url } from "../../src/core/base64url.ts";
import { HoldfastError, StorageUnavailableError } from "../../src/core/errors.ts";
import type { DeleteResult, PutOptions, PutResult, Stored } from "../../src/ports/storage.ts";
import { CHUNKS_PER_COMMIT, cut, isBlob, join } from "./chunks.ts";
import type { DenoKv, DenoKvAtomic, DenoKvEntry, DenoKvKey } from "./kv.ts";
import { isLocked, type Patience, patiently } from "./locked.ts";

/** How often a commit is repeated because somebody else was first; each time somebody got on. */
const MAX_ROUNDS = 1000;

/** A chunk that waits for the head that will refer to it. */
interface Staged {
  readonly key: DenoKvKey;
  readonly versionstamp: string;
}

/** Records of Deno KV: a head under each key, which is the text or refers to its chunks. */
export class Records {
  readonly #kv: DenoKv;
  readonly #prefix: readonly string[];
  readonly #patience: Patience;

  constructor(kv: DenoKv, prefix: readonly string[], patience: Patience) {
    this.#kv = kv;
    this.#prefix = prefix;
    this.#patience = patience;
  }

  async get(key: string): Promise<Stored | undefined> {
    let before: string | null | undefined;
    for (;;) {
      const { value, versionstamp: etag } = await this.#kv.get(this.#head(key));
      if (etag === null) return undefined;
      if (!isBlob(value)) return { value: String(value), etag };
      const chunks = await this.#chunks(key, value.blob, value.chunks);
      if (chunks !== undefined) return { value: join(chunks), etag };
      // Replaced between the two reads, unless the head is still the same.
      if (etag === before) throw damaged();
      before = etag;
    }
  }

  async put(key: string, text: string, options: PutOptions): Promise<PutResult> {
    const chunks = cut(text);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      options.signal?.throwIfAborted();
      const head = await this.#kv.get(this.#head(key));
      const found = head.versionstamp;
      if (!holds(options, found)) return { ok: false, found };
      const etag = chunks === undefined
        ? await this.#commit(this.#over(head).set(head.key as DenoKvKey, text))
        : await this.#putChunks(key, head, chunks);
      if (etag === undefined) continue;
      if (isBlob(head.value) || chunks !== undefined) await this.#tidy(key, etag);
      return { ok: true, etag };
    }
    throw overtaken();
  }

  async delete(key: string, options: PutOptions): Promise<DeleteResult> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      options.signal?.throwIfAborted();
      const head = await this.#kv.get(this.#head(key));
      const found = head.versionstamp;
      if (!holds(options, found)) return { ok: false, found };
      if (found === null) return { ok: true };
      if (await this.#commit(this.#over(head).delete(this.#head(key))) === undefined) continue;
      if (isBlob(head.value)) await this.#tidy(key, null);
      return { ok: true };
    }
    throw overtaken();
  }

  async list(prefix: string, after: string, limit: number): Promise<readonly string[]> {
    // DEL is greater than every character of a key, NUL less.
    const end = `${prefix}\x7f`;
    const start = after >= prefix ? `${after}\0` : prefix;
    if (start >= end) return [];
    const selector = { start: this.#head(start), end: this.#head(end) };
    const keys: string[] = [];
    for await (const entry of this.#kv.list(selector, { limit })) {
      keys.push(String(entry.key.at(-1)));
    }
    return keys;
  }

  #head(key: string): DenoKvKey {
    return [...this.#prefix, "record", key];
  }

  #chunk(key: string, blob: string, index: number): DenoKvKey {
    return [...this.#prefix, "chunk", key, blob, index];
  }

  #over({ key, versionstamp }: DenoKvEntry): DenoKvAtomic {
    return this.#kv.atomic().check({ key: key as DenoKvKey, versionstamp });
  }

  /** The versionstamp; `undefined` if a check failed. */
  async #commit(atomic: DenoKvAtomic): Promise<string | undefined> {
    try {
      const result = await patiently(() => atomic.commit(), this.#patience);
      return result.ok ? result.versionstamp : undefined;
    } catch (cause) {
      const outcome = isLocked(cause) ? "none" : "unknown";
      throw new StorageUnavailableError("Cannot write: Deno KV failed", outcome, { cause });
    }
  }

  async #chunks(
    key: string,
    blob: string,
    count: number,
  ): Promise<readonly Uint8Array[] | undefined> {
    const reads = Array.from({ length: count }, (_, i) => this.#kv.get(this.#chunk(key, blob, i)));
    const values = (await Promise.all(reads)).map(({ value }) => value);
    return values.every((value) => value instanceof Uint8Array) ? values : undefined;
  }

  /**
   * A commit takes less than what a large value needs. So chunks are set first, and the commit that
   * sets the head checks that each of them is still there.
   */
  async #putChunks(
    key: string,
    head: DenoKvEntry,
    chunks: readonly Uint8Array[],
  ): Promise<string | undefined> {
    const blob = encodeBase64url(this.#patience.random.bytes(12));
    const staged: Staged[] = [];
    for (let at = 0; at < chunks.length; at += CHUNKS_PER_COMMIT) {
      const part = chunks.slice(at, at + CHUNKS_PER_COMMIT);
      staged.push(...await this.#stage(part.map((_, i) => this.#chunk(key, blob, at + i)), part));
    }
    const atomic = this.#over(head).set(head.key as DenoKvKey, { blob, chunks: chunks.length });
    for (const chunk of staged) atomic.check(chunk);
    const etag = await this.#commit(atomic);
    if (etag === undefined) await this.#remove(staged.map((chunk) => chunk.key));
    return etag;
  }

  async #stage(
    keys: readonly DenoKvKey[],
    chunks: readonly Uint8Array[],
  ): Promise<readonly Staged[]> {
    const atomic = this.#kv.atomic();
    keys.forEach((key, i) => atomic.set(key, chunks[i]));
    let result: Awaited<ReturnType<DenoKvAtomic["commit"]>>;
    try {
      result = await patiently(() => atomic.commit(), this.#patience);
    } catch (cause) {
      throw new StorageUnavailableError("Cannot write: Deno KV failed", "none", { cause });
    }
    if (!result.ok) throw new StorageUnavailableError("Cannot write: Deno KV refused", "none");
    const { versionstamp } = result;
    return keys.map((key) => ({ key, versionstamp }));
  }

  /** Removes chunks nobody can refer to. */
  async #remove(keys: readonly DenoKvKey[]): Promise<void> {
    const atomic = this.#kv.atomic();
    for (const key of keys) atomic.delete(key);
    await atomic.commit().catch(() => {});
  }

  /**
   * Removes the chunks that the head of a key does not refer to, those of a process that died too,
   * as long as the head is the one given: a later one has chunks of its own. What is being staged
   * beside it goes as well, and is staged again. The write is done by now, so a failure is no matter.
   */
  async #tidy(key: string, etag: string | null): Promise<void> {
    try {
      const head = await this.#kv.get(this.#head(key));
      if (head.versionstamp !== etag) return;
      const live = isBlob(head.value) ? head.value.blob : undefined;
      const start: DenoKvKey = [...this.#prefix, "chunk", key];
      const selector = { start: [...start, ""], end: [...start, "\x7f"] };
      const dead: DenoKvKey[] = [];
      for await (const chunk of this.#kv.list(selector, {})) {
        if (chunk.key.at(-2) !== live) dead.push(chunk.key as DenoKvKey);
      }
      for (let at = 0; at < dead.length; at += 50) {
        const atomic = this.#over(head);
        for (const one of dead.slice(at, at + 50)) atomic.delete(one);
        await atomic.commit();
      }
    } catch {
      // The next large write of this key, or its end, tidies up again.
    }
  }
}

function holds({ ifMatch, ifNoneMatch }: PutOptions, found: string | null): boolean {
  if (ifMatch !== undefined) return found === ifMatch;
  return ifNoneMatch === undefined || found === null;
}

function damaged(): HoldfastError {
  return new HoldfastError("ERR_CORRUPT_RECORD", "Cannot read: a chunk of the value is missing");
}

function overtaken(): StorageUnavailableError {
  return new StorageUnavailableError("Cannot write: other writers were always first", "none");
}

import { assert } from "../../src/core/assert.ts";
import type {
  DeleteResult,
  PutResult,
  StorageCallOptions,
  Stored,
} from "../../src/ports/storage.ts";
import { type Old, readNew, readOld } from "./envelope.ts";
import {
  beforehand,
  look,
  mark,
  type MigrationPhase,
  move,
  newToken,
  over,
  recordIn,
  repeat,
  type Stores,
} from "./protocol.ts";

/** Marks remembered; they are for good, so that what is remembered needs no look. */
const MAX_MARKS = 10_000;

/** A write as it was asked for. */
export interface Call {
  readonly key: string;
  /** Only if the key is at this version. */
  readonly ifMatch: string | undefined;
  /** Only if the key is absent. */
  readonly create: boolean;
  readonly options: StorageCallOptions;
}

type Lost = { readonly ok: false; readonly found: string | null };

/** Where a write has to be done: in the new store, under a mark, or nowhere, having lost. */
type Turn = { readonly token: string } | Lost | "absent";

/** Single records, wherever they are. */
export class Records {
  readonly #stores: Stores;
  readonly #phase: MigrationPhase;
  readonly #marks = new Map<string, string>();

  constructor(stores: Stores, phase: MigrationPhase) {
    this.#stores = stores;
    this.#phase = phase;
  }

  async get(key: string, options: StorageCallOptions): Promise<Stored | undefined> {
    const old = await this.#old(key, options);
    if (old.kind === "record") return { value: old.value, etag: `from:${old.etag}` };
    if (old.kind === "absent" && this.#phase === "copying") return undefined;
    const found = readNew(await this.#stores.to.get(key, options));
    // Without a mark only a node that does not migrate any more can have written it.
    return recordIn(found, old.kind === "mark" ? old.token : "");
  }

  async put(call: Call, value: string): Promise<PutResult> {
    if (this.#phase === "copying") {
      const answer = await this.#putOld(call, value);
      if (answer !== "moved") return answer;
    }
    const turn = await beforehand(this.#turn(call, false));
    assert(turn !== "absent", "a put gives an absent key a mark");
    return "token" in turn ? await this.#putNew(call, turn.token, value) : turn;
  }

  async delete(call: Call): Promise<DeleteResult> {
    const { key, options } = call;
    const gone = await repeat(
      options.signal,
      async (): Promise<DeleteResult | "moved" | undefined> => {
        const old = await beforehand(this.#old(key, options));
        if (old.kind === "mark") return "moved";
        if (old.kind === "absent" && this.#phase === "cutover") return "moved";
        const found = old.kind === "record" ? `from:${old.etag}` : null;
        if (!holds(call, found)) return { ok: false, found };
        if (old.kind === "absent") return { ok: true };
        // Without a mark: where there is nothing the old store may keep the say.
        const { from } = this.#stores;
        const deleted = await from.delete(key, { ...options, ifMatch: old.etag });
        return deleted.ok ? deleted : undefined;
      },
    );
    if (gone !== "moved") return gone;
    const turn = await beforehand(this.#turn(call, true));
    if (turn === "absent") return { ok: true };
    return "token" in turn ? await this.#deleteNew(call, turn.token) : turn;
  }

  /** What the old store has; a mark that was seen before is not read again. */
  async #old(key: string, options: StorageCallOptions): Promise<Old> {
    const token = this.#marks.get(key);
    if (token !== undefined) return { kind: "mark", token };
    return this.#remember(key, readOld(await this.#stores.from.get(key, options)));
  }

  #remember(key: string, old: Old): Old {
    if (old.kind !== "mark") return old;
    if (this.#marks.size >= MAX_MARKS) this.#marks.clear();
    this.#marks.set(key, old.token);
    return old;
  }

  /** A put while the old store may have the say; never over a mark. */
  #putOld(call: Call, value: string): Promise<PutResult | "moved"> {
    const { key, options } = call;
    const { from } = this.#stores;
    return repeat(options.signal, async (round) => {
      const hint = round === 0 ? guess(call) : undefined;
      const old = hint ?? await beforehand(this.#old(key, options));
      if (old.kind === "mark") return "moved";
      const found = "etag" in old ? `from:${old.etag}` : null;
      if (!holds(call, found)) return { ok: false, found };
      const put = await from.put(key, value, over(old, options));
      return put.ok ? { ok: true, etag: `from:${put.etag}` } : undefined;
    });
  }

  /** Sees to it that the new store has the say, unless the write has lost before. */
  #turn(call: Call, deleting: boolean): Promise<Turn> {
    const { key, options } = call;
    return repeat(options.signal, async (): Promise<Turn | undefined> => {
      const token = this.#marks.get(key);
      if (token !== undefined) return { token };
      const seen = await look(this.#stores, key, options);
      const old = this.#remember(key, seen.old);
      if (old.kind === "mark") return { token: old.token };
      const record = old.kind === "record" ? `from:${old.etag}` : recordIn(seen.new, "")?.etag;
      if (!holds(call, record ?? null)) return { ok: false, found: record ?? null };
      if (old.kind === "absent" && record === undefined && deleting) return "absent";
      if (old.kind === "record") await move(this.#stores, key, seen, options);
      else await mark(this.#stores, key, old, newToken(this.#stores), options);
      return undefined;
    });
  }

  /** A put under a mark. */
  #putNew(call: Call, token: string, value: string): Promise<PutResult> {
    const { key, options } = call;
    const { to } = this.#stores;
    return repeat(options.signal, async (round): Promise<PutResult | undefined> => {
      const etag = round === 0 ? nameIn("to:", call.ifMatch) : undefined;
      let condition = etag === undefined ? undefined : over({ kind: "record", etag }, options);
      if (condition === undefined) {
        const found = readNew(await beforehand(to.get(key, options)));
        const record = recordIn(found, token)?.etag ?? null;
        if (!holds(call, record)) return { ok: false, found: record };
        condition = over(found, options);
      }
      const put = await to.put(key, value, condition);
      return put.ok ? { ok: true, etag: `to:${put.etag}` } : undefined;
    });
  }

  /** A delete under a mark; a copy that counts for nothing goes with it. */
  #deleteNew(call: Call, token: string): Promise<DeleteResult> {
    const { key, options } = call;
    const { to } = this.#stores;
    return repeat(options.signal, async (): Promise<DeleteResult | undefined> => {
      const found = readNew(await beforehand(to.get(key, options)));
      const record = recordIn(found, token)?.etag ?? null;
      if (!holds(call, record)) return { ok: false, found: record };
      if (found.kind === "absent") return { ok: true };
      const deleted = await to.delete(key, { ...options, ifMatch: found.etag });
      return deleted.ok ? deleted : undefined;
    });
  }
}

function holds({ ifMatch, create }: Call, found: string | null): boolean {
  if (ifMatch !== undefined) return found === ifMatch;
  return !create || found === null;
}

/** What the old store has if the condition of a write holds: worth a try without a look. */
function guess(
  { ifMatch, create }: Call,
): { kind: "record"; etag: string } | { kind: "absent" } | undefined {
  if (create) return { kind: "absent" };
  const etag = nameIn("from:", ifMatch);
  return etag === undefined ? undefined : { kind: "record", etag };
}

function nameIn(store: "from:" | "to:", etag: string | undefined): string | undefined {
  return etag?.startsWith(store) ? etag.slice(store.length) : undefined;
}

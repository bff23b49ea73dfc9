import type {
  DeleteOptions,
  DeleteResult,
  ListOptions,
  PutOptions,
  PutResult,
  Stored,
} from "../../../src/ports/storage.ts";

/** Told of every change at the instant it happens; `undefined` for a key that was deleted. */
export type OnChange = (key: string, value: string | undefined) => void;

/**
 * What is durable in a simulation. The version of a key is its text, as S3 makes its etag from the
 * content: two writers of the same bytes would both win, so whoever relies on the etag alone is
 * found out.
 */
export class SimulatedStore {
  readonly #entries: Map<string, string> = new Map();
  readonly #onChange: OnChange;

  constructor(onChange: OnChange) {
    this.#onChange = onChange;
  }

  get(key: string): Stored | undefined {
    const value = this.#entries.get(key);
    return value === undefined ? undefined : { value, etag: value };
  }

  put(key: string, value: string, { ifMatch, ifNoneMatch }: PutOptions): PutResult {
    const found = this.#entries.get(key);
    const lost = ifNoneMatch === "*" ? found !== undefined : isStale(found, ifMatch);
    if (lost) return { ok: false, found: found ?? null };
    this.#entries.set(key, value);
    this.#onChange(key, value);
    return { ok: true, etag: value };
  }

  delete(key: string, { ifMatch }: DeleteOptions): DeleteResult {
    const found = this.#entries.get(key);
    if (isStale(found, ifMatch)) return { ok: false, found: found ?? null };
    if (this.#entries.delete(key)) this.#onChange(key, undefined);
    return { ok: true };
  }

  list(prefix: string, { after = "", limit = 1000 }: ListOptions = {}): readonly string[] {
    const keys: string[] = [];
    for (const key of this.#entries.keys()) {
      if (key > after && key.startsWith(prefix)) keys.push(key);
    }
    return keys.sort().slice(0, limit);
  }
}

function isStale(found: string | undefined, ifMatch: string | undefined): boolean {
  return ifMatch !== undefined && ifMatch !== found;
}

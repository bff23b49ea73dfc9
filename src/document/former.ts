import type { LogStore } from "./log_store.ts";
import type { ClientMark, Entry } from "./stored.ts";
import { type AnySpec, upToDate } from "./version.ts";

/** So many entries before a client's latest are looked through: each may be a request. */
const mostLookedThrough = 500;

/** Clients whose entries are remembered. */
const mostClients = 64;

/** Entries of a client. */
interface Known {
  /** The number in the log of the last one that could be among them. */
  readonly upTo: number;
  /** By the client's own numbers. */
  readonly entries: ReadonlyMap<number, Entry>;
}

/** What the log has of operations that clients send again and that memory has not (SPEC DO6). */
export class Former {
  readonly #spec: AnySpec;
  readonly #log: LogStore;
  readonly #key: string;
  /** By client; those asked for last come last. */
  #known: Map<string, Known> = new Map();

  constructor(spec: AnySpec, log: LogStore, key: string) {
    this.#spec = spec;
    this.#log = log;
    this.#key = key;
  }

  /**
   * The entry of a client's operation; `undefined` if it was never accepted, or long before the latest.
   *
   * @param latest Its latest operation that was accepted.
   * @throws {StorageUnavailableError} If storage fails.
   */
  async find(
    { id, seq }: NonNullable<Entry["client"]>,
    latest: ClientMark,
  ): Promise<Entry | undefined> {
    const all = this.#known;
    let known = all.get(id);
    if (known === undefined || (known.upTo < latest.seq && !known.entries.has(seq))) {
      known = { upTo: latest.seq, entries: await this.#read(id, latest.seq) };
      all.delete(id);
      all.set(id, known);
      for (const quiet of all.keys()) {
        if (all.size <= mostClients) break;
        all.delete(quiet);
      }
    }
    return known.entries.get(seq);
  }

  /** Forgets everything: another log has taken the place of the one before. */
  clear(): void {
    // What is being read goes into the old one.
    this.#known = new Map();
  }

  async #read(id: string, last: number): Promise<ReadonlyMap<number, Entry>> {
    const entries = new Map<number, Entry>();
    const from = Math.max(1, last + 1 - mostLookedThrough);
    for await (const segment of this.#log.read(this.#key, from)) {
      for (const entry of upToDate(this.#spec, segment).entries) {
        if (entry.client?.id === id && entry.seq <= last) entries.set(entry.client.seq, entry);
      }
      if ((segment.entries.at(-1)?.seq ?? last) >= last) break;
    }
    return entries;
  }
}

import type { ClientMark, Entry } from "./stored.ts";

/** Clients remembered per document; beyond it the one that has been quiet for longest is forgotten. */
const maxClients = 1000;

/** So many are kept apart from the others before all are put together. */
const maxNewer = 32;

type Marks = ReadonlyMap<string, ClientMark>;

/**
 * Which operation of each client was accepted last, so that one sent again after a lost answer is
 * not done twice (SPEC DO6). Immutable: a table goes with the state it describes. Those who have done something
 * of late are kept apart, so that not the whole table is copied for each operation.
 */
export class Clients {
  readonly #older: Marks;
  readonly #newer: Marks;

  /**
   * @param older In order of use, the last one last.
   * @param newer Used after all of these; of one that is among both, this counts.
   */
  constructor(older: Marks = new Map(), newer: Marks = new Map()) {
    this.#older = older;
    this.#newer = newer;
  }

  /** All of them, in order of use. */
  get marks(): Marks {
    if (this.#newer.size === 0) return this.#older;
    const marks = new Map(this.#older);
    for (const [id, mark] of this.#newer) {
      // Put last: the order is that of use.
      marks.delete(id);
      marks.set(id, mark);
    }
    for (const id of marks.keys()) {
      if (marks.size <= maxClients) break;
      marks.delete(id);
    }
    return marks;
  }

  /** The table after some more entries. */
  after(entries: readonly Entry[]): Clients {
    if (!entries.some(({ client }) => client !== undefined)) return this;
    const newer = new Map(this.#newer);
    for (const { client, seq, at } of entries) {
      if (client === undefined) continue;
      newer.delete(client.id);
      newer.set(client.id, { clientSeq: client.seq, seq, at });
    }
    const after = new Clients(this.#older, newer);
    return newer.size <= maxNewer ? after : new Clients(after.marks);
  }

  /** A client's latest operation; `undefined` if there is none. */
  latestOf(id: string): ClientMark | undefined {
    return this.#newer.get(id) ?? this.#older.get(id);
  }

  /** The same; `undefined` also if the operation that is asked for has not been here. */
  latest(client: { readonly id: string; readonly seq: number }): ClientMark | undefined {
    const mark = this.latestOf(client.id);
    return mark === undefined || mark.clientSeq < client.seq ? undefined : mark;
  }
}

import type { WireKey } from "./shared_wire.ts";
import type { Table } from "./table.ts";

/** How many keys are asked for with one message at most, and how many characters they may have. */
const MAX_KEYS = 500;
const MAX_LENGTH = 16_000;

interface Needed {
  readonly key: WireKey;
  count: number;
  /** The leader has been asked for it. */
  asked: boolean;
}

/** Which keys of which tables are needed, and which of them the leader has not been asked for yet. */
export class Interest {
  readonly #places: ReadonlyMap<Table, number>;
  readonly #needed = new Map<string, Needed>();
  /** Those that may have to be asked for, or not any more. */
  #changed = new Set<string>();

  /** @param tables The watched tables, in the order in which messages name them. */
  constructor(tables: readonly Table[]) {
    this.#places = new Map(tables.map((table, place) => [table, place]));
  }

  /** Tells whether there is something to ask for. */
  get changed(): boolean {
    return this.#changed.size > 0;
  }

  /** One more needs the rows of a key. */
  add(tables: Iterable<Table>, key: string): void {
    for (const table of tables) {
      const place = this.#places.get(table)!;
      const name = `${place}/${key}`;
      const needed = this.#needed.get(name) ?? { key: [place, key], count: 0, asked: false };
      this.#needed.set(name, needed);
      if (++needed.count === 1) this.#changed.add(name);
    }
  }

  /** One less does. */
  remove(tables: Iterable<Table>, key: string): void {
    for (const table of tables) {
      const name = `${this.#places.get(table)}/${key}`;
      const needed = this.#needed.get(name);
      if (needed !== undefined && --needed.count === 0) this.#changed.add(name);
    }
  }

  /** Nobody has been asked for anything yet. */
  renew(): void {
    for (const [name, needed] of this.#needed) {
      needed.asked = false;
      if (needed.count === 0) this.#needed.delete(name);
    }
    this.#changed = new Set(this.#needed.keys());
  }

  /** As much of what has to be asked for as one message holds; taken for asked for from now on. */
  take(): { readonly add: readonly WireKey[]; readonly drop: readonly WireKey[] } {
    const [add, drop]: [WireKey[], WireKey[]] = [[], []];
    let length = 0;
    for (const name of this.#changed) {
      if (add.length + drop.length === MAX_KEYS || length > MAX_LENGTH) break;
      length += name.length;
      this.#changed.delete(name);
      const needed = this.#needed.get(name)!;
      if (needed.count > 0) {
        if (!needed.asked) add.push(needed.key);
        needed.asked = true;
      } else {
        if (needed.asked) drop.push(needed.key);
        this.#needed.delete(name);
      }
    }
    return { add, drop };
  }
}

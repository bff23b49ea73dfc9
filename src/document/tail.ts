import type { Entry } from "./stored.ts";

/** The latest entries of a log, kept in memory for those who have missed some. */
export class Tail {
  readonly #limit: number;
  #entries: Entry[] = [];

  /** @param limit Entries kept at least. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds entries that come next. */
  push(entries: readonly Entry[]): void {
    this.#entries.push(...entries);
    // Cut now and then: moving the rest for each entry would cost more than the rest is worth.
    if (this.#entries.length > 2 * this.#limit) this.#entries = this.#entries.slice(-this.#limit);
  }

  /** The number of the oldest entry. */
  get first(): number | undefined {
    return this.#entries[0]?.seq;
  }

  /** Drops the entries after a number, and returns the others. */
  upTo(seq: number): readonly Entry[] {
    const last = this.#entries.at(-1)?.seq ?? 0;
    if (last > seq) this.#entries.splice(this.#entries.length - (last - seq));
    return this.#entries;
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries = [];
  }

  /** The entries between two numbers, the latter included; `undefined` if some are gone. */
  between(seq: number, last: number): readonly Entry[] | undefined {
    if (seq === last) return [];
    const first = this.#entries[0]?.seq;
    if (first === undefined || first > seq + 1 || seq > last) return undefined;
    return this.#entries.slice(seq + 1 - first, last + 1 - first);
  }

  /** The entry of a client's operation, if it is still here. */
  of(client: { readonly id: string; readonly seq: number }): Entry | undefined {
    return this.#entries.findLast((entry) =>
      entry.client?.id === client.id && entry.client.seq === client.seq
    );
  }
}

import type { Entry } from "./stored.ts";

/** Of what is kept, in entries and bytes; up to twice as much for a while. */
export interface TailLimit {
  readonly entries: number;
  readonly bytes: number;
}

/** The latest entries of a log, kept in memory for those who have missed some. */
export class Tail {
  readonly #limit: TailLimit;
  #entries: Entry[] = [];
  /** Of all of them, as JSON, about. */
  #bytes = 0;

  constructor(limit: TailLimit) {
    this.#limit = limit;
  }

  /**
   * Adds entries that come next.
   *
   * @param bytes What they take as JSON.
   */
  push(entries: readonly Entry[], bytes: number): void {
    this.#entries.push(...entries);
    this.#bytes += bytes;
    // Cut now and then: moving the rest for each entry would cost more than the rest is worth.
    const { entries: most, bytes: mostBytes } = this.#limit;
    if (this.#entries.length <= 2 * most && this.#bytes <= 2 * mostBytes) return;
    // As if all were of one size.
    const each = this.#bytes / this.#entries.length;
    const kept = Math.max(1, Math.min(most, Math.floor(mostBytes / each)));
    this.#entries = this.#entries.slice(-kept);
    this.#bytes = each * this.#entries.length;
  }

  /**
   * Adds entries before those that are here, unless there is a gap.
   *
   * @param bytes What they take as JSON.
   * @param next The number that comes after them.
   */
  prepend(entries: readonly Entry[], bytes: number, next: number): void {
    const from = entries[0]?.seq ?? next;
    const isWhole = from + entries.length === next && (this.first ?? next) === next;
    if (!isWhole) return;
    this.#entries = [...entries, ...this.#entries];
    this.#bytes += bytes;
  }

  /** The number of the oldest entry. */
  get first(): number | undefined {
    return this.#entries[0]?.seq;
  }

  /** Drops the entries after a number, and returns the others. */
  upTo(seq: number): readonly Entry[] {
    const last = this.#entries.at(-1)?.seq ?? 0;
    if (last <= seq) return this.#entries;
    const before = this.#entries.length;
    this.#entries.splice(before - (last - seq));
    this.#bytes *= this.#entries.length / before;
    return this.#entries;
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries = [];
    this.#bytes = 0;
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

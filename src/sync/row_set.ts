import type { Change } from "./change.ts";
import { applyNested } from "./nested.ts";
import { idText, type ReadRow, type Row, valueText } from "./row.ts";
import type { ChangeReader, Effect } from "./rows.ts";
import type { Nested, Shape } from "./shape.ts";

/** What became of a value: the same, another one, or one that only a query can tell. */
export type Outcome = "same" | "changed" | "reload";

type Put = Extract<Effect, { readonly kind: "put" }>;

/**
 * The rows of one key, kept current by what the log says. Whatever cannot be known for certain from
 * the log alone is left to a query (`"reload"`).
 */
export class RowSet {
  readonly #shape: Shape;
  readonly #reader: ChangeReader;
  readonly #key: string;
  /** In the order of the value, unless rows were added or changed since it was last sorted. */
  #rows: Map<string, Row>;
  #sorted = true;

  /**
   * @param rows As they were loaded.
   * @param key Whom they belong to, as text.
   */
  constructor(rows: readonly Row[], shape: Shape, reader: ChangeReader, key: string) {
    this.#shape = shape;
    this.#reader = reader;
    this.#key = key;
    this.#rows = new Map(rows.map((row) => [idText(row, shape.id), row]));
    this.#sorted = shape.compare === undefined;
  }

  /** How many there are: fewer than were loaded if some had the same id. */
  get size(): number {
    return this.#rows.size;
  }

  /** The rows in their order: a new list each time. */
  value(): readonly Row[] {
    const { compare } = this.#shape;
    if (!this.#sorted && compare !== undefined) {
      const entries = [...this.#rows].sort(([, a], [, b]) => compare(a, b));
      this.#rows = new Map(entries);
      this.#sorted = true;
    }
    return [...this.#rows.values()];
  }

  /**
   * Applies a change.
   *
   * @throws whatever a parser of a field, `where` or the order throws.
   */
  apply(change: Change): Outcome {
    if (change.kind === "schema") return "reload";
    if (change.table === this.#shape.table) {
      const outcome = this.#own(change);
      if (outcome !== "same" || this.#shape.nested.length === 0) return outcome;
    }
    const outcomes = this.#shape.nested.map((nested) => this.#inner(change, nested));
    if (outcomes.includes("reload")) return "reload";
    return outcomes.includes("changed") ? "changed" : "same";
  }

  #own(change: Exclude<Change, { readonly kind: "schema" }>): Outcome {
    const effect = this.#reader.effect(change, this.#shape, this.#key);
    switch (effect.kind) {
      case "none":
        return "same";
      case "clear":
        if (this.#rows.size === 0) return "same";
        this.#rows.clear();
        return "changed";
      case "remove":
        return this.#remove(effect.id);
      case "put":
        return this.#put(effect);
    }
  }

  #remove(id: string): Outcome {
    const full = this.#full;
    if (!this.#rows.delete(id)) return "same";
    // What comes after the last one is not known here.
    return full ? "reload" : "changed";
  }

  #put({ id, read, fresh }: Put): Outcome {
    const existing = fresh ? undefined : this.#rows.get(id);
    const { where, properties } = this.#shape;
    if (properties === undefined) return "reload";
    const whole: Row = { ...existing, ...read.row };
    const unknown = read.missing.filter((property) => !(property in whole));
    if (existing === undefined && read.missing.length > 0) return "reload";
    // What is not kept may still be what decides.
    if (where !== true && unknown.length > 0) return "reload";
    if (where !== true && !where(whole)) return existing === undefined ? "same" : this.#remove(id);
    const row = only(whole, properties);
    return existing === undefined ? this.#add(row) : this.#replace(id, existing, row, read);
  }

  #add(row: Row): Outcome {
    const { compare } = this.#shape;
    if (this.#full) {
      const last = compare === undefined ? undefined : this.value().at(-1);
      // It comes after all of those that are shown: nothing is to be seen of it.
      return last !== undefined && compare!(row, last) > 0 ? "same" : "reload";
    }
    const filled = this.#fill(row);
    const id = idText(row, this.#shape.id);
    // Another one of the same id: ids do not tell rows apart as they are read.
    if (filled === undefined || this.#rows.has(id)) return "reload";
    this.#set(id, filled);
    return "changed";
  }

  #replace(id: string, existing: Row, row: Row, read: ReadRow): Outcome {
    const { compare, nested } = this.#shape;
    const moved = compare !== undefined && compare(existing, row) !== 0;
    if (moved && this.#full) return "reload";
    const renamed = idText(row, this.#shape.id);
    if (renamed !== id && (nested.length > 0 || this.#rows.has(renamed))) return "reload";
    const pointing = nested.filter(({ many, ref }) => !many && ref in read.row);
    const other = pointing.some(({ ref }) => valueText(existing[ref]) !== valueText(row[ref]));
    const filled = other ? this.#fill(row) : row;
    if (filled === undefined) return "reload";
    if (renamed !== id) this.#rows.delete(id);
    this.#set(renamed, filled, moved);
    return "changed";
  }

  #set(id: string, row: Row, moved = true): void {
    this.#rows.set(id, row);
    if (moved && this.#shape.compare !== undefined) this.#sorted = false;
  }

  /** Finds what lies in a row among what lies in the others; `undefined` if a query has to. */
  #fill(row: Row): Row | undefined {
    const filled: Record<string, unknown> = { ...row };
    for (const { many, ref, property, id } of this.#shape.nested) {
      // A row that was there before may bring others along, which came before we looked.
      if (many) {
        if (property in row) continue;
        return undefined;
      }
      const wanted = row[ref];
      if (wanted === null) filled[property] = null;
      else {
        const found = [...this.#rows.values()].map((one) => one[property] as Row | null)
          .find((inner) => inner !== null && idText(inner, id) === valueText(wanted));
        if (found === undefined) return undefined;
        filled[property] = found;
      }
    }
    return filled;
  }

  #inner(change: Exclude<Change, { readonly kind: "schema" }>, nested: Nested): Outcome {
    const rows = [...this.#rows.values()];
    const result = applyNested(rows, change, nested, this.#shape.id, this.#reader, this.#key);
    if (result === "reload") return "reload";
    for (const [before, after] of result) {
      this.#rows.set(idText(before, this.#shape.id), after);
    }
    return result.size > 0 ? "changed" : "same";
  }

  get #full(): boolean {
    const { limit } = this.#shape;
    return limit !== undefined && this.#rows.size >= limit;
  }
}

/** Leaves out what a value does not have. */
function only(row: Row, properties: ReadonlySet<string>): Row {
  const kept: Record<string, unknown> = {};
  for (const property of properties) if (property in row) kept[property] = row[property];
  return kept;
}

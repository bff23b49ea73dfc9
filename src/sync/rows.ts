import type { Change } from "./change.ts";
import { type Codec, idText, type ReadRow, RowReader } from "./row.ts";
import type { Relation } from "./relation.ts";
import type { Shape } from "./shape.ts";

/** What a change means for the rows of one key. */
export type Effect =
  /** Nothing. */
  | { readonly kind: "none" }
  /** All of them are gone. */
  | { readonly kind: "clear" }
  /** One of them is gone, or belongs to somebody else now. */
  | { readonly kind: "remove"; readonly id: string }
  /** One of them is new or has changed; `id` is the one it had before. */
  | { readonly kind: "put"; readonly id: string; readonly read: ReadRow; readonly fresh: boolean };

const none: Effect = { kind: "none" };

/** Reads changes for the rows of one key: whose row it was, whose it is, and what it holds. */
export class ChangeReader {
  readonly #codec: () => Codec;
  readonly #readers = new WeakMap<Relation, RowReader>();

  constructor(codec: () => Codec) {
    this.#codec = codec;
  }

  /** Reads the rows of a relation. */
  readerOf(relation: Relation): RowReader {
    const known = this.#readers.get(relation);
    if (known !== undefined) return known;
    const reader = new RowReader(relation, this.#codec());
    this.#readers.set(relation, reader);
    return reader;
  }

  /**
   * Tells what a change means for the rows that belong to a key. The key of the row is looked at
   * here once more, whatever the way the change has come (SPEC SY10).
   *
   * @throws whatever a parser of a field throws.
   */
  effect(change: Exclude<Change, { readonly kind: "schema" }>, shape: Shape, key: string): Effect {
    if (change.kind === "truncate") return { kind: "clear" };
    const { table } = shape;
    const reader = this.readerOf(change.relation);
    const idOf = (tuple: Parameters<RowReader["read"]>[0]): string =>
      idText(reader.pick(tuple, table.info.id), shape.id);
    if (change.kind === "delete") {
      if (table.keyOf(change.before) !== key) return none;
      return { kind: "remove", id: idOf(change.before) };
    }
    const before = change.kind === "update" ? change.before ?? change.after : undefined;
    const was = before !== undefined && table.keyOf(before) === key;
    if (table.keyOf(change.after) !== key) {
      return was ? { kind: "remove", id: idOf(before) } : none;
    }
    const read = reader.read(change.after);
    const id = was ? idOf(before) : idText(read.row, shape.id);
    return { kind: "put", id, read, fresh: !was };
  }
}

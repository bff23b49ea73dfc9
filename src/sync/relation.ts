/** A column as the log describes it. */
export interface Column {
  readonly name: string;
  /** Object id of its type. */
  readonly type: number;
  /** Belongs to the replica identity: the old row carries it. */
  readonly identity: boolean;
}

/** A table as the log describes it. */
export interface Relation {
  /** Object id of the table. */
  readonly id: number;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly Column[];
}

/** Stands for a large value that an update has left as it was, and the log does not repeat. */
export const UNCHANGED: unique symbol = Symbol("unchanged");

/** A field as the log has it. */
export type Field = string | null | typeof UNCHANGED;

/** Tells whether two descriptions have the same columns. */
export function sameColumns(a: Relation, b: Relation): boolean {
  return a.columns.length === b.columns.length &&
    a.columns.every((column, i) => {
      const other = b.columns[i];
      return column.name === other?.name && column.type === other.type &&
        column.identity === other.identity;
    });
}

import type { Relation, Tuple } from "./relation.ts";
import type { Table } from "./table.ts";

/** What a transaction did to one row, or to a table as a whole. */
export type Change =
  | {
    readonly kind: "insert";
    readonly table: Table;
    readonly relation: Relation;
    readonly after: Tuple;
  }
  | {
    readonly kind: "update";
    readonly table: Table;
    readonly relation: Relation;
    /** The identity of the row before, or all of it; only if something of the identity changed. */
    readonly before: Tuple | undefined;
    readonly after: Tuple;
  }
  | {
    readonly kind: "delete";
    readonly table: Table;
    readonly relation: Relation;
    readonly before: Tuple;
  }
  | { readonly kind: "truncate"; readonly table: Table }
  /** Columns came or went; what was loaded before has others. */
  | { readonly kind: "schema"; readonly table: Table };

/** Where a committed transaction is in the log. */
export interface Position {
  /** Names the history; positions of different ones cannot be compared. */
  readonly epoch: string;
  readonly commitLsn: bigint;
  /** Position after it: the next transaction is there or behind. */
  readonly endLsn: bigint;
  /** The low 32 bits of its id. */
  readonly xid: number;
  /** Counts the transactions of the epoch. */
  readonly seq: number;
}

/** What one committed transaction did to the watched tables, in order. */
export interface Transaction extends Position {
  readonly changes: readonly Change[];
  /** Tables of which so much has changed that the changes were not kept. */
  readonly overflowed: ReadonlySet<Table>;
}

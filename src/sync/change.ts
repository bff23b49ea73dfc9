import type { Hold } from "./arena.ts";
import type { Relation } from "./relation.ts";
import type { Table } from "./table.ts";
import { fieldsOf, type Tuple } from "./tuple.ts";

/** What is known of every change of a row. */
interface OfRow {
  readonly table: Table;
  readonly relation: Relation;
  /** About how much is kept with it. */
  readonly bytes: number;
}

/** What a transaction did to one row, or to a table as a whole. */
export type Change =
  | OfRow & { readonly kind: "insert"; readonly after: Tuple }
  | OfRow & {
    readonly kind: "update";
    /** The identity of the row before, or all of it; only if something of the identity changed. */
    readonly before: Tuple | undefined;
    readonly after: Tuple;
  }
  | OfRow & { readonly kind: "delete"; readonly before: Tuple }
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
  /** How much its changes count together. */
  readonly weight: number;
  /** Where its rows lie, to be released when nobody will read them any more. */
  readonly hold?: Hold;
}

/** A change of so many bytes counts once where changes are counted, a larger one as many times as it has them. */
const COUNTED_BYTES = 1024;

/** How much a change counts where only so many are kept. */
export function weightOf(change: Change): number {
  return "bytes" in change ? Math.max(1, Math.ceil(change.bytes / COUNTED_BYTES)) : 1;
}

/** The same change with its rows read: it keeps nothing else of what they lay in. */
export function detached(change: Change): Change {
  switch (change.kind) {
    case "insert":
      return { ...change, after: fieldsOf(change.after) };
    case "delete":
      return { ...change, before: fieldsOf(change.before) };
    case "update": {
      const before = change.before && fieldsOf(change.before);
      return { ...change, before, after: fieldsOf(change.after) };
    }
    default:
      return change;
  }
}

import { Arena, Hold } from "./arena.ts";
import { type Change, type Transaction, weightOf } from "./change.ts";
import type { Message } from "./pgoutput.ts";
import type { Relation } from "./relation.ts";
import { completed, type Table } from "./table.ts";

/** Options of an {@linkcode Assembler}. */
export interface AssemblerOptions {
  /** Finds a watched table; `undefined` for one that nobody watches. */
  readonly tableOf: (relation: Relation) => Table | undefined;
  /** All watched tables. */
  readonly tables: () => Iterable<Table>;
  /** Is told when the log says that a table is set up otherwise than it was, for certain or perhaps. */
  readonly suspect?: (table: Table, certain: boolean) => void;
  /**
   * Changes of one transaction that are kept at most, large ones counted more than once; beyond, the
   * tables are only named.
   */
  readonly maxChanges: number;
}

interface Open {
  readonly xid: number;
  changes: Change[];
  weight: number;
  readonly overflowed: Set<Table>;
  readonly hold: Hold;
}

type RowMessage = Extract<Message, { readonly kind: "insert" | "update" | "delete" }>;

interface Known {
  readonly relation: Relation;
  readonly table: Table | undefined;
}

/** A partitioned table that was described, and the partition that was described next. */
interface Described {
  readonly root?: Table;
  readonly part?: Relation;
}

/** Puts messages together to transactions. One per stream: it remembers what the stream described. */
export class Assembler {
  readonly #options: AssemblerOptions;
  readonly #relations = new Map<number, Known>();
  readonly #arena = new Arena();
  #open: Open | undefined;
  #described: Described = {};

  constructor(options: AssemblerOptions) {
    this.#options = options;
  }

  /** Tells whether a transaction has begun and not ended. */
  get within(): boolean {
    return this.#open !== undefined;
  }

  /**
   * Takes the next message.
   *
   * @param bytes Where the rows of the message lie; copied as far as they are kept.
   * @returns A transaction if the message ends one; without its place in a history.
   * @throws {RangeError} If the message makes no sense here.
   */
  take(message: Message, bytes: Uint8Array): Omit<Transaction, "epoch" | "seq"> | undefined {
    switch (message.kind) {
      case "begin":
        this.#begin(message.xid);
        return undefined;
      case "commit":
        this.#described = {};
        return this.#commit(message.commitLsn, message.endLsn);
      case "relation":
        this.#describe(message.relation);
        return undefined;
      case "truncate":
        this.#described = {};
        for (const id of message.relations) this.#truncate(id);
        return undefined;
      case "other":
        return undefined;
      default:
        this.#row(message, bytes);
        return undefined;
    }
  }

  /**
   * A message could not be read: whatever it was about, the transaction it belongs to may have
   * changed it.
   *
   * @returns `false` if it belongs to no transaction that is known.
   */
  damage(): boolean {
    if (this.#open === undefined) return false;
    for (const table of this.#options.tables()) this.#overflow(table);
    return true;
  }

  #begin(xid: number): void {
    // The end of the one before was not understood.
    const lost = this.#open !== undefined;
    const hold = new Hold(this.#arena);
    this.#open = { xid, changes: [], weight: 0, overflowed: new Set(), hold };
    if (lost) this.damage();
  }

  #commit(commitLsn: bigint, endLsn: bigint): Omit<Transaction, "epoch" | "seq"> {
    const { xid, changes, overflowed, weight, hold } = this.#within();
    this.#open = undefined;
    return { commitLsn, endLsn, xid, changes, overflowed, weight, hold };
  }

  #describe(relation: Relation): void {
    const table = this.#options.tableOf(relation);
    const again = this.#relations.get(relation.id)?.table === table;
    this.#relations.set(relation.id, { relation, table });
    const { root, part } = this.#described;
    if (root !== undefined && part === undefined) this.#described = { root, part: relation };
    else this.#described = table?.info.partitioned === true ? { root: table } : {};
    if (table === undefined) return;
    if (table.describe(relation)) return this.#keep({ kind: "schema", table });
    // It was altered, and looks the same: a column may have gone, and one of its name come. Of a partitioned table
    // it comes before each partition, and says nothing.
    if (again && table.info.partitioned !== true) this.#options.suspect?.(table, false);
  }

  /**
   * Before the first change in a partition, and when it has changed, the server describes its table, then
   * it, and then comes the row: this is all that the log of a publication by root says of partitions.
   */
  #describePart(table: Table): void {
    const { root, part } = this.#described;
    this.#described = {};
    if (root !== table || part === undefined || table.describePart(part)) return;
    this.#options.suspect?.(table, true);
  }

  #truncate(id: number): void {
    const { table } = this.#known(id);
    if (table === undefined) return;
    // What came before is void, and no view needs to load for it.
    if (!this.#within().overflowed.has(table)) {
      this.#retain((change) => change.table !== table || change.kind === "schema");
    }
    this.#keep({ kind: "truncate", table });
  }

  #row(message: RowMessage, bytes: Uint8Array): void {
    const { relation, table } = this.#known(message.relation);
    if (table === undefined) return;
    this.#describePart(table);
    const { overflowed, hold } = this.#within();
    checkColumns(message, relation.columns.length);
    if (overflowed.has(table)) return;
    // Whose row it was is unknown, and it may be on somebody's screen.
    if (message.kind !== "insert" && !table.tells(message.before)) {
      this.#options.suspect?.(table, false);
      return this.#overflow(table);
    }
    const start = hold.copy(bytes);
    const { piece } = this.#arena;
    const { kind } = message;
    const size = bytes.length;
    if (kind !== "insert") message.before?.move(piece, start);
    if (kind !== "delete") message.after.move(piece, start);
    if (kind === "insert") {
      this.#keep({ kind, table, relation, bytes: size, after: message.after });
    } else if (kind === "delete") {
      this.#keep({ kind, table, relation, bytes: size, before: message.before });
    } else {
      const { before } = message;
      const after = completed(message.after, before, relation);
      this.#keep({ kind, table, relation, bytes: size, before, after });
    }
  }

  #keep(change: Change): void {
    const open = this.#within();
    if (open.overflowed.has(change.table)) return;
    const weight = open.weight + weightOf(change);
    if (weight > this.#options.maxChanges) return this.#overflow(change.table);
    open.weight = weight;
    open.changes.push(change);
  }

  /** Gives up on the changes of a table: one that loads afresh needs none of them. */
  #overflow(table: Table): void {
    this.#within().overflowed.add(table);
    this.#retain((change) => change.table !== table);
  }

  /** Keeps those changes only. */
  #retain(wanted: (change: Change) => boolean): void {
    const open = this.#within();
    open.changes = open.changes.filter(wanted);
    open.weight = open.changes.reduce((sum, change) => sum + weightOf(change), 0);
  }

  #known(id: number): Known {
    const known = this.#relations.get(id);
    if (known === undefined) {
      throw new RangeError("Cannot read a message of the log: its table was not described");
    }
    return known;
  }

  #within(): Open {
    if (this.#open === undefined) {
      throw new RangeError("Cannot read a message of the log: it belongs to no transaction");
    }
    return this.#open;
  }
}

function checkColumns(message: RowMessage, columns: number): void {
  const before = message.kind === "insert" ? undefined : message.before;
  const after = message.kind === "delete" ? undefined : message.after;
  if ((before?.length ?? columns) === columns && (after?.length ?? columns) === columns) return;
  throw new RangeError("Cannot read a message of the log: it has other columns than its table");
}

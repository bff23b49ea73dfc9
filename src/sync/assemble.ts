import type { Change, Transaction } from "./change.ts";
import type { Message } from "./pgoutput.ts";
import type { Relation, Tuple } from "./relation.ts";
import { completed, type Table } from "./table.ts";

/** Options of an {@linkcode Assembler}. */
export interface AssemblerOptions {
  /** Finds a watched table; `undefined` for one that nobody watches. */
  readonly tableOf: (relation: Relation) => Table | undefined;
  /** All watched tables. */
  readonly tables: () => Iterable<Table>;
  /** Changes of one transaction that are kept at most; beyond, the tables are only named. */
  readonly maxChanges: number;
}

interface Open {
  readonly xid: number;
  readonly changes: Change[];
  readonly overflowed: Set<Table>;
}

interface Known {
  readonly relation: Relation;
  readonly table: Table | undefined;
}

/** Puts messages together to transactions. One per stream: it remembers what the stream described. */
export class Assembler {
  readonly #options: AssemblerOptions;
  readonly #relations = new Map<number, Known>();
  #open: Open | undefined;

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
   * @returns A transaction if the message ends one; without its place in a history.
   * @throws {RangeError} If the message makes no sense here.
   */
  take(message: Message): Omit<Transaction, "epoch" | "seq"> | undefined {
    switch (message.kind) {
      case "begin":
        this.#begin(message.xid);
        return undefined;
      case "commit":
        return this.#commit(message.commitLsn, message.endLsn);
      case "relation":
        this.#describe(message.relation);
        return undefined;
      case "truncate":
        for (const id of message.relations) this.#truncate(id);
        return undefined;
      case "other":
        return undefined;
      default:
        this.#row(message);
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
    this.#open = { xid, changes: [], overflowed: new Set() };
    if (lost) this.damage();
  }

  #commit(commitLsn: bigint, endLsn: bigint): Omit<Transaction, "epoch" | "seq"> {
    const { xid, changes, overflowed } = this.#within();
    this.#open = undefined;
    return { commitLsn, endLsn, xid, changes, overflowed };
  }

  #describe(relation: Relation): void {
    const table = this.#options.tableOf(relation);
    this.#relations.set(relation.id, { relation, table });
    if (table?.describe(relation)) this.#keep({ kind: "schema", table });
  }

  #truncate(id: number): void {
    const { table } = this.#known(id);
    if (table === undefined) return;
    const { overflowed, changes } = this.#within();
    // What came before is void, and no view needs to load for it.
    const later = changes.filter((change) => change.table !== table || change.kind === "schema");
    if (!overflowed.has(table)) changes.splice(0, changes.length, ...later);
    this.#keep({ kind: "truncate", table });
  }

  #row(message: Extract<Message, { readonly kind: "insert" | "update" | "delete" }>): void {
    const { relation, table } = this.#known(message.relation);
    if (table === undefined) return;
    const columns = relation.columns.length;
    const check = (tuple: Tuple): Tuple => {
      if (tuple.length === columns) return tuple;
      throw new RangeError("Cannot read a message of the log: it has other columns than its table");
    };
    if (message.kind === "insert") {
      this.#keep({ kind: "insert", table, relation, after: check(message.after) });
    } else if (message.kind === "delete") {
      this.#keep({ kind: "delete", table, relation, before: check(message.before) });
    } else {
      const before = message.before && check(message.before);
      const after = completed(check(message.after), before, relation);
      this.#keep({ kind: "update", table, relation, before, after });
    }
  }

  #keep(change: Change): void {
    const { changes, overflowed } = this.#within();
    if (overflowed.has(change.table)) return;
    if (changes.length < this.#options.maxChanges) changes.push(change);
    else this.#overflow(change.table);
  }

  /** Gives up on the changes of a table: one that loads afresh needs none of them. */
  #overflow(table: Table): void {
    const { changes, overflowed } = this.#within();
    overflowed.add(table);
    const kept = changes.filter((change) => change.table !== table);
    changes.splice(0, changes.length, ...kept);
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

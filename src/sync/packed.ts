import type { Hold, Piece } from "./arena.ts";
import type { Change, Transaction } from "./change.ts";
import type { Relation } from "./relation.ts";
import type { Table } from "./table.ts";
import { type Tuple, TupleBytes } from "./tuple.ts";

/** A transaction of fewer changes is smaller as it is. */
const MANY = 16;

const KINDS = ["insert", "update", "delete"] as const;

/** Numbers of one change: kind, place of its relation and of its piece, size, and two rows. */
const NUMBERS = 8;

/** Instead of the place of a relation: the change is kept as it is. */
const AS_IS = -1;
/** Instead of the length of a row: there is none. */
const NO_ROW = -1;

interface Described {
  readonly relation: Relation;
  readonly table: Table;
}

/**
 * A transaction to be kept for a while: of its changes no more than numbers, which say where they
 * lie. Nearly none is asked for again, and objects that live as long as a question to the database
 * takes are what a garbage collector is slowest to get rid of.
 */
class Packed implements Transaction {
  readonly epoch: string;
  readonly commitLsn: bigint;
  readonly endLsn: bigint;
  readonly xid: number;
  readonly seq: number;
  readonly overflowed: ReadonlySet<Table>;
  readonly weight: number;
  readonly hold?: Hold;
  readonly #numbers: Int32Array;
  readonly #described: Described[] = [];
  readonly #pieces: Piece[] = [];
  readonly #asTheyAre: Change[] = [];
  /** One of its rows, to make the others like it. */
  #row: TupleBytes | undefined;

  constructor(transaction: Transaction) {
    ({
      epoch: this.epoch,
      commitLsn: this.commitLsn,
      endLsn: this.endLsn,
      xid: this.xid,
      seq: this.seq,
      overflowed: this.overflowed,
      weight: this.weight,
    } = transaction);
    if (transaction.hold !== undefined) this.hold = transaction.hold;
    const { changes } = transaction;
    this.#numbers = new Int32Array(changes.length * NUMBERS);
    for (let i = 0; i < changes.length; i++) this.#pack(changes[i]!, i * NUMBERS);
  }

  get changes(): readonly Change[] {
    const changes: Change[] = [];
    let next = 0;
    for (let at = 0; at < this.#numbers.length; at += NUMBERS) {
      const asIs = this.#numbers[at + 1] === AS_IS;
      changes.push(asIs ? this.#asTheyAre[next++]! : this.#unpack(at));
    }
    return changes;
  }

  #pack(change: Change, at: number): void {
    const [before, after] = rowsOf(change);
    const { piece } = after ?? before ?? {};
    if (!("relation" in change) || piece === undefined || before === null || after === null) {
      this.#numbers[at + 1] = AS_IS;
      this.#asTheyAre.push(change);
      return;
    }
    this.#row ??= after ?? before;
    this.#numbers[at] = KINDS.indexOf(change.kind);
    this.#numbers[at + 1] = this.#placeOf(change);
    if (this.#pieces.at(-1) !== piece) this.#pieces.push(piece);
    this.#numbers[at + 2] = this.#pieces.length - 1;
    this.#numbers[at + 3] = change.bytes;
    this.#packRow(before, at + 4);
    this.#packRow(after, at + 6);
  }

  #placeOf({ relation, table }: Described): number {
    const last = this.#described.at(-1);
    if (last?.relation !== relation || last.table !== table) {
      this.#described.push({ relation, table });
    }
    return this.#described.length - 1;
  }

  #packRow(row: TupleBytes | undefined, at: number): void {
    this.#numbers[at] = row?.start ?? 0;
    this.#numbers[at + 1] = row === undefined ? NO_ROW : row.length * 2 + (row.unchanged ? 1 : 0);
  }

  #unpack(at: number): Change {
    const [kind, place, piece, bytes] = this.#numbers.subarray(at, at + 4);
    const { relation, table } = this.#described[place!]!;
    const before = this.#unpackRow(this.#pieces[piece!]!, at + 4);
    const after = this.#unpackRow(this.#pieces[piece!]!, at + 6);
    const ofRow = { table, relation, bytes: bytes! };
    switch (KINDS[kind!]) {
      case "insert":
        return { ...ofRow, kind: "insert", after: after! };
      case "delete":
        return { ...ofRow, kind: "delete", before: before! };
      default:
        return { ...ofRow, kind: "update", before, after: after! };
    }
  }

  #unpackRow(piece: Piece, at: number): TupleBytes | undefined {
    const [start, length] = this.#numbers.subarray(at, at + 2);
    if (length === NO_ROW) return undefined;
    return this.#row!.another(piece, start!, length! >> 1, (length! & 1) === 1);
  }
}

/** The rows of a change; `null` for one that does not lie in an arena. */
function rowsOf(change: Change): readonly [Found, Found] {
  const before = "before" in change ? foundIn(change.before) : undefined;
  return [before, "after" in change ? foundIn(change.after) : undefined];
}

type Found = TupleBytes | null | undefined;

function foundIn(tuple: Tuple | undefined): Found {
  if (tuple === undefined) return undefined;
  return tuple instanceof TupleBytes && tuple.piece !== undefined ? tuple : null;
}

/** Makes a transaction fit to be kept: as it is if it is small, else packed. */
export function packed(transaction: Transaction): Transaction {
  return transaction.changes.length < MANY ? transaction : new Packed(transaction);
}

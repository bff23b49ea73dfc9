import { type KeyType, keyTypeOf } from "./key.ts";
import { type Relation, sameColumns, UNCHANGED } from "./relation.ts";
import type { SyncProblem } from "./setup.ts";
import { fieldsOf, hasUnchanged, type Tuple } from "./tuple.ts";

/** A watched table, as the database has it. */
export interface TableInfo {
  /** What the user calls it. */
  readonly alias: string;
  readonly schema: string;
  readonly name: string;
  /** Columns that tell its rows apart. */
  readonly id: readonly string[];
  /** Column that says whom a row belongs to. */
  readonly key: string;
  readonly keyType: KeyType;
  /** Its rows are in partitions, each with a replica identity of its own. @default {false} */
  readonly partitioned?: boolean;
  /** Object ids of its partitions that hold rows. */
  readonly parts?: readonly number[];
  /** Columns that are in the log. */
  readonly columns: readonly TableColumn[];
  /** What has to be put right before it is followed; the rest is then only what could be found out. */
  readonly problems?: readonly SyncProblem[];
}

/** A column that is in the log. */
export interface TableColumn {
  readonly name: string;
  /** Object id of its type. */
  readonly type: number;
  /** Object id of the type under its domains, which is the one a query has. @default its type */
  readonly base?: number;
}

/** Where in the tuples of a relation the columns are that matter for routing. */
interface Places {
  readonly relation: Relation;
  readonly key: number;
  /** The old row carries all of what tells whose row it was, and which. */
  readonly identified: boolean;
}

/** A watched table, and how the log describes it at the moment. */
export class Table {
  #info: TableInfo;
  #known: boolean;
  #places: Places | undefined;
  /** Partitions, by object id, whose old rows do not carry all of it. */
  readonly #untold = new Set<number>();

  constructor(info: TableInfo) {
    this.#info = info;
    this.#known = this.ready;
  }

  /** As it is by now: columns may have come and gone. */
  get info(): TableInfo {
    return this.#info;
  }

  /** The log has all of it, as far as the last look says. */
  get ready(): boolean {
    return this.#info.problems === undefined;
  }

  /** It was set up once: what is known of it says what its rows are. */
  get known(): boolean {
    return this.#known;
  }

  /** Takes what the catalog says by now; whoever watches it loads after that, if it is set up. */
  renew(info: TableInfo): void {
    const { problems } = info;
    if (problems !== undefined) {
      this.#info = { ...this.#info, problems };
      return;
    }
    this.#info = info;
    this.#known = true;
    // All partitions that there are say whose rows they were.
    this.#untold.clear();
  }

  /** As the log last described it; `undefined` before it has. */
  get relation(): Relation | undefined {
    return this.#places?.relation;
  }

  /**
   * Takes a description from the log.
   *
   * @returns `true` if its columns are others than those known so far.
   */
  describe(relation: Relation): boolean {
    const position = (name: string): number =>
      relation.columns.findIndex((column) => column.name === name);
    const { key, id, columns } = this.#info;
    const before = this.#places?.relation;
    const identified = identifies(relation, [key, ...id]);
    this.#places = { relation, key: position(key), identified };
    // The first time, and when a look was there first: what the catalog said is what the views have loaded.
    const looked = before === undefined || !sameTypes(columns, before);
    const same = (looked && sameTypes(columns, relation)) ||
      (before !== undefined && sameColumns(before, relation));
    if (!same) {
      const now = relation.columns.map(({ name, type }): TableColumn => {
        const { base } = columns.find((column) => column.type === type) ?? {};
        return { name, type, ...(base !== undefined && { base }) };
      });
      const { type = 0, base = type } = now.find(({ name }) => name === key) ?? {};
      // One that can be none is found by the next look.
      const keyType = keyTypeOf(base) ?? this.#info.keyType;
      this.#info = { ...this.#info, keyType, columns: now };
    }
    return !same;
  }

  /**
   * Takes the description of a partition, which comes before its first row and whenever it has changed.
   *
   * @returns `true` if it is one of those known so far: one that comes and goes is told of by nothing else.
   */
  describePart(relation: Relation): boolean {
    const { key, id, parts } = this.#info;
    if (identifies(relation, [key, ...id])) this.#untold.delete(relation.id);
    else this.#untold.add(relation.id);
    return parts === undefined || parts.includes(relation.id);
  }

  /**
   * Tells whether the log would say that a row has left its key, given what an update or a delete carries
   * of the row before. The description of a partitioned table is that of its root, which has no rows, and
   * a row does not say in which partition it is: one that is not set up makes all of them doubtful.
   */
  tells(before: Tuple | undefined): boolean {
    if (this.#info.partitioned !== true) return this.#places?.identified === true;
    if (this.#untold.size > 0) return false;
    return before === undefined || this.keyOf(before) !== undefined;
  }

  /** Whom a row belongs to; `undefined` if to nobody, or if the tuple does not say. */
  keyOf(tuple: Tuple): string | undefined {
    const place = this.#places?.key ?? -1;
    const field = place < 0 ? undefined : tuple.at(place);
    // The log has the one spelling already.
    return typeof field === "string" ? field : undefined;
  }
}

function identifies({ columns }: Relation, names: readonly string[]): boolean {
  return names.every((name) => columns.find((column) => column.name === name)?.identity === true);
}

function sameTypes(columns: TableInfo["columns"], relation: Relation): boolean {
  const known = new Map(columns.map(({ name, type }) => [name, type]));
  return relation.columns.length === known.size &&
    relation.columns.every(({ name, type }) => known.get(name) === type);
}

/** A row after an update, with what the log did not repeat taken from the whole old row, if it is there. */
export function completed(after: Tuple, before: Tuple | undefined, relation: Relation): Tuple {
  if (before === undefined || !hasUnchanged(after)) return after;
  const fields = fieldsOf(before);
  return fieldsOf(after).map((field, i) => {
    const old = relation.columns[i]?.identity === true ? fields[i] : undefined;
    return field === UNCHANGED && old !== undefined ? old : field;
  });
}

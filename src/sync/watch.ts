import type { Key } from "./key.ts";
import type { Compare } from "./order.ts";
import type { Row } from "./row.ts";

/** The rows of a value: of a list its elements, else the value itself. */
export type RowOf<Value> = Value extends readonly (infer Element)[] ? Element : NonNullable<Value>;

/** A query that was built and not run: of Kysely (`compile()`) or Drizzle (`toSQL()`). */
export type BuiltQuery<Value> =
  | {
    compile(): { readonly sql: string; readonly parameters: readonly unknown[] };
    /** Never called: says what the rows are. */
    execute(): PromiseLike<Value>;
  }
  | { toSQL(): { readonly sql: string; readonly params: readonly unknown[] }; readonly _?: Value };

/** What `load` may answer with. */
export type Loading<Value> = Value | PromiseLike<Value> | BuiltQuery<Value>;

/** A column to order by; a minus before it for the greatest first. */
export type OrderColumn = string;

/** Rows of another table that lie in each row. */
export interface NestedOptions {
  /** The table, as it is called in `tables`. */
  readonly table: string;
  /** Column that refers: of the other table to this one's id (`many`), else of this one to its id. */
  readonly by: string;
  /** `true` for a list of rows, `false` for a single one. @default {true} */
  readonly many?: boolean;
  /** Which of them belong there. @default {true} */
  readonly where?: true | ((row: Row) => boolean);
  /** Their order. */
  readonly orderBy?: OrderColumn | readonly OrderColumn[] | Compare;
  /** What lies in each of them in turn. */
  readonly with?: Readonly<Record<string, NestedOptions>>;
}

/** Why a value is presented. */
export interface ChangeInfo {
  /** It was loaded, or rows were changed in it. */
  readonly cause: "load" | "change";
}

/**
 * What is watched: the rows of one table that belong to one key, or whatever a query makes of them.
 *
 * @typeParam Value What subscribers get: a list of rows, a single one or `null`, or anything else.
 * @typeParam Sql What `load` runs its query with.
 */
export interface WatchOptions<Value, Sql> {
  /** The table, as it is called in `tables`. */
  readonly table: string;
  /**
   * Loads the value in a transaction of its own, which reads only and sees one state of the database.
   * It has to select by the key. Left out: all columns of the log, of the rows that `where` takes.
   *
   * @param sql Runs queries in that transaction.
   * @param key Whom the rows belong to.
   */
  readonly load?: (sql: Sql, key: Key) => Loading<Value>;
  /**
   * Which rows of the key `load` selects, `true` for all of them: given it, changes are applied
   * without a query. It promises that the rows hold columns of the table as they are. Left out with
   * a `load` of your own, each change runs `load` again.
   */
  readonly where?: true | ((row: RowOf<Value>) => boolean);
  /**
   * The order of a list: columns, compared as with the collation "C" (enums and the like by their
   * text), or a function. Left out, rows
   * stay where they were loaded, and new ones come last.
   */
  readonly orderBy?:
    | OrderColumn
    | readonly OrderColumn[]
    | ((a: RowOf<Value>, b: RowOf<Value>) => number);
  /** How many rows `load` selects at most; what may come after the last one is found by a query. */
  readonly limit?: number;
  /** The value is a single row, or `null` if there is none. @default {false} */
  readonly one?: boolean;
  /** What lies in each row, by property. Not with a `load` that leaves it out. */
  readonly with?: Readonly<Record<string, NestedOptions>>;
  /** More tables `load` reads: a change of theirs under the same key runs it again. */
  readonly uses?: readonly string[];
  /**
   * Filters, sorts or adds to what subscribers get, each time once for all changes of a transaction;
   * what it returns is shown, and later changes are applied to what it was given. While it waits, only
   * the last state that comes is kept for it.
   */
  readonly onChange?: (
    value: Value,
    info: ChangeInfo,
  ) => Value | void | PromiseLike<Value | void>;
}

/** What a subscriber sees. */
export interface WatchSnapshot<Value> {
  /** The value; `undefined` until it was loaded. */
  readonly value: Value | undefined;
  /**
   * `"loading"`: there is none yet; `"live"`: it is kept current; `"stale"`: it was current once, and
   * nothing is heard from the database now, or loading fails.
   */
  readonly status: "loading" | "live" | "stale";
  /** What went wrong with loading, while it does. */
  readonly error?: unknown;
  /** Grows by one with each value. */
  readonly version: number;
}

/** An open watch of one key. */
export interface OpenWatch<Value> {
  /** What there is now; the same object until something changes. */
  getSnapshot(): WatchSnapshot<Value>;
  /**
   * Calls back when there is another snapshot, once per transaction, whatever it changed.
   *
   * @param listener What it throws is reported to telemetry.
   * @returns A function that ends it.
   */
  subscribe(listener: (snapshot: WatchSnapshot<Value>) => void): () => void;
  /** Settles with the first value; rejects if the first try to load it fails. */
  ready(): Promise<WatchSnapshot<Value>>;
  /** Ends it: no listener is called after. Safe to call twice. */
  close(): void;
}

/** Opens watches: what views hold their rows with. */
export interface WatchSource<Sql> {
  /**
   * Opens a watch for one key. Those that are opened with the same options, the same object, and the
   * same key share what is loaded.
   *
   * @param options What is watched.
   * @param key Whom the rows belong to.
   * @throws {TypeError} If there is no key, or it is not a text or an integer.
   */
  open<Value>(options: WatchOptions<Value, Sql>, key: Key): OpenWatch<Value>;
}

import { wrongArgument } from "../core/options.ts";
import { type Key, keyText } from "./key.ts";
import { type Compare, orderBy, type OrderTerm } from "./order.ts";
import { type Codec, type Row, valueText } from "./row.ts";
import { SyncSetupError } from "./setup.ts";
import type { Nested, Shape } from "./shape.ts";
import type { Table, TableColumn } from "./table.ts";
import type { NestedOptions, WatchOptions } from "./watch.ts";

/** Options of a watch whose types do not matter here. */
export type AnyWatchOptions = WatchOptions<never, never>;

/** A watch, resolved against the tables there are. */
export interface Plan {
  readonly table: Table;
  /** All tables whose changes matter. */
  readonly tables: ReadonlySet<Table>;
  /**
   * How changes are applied, but for the properties of its rows; `undefined` if each change loads the
   * value again.
   */
  readonly shape: Shape | undefined;
  /** Ids that differ can be the same as they are read: each change loads the value again. */
  readonly blurred: boolean;
}

/** What a plan is made with. */
export interface PlanContext {
  readonly tables: ReadonlyMap<string, Table>;
  readonly codec: Codec;
}

type ShapeOptions = Pick<NestedOptions, "table" | "where" | "orderBy" | "with"> & {
  readonly limit?: number;
};

/**
 * Resolves a watch.
 *
 * @throws {TypeError} If it names a table or a column that is not there.
 * @throws {SyncSetupError} If a table of its has never been set up so far.
 */
export function planFor(options: AnyWatchOptions, context: PlanContext): Plan {
  const table = tableOf(options.table, context);
  const uses = (options.uses ?? []).map((name) => tableOf(name, context));
  const nested = Object.values(options.with ?? {}).flatMap((one) => nestedTables(one, context));
  const exact = (options.load === undefined || options.where !== undefined) && uses.length === 0;
  return {
    table,
    tables: new Set([table, ...uses, ...nested]),
    blurred: [table, ...nested].some((one) => blurs(one, context.codec)),
    shape: exact ? shapeOf(options as ShapeOptions, context) : undefined,
  };
}

/** Timestamps with and without a time zone: a `Date` has their milliseconds and no more. */
const TIMESTAMPS: ReadonlySet<number> = new Set([1114, 1184]);

function blurs({ info }: Table, codec: Codec): boolean {
  return info.columns.some(({ name, type, base = type }) => {
    if (!info.id.includes(name) || !TIMESTAMPS.has(base)) return false;
    const [one, other] = ["2000-01-01 00:00:00.000001+00", "2000-01-01 00:00:00.000002+00"]
      .map((text) => valueText(codec.parserOf(base)?.(text) ?? text));
    return one === other;
  });
}

function nestedTables(options: NestedOptions, context: PlanContext): readonly Table[] {
  const inner = Object.values(options.with ?? {});
  return [tableOf(options.table, context), ...inner.flatMap((one) => nestedTables(one, context))];
}

function tableOf(alias: string, { tables }: PlanContext): Table {
  const table = tables.get(alias);
  if (table?.known === false) throw new SyncSetupError(table.info.problems ?? []);
  if (table !== undefined) return table;
  throw wrongArgument(`Cannot watch "${alias}": it is not among the tables of createSync()`);
}

function shapeOf(options: ShapeOptions, context: PlanContext): Shape {
  const table = tableOf(options.table, context);
  const { codec } = context;
  return {
    table,
    id: table.info.id.map((name) => codec.propertyOf(name)),
    key: codec.propertyOf(table.info.key),
    where: options.where ?? true,
    compare: compareOf(options.orderBy, table, codec),
    limit: options.limit,
    nested: Object.entries(options.with ?? {}).map(([property, one]) =>
      nestedOf(property, one, table, context)
    ),
    properties: undefined,
  };
}

function nestedOf(
  property: string,
  options: NestedOptions,
  outer: Table,
  context: PlanContext,
): Nested {
  const { many = true, by } = options;
  const shape = shapeOf(options, context);
  checkColumn(by, many ? shape.table : outer);
  return { ...shape, property, many, ref: context.codec.propertyOf(by) };
}

function compareOf(
  order: ShapeOptions["orderBy"],
  table: Table,
  codec: Codec,
): Compare | undefined {
  if (order === undefined || typeof order === "function") return order;
  const terms = typeof order === "string" ? [order] : order;
  return orderBy(terms.map((term) => orderTerm(term, table, codec)));
}

/** Types whose values are numbers written as texts: bigint and numeric. */
const NUMERIC: ReadonlySet<number> = new Set([20, 1700]);

function orderTerm(term: string, table: Table, codec: Codec): OrderTerm {
  const descending = term.startsWith("-");
  const name = descending ? term.slice(1) : term;
  const { type, base = type } = checkColumn(name, table);
  return { property: codec.propertyOf(name), descending, numeric: NUMERIC.has(base) };
}

function checkColumn(name: string, { info }: Table): TableColumn {
  const column = info.columns.find((one) => one.name === name);
  if (column !== undefined) return column;
  throw wrongArgument(`Cannot watch "${info.alias}": its log has no column "${name}"`);
}

/**
 * Completes a shape with what the rows that were loaded have.
 *
 * @returns `undefined` if they have something that the log does not.
 */
export function learned(shape: Shape, rows: readonly Row[], codec: Codec): Shape | undefined {
  const logged = new Set(shape.table.info.columns.map(({ name }) => codec.propertyOf(name)));
  const inner = new Set(shape.nested.map(({ property }) => property));
  const [first] = rows;
  const names = first === undefined ? undefined : Object.keys(first);
  if (names?.some((name) => !logged.has(name) && !inner.has(name))) return undefined;
  if (names !== undefined && shape.id.some((name) => !names.includes(name))) return undefined;
  const nested: Nested[] = [];
  for (const one of shape.nested) {
    const rowsIn = rows.flatMap((row) => (row[one.property] ?? []) as Row | readonly Row[]);
    const known = learned(one, rowsIn, codec);
    if (known === undefined) return undefined;
    nested.push({ ...one, ...known });
  }
  return { ...shape, nested, properties: names && new Set(names) };
}

/** Takes all columns of the log: what is loaded without a `load` of the user's. */
export function completed(shape: Shape, codec: Codec): Shape {
  const names = shape.table.info.columns.map(({ name }) => codec.propertyOf(name));
  const nested = shape.nested.map((one): Nested => ({ ...one, ...completed(one, codec) }));
  const properties = new Set([...names, ...nested.map(({ property }) => property)]);
  return { ...shape, nested, properties };
}

/**
 * Finds a row that belongs to somebody else: a query that forgot its condition must not pass.
 *
 * @returns The alias of its table; `undefined` if there is none.
 */
export function foreignRow(
  rows: readonly unknown[],
  shape: Pick<Shape, "table" | "key" | "nested">,
  key: string,
): string | undefined {
  for (const row of rows) {
    if (typeof row !== "object" || row === null) continue;
    const { info } = shape.table;
    const owner = (row as Row)[shape.key];
    if (shape.key in row && keyText(owner, info.keyType) !== key) return info.alias;
    for (const nested of shape.nested) {
      const inner = (row as Row)[nested.property] ?? [];
      const found = foreignRow(Array.isArray(inner) ? inner : [inner], nested, key);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/**
 * Checks a key before anything is opened with it.
 *
 * @throws {TypeError} If it is none.
 */
export function checkKey(key: unknown, alias: string): asserts key is Key {
  const fine = typeof key === "bigint" || typeof key === "string" || Number.isSafeInteger(key);
  if (fine) return;
  const what = key === undefined || key === null
    ? "there is no key"
    : "its key is no text or integer";
  throw wrongArgument(`Cannot watch "${alias}": ${what}`);
}

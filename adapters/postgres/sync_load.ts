import type { Key } from "../../src/sync/key.ts";
import type { AnyWatchOptions, Plan } from "../../src/sync/plan.ts";
import { type Codec, idText, type Row, valueText } from "../../src/sync/row.ts";
import type { Nested, Shape } from "../../src/sync/shape.ts";
import type { TableInfo } from "../../src/sync/table.ts";
import type { BuiltQuery } from "../../src/sync/watch.ts";
import { checkDates } from "./dates.ts";
import { quoteName, quoteQualified, type SyncQueries } from "./sync_sql.ts";

/** Runs what the user's `load` answers with, inside of the transaction. */
export async function runLoad(
  sql: SyncQueries,
  options: AnyWatchOptions,
  key: Key,
): Promise<unknown> {
  const load = options.load as unknown as (sql: SyncQueries, key: Key) => unknown;
  const answer = load(sql, key);
  const built = builtQuery(answer);
  const value = built === undefined
    ? await answer
    : await sql.unsafe(built.sql, built.parameters as never[]);
  if (!Array.isArray(value)) return value;
  // The package's lists carry more than their rows.
  const rows: unknown[] = Array.from(value);
  checkDates(rows, `what is loaded of "${options.table}"`);
  return options.one ? rows[0] ?? null : rows;
}

/** A query that was built and not run. Looked at before it is awaited: Drizzle's would run then. */
function builtQuery(
  answer: unknown,
): { readonly sql: string; readonly parameters: readonly unknown[] } | undefined {
  if (typeof answer !== "object" || answer === null) return undefined;
  const query = answer as Partial<
    & Extract<BuiltQuery<unknown>, { compile(): unknown }>
    & Extract<BuiltQuery<unknown>, { toSQL(): unknown }>
  >;
  if (typeof query.toSQL === "function") {
    const { sql, params } = query.toSQL();
    return { sql, parameters: params };
  }
  return typeof query.compile === "function" ? query.compile() : undefined;
}

/** Loads all rows of a key, without a `load` of the user's. */
export async function runGenerated(
  sql: SyncQueries,
  plan: Plan,
  options: AnyWatchOptions,
  key: Key,
  codec: Codec,
): Promise<unknown> {
  const shape = plan.shape!;
  const suffix = windowSql(options, shape.table.info);
  const rows = await select(sql, shape.table.info, key, suffix);
  const filled = await fill(sql, rows.filter((row) => belongs(row, shape)), shape, key, codec);
  const sorted = shape.compare === undefined ? filled : filled.toSorted(shape.compare);
  return options.one ? sorted[0] ?? null : sorted;
}

async function select(
  sql: SyncQueries,
  info: TableInfo,
  key: Key,
  suffix = "",
): Promise<readonly Row[]> {
  const columns = info.columns.map(({ name }) => quoteName(name)).join(", ");
  const query = `SELECT ${columns} FROM ${quoteQualified(info)} ` +
    `WHERE ${quoteName(info.key)} = $1${suffix}`;
  // As a text: what the package takes it for need not be what the column is.
  const rows = Array.from(await sql.unsafe(query, [String(key)] as never[]) as readonly Row[]);
  checkDates(rows, `what is loaded of "${info.alias}"`);
  return rows;
}

const TEXT_TYPES: ReadonlySet<number> = new Set([25, 1042, 1043, 19]);

/** Those that are in memory in the order they have in the database: numbers, dates, booleans, uuid. */
const SAME_ORDER: ReadonlySet<number> = new Set([
  ...[16, 20, 21, 23, 26, 700, 701, 1700],
  ...[1082, 1083, 1114, 1184, 2950],
]);

/** The order and the limit as SQL; only columns can be ordered by there. */
function windowSql({ orderBy, limit }: AnyWatchOptions, info: TableInfo): string {
  if (limit === undefined) return "";
  const order = orderBy as string | readonly string[];
  const terms = (typeof order === "string" ? [order] : order).map((term) => {
    const descending = term.startsWith("-");
    const name = descending ? term.slice(1) : term;
    const column = info.columns.find((column) => column.name === name);
    const type = column?.base ?? column?.type ?? 0;
    // The order that is kept in memory is that of texts, and of these that of the collation "C".
    const collate = SAME_ORDER.has(type) ? "" : ' COLLATE "C"';
    const cast = collate === "" || TEXT_TYPES.has(type) ? "" : "::text";
    return `${quoteName(name)}${cast}${collate}${descending ? " DESC" : ""}`;
  });
  return ` ORDER BY ${terms.join(", ")} LIMIT ${limit}`;
}

function belongs(row: Row, { where }: Shape): boolean {
  return where === true || where(row);
}

/** Loads what lies in rows. */
async function fill(
  sql: SyncQueries,
  rows: readonly Row[],
  shape: Shape,
  key: Key,
  codec: Codec,
): Promise<readonly Row[]> {
  let filled = rows;
  for (const nested of shape.nested) {
    const all = await select(sql, nested.table.info, key);
    const wanted = all.filter((row) => belongs(row, nested));
    const inner = await fill(sql, wanted, nested, key, codec);
    filled = filled.map((row) => ({ ...row, [nested.property]: lying(inner, row, nested, shape) }));
  }
  return filled;
}

function lying(inner: readonly Row[], outer: Row, nested: Nested, shape: Shape): unknown {
  if (!nested.many) {
    const wanted = outer[nested.ref];
    if (wanted === null) return null;
    return inner.find((row) => idText(row, nested.id) === valueText(wanted)) ?? null;
  }
  const home = idText(outer, shape.id);
  const rows = inner.filter((row) => valueText(row[nested.ref]) === home);
  return nested.compare === undefined ? rows : rows.toSorted(nested.compare);
}

import type { Change } from "./change.ts";
import { idText, type Row, valueText } from "./row.ts";
import type { ChangeReader, Effect } from "./rows.ts";
import type { Nested } from "./shape.ts";

type RowChange = Exclude<Change, { readonly kind: "schema" }>;
type Put = Extract<Effect, { readonly kind: "put" }>;

/** Outer rows that have become others. */
type Replaced = ReadonlyMap<Row, Row>;

const nothing: Replaced = new Map();

/**
 * Applies a change to the rows that lie in others.
 *
 * @param outer The rows they lie in.
 * @param nested How they lie there.
 * @param outerId Properties that tell the outer rows apart.
 * @param key Whom all of them belong to.
 * @returns The outer rows that have become others; `"reload"` if only a query can tell.
 */
export function applyNested(
  outer: readonly Row[],
  change: RowChange,
  nested: Nested,
  outerId: readonly string[],
  reader: ChangeReader,
  key: string,
): Replaced | "reload" {
  const deeper = nested.nested.length === 0
    ? nothing
    : applyDeeper(outer, change, nested, reader, key);
  if (deeper === "reload" || change.table !== nested.table) return deeper;
  const effect = reader.effect(change, nested, key);
  if (effect.kind === "none") return deeper;
  // A table that lies in itself: both levels may change, and that is rare enough for a query.
  if (deeper.size > 0) return "reload";
  if (effect.kind === "clear") return replaceAll(outer, nested, () => []);
  if (effect.kind === "remove") {
    return replaceAll(outer, nested, (rows) => without(rows, nested, effect.id));
  }
  return nested.many ? putMany(outer, effect, nested, outerId) : putOne(outer, effect, nested);
}

/** The rows at one place, whether a list or a single one. */
function rowsAt(row: Row, { many, property }: Nested): readonly Row[] {
  const value = row[property];
  if (many) return Array.isArray(value) ? value : [];
  return value === null || value === undefined ? [] : [value as Row];
}

function withRows(row: Row, { many, property }: Nested, rows: readonly Row[]): Row {
  return { ...row, [property]: many ? rows : rows[0] ?? null };
}

function replaceAll(
  outer: readonly Row[],
  nested: Nested,
  change: (rows: readonly Row[], outer: Row) => readonly Row[],
): Replaced {
  const replaced = new Map<Row, Row>();
  for (const row of outer) {
    const before = rowsAt(row, nested);
    const after = change(before, row);
    const same = after.length === before.length && after.every((one, i) => one === before[i]);
    if (!same) replaced.set(row, withRows(row, nested, after));
  }
  return replaced;
}

function without(rows: readonly Row[], { id: properties }: Nested, id: string): readonly Row[] {
  return rows.filter((row) => idText(row, properties) !== id);
}

function find(outer: readonly Row[], nested: Nested, id: string): Row | undefined {
  for (const row of outer) {
    const found = rowsAt(row, nested).find((one) => idText(one, nested.id) === id);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The row as it is now: with what the log has not repeated, and what lies in it. */
function merged({ id, read }: Put, outer: readonly Row[], nested: Nested): Row | "reload" {
  const existing = find(outer, nested, id);
  if (existing === undefined && (read.missing.length > 0 || nested.nested.length > 0)) {
    return "reload";
  }
  if (nested.properties === undefined) return "reload";
  const whole: Row = { ...existing, ...read.row };
  if (read.missing.some((property) => !(property in whole)) && nested.where !== true) {
    return "reload";
  }
  return whole;
}

function only(row: Row, properties: ReadonlySet<string> | undefined): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => properties?.has(name)));
}

function putMany(
  outer: readonly Row[],
  effect: Put,
  nested: Nested,
  outerId: readonly string[],
): Replaced | "reload" {
  const whole = merged(effect, outer, nested);
  if (whole === "reload") return whole;
  if (!(nested.ref in whole)) return "reload";
  const wanted = nested.where === true || nested.where(whole);
  const row = only(whole, nested.properties);
  const home = valueText(whole[nested.ref]);
  return replaceAll(outer, nested, (rows, one) => {
    const at = rows.findIndex((inner) => idText(inner, nested.id) === effect.id);
    if (!wanted || idText(one, outerId) !== home) {
      return at < 0 ? rows : without(rows, nested, effect.id);
    }
    const next = at < 0 ? [...rows, row] : rows.with(at, row);
    return nested.compare === undefined ? next : next.toSorted(nested.compare);
  });
}

function putOne(outer: readonly Row[], effect: Put, nested: Nested): Replaced | "reload" {
  const pointing = (row: Row): boolean =>
    row[nested.ref] !== null && valueText(row[nested.ref]) === idText(effect.read.row, nested.id);
  if (!outer.some((row) => pointing(row) || find([row], nested, effect.id) !== undefined)) {
    return nothing;
  }
  if (outer.some((row) => !(nested.ref in row))) return "reload";
  const whole = merged(effect, outer, nested);
  if (whole === "reload") return whole;
  const wanted = nested.where === true || nested.where(whole);
  const row = only(whole, nested.properties);
  return replaceAll(outer, nested, (rows, one) => {
    if (pointing(one)) return wanted ? [row] : [];
    return without(rows, nested, effect.id);
  });
}

function applyDeeper(
  outer: readonly Row[],
  change: RowChange,
  nested: Nested,
  reader: ChangeReader,
  key: string,
): Replaced | "reload" {
  const replaced = new Map<Row, Row>();
  for (const row of outer) {
    const rows = rowsAt(row, nested);
    let next = rows;
    for (const inner of nested.nested) {
      const result = applyNested(next, change, inner, nested.id, reader, key);
      if (result === "reload") return "reload";
      next = next.map((one) => result.get(one) ?? one);
    }
    if (next.some((one, i) => one !== rows[i])) replaced.set(row, withRows(row, nested, next));
  }
  return replaced;
}

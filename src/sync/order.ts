import type { Row } from "./row.ts";

/** Tells which of two rows comes first: negative for the first. */
export type Compare = (a: Row, b: Row) => number;

/** A column to order by. */
export interface OrderTerm {
  readonly property: string;
  readonly descending: boolean;
  /** Compared as numbers though they are texts: bigint and numeric. */
  readonly numeric: boolean;
}

/**
 * Makes the order of some columns, as Postgres has it with the collation "C": nulls are greater than
 * everything else.
 */
export function orderBy(terms: readonly OrderTerm[]): Compare {
  return (a, b) => {
    for (const { property, descending, numeric } of terms) {
      const order = compareValues(a[property], b[property], numeric);
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  };
}

function compareValues(a: unknown, b: unknown, numeric: boolean): number {
  if (a === b) return 0;
  if (a === null || a === undefined) return b === null || b === undefined ? 0 : 1;
  if (b === null || b === undefined) return -1;
  if (typeof a === "string" && typeof b === "string") {
    return numeric ? compareDecimals(a, b) : compareText(a, b);
  }
  const [x, y] = [a as number, b as number];
  if (x < y) return -1;
  return x > y ? 1 : Number(isNothing(x)) - Number(isNothing(y));
}

/** A number that is none, or the date of an infinite timestamp: greater than all others. */
function isNothing(value: unknown): boolean {
  return typeof value === "number" || value instanceof Date ? Number.isNaN(Number(value)) : false;
}

/** By code points, as UTF-8 is ordered: by code units alone a surrogate would come too early. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Moves the surrogates behind all other units. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** Compares decimal numbers of any length as Postgres writes them, `NaN` being the greatest. */
export function compareDecimals(a: string, b: string): number {
  const special = specialRank(a) - specialRank(b);
  if (special !== 0 || specialRank(a) !== 0) return special;
  const [negative, other] = [a.startsWith("-"), b.startsWith("-")];
  if (negative !== other) return isZero(a) && isZero(b) ? 0 : negative ? -1 : 1;
  const order = compareMagnitudes(a.replace("-", ""), b.replace("-", ""));
  return negative ? -order : order;
}

function isZero(text: string): boolean {
  return /^-?0*\.?0*$/.test(text);
}

function specialRank(text: string): number {
  return text === "NaN" ? 2 : text === "Infinity" ? 1 : text === "-Infinity" ? -1 : 0;
}

function compareMagnitudes(a: string, b: string): number {
  const [[wholeA = "", partA = ""], [wholeB = "", partB = ""]] = [a.split("."), b.split(".")];
  const length = Math.max(wholeA.length, wholeB.length);
  const [x, y] = [wholeA.padStart(length, "0"), wholeB.padStart(length, "0")];
  if (x !== y) return x < y ? -1 : 1;
  const digits = Math.max(partA.length, partB.length);
  const [p, q] = [partA.padEnd(digits, "0"), partB.padEnd(digits, "0")];
  return p === q ? 0 : p < q ? -1 : 1;
}

import type { Compare } from "./order.ts";
import type { Row } from "./row.ts";
import type { Table } from "./table.ts";

/** Which rows of a table a value holds, and how they lie in it. */
export interface Shape {
  readonly table: Table;
  /** Properties that tell its rows apart. */
  readonly id: readonly string[];
  /** Property that says whom a row belongs to. */
  readonly key: string;
  /** Which rows of the key belong to the value; `true` for all. */
  readonly where: true | ((row: Row) => boolean);
  /** Their order; `undefined` for the one they were loaded in, what comes later at the end. */
  readonly compare: Compare | undefined;
  /** How many there are at most. */
  readonly limit: number | undefined;
  /** What lies in each row. */
  readonly nested: readonly Nested[];
  /** Properties a row has; `undefined` as long as that is not known. */
  readonly properties: ReadonlySet<string> | undefined;
}

/** Rows of another table that lie in the rows of one. */
export interface Nested extends Shape {
  /** Property of the outer row that holds them. */
  readonly property: string;
  /** `true`: a list, whose rows name the outer one; `false`: a single one, which the outer row names. */
  readonly many: boolean;
  /** Property with the name: of the inner row if there are many, else of the outer one. */
  readonly ref: string;
}

/** All shapes of a value, its own first. */
export function shapesOf(shape: Shape): readonly Shape[] {
  return [shape, ...shape.nested.flatMap(shapesOf)];
}

import { type Field, type Relation, UNCHANGED } from "./relation.ts";
import { fieldsOf, type Tuple } from "./tuple.ts";

/** A row as a user sees it: property names, values read by type. */
export type Row = Readonly<Record<string, unknown>>;

/** How fields become values: the same way a query of the user gets them. */
export interface Codec {
  /** Reads the text of a type, by its object id; `undefined` leaves it as it is. */
  parserOf(type: number): ((text: string) => unknown) | undefined;
  /** The type under a domain: a query has that one, and the log the domain. @default the type itself */
  baseOf?(type: number): number;
  /** The name of the property that a column becomes. */
  propertyOf(column: string): string;
  /** Changes a value after it was read. */
  readonly value?: (
    value: unknown,
    column: { readonly name: string; readonly type: number },
  ) => unknown;
  /** Changes a row after its values were. */
  readonly row?: (row: Row) => Row;
}

/** Types from this object id on are of users: how they are read may be learned with a later connection. */
const USER_TYPES = 16_384;

/** A row of the log, read. */
export interface ReadRow {
  readonly row: Row;
  /** Properties the log did not repeat, because an update left them as they were. */
  readonly missing: readonly string[];
}

/** Reads the tuples of one relation. */
export class RowReader {
  readonly properties: readonly string[];
  readonly #relation: Relation;
  readonly #codec: Codec;
  readonly #parsers: readonly (((text: string) => unknown) | undefined)[];

  constructor(relation: Relation, codec: Codec) {
    this.#relation = relation;
    this.#codec = codec;
    this.properties = relation.columns.map(({ name }) => codec.propertyOf(name));
    this.#parsers = relation.columns.map(({ type }) => codec.parserOf(type));
  }

  /**
   * Reads a row.
   *
   * @throws whatever a parser throws.
   */
  read(tuple: Tuple): ReadRow {
    const { value, row: finish } = this.#codec;
    const row: Record<string, unknown> = {};
    const missing: string[] = [];
    const fields = fieldsOf(tuple);
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!;
      const property = this.properties[i]!;
      if (field === UNCHANGED) {
        missing.push(property);
        continue;
      }
      const { name, type: logged } = this.#relation.columns[i]!;
      const type = logged < USER_TYPES ? logged : this.#codec.baseOf?.(logged) ?? logged;
      const parse = this.#parsers[i] ??
        (logged < USER_TYPES ? undefined : this.#codec.parserOf(type));
      const read = field === null || parse === undefined ? field : parse(field);
      row[property] = value === undefined ? read : value(read, { name, type });
    }
    return { row: finish === undefined ? row : finish(row), missing };
  }

  /** Reads some columns only, by name; of an old row there is no more than the identity. */
  pick(tuple: Tuple, columns: readonly string[]): Row {
    const wanted = this.#relation.columns.map(({ name }, i): Field =>
      columns.includes(name) ? tuple.at(i)! : UNCHANGED
    );
    return this.read(wanted).row;
  }
}

/**
 * Writes what tells a row apart as a text.
 *
 * @param row The row, loaded or read from the log.
 * @param properties The columns that do.
 */
export function idText(row: Row, properties: readonly string[]): string {
  return properties.length === 1
    ? valueText(row[properties[0]!])
    : properties.map((property) => valueText(row[property])).join("\0");
}

/** Writes the value of an id as a text: what is equal in the database has one. */
export function valueText(value: unknown): string {
  if (value instanceof Date) return `d${value.getTime()}`;
  if (typeof value === "object" && value !== null) return JSON.stringify(value);
  return String(value);
}

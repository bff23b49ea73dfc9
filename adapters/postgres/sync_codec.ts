import type { Codec, Row } from "../../src/sync/row.ts";
import { checkDate, holdsDates } from "./dates.ts";
import type { SyncSqlOptions } from "./sync_sql.ts";

type Parser = ((text: string) => unknown) & { readonly array?: boolean };
type Rename = (name: string) => string;
type Revalue = NonNullable<Codec["value"]>;

/**
 * Reads rows of the log as an instance of the `postgres` package reads those of a query: with its
 * types and its transforms, so that a row is the same whichever way it comes.
 *
 * @param bases The types under domains; looked at whenever a row is read, for more may be known by then.
 */
export function codecOf(
  { parsers, transform }: SyncSqlOptions,
  bases: ReadonlyMap<number, number> = new Map(),
): Codec {
  const rename = transform.column.from as Rename | null | undefined;
  const value = transform.value.from as Revalue | null | undefined;
  const row = transform.row.from as ((row: Row) => Row) | null | undefined;
  return {
    parserOf(type) {
      const base = bases.get(type) ?? type;
      const parse = parsers[base] as Parser | undefined;
      // The package hands an array over without its first brace.
      const read = parse?.array === true ? (text: string) => parse(text.slice(1)) : parse;
      return read !== undefined && holdsDates(base) ? checked(read) : read;
    },
    baseOf: (type) => bases.get(type) ?? type,
    propertyOf: (column) => rename ? rename(column) : column,
    ...(value && {
      value: (read: unknown, column: Parameters<Revalue>[1]): unknown =>
        value(read, { ...column, name: rename ? rename(column.name) : column.name }),
    }),
    ...(row && { row }),
  };
}

/** As a load does: what it refuses is refused of the log as well, and has the value loaded. */
function checked(read: (text: string) => unknown): (text: string) => unknown {
  return (text) => {
    const value = read(text);
    checkDate(value, "a row of the log");
    return value;
  };
}

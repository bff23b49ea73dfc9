import { checkKnown, type OptionNames, wrongArgument } from "../../src/core/options.ts";

/** A table to be watched. */
export interface SyncTable {
  /** Column, or columns, that tell its rows apart. @default {"id"} */
  readonly id?: string | readonly string[];
  /**
   * Column that says whom a row belongs to: a tenant, a user, a project. Of an integer type, `uuid`,
   * `text` or `varchar`. Rows where it is NULL reach nobody.
   */
  readonly key: string;
  /** Columns that leave the database; from Postgres 15. @default all of them, those added later too */
  readonly columns?: readonly string[];
  /** Schema it is in. @default {"public"} */
  readonly schema?: string;
  /** Its name, if it is to be called otherwise. @default what it is called in `tables` */
  readonly name?: string;
}

/** A table with everything filled in. */
export interface ResolvedTable {
  readonly alias: string;
  readonly schema: string;
  readonly name: string;
  readonly id: readonly string[];
  readonly key: string;
  readonly columns: readonly string[] | undefined;
}

const tableNames: OptionNames<SyncTable> = {
  id: true,
  key: true,
  columns: "an array",
  schema: "a string",
  name: "a string",
};

/**
 * Fills in what was left out.
 *
 * @throws {TypeError} If a table has no key, leaves its id or key out of the columns, or is there twice.
 */
export function resolveTables(
  tables: Readonly<Record<string, SyncTable>>,
): readonly ResolvedTable[] {
  checkKnown(tables, tables ?? {}, "sync", "tables");
  const resolved = Object.entries(tables).map(([alias, table]): ResolvedTable => {
    checkKnown(table, tableNames, `sync the table "${alias}"`, `tables.${alias}`);
    const { id = "id", key, columns, schema = "public", name = alias } = table;
    const ids = typeof id === "string" ? [id] : id;
    for (const names of [ids, columns ?? []] as readonly unknown[]) {
      if (Array.isArray(names) && names.every((one) => typeof one === "string")) continue;
      const which = names === ids ? "id" : "columns";
      throw wrongArgument(`Cannot sync the table "${alias}": its "${which}" is no list of names`);
    }
    if (typeof key !== "string" || key === "" || ids.length === 0) {
      throw wrongArgument(`Cannot sync the table "${alias}": it has no key or no id`);
    }
    const missing = [key, ...ids].find((column) => columns && !columns.includes(column));
    if (missing !== undefined) {
      throw wrongArgument(`Cannot sync the table "${alias}": "${missing}" is not in its columns`);
    }
    return { alias, schema, name, id: ids, key, columns };
  });
  if (resolved.length === 0) throw wrongArgument("Cannot sync: there are no tables");
  const names = resolved.map(({ schema, name }) => `${schema}.${name}`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw wrongArgument(`Cannot sync the table "${twice}": it is there twice`);
  }
  return resolved;
}

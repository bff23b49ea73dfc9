import { quoteName, quoteQualified, quoteText } from "./sync_sql.ts";
import { type ResolvedTable, resolveTables, type SyncTable } from "./sync_tables.ts";
import { checkKnown, type OptionNames } from "../../src/core/options.ts";

/** What the database is set up for. */
export interface SyncSetupOptions {
  /** The tables, as for `createSync()`. */
  readonly tables: Readonly<Record<string, SyncTable>>;
  /** Name of the publication. @default {"holdfast"} */
  readonly publication?: string;
  /** Name of a slot that outlives its connections, to be dropped by `syncDown()`. */
  readonly slot?: string;
}

const optionNames: OptionNames<SyncSetupOptions> = {
  tables: true,
  publication: "a string",
  slot: "a string",
};

export const DEFAULT_PUBLICATION = "holdfast";

/** "Holdsync" as a number: nobody else takes this advisory lock. */
const LOCK = 0x486f6c6473796e63n;

/** Longest name of Postgres, in bytes. */
const MAX_NAME = 63;

const SUFFIX = "_holdfast_identity";

/** Name of the index that is the replica identity of a table of ours. */
export function identityIndex(table: string): string {
  return `${table.slice(0, MAX_NAME - SUFFIX.length)}${SUFFIX}`;
}

/** The columns of a replica identity, the key first: the index also finds the rows of a key. */
export function identityColumns({ key, id }: ResolvedTable): readonly string[] {
  return [...new Set([key, ...id])];
}

/**
 * Writes the SQL that sets a database up for sync: for each table a unique index on (key, id) as its
 * replica identity, so that deleted and moved rows say whom they belonged to, and one publication. It
 * is one statement, which can be run again: what is there stays, and the publication gets exactly
 * these tables. The partitions that a partitioned table has by then are included.
 *
 * @param options The tables.
 * @returns The SQL, for `sync.up()`, the command line or a migration tool.
 * @throws {TypeError} If the tables make no sense.
 *
 * @example
 * ```ts
 * import { syncUp } from "@holdfast/holdfast/postgres";
 * import { assertEquals } from "@std/assert";
 *
 * const sql = syncUp({ tables: { orders: { key: "organization_id" } } });
 * assertEquals(sql.includes('("organization_id", "id")'), true);
 * assertEquals(sql.includes('CREATE PUBLICATION "holdfast" FOR TABLE "public"."orders"'), true);
 * ```
 */
export function syncUp(options: SyncSetupOptions): string {
  checkKnown(options, optionNames, "set sync up");
  const tables = resolveTables(options.tables);
  return block([
    ...tables.flatMap(identityStatements),
    ...publicationStatements(tables, options.publication ?? DEFAULT_PUBLICATION),
  ]);
}

/**
 * Writes the SQL that takes back what {@linkcode syncUp} has set up: the publication, the replica
 * identities, their indexes, and the slot if there is one. Close everything that uses them first.
 *
 * @param options The tables.
 * @returns The SQL.
 * @throws {TypeError} If the tables make no sense.
 */
export function syncDown(options: SyncSetupOptions): string {
  checkKnown(options, optionNames, "take sync back");
  const { publication = DEFAULT_PUBLICATION, slot } = options;
  const tables = resolveTables(options.tables);
  return block([
    ...(slot === undefined ? [] : [
      "PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots " +
      `WHERE slot_name = ${quoteText(slot)};`,
    ]),
    `DROP PUBLICATION IF EXISTS ${quoteName(publication)};`,
    ...tables.flatMap(undoStatements),
  ]);
}

/** What puts right the replica identity of one table, whatever its partitions. */
export function identitySql(table: ResolvedTable): string {
  return block(identityStatements(table));
}

/** What puts right the publication. */
export function publicationSql(tables: readonly ResolvedTable[], publication: string): string {
  return block(publicationStatements(tables, publication));
}

function block(statements: readonly string[]): string {
  const lines = statements.map((statement) => `  ${statement}`).join("\n");
  return `DO $holdfast$
DECLARE part regclass;
BEGIN
  PERFORM pg_advisory_xact_lock(${LOCK});
${lines}
END
$holdfast$;`;
}

/** Does something to a table or, if it is partitioned, to each partition that holds rows. */
function forEachPart(table: ResolvedTable, statements: readonly string[]): readonly string[] {
  const name = quoteText(quoteQualified(table));
  return [
    "FOR part IN SELECT c.oid FROM pg_class c WHERE c.relkind = 'r' AND (",
    `  c.oid = ${name}::regclass OR c.oid IN (SELECT relid FROM pg_partition_tree(${name}::regclass)))`,
    "LOOP",
    ...statements.map((statement) => `  ${statement}`),
    "END LOOP;",
  ];
}

const PART_NAME = "(SELECT relname FROM pg_class WHERE oid = part)";

/** The name of the index of a part, as `identityIndex()` makes it. */
const PART_INDEX = `left(${PART_NAME}, ${MAX_NAME - SUFFIX.length}) || '${SUFFIX}'`;

function identityStatements(table: ResolvedTable): readonly string[] {
  const columns = identityColumns(table).map(quoteName).join(", ");
  return forEachPart(table, [
    "EXECUTE format('CREATE UNIQUE INDEX IF NOT EXISTS %I ON %s (" +
    `${columns.replaceAll("%", "%%").replaceAll("'", "''")})', ${PART_INDEX}, part);`,
    `EXECUTE format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', part, ${PART_INDEX});`,
  ]);
}

function undoStatements(table: ResolvedTable): readonly string[] {
  const name = quoteText(quoteQualified(table));
  const [begin, ...rest] = [
    `IF to_regclass(${name}) IS NOT NULL THEN`,
    ...forEachPart(table, [
      "EXECUTE format('ALTER TABLE %s REPLICA IDENTITY DEFAULT', part);",
      "EXECUTE format('DROP INDEX IF EXISTS %I.%I', (SELECT relnamespace::regnamespace::text " +
      `FROM pg_class WHERE oid = part), ${PART_INDEX});`,
    ]),
    "END IF;",
  ];
  return [begin!, ...rest];
}

function publicationStatements(
  tables: readonly ResolvedTable[],
  publication: string,
): readonly string[] {
  const list = tables.map((table) => {
    const columns = table.columns?.map(quoteName).join(", ");
    return quoteQualified(table) + (columns === undefined ? "" : ` (${columns})`);
  }).join(", ");
  const name = quoteName(publication);
  const settings =
    "publish = 'insert, update, delete, truncate', publish_via_partition_root = true";
  return [
    `IF EXISTS (SELECT FROM pg_publication WHERE pubname = ${quoteText(publication)}) THEN`,
    `  ALTER PUBLICATION ${name} SET TABLE ${list};`,
    `  ALTER PUBLICATION ${name} SET (${settings});`,
    "ELSE",
    `  CREATE PUBLICATION ${name} FOR TABLE ${list} WITH (${settings});`,
    "END IF;",
  ];
}

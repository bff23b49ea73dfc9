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

/** The columns of a replica identity, the key first: the index also finds the rows of a key. */
export function identityColumns({ key, id }: ResolvedTable): readonly string[] {
  return [...new Set([key, ...id])];
}

/**
 * Writes the SQL that sets a database up for sync: for each table a unique index on (key, id) as its
 * replica identity, so that deleted and moved rows say whom they belonged to, and one publication. It
 * is one statement, which can be run again: what is there stays, as a unique index on these columns that was
 * made `CONCURRENTLY` before, `REPLICA IDENTITY FULL`, and tables of others in the publication, which a notice
 * names. The partitions that a partitioned table has by then are included.
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
 * assertEquals(sql.includes('CREATE PUBLICATION "holdfast"'), true);
 * assertEquals(sql.includes('ADD TABLE "public"."orders"'), true);
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
 * Writes the SQL that takes back what {@linkcode syncUp} has set up: the tables in the publication, and that
 * too if it has no others, their indexes, and the slot if there is one; replica identities become again what they
 * were before. What others stand on stays, and a notice says so: a publication of all tables, and the replica
 * identity of a table that is in another publication. Close everything that uses them first.
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
    ...unpublishStatements(tables, publication),
    ...tables.flatMap((table) => undoStatements(table, publication)),
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
DECLARE
  part regclass;
  wanted text[];
  fit record;
  index_name name;
  identity regclass;
  was text;
  old regclass;
  listed int2[];
  published jsonb;
  more text;
  others bigint;
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

/** Indexes of ours: they are known by the end of their names. */
const OURS = `right(c.relname, ${SUFFIX.length}) = '${SUFFIX}'`;

/**
 * An index that tells whose row it was: the replica identity there is, if it has these columns and perhaps
 * more, or one of exactly these columns. A primary key only if it begins with the key, whose rows loads look for.
 */
const FITTING = [
  "SELECT c.relname, u.used INTO fit FROM pg_index i",
  "  JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid",
  "  CROSS JOIN LATERAL (SELECT t.relreplident = 'i' AND i.indisreplident",
  "    OR t.relreplident = 'd' AND i.indisprimary AND wanted[1] = (SELECT attname FROM pg_attribute",
  "      WHERE attrelid = t.oid AND attnum = i.indkey[0]) AS used) u",
  "  CROSS JOIN LATERAL (SELECT array_agg(a.attname::text) AS names FROM pg_attribute a",
  "    WHERE a.attrelid = t.oid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])) k",
  "  WHERE t.oid = part AND i.indisunique AND i.indimmediate AND i.indisvalid",
  "    AND i.indpred IS NULL AND i.indexprs IS NULL",
  "    AND k.names @> wanted AND (u.used OR k.names <@ wanted)",
  "  ORDER BY u.used DESC, c.relname LIMIT 1;",
];

/** A name that nothing in the schema has: that of the table may be taken, as by one of that name before. */
const NAME = [
  `SELECT left(relname, ${MAX_NAME - SUFFIX.length}) || '${SUFFIX}' INTO index_name`,
  "  FROM pg_class WHERE oid = part;",
  "IF EXISTS (SELECT FROM pg_class c JOIN pg_class t ON t.oid = part",
  "  WHERE c.relname = index_name AND c.relnamespace = t.relnamespace)",
  // Cut off in the middle of our suffix, it would not be known as one of ours.
  `  OR right(index_name, ${SUFFIX.length}) <> '${SUFFIX}' THEN`,
  `  index_name := 't' || part::oid || '_' || extract(epoch FROM clock_timestamp())::bigint || '${SUFFIX}';`,
  "END IF;",
];

/**
 * What an index says of the identity that was there before it, at the end of its comment: `down` makes it that
 * again. There may be a comment of somebody else before.
 */
const MARK = " *\\[holdfast: the replica identity was (.*)\\]$";

/** Finds the index that is the identity of a part, and what was there before `up`; NULL if that was none of ours. */
const BEFORE = [
  "SELECT i.indexrelid INTO identity FROM pg_index i WHERE i.indrelid = part AND i.indisreplident;",
  `was := substring(obj_description(identity, 'pg_class') FROM ${quoteText(MARK)});`,
  // One of ours that says nothing was made before they did.
  `IF was IS NULL AND EXISTS (SELECT FROM pg_class c WHERE c.oid = identity AND ${OURS}) THEN`,
  "  was := 'DEFAULT';",
  "END IF;",
];

function identityStatements(table: ResolvedTable): readonly string[] {
  const names = identityColumns(table);
  const columns = names.map(quoteName).join(", ").replaceAll("%", "%%").replaceAll("'", "''");
  return [
    `wanted := ARRAY[${names.map(quoteText).join(", ")}];`,
    ...forEachPart(table, [
      // Whoever has said so reads whole rows, and these tell whose they were as well.
      "IF EXISTS (SELECT FROM pg_class c WHERE c.oid = part AND c.relreplident = 'f') THEN",
      "  RAISE NOTICE 'the replica identity of % stays FULL, which writes more of each change than is needed, and " +
      "has no index for what is loaded; after ALTER TABLE ... REPLICA IDENTITY DEFAULT up makes one', part;",
      "  CONTINUE;",
      "END IF;",
      ...FITTING,
      "CONTINUE WHEN fit.used;",
      ...BEFORE,
      "IF was IS NULL THEN",
      "  SELECT CASE WHEN identity IS NOT NULL THEN 'INDEX ' || c.relname",
      "    WHEN t.relreplident = 'n' THEN 'NOTHING' ELSE 'DEFAULT' END INTO was",
      "    FROM pg_class t LEFT JOIN pg_class c ON c.oid = identity WHERE t.oid = part;",
      "END IF;",
      "index_name := fit.relname;",
      "IF index_name IS NULL THEN",
      ...NAME.map((line) => `  ${line}`),
      `  EXECUTE format('CREATE UNIQUE INDEX %I ON %s (${columns})', index_name, part);`,
      "END IF;",
      "EXECUTE format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', part, index_name);",
      ...commentStatements("identity", "NULL"),
      "SELECT i.indexrelid INTO identity FROM pg_index i WHERE i.indrelid = part AND i.indisreplident;",
      ...commentStatements("identity", "'[holdfast: the replica identity was ' || was || ']'"),
      ...dropOurs("AND c.relname <> index_name"),
    ]),
  ];
}

/** Puts our mark at the end of what an index has as its comment, in place of one that is there, or takes it away. */
function commentStatements(index: string, mark: string): readonly string[] {
  const own = `regexp_replace(obj_description(${index}, 'pg_class'), ${quoteText(MARK)}, '')`;
  return [
    `IF ${index} IS NOT NULL AND concat(obj_description(${index}, 'pg_class'), ${mark}) <> '' THEN`,
    `  EXECUTE format('COMMENT ON INDEX %s IS %L', ${index}, nullif(concat_ws(' ', nullif(${own}, ''), ${mark}), ''));`,
    "END IF;",
  ];
}

/** Drops indexes of ours. */
function dropOurs(which = ""): readonly string[] {
  return [
    "FOR old IN SELECT i.indexrelid FROM pg_index i",
    "  JOIN pg_class c ON c.oid = i.indexrelid",
    `  WHERE i.indrelid = part AND ${OURS} ${which}`.trimEnd(),
    "LOOP",
    "  EXECUTE format('DROP INDEX %s', old);",
    "END LOOP;",
  ];
}

/** Takes tables out of a publication, and drops it if nothing is left of it. */
function unpublishStatements(
  tables: readonly ResolvedTable[],
  publication: string,
): readonly string[] {
  const [name, text] = [quoteName(publication), quoteText(publication)];
  const stays = (why: string): string =>
    `RAISE NOTICE 'the publication % stays: ${why}', quote_ident(${text});`;
  return [
    `IF EXISTS (SELECT FROM pg_publication WHERE pubname = ${text} AND puballtables) THEN`,
    `  ${stays("it is of all tables")}`,
    `ELSIF EXISTS (SELECT FROM pg_publication WHERE pubname = ${text}) THEN`,
    ...tables.flatMap((table) => [
      `  IF EXISTS (${inPublication(table, `p.pubname = ${text}`)}) THEN`,
      `    ALTER PUBLICATION ${name} DROP TABLE ${quoteQualified(table)};`,
      "  END IF;",
    ]),
    "  SELECT count(*) INTO others FROM pg_publication_rel r",
    `    JOIN pg_publication p ON p.oid = r.prpubid WHERE p.pubname = ${text};`,
    // From Postgres 15 on there may be whole schemas.
    "  IF to_regclass('pg_catalog.pg_publication_namespace') IS NOT NULL THEN",
    "    EXECUTE 'SELECT $1 + count(*) FROM pg_publication_namespace n '",
    `      'JOIN pg_publication p ON p.oid = n.pnpubid WHERE p.pubname = $2' INTO others USING others, ${text};`,
    "  END IF;",
    "  IF others > 0 THEN",
    `    ${stays("it has more than these tables")}`,
    "  ELSE",
    `    DROP PUBLICATION ${name};`,
    "  END IF;",
    "END IF;",
  ];
}

/** Finds a table among those that publications name. */
function inPublication(table: ResolvedTable, which: string): string {
  return "SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid " +
    `WHERE r.prrelid = to_regclass(${quoteText(quoteQualified(table))}) AND ${which}`;
}

function undoStatements(table: ResolvedTable, publication: string): readonly string[] {
  const name = quoteText(quoteQualified(table));
  return [
    `IF EXISTS (${inPublication(table, `p.pubname <> ${quoteText(publication)}`)}) THEN`,
    `  RAISE NOTICE 'the replica identity of % stays: another publication has the table', ${name};`,
    `ELSIF to_regclass(${name}) IS NOT NULL THEN`,
    ...forEachPart(table, [
      // One that says nothing is none of ours: it was there before.
      ...BEFORE,
      "IF was IS NOT NULL THEN",
      ...commentStatements("identity", "NULL"),
      "  BEGIN",
      "    EXECUTE format('ALTER TABLE %s REPLICA IDENTITY ', part) || CASE WHEN was LIKE 'INDEX %'",
      "      THEN format('USING INDEX %I', substr(was, 7)) WHEN was = 'NOTHING' THEN was ELSE 'DEFAULT' END;",
      "  EXCEPTION WHEN undefined_object OR wrong_object_type OR feature_not_supported THEN",
      "    EXECUTE format('ALTER TABLE %s REPLICA IDENTITY DEFAULT', part);",
      "    RAISE NOTICE 'the replica identity of % is DEFAULT now: before it was the index %, which cannot be it " +
      "any more', part, substr(was, 7);",
      "  END;",
      "END IF;",
      ...dropOurs(),
    ]),
    "END IF;",
  ];
}

const SETTINGS = "publish = 'insert, update, delete, truncate', publish_via_partition_root = true";

function publicationStatements(
  tables: readonly ResolvedTable[],
  publication: string,
): readonly string[] {
  const [name, text] = [quoteName(publication), quoteText(publication)];
  const which = `FROM pg_publication WHERE pubname = ${text}`;
  const ours = tables.map((table) => `(${quoteText(table.schema)}, ${quoteText(table.name)})`);
  return [
    `IF NOT EXISTS (SELECT ${which}) THEN`,
    `  CREATE PUBLICATION ${name} WITH (${SETTINGS});`,
    `ELSIF NOT (SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate AND pubviaroot ${which}) THEN`,
    `  ALTER PUBLICATION ${name} SET (${SETTINGS});`,
    "  RAISE NOTICE 'the publication % has all kinds of changes now, those of partitions as of their table: " +
    `for everyone who reads it', quote_ident(${text});`,
    "END IF;",
    // One of all tables has these as well, and takes no list.
    `IF NOT (SELECT puballtables ${which}) THEN`,
    ...tables.flatMap((table) => publishStatements(table, publication)).map((line) => `  ${line}`),
    // They may be those of another application.
    "  SELECT string_agg(quote_ident(schemaname) || '.' || quote_ident(tablename), ', '",
    `    ORDER BY schemaname, tablename) INTO more FROM pg_publication_tables WHERE pubname = ${text}`,
    `    AND (schemaname, tablename) NOT IN (${ours.join(", ")});`,
    "  IF more IS NOT NULL THEN",
    "    RAISE NOTICE 'the publication % has more than these tables, and keeps it: % (down takes out what is " +
    `named)', quote_ident(${text}), more;`,
    "  END IF;",
    "END IF;",
  ];
}

/** Has one table in a publication with the columns that are asked for, and all rows. */
function publishStatements(table: ResolvedTable, publication: string): readonly string[] {
  const [name, text] = [quoteName(publication), quoteText(publication)];
  const [qualified, columns] = [quoteQualified(table), table.columns];
  const id = `${quoteText(qualified)}::regclass`;
  const list = columns === undefined ? "" : ` (${columns.map(quoteName).join(", ")})`;
  const add = `ALTER PUBLICATION ${name} ADD TABLE ${qualified}${list};`;
  return [
    columns === undefined
      ? "listed := NULL;"
      : "SELECT array_agg(attnum ORDER BY attnum) INTO listed FROM pg_attribute " +
        `WHERE attrelid = ${id} AND attname::text IN (${columns.map(quoteText).join(", ")});`,
    // As JSON: before Postgres 15 a row of it has neither columns nor a condition.
    "SELECT to_jsonb(r) INTO published FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid",
    `  WHERE p.pubname = ${text} AND r.prrelid = ${id};`,
    "IF published IS NULL THEN",
    // All of a schema may be in it.
    `  IF listed IS NOT NULL OR NOT EXISTS (SELECT FROM pg_publication_tables WHERE pubname = ${text}`,
    `    AND schemaname = ${quoteText(table.schema)} AND tablename = ${
      quoteText(table.name)
    }) THEN`,
    `    ${add}`,
    "  END IF;",
    "ELSIF published->>'prqual' IS NOT NULL",
    "  OR nullif(published->'prattrs', 'null') IS DISTINCT FROM to_jsonb(listed) THEN",
    `  ALTER PUBLICATION ${name} DROP TABLE ${qualified};`,
    `  ${add}`,
    "  RAISE NOTICE 'the publication % has all rows of % now, and the columns that are asked for: for everyone " +
    `who reads it', quote_ident(${text}), ${quoteText(qualified)};`,
    "END IF;",
  ];
}

import type { SyncQueries } from "./sync_sql.ts";
import type { ResolvedTable } from "./sync_tables.ts";

/** The server, as far as sync depends on it. */
export interface ServerFacts {
  /** `160004` for 16.4. */
  readonly version: number;
  readonly walLevel: string;
  readonly standby: boolean;
  /** Our role may stream the log. */
  readonly replication: boolean;
  readonly role: string;
  readonly slots: number;
  readonly maxSlots: number;
  readonly senders: number;
  readonly maxSenders: number;
}

/** A column of a table. */
export interface ColumnFacts {
  readonly name: string;
  /** Object id of its type, as the log names it. */
  readonly type: number;
  /** Object id of the type under its domains. */
  readonly base: number;
  readonly typeName: string;
  readonly notNull: boolean;
  /** Equal only if the same, as far as its collation goes. */
  readonly deterministic: boolean;
  readonly generated: boolean;
}

/** A table or a partition, and what its old rows carry. */
export interface PartFacts {
  /** Its object id. */
  readonly id: number;
  readonly name: string;
  readonly identity: readonly string[];
}

/** A table, as far as sync depends on it. */
export interface TableFacts {
  /** `r` for a table, `p` for a partitioned one, `v` for a view and so on, as in the catalog. */
  readonly kind: string;
  readonly partitioned: boolean;
  /** What is written to it is in the log. */
  readonly logged: boolean;
  /** Tables inherit from it, whose rows a query of it gives as well. */
  readonly inherited: boolean;
  readonly columns: readonly ColumnFacts[];
  readonly readable: boolean;
  /** Policies decide which rows our role reads. */
  readonly rowSecurity: boolean;
  /** The table itself or, if it is partitioned, the partitions that hold rows. */
  readonly parts: readonly PartFacts[];
}

/** A publication. */
export interface PublicationFacts {
  readonly insert: boolean;
  readonly update: boolean;
  readonly delete: boolean;
  readonly truncate: boolean;
  readonly viaRoot: boolean;
  /** It is of all tables there are. */
  readonly all: boolean;
  /** Its tables, with their columns; `null` where the version does not say. */
  readonly tables: readonly {
    readonly schema: string;
    readonly name: string;
    readonly columns: readonly string[] | null;
    /** A condition for the rows that are in it; `null` if it has all. */
    readonly filter: string | null;
  }[];
}

const SERVER = `SELECT json_build_object(
  'version', current_setting('server_version_num')::int,
  'walLevel', current_setting('wal_level'),
  'standby', pg_is_in_recovery(),
  'replication', (SELECT rolsuper OR rolreplication FROM pg_roles WHERE rolname = current_user)
    OR EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_replication'
      AND pg_has_role(current_user, oid, 'member')),
  'role', current_user,
  'slots', (SELECT count(*) FROM pg_replication_slots),
  'maxSlots', current_setting('max_replication_slots')::int,
  'senders', (SELECT count(*) FROM pg_stat_replication),
  'maxSenders', current_setting('max_wal_senders')::int
)::text AS data`;

const TABLE = `SELECT json_build_object(
  'kind', c.relkind, 'partitioned', c.relkind = 'p', 'logged', c.relpersistence = 'p',
  'inherited', c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid),
  'readable', has_table_privilege(c.oid, 'SELECT'),
  'rowSecurity', row_security_active(c.oid),
  'columns', (SELECT coalesce(json_agg(json_build_object(
      'name', a.attname, 'type', a.atttypid::bigint, 'notNull', a.attnotnull,
      'typeName', format_type(a.atttypid, a.atttypmod),
      'base', (WITH RECURSIVE base AS (
          SELECT t.oid, t.typbasetype FROM pg_type t WHERE t.oid = a.atttypid
          UNION ALL SELECT t.oid, t.typbasetype FROM base JOIN pg_type t ON t.oid = base.typbasetype
        ) SELECT oid::bigint FROM base WHERE typbasetype = 0),
      'deterministic', coalesce((SELECT collisdeterministic FROM pg_collation
        WHERE oid = a.attcollation), true),
      'generated', a.attgenerated <> ''
    ) ORDER BY a.attnum), '[]') FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
  'parts', (SELECT coalesce(json_agg(json_build_object(
      'id', p.oid::bigint, 'name', p.oid::regclass::text,
      'identity', (SELECT coalesce(json_agg(a.attname), '[]') FROM pg_attribute a
        WHERE a.attrelid = p.oid AND a.attnum > 0 AND NOT a.attisdropped AND (
          p.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = p.oid
            AND i.indisvalid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])
            AND (p.relreplident = 'd' AND i.indisprimary
              OR p.relreplident = 'i' AND i.indisreplident))))
    )), '[]') FROM pg_class p WHERE p.relkind = 'r' AND (
      p.oid = c.oid OR p.oid IN (SELECT relid FROM pg_partition_tree(c.oid))))
)::text AS data FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = $1::text AND c.relname = $2::text`;

function publicationQuery(version: number): string {
  const [columns, filter] = version >= 150_000
    ? ["to_json(attnames)", "rowfilter"]
    : ["NULL::json", "NULL::text"];
  return `SELECT json_build_object(
  'insert', pubinsert, 'update', pubupdate, 'delete', pubdelete, 'truncate', pubtruncate,
  'viaRoot', pubviaroot, 'all', puballtables,
  'tables', (SELECT coalesce(json_agg(json_build_object('schema', schemaname, 'name', tablename,
    'columns', ${columns}, 'filter', ${filter})), '[]') FROM pg_publication_tables t WHERE t.pubname = p.pubname)
)::text AS data FROM pg_publication p WHERE pubname = $1::text`;
}

/**
 * All that decides what of some tables is in the log, as one text for each. The ids of rows of the catalog are
 * among it, so that what was taken back is noticed as well, and the numbers of columns, for one that was dropped
 * and added again; and the files of partitions, which change with a TRUNCATE of one: the log of a publication by
 * root leaves that out.
 */
const SETUP = `WITH wanted AS (
  SELECT c.oid, one.alias, one.schema, one.name
  FROM json_to_recordset($2::text::json) AS one(alias text, schema text, name text)
  LEFT JOIN pg_namespace n ON n.nspname = one.schema
  LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = one.name
), parts AS (
  SELECT alias, oid, false AS leaf FROM wanted
  UNION SELECT alias, p.relid, true FROM wanted, pg_partition_tree(wanted.oid) AS p
    WHERE p.relid <> wanted.oid
) SELECT json_object_agg(wanted.alias, json_build_array(
  (SELECT json_agg(json_build_array(oid, pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot))
    FROM pg_publication WHERE pubname = $1::text),
  (SELECT json_agg(json_build_array(r.oid, r.xmin::text) ORDER BY r.oid) FROM pg_publication_rel r
    JOIN pg_publication p ON p.oid = r.prpubid
    WHERE p.pubname = $1::text AND r.prrelid = wanted.oid),
  (SELECT json_agg(to_json(t)) FROM pg_publication_tables t WHERE t.pubname = $1::text
    AND t.schemaname = wanted.schema AND t.tablename = wanted.name),
  (SELECT json_agg(json_build_array(c.oid, c.relreplident,
      CASE WHEN parts.leaf THEN pg_relation_filenode(c.oid) END,
      (SELECT json_agg(i.indexrelid) FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident),
      (SELECT json_agg(json_build_array(a.attnum, a.attname, a.atttypid) ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
    ) ORDER BY c.oid) FROM parts JOIN pg_class c ON c.oid = parts.oid
    WHERE parts.alias = wanted.alias)
)::text)::text FROM wanted`;

async function one<T>(
  sql: SyncQueries,
  query: string,
  parameters: readonly string[] = [],
): Promise<T | undefined> {
  // One text: whatever the instance does to names and values leaves it alone.
  const rows = await sql.unsafe(query, parameters as never[], { prepare: false });
  const [row] = rows as readonly Readonly<Record<string, unknown>>[];
  return row === undefined ? undefined : JSON.parse(String(Object.values(row)[0])) as T;
}

/** Looks at the server. */
export async function readServer(sql: SyncQueries): Promise<ServerFacts> {
  const facts = await one<ServerFacts>(sql, SERVER);
  if (facts === undefined) throw new Error("Cannot look at the server: it gave no answer");
  return facts;
}

/** Looks at a table; `undefined` if it is not there. */
export function readTable(
  sql: SyncQueries,
  { schema, name }: ResolvedTable,
): Promise<TableFacts | undefined> {
  return one<TableFacts>(sql, TABLE, [schema, name]);
}

/** Looks at a publication; `undefined` if it is not there. */
export function readPublication(
  sql: SyncQueries,
  name: string,
  version: number,
): Promise<PublicationFacts | undefined> {
  return one<PublicationFacts>(sql, publicationQuery(version), [name]);
}

/** Looks at how some tables are set up, by alias; two texts that are equal mean the same. */
export async function readSetup(
  sql: SyncQueries,
  tables: readonly ResolvedTable[],
  publication: string,
): Promise<ReadonlyMap<string, string>> {
  const names = tables.map(({ alias, schema, name }) => ({ alias, schema, name }));
  const texts = await one<Record<string, string>>(sql, SETUP, [publication, JSON.stringify(names)]);
  return new Map(Object.entries(texts ?? {}));
}

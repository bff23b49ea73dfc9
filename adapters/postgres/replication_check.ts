import { keyTypeOf } from "../../src/sync/key.ts";
import type { SyncProblem } from "../../src/sync/setup.ts";
import type { TableInfo } from "../../src/sync/table.ts";
import {
  type ColumnFacts,
  type PublicationFacts,
  readPublication,
  readServer,
  readTable,
  type ServerFacts,
  type TableFacts,
} from "./replication_catalog.ts";
import { identityColumns, identitySql, publicationSql } from "./replication_setup.ts";
import { quoteName, quoteQualified, type SyncQueries } from "./sync_sql.ts";
import type { ResolvedTable } from "./sync_tables.ts";

/** What a look at a database has found. */
export interface Inspection {
  /** What is the matter with all tables. */
  readonly problems: readonly SyncProblem[];
  readonly tables: readonly Inspected[];
}

/** What was found of a table. */
export interface Inspected {
  /** Only complete if there are no problems but warnings; these are not among its own. */
  readonly info: TableInfo;
  readonly problems: readonly SyncProblem[];
}

const OLDEST = 140_000;
const COLUMN_LISTS = 150_000;

/**
 * Looks at everything sync depends on.
 *
 * @param sql The database.
 * @param tables What is to be watched.
 * @param publication Its name.
 * @param room Look for a free slot too, as somebody who does not have one yet.
 */
export async function inspect(
  sql: SyncQueries,
  tables: readonly ResolvedTable[],
  publication: string,
  room: boolean,
): Promise<Inspection> {
  const server = await readServer(sql);
  const problems: SyncProblem[] = [
    ...serverProblems(server),
    ...(room ? roomProblems(server) : []),
  ];
  // Older ones know neither the functions nor the views we ask.
  if (server.version < OLDEST) return { problems, tables: [] };
  const published = await readPublication(sql, publication, server.version);
  const context: Context = { published, server, publication, all: tables };
  problems.push(...publicationProblems(context));
  const inspected: Inspected[] = [];
  for (const table of tables) {
    const facts = await readTable(sql, table);
    const found = [
      ...publishedProblems(table, context),
      ...(facts === undefined ? [missing(table)] : tableProblems(table, facts, context)),
    ];
    const wrong = found.filter((problem) => !isWarning(problem));
    const info = { ...infoOf(table, facts), ...(wrong.length > 0 && { problems: wrong }) };
    inspected.push({ info, problems: found });
  }
  return { problems, tables: inspected };
}

/** All that was found. */
export function allProblems({ problems, tables }: Inspection): readonly SyncProblem[] {
  return [...problems, ...tables.flatMap((table) => table.problems)];
}

/** Tells whether sync works in spite of it. */
export function isWarning({ warning }: SyncProblem): boolean {
  return warning === true;
}

/** What is known beside a table. */
interface Context {
  readonly published: PublicationFacts | undefined;
  readonly server: ServerFacts;
  readonly publication: string;
  readonly all: readonly ResolvedTable[];
}

function serverProblems(server: ServerFacts): readonly SyncProblem[] {
  const { version, walLevel, standby, replication, role } = server;
  const problems: SyncProblem[] = [];
  if (version < OLDEST) {
    const major = Math.floor(version / 10_000);
    problems.push({
      code: "postgres_version",
      message: `the server is Postgres ${major}, and sync needs 14 or newer`,
    });
  }
  if (walLevel !== "logical") {
    problems.push({
      code: "wal_level",
      message: `wal_level is "${walLevel}"; set it to logical and restart the server`,
      sql: "ALTER SYSTEM SET wal_level = 'logical';",
    });
  }
  if (standby) {
    problems.push({
      code: "standby",
      message: "the server is a standby; connect to the primary, also for what is loaded",
    });
  }
  if (!replication) {
    problems.push({
      code: "privilege",
      message: `the role "${role}" may not stream the log`,
      sql: `ALTER ROLE ${quoteName(role)} REPLICATION;`,
    });
  }
  return problems;
}

function roomProblems({ slots, maxSlots, senders, maxSenders }: ServerFacts): SyncProblem[] {
  const problems: SyncProblem[] = [];
  if (slots >= maxSlots) problems.push(slotsProblem(maxSlots));
  if (senders >= maxSenders) problems.push(sendersProblem(maxSenders));
  return problems;
}

/** All slots are taken. */
export function slotsProblem(max?: number): SyncProblem {
  const all = max === undefined ? "all" : `all ${max}`;
  return {
    code: "slots",
    message: `${all} replication slots of the server are in use; each node needs one: drop those ` +
      "that nobody needs, or raise max_replication_slots and restart the server",
    sql: "SELECT slot_name, active, wal_status FROM pg_replication_slots;",
  };
}

/** All connections for replication are taken. */
export function sendersProblem(max?: number): SyncProblem {
  const all = max === undefined ? "all" : `all ${max}`;
  return {
    code: "senders",
    message: `${all} connections for replication are in use; each node needs one: raise ` +
      "max_wal_senders and restart the server",
  };
}

function publicationProblem({ all, publication }: Context, what: string): SyncProblem {
  const message = `the publication "${publication}" ${what}`;
  return { code: "publication", message, sql: publicationSql(all, publication) };
}

/** What is the matter with the publication of all tables. */
function publicationProblems(context: Context): readonly SyncProblem[] {
  const { published: facts, publication } = context;
  if (facts === undefined) {
    const message = `there is no publication "${publication}"`;
    return [{ ...publicationProblem(context, ""), message }];
  }
  const { insert, update, delete: remove, truncate, viaRoot } = facts;
  if (!(insert && update && remove && truncate)) {
    return [publicationProblem(context, "leaves out some kinds of changes")];
  }
  return viaRoot ? [] : [publicationProblem(context, "names partitions, not their tables")];
}

/** What is the matter with one table in the publication, if there is one. */
function publishedProblems(
  { schema, name }: ResolvedTable,
  context: Context,
): readonly SyncProblem[] {
  const { published } = context;
  if (published === undefined) return [];
  const found = published.tables.find((one) => one.schema === schema && one.name === name);
  if (found?.filter === null) return [];
  const what = found === undefined ? "does not have" : "leaves out rows of";
  return [publicationProblem(context, `${what} "${schema}.${name}"`)];
}

function missing({ schema, name }: ResolvedTable): SyncProblem {
  const lower = name.toLowerCase();
  const hint = lower === name ? "" : `; names are taken as they are: is it "${lower}"?`;
  return { code: "table", message: `there is no table "${schema}.${name}"${hint}` };
}

/** What is no table whose rows are in the log; `undefined` if it is one. */
function unfit({ kind, logged, inherited }: TableFacts): string | undefined {
  if (kind === "f") return "is a foreign table, whose rows are in the log of another server";
  if (kind !== "r" && kind !== "p") {
    return 'is a view: watch a table below it, with a load that queries the view, and the others in "uses"';
  }
  if (!logged) {
    return "is unlogged or temporary: its rows are in no log; ALTER TABLE ... SET LOGGED";
  }
  if (inherited) {
    return "has tables that inherit from it, whose rows the log has under their names; make it partitioned";
  }
  return undefined;
}

function tableProblems(
  table: ResolvedTable,
  facts: TableFacts,
  context: Context,
): readonly SyncProblem[] {
  const { server } = context;
  const name = `${table.schema}.${table.name}`;
  const why = unfit(facts);
  if (why !== undefined) return [{ code: "table", message: `"${name}" ${why}` }];
  const problems: SyncProblem[] = [];
  if (!facts.readable) {
    problems.push({
      code: "privilege",
      message: `the role "${server.role}" may not read "${name}"`,
      sql: `GRANT SELECT ON ${quoteQualified(table)} TO ${quoteName(server.role)};`,
    });
  }
  const wanted = [...identityColumns(table), ...(table.columns ?? [])];
  const known = new Set(facts.columns.map((column) => column.name));
  const unknown = wanted.find((column) => !known.has(column));
  if (unknown !== undefined) {
    return [...problems, {
      code: "column",
      message: `the table "${name}" has no column "${unknown}"`,
    }];
  }
  if (facts.rowSecurity) problems.push(rowSecurity(name, server.role));
  return [
    ...problems,
    ...keyProblems(table, facts),
    ...identityProblems(table, facts),
    ...columnListProblems(table, facts, context),
  ];
}

/**
 * The one row that a policy hides from loads, and the log brings: harmless only where the policy is that of the
 * key. No SQL: a role that is exempt is not to be that of the rest of the application.
 */
function rowSecurity(name: string, role: string): SyncProblem {
  return {
    code: "row_security",
    warning: true,
    message:
      `row level security of "${name}" applies to the role "${role}" that loads rows, and not to ` +
      "the log: what policies hide from a load is shown all the same once it changes. Give createSync() a role of " +
      "its own that may read all rows (CREATE ROLE ... LOGIN REPLICATION BYPASSRLS), and let the key alone " +
      "decide who sees what; leave it so only if the policies hide nothing from the one who has the key",
  };
}

function keyProblems({ schema, name, key }: ResolvedTable, { columns }: TableFacts): SyncProblem[] {
  const column = columns.find((one) => one.name === key);
  if (column !== undefined && keyTypeOf(column.base) !== undefined && column.deterministic) {
    return [];
  }
  return [{
    code: "key_type",
    message:
      `the column "${key}" of "${schema}.${name}" is of type ${column?.typeName}; a key is ` +
      "of an integer type, uuid, text or varchar, with a deterministic collation",
  }];
}

const NULLABLE = ", and its columns may be null (give rows without a key one, or delete them)";

function identityProblems(table: ResolvedTable, facts: TableFacts): readonly SyncProblem[] {
  const wanted = identityColumns(table);
  const wrong = facts.parts.filter(({ identity }) =>
    wanted.some((column) => !identity.includes(column))
  );
  if (wrong.length === 0) return [];
  const nullable = facts.columns.filter(({ name, notNull }) => wanted.includes(name) && !notNull)
    .map((column) =>
      `ALTER TABLE ${quoteQualified(table)} ALTER ${quoteName(column.name)} SET NOT NULL;`
    );
  const names = wrong.map(({ name }) => `"${name}"`).join(", ");
  return [{
    code: "identity",
    message:
      `the replica identity of ${names} does not have ${wanted.join(" and ")}: deleted and ` +
      `moved rows would not say whom they belonged to${nullable.length > 0 ? NULLABLE : ""}`,
    sql: [...nullable, identitySql(table)].join("\n"),
  }];
}

function columnListProblems(
  table: ResolvedTable,
  facts: TableFacts,
  { published, server, publication, all }: Context,
): readonly SyncProblem[] {
  if (server.version < COLUMN_LISTS) {
    if (table.columns === undefined) return [];
    return [{
      code: "column",
      message: `columns of "${table.name}" can be left out from Postgres 15 on`,
    }];
  }
  const found = published?.tables.find(({ schema, name }) =>
    schema === table.schema && name === table.name
  )?.columns;
  if (found === undefined || found === null) return [];
  const wanted = table.columns ?? loggedColumns(facts).map(({ name }) => name);
  const more = table.columns === undefined ? [] : found.filter((name) => !wanted.includes(name));
  const fewer = wanted.filter((name) => !found.includes(name));
  if (more.length + fewer.length === 0) return [];
  const message =
    `the publication "${publication}" has other columns of "${table.name}" than asked for`;
  if (published?.all !== true) {
    return [{ code: "publication", message, sql: publicationSql(all, publication) }];
  }
  const why = `${message}: it is of all tables; use one of another name`;
  return [{ code: "publication", message: why }];
}

/** The columns of a table that the log has: values that are computed are not. */
function loggedColumns({ columns }: TableFacts): readonly ColumnFacts[] {
  return columns.filter(({ generated }) => !generated);
}

function infoOf(table: ResolvedTable, facts: TableFacts | undefined): TableInfo {
  const { alias, schema, name, id, key, columns } = table;
  if (facts === undefined) return { alias, schema, name, id, key, keyType: "text", columns: [] };
  const base = facts.columns.find((column) => column.name === key)?.base ?? 0;
  const logged = columns === undefined
    ? loggedColumns(facts)
    : facts.columns.filter((column) => columns.includes(column.name));
  return {
    alias,
    schema,
    name,
    id,
    key,
    keyType: keyTypeOf(base) ?? "text",
    partitioned: facts.partitioned,
    ...(facts.partitioned && { parts: facts.parts.map(({ id }) => id) }),
    columns: logged.map(({ name, type, base }) => ({ name, type, ...(base !== type && { base }) })),
  };
}

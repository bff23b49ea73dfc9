import { isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import {
  DEFAULT_PUBLICATION,
  syncDown,
  type SyncSetupOptions,
  syncUp,
} from "../postgres/replication_setup.ts";
import { isWarning } from "../postgres/replication_check.ts";
import type { SyncProblem } from "../../src/sync/setup.ts";
import { Connections } from "../postgres/sync_connections.ts";
import { Database } from "../postgres/sync_database.ts";
import { resolveTables, type SyncTable } from "../postgres/sync_tables.ts";
import { type CliOutput, messageOf } from "./output.ts";
import { checkNames } from "./verb.ts";

const HELP = `holdfast sync up|down|check [options]

  up      sets the database up: replica identities and a publication; can be run again
  down    takes that back, and says what it leaves because others stand on it
  check   says what is missing, with the SQL that puts it right; changes nothing

  --table NAME:KEY[:ID]   a table, the column that says whom a row belongs to, and its id ("id")
                          NAME may be schema.name; once for each table
  --config FILE           a module that exports "tables" (and "publication", "slot") instead
  --url URL               the database; otherwise DATABASE_URL
  --publication NAME      "holdfast" if left out
  --slot NAME             a slot that stays, which "down" drops
  --print                 prints the SQL of up or down and runs nothing; needs no database
  --json                  answers in JSON

Ends with 0 if all is well, warnings aside, 1 if something is the matter, 2 if the arguments are wrong.`;

const OPTIONS = {
  table: { type: "string", multiple: true },
  config: { type: "string" },
  url: { type: "string" },
  publication: { type: "string" },
  slot: { type: "string" },
  print: { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

interface Wanted {
  readonly verb: string;
  readonly setup: SyncSetupOptions;
  readonly url: string | undefined;
  readonly print: boolean;
  readonly json: boolean;
}

/** `holdfast sync …` */
export async function syncCommand(args: readonly string[], output: CliOutput): Promise<number> {
  let wanted: Wanted | "help";
  try {
    wanted = await parse(args, output);
  } catch (error) {
    const message = messageOf(error);
    if (args.includes("--json")) output.out(JSON.stringify({ ok: false, error: message }));
    else output.error(`${message}\n\n${HELP}`);
    return 2;
  }
  if (wanted === "help") {
    output.out(HELP);
    return 0;
  }
  try {
    return await carryOut(wanted, output);
  } catch (cause) {
    // What Postgres or the network say names neither what was done nor where.
    const where = wanted.url === undefined ? "" : ` on ${placeIn(wanted.url)}`;
    const error = `Cannot do sync ${wanted.verb}${where}: ${messageOf(cause)}`;
    if (wanted.json) output.out(JSON.stringify({ ok: false, error }));
    else output.error(error);
    return 1;
  }
}

async function parse(args: readonly string[], output: CliOutput): Promise<Wanted | "help"> {
  checkNames(args, OPTIONS);
  const { values, positionals } = parseArgs({
    args: [...args],
    options: OPTIONS,
    allowPositionals: true,
  });
  const [verb, ...more] = positionals;
  if (values.help || verb === undefined) return "help";
  if (!["up", "down", "check"].includes(verb) || more.length > 0) {
    throw new TypeError(`Cannot do "${positionals.join(" ")}": it is not up, down or check`);
  }
  const config = values.config === undefined ? {} : await readConfig(values.config, output.cwd);
  const tables = { ...config.tables, ...Object.fromEntries((values.table ?? []).map(tableOf)) };
  const publication = values.publication ?? config.publication;
  const slot = values.slot ?? config.slot;
  const setup: SyncSetupOptions = {
    tables,
    ...(publication !== undefined && { publication }),
    ...(slot !== undefined && { slot }),
  };
  // Says what is wrong with the tables before anything is connected.
  syncUp(setup);
  const { print = false, json = false } = values;
  const url = values.url ?? output.env["DATABASE_URL"];
  if (url === undefined && !(print && verb !== "check")) {
    throw new TypeError("Cannot connect: there is neither --url nor DATABASE_URL");
  }
  if (url !== undefined && !print && placeIn(url) === undefined) {
    // Without the text: it may hold a password.
    throw new TypeError("Cannot connect: the URL is none of postgres://host/database");
  }
  return { verb, setup, url, print, json };
}

/** Host and database of a URL, without who and the password; `undefined` if it is none of Postgres. */
function placeIn(text: string): string | undefined {
  // Without the slashes all of it is a path, the password as well.
  if (!/^postgres(ql)?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const { host, pathname } = new URL(text);
  return `${host}${pathname}`;
}

function tableOf(text: string): readonly [string, SyncTable] {
  const [name = "", key = "", id = "id", ...more] = text.split(":");
  const [table = "", schema, ...others] = name.split(".").toReversed();
  if (table === "" || schema === "" || key === "" || more.length + others.length > 0) {
    throw new TypeError(
      `Cannot use the table "${text}": it is not NAME:KEY or NAME:KEY:ID; a name with a dot or colon in ` +
        "it needs --config",
    );
  }
  return [name, { key, id: id.split(","), name: table, ...(schema !== undefined && { schema }) }];
}

async function readConfig(file: string, cwd: string): Promise<Partial<SyncSetupOptions>> {
  const path = isAbsolute(file) ? file : join(cwd, file);
  const module: Record<string, unknown> = await import(pathToFileURL(path).href);
  const config = { ...(module["default"] as object | undefined), ...module } as {
    readonly tables?: Readonly<Record<string, SyncTable>>;
    readonly publication?: string;
    readonly slot?: string | { readonly name: string };
  };
  const { tables, publication, slot } = config;
  if (tables === undefined) throw new TypeError(`Cannot use "${file}": it exports no tables`);
  return {
    tables,
    ...(publication !== undefined && { publication }),
    ...(slot !== undefined && { slot: typeof slot === "string" ? slot : slot.name }),
  };
}

async function carryOut(wanted: Wanted, output: CliOutput): Promise<number> {
  const { verb, setup, url, print, json } = wanted;
  const sql = verb === "up" ? syncUp(setup) : verb === "down" ? syncDown(setup) : undefined;
  if (print && sql !== undefined) {
    output.out(json ? JSON.stringify({ ok: true, sql }) : sql);
    return 0;
  }
  const notices: string[] = [];
  const connections = new Connections({
    url: url!,
    notice: (message) => void notices.push(message),
  });
  const database = new Database({
    ask: (question) => connections.ask(question),
    queryTimeoutMs: connections.queryTimeoutMs,
    tables: resolveTables(setup.tables),
    publication: setup.publication ?? DEFAULT_PUBLICATION,
  });
  try {
    if (sql === undefined) return report(await database.check(), json, output);
    try {
      await (await connections.sql()).unsafe(sql);
    } catch (error) {
      // What Postgres says is what has failed; what to do about it is known here.
      const left = verb === "up" ? await database.check().catch(() => []) : [];
      throw new Error(explained(error, left));
    }
    const problems = verb === "up" ? await database.check() : [];
    if (verb === "down") {
      if (json) output.out(JSON.stringify({ ok: true, left: notices }));
      else undone(notices, output);
    } else if (json) output.out(JSON.stringify({ ok: true, problems, notes: notices }));
    else done(problems, notices, output);
    return 0;
  } finally {
    await connections.close();
  }
}

function undone(left: readonly string[], { out }: CliOutput): void {
  out(`What was set up is taken back${left.length > 0 ? ", but" : ""}`);
  for (const message of left) out(`- ${message}`);
}

function done(
  problems: readonly SyncProblem[],
  notes: readonly string[],
  { out }: CliOutput,
): void {
  out(`The database is set up${notes.length > 0 ? ", and" : ""}`);
  for (const note of notes) out(`- ${note}`);
  if (problems.length === 0) return;
  out("What is left to do, for this role and server:");
  for (const problem of problems) out(lineOf(problem));
}

const NOT_ALLOWED =
  "run it as a superuser, or as a role that owns the tables and the publication and has CREATE " +
  "on the database; --print prints the SQL for whoever may";
const TWICE =
  "there are rows with the same key and id: say with --table NAME:KEY:ID what tells rows apart";

/** What has failed, and what there is to do about it. */
function explained(thrown: unknown, problems: readonly SyncProblem[]): string {
  const { code, detail, hint } = (thrown ?? {}) as Readonly<Record<string, unknown>>;
  // The detail of one that is there twice is a row.
  const said = code === "23505" ? [TWICE] : [detail, hint].filter(Boolean).map(String);
  if (code === "42501") said.push(NOT_ALLOWED);
  if (code === "55006") said.push("close what uses it first");
  // What these say is all there is to it.
  const enough = code === "42501" || code === "23505";
  const about = enough ? [] : problems.filter((one) => one.code !== "publication");
  return [[messageOf(thrown), ...said].join("; "), ...about.map(lineOf)].join("\n");
}

function lineOf({ message, sql, warning }: SyncProblem): string {
  const what = warning ? `warning: ${message}` : message;
  return `- ${what}${sql === undefined ? "" : `; run this SQL:\n${sql}`}`;
}

function report(problems: readonly SyncProblem[], json: boolean, { out }: CliOutput): number {
  const ok = problems.every(isWarning);
  if (json) {
    out(JSON.stringify({ ok, problems }));
    return ok ? 0 : 1;
  }
  for (const problem of problems) out(lineOf(problem));
  if (problems.some(({ code }) => code === "publication" || code === "identity")) {
    out(
      'What is said of the publication and of replica identities "up" does as well, for the same tables',
    );
  }
  if (ok) out("Nothing is missing");
  return ok ? 0 : 1;
}

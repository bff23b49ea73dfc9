import { isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import {
  DEFAULT_PUBLICATION,
  syncDown,
  type SyncSetupOptions,
  syncUp,
} from "../postgres/replication_setup.ts";
import { Connections } from "../postgres/sync_connections.ts";
import { Database } from "../postgres/sync_database.ts";
import { resolveTables, type SyncTable } from "../postgres/sync_tables.ts";
import { type CliOutput, messageOf } from "./output.ts";
import { checkNames } from "./verb.ts";

const HELP = `holdfast sync up|down|check [options]

  up      sets the database up: replica identities and a publication; can be run again
  down    takes that back
  check   says what is missing, with the SQL that puts it right; changes nothing

  --table NAME:KEY[:ID]   a table, the column that says whom a row belongs to, and its id ("id")
                          NAME may be schema.name; once for each table
  --config FILE           a module that exports "tables" (and "publication", "slot") instead
  --url URL               the database; otherwise DATABASE_URL
  --publication NAME      "holdfast" if left out
  --slot NAME             a slot that stays, which "down" drops
  --print                 prints the SQL of up or down and runs nothing; needs no database
  --json                  answers in JSON

Ends with 0 if all is well, 1 if something is the matter, 2 if the arguments are wrong.`;

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
  if (!URL.canParse(text)) return undefined;
  const { protocol, host, pathname } = new URL(text);
  return /^postgres(ql)?:$/.test(protocol) ? `${host}${pathname}` : undefined;
}

function tableOf(text: string): readonly [string, SyncTable] {
  const [name = "", key = "", id = "id", ...more] = text.split(":");
  const [table = "", schema] = name.split(".").toReversed();
  if (table === "" || key === "" || more.length > 0) {
    throw new TypeError(`Cannot use the table "${text}": it is not NAME:KEY or NAME:KEY:ID`);
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
  const { tables, publication = DEFAULT_PUBLICATION } = setup;
  const connections = new Connections({ url: url! });
  try {
    if (sql !== undefined) {
      await (await connections.sql()).unsafe(sql);
      output.out(json ? JSON.stringify({ ok: true }) : DONE[verb] ?? "Done");
      return 0;
    }
    const database = new Database({
      sql: () => connections.sql(),
      tables: resolveTables(tables),
      publication,
    });
    return report(await database.check(), json, output);
  } finally {
    await connections.close();
  }
}

const DONE: Readonly<Record<string, string>> = {
  up: "The database is set up",
  down: "What was set up is taken back",
};

function report(
  problems: readonly { readonly message: string; readonly sql?: string }[],
  json: boolean,
  { out }: CliOutput,
): number {
  const ok = problems.length === 0;
  if (json) out(JSON.stringify({ ok, problems }));
  else if (ok) out("Nothing is missing");
  else {
    for (const { message, sql } of problems) {
      out(`- ${message}${sql === undefined ? "" : `; run this SQL:\n${sql}`}`);
    }
  }
  return ok ? 0 : 1;
}

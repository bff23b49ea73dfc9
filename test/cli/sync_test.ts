import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { runCli } from "../../adapters/cli/mod.ts";
import { afterAll } from "../postgres/fixtures/after_all.ts";
import { startPostgres } from "../postgres/fixtures/server.ts";

const server = await startPostgres({ fsync: "off", wal_level: "replica" });
const sql = postgres(server.url, { max: 1, onnotice: () => {} });
await afterAll(async () => {
  await sql.end();
  await server.stop();
});

/** Runs a verb of sync on some tables, and joins all it says. */
async function cli(
  verb: string,
  tables: readonly string[],
  { as = "postgres", more = [] }: { readonly as?: string; readonly more?: readonly string[] } = {},
): Promise<{ readonly code: number; readonly said: string }> {
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const args = tables.flatMap((table) => ["--table", table]);
  const code = await runCli(["sync", verb, ...args, ...more], {
    out: say,
    error: say,
    env: { DATABASE_URL: server.url.replace("postgres@", `${as}@`) },
    cwd: fileURLToPath(new URL("./fixtures", import.meta.url)),
  });
  return { code, said: said.join("\n") };
}

function assertSays({ said }: { readonly said: string }, ...parts: readonly RegExp[]): void {
  for (const part of parts) assert(part.test(said), `${part} is not in:\n${said}`);
}

/** Of what is not the matter there is no word. */
function assertSaysNothing({ said }: { readonly said: string }, part: RegExp): void {
  assert(!part.test(said), `${part} is in:\n${said}`);
}

test("[CL17] up that fails says what there is to do, and up that succeeds what is left", async () => {
  await sql.unsafe("CREATE TABLE bills (owner int, id int)");
  const missing = await cli("up", ["Bills:owner"]);
  assertEquals(missing.code, 1);
  assertSays(missing, /there is no table "public.Bills".*is it "bills"/);
  assertSaysNothing(missing, /there is no publication/);
  const nullable = await cli("up", ["bills:owner"]);
  assertEquals(nullable.code, 1);
  assertSays(
    nullable,
    /may be null/,
    /ALTER "owner" SET NOT NULL;\nALTER TABLE .*"id" SET NOT NULL/,
  );
  await sql.unsafe("ALTER TABLE bills ALTER owner SET NOT NULL, ALTER id SET NOT NULL");
  await sql.unsafe("INSERT INTO bills VALUES (4711, 815), (4711, 815)");
  const twice = await cli("up", ["bills:owner"]);
  assertEquals([twice.code, /4711|815/.test(twice.said)], [1, false]);
  assertSays(twice, /rows with the same key and id.*NAME:KEY:ID/);
  assertSaysNothing(twice, /wal_level/);
  await sql.unsafe("DELETE FROM bills");
  const done = await cli("up", ["bills:owner"]);
  assertEquals(done.code, 0);
  assertSays(
    done,
    /^The database is set up\nWhat is left to do.*\n- wal_level is "replica".*restart/,
  );
});

test("[CL17] up says which tables of others its publication has", async () => {
  await sql.unsafe(
    "CREATE TABLE one (owner int NOT NULL, id int PRIMARY KEY); CREATE TABLE two (LIKE one INCLUDING ALL)",
  );
  const more = ["--publication", "shared"];
  await cli("up", ["one:owner"], { more });
  const added = await cli("up", ["two:owner"], { more });
  assertSays(
    added,
    /^The database is set up, and\n- the publication shared has more than these .*: public.one \(/,
  );
  const json = await cli("up", ["two:owner"], { more: [...more, "--json"] });
  assert(
    /^\{"ok":true,"problems":\[.*\],"notes":\["the publication shared/.test(json.said),
    json.said,
  );
  const both = await cli("up", ["one:owner", "two:owner"], { more });
  assertSays(both, /^The database is set up\nWhat is left to do/);
});

test("[CL17] down says what it leaves", async () => {
  await sql.unsafe(
    "CREATE TABLE mine (owner int NOT NULL, id int PRIMARY KEY); CREATE TABLE theirs (LIKE mine INCLUDING ALL)",
  );
  const more = ["--publication", "of_two"];
  await cli("up", ["mine:owner", "theirs:owner"], { more });
  await cli("up", ["mine:owner"], { more: ["--publication", "another"] });
  const down = await cli("down", ["mine:owner"], { more });
  assertEquals(down.code, 0);
  assertSays(
    down,
    /^What was set up is taken back, but\n- the publication of_two stays: it has more/,
    /\n- the replica identity of "public"."mine" stays: another publication/,
  );
  const json = await cli("down", ["theirs:owner"], { more: [...more, "--json"] });
  assertEquals(json, { code: 0, said: '{"ok":true,"left":[]}' });
  await cli("down", ["mine:owner"], { more: ["--publication", "another"] });
});

test("[CL17] a role that may not is told who may", async () => {
  await sql.unsafe(
    "CREATE TABLE kept (owner int NOT NULL, id int PRIMARY KEY); CREATE ROLE guest LOGIN",
  );
  const refused = await cli("up", ["kept:owner"], { as: "guest" });
  assertEquals(refused.code, 1);
  assertSays(refused, /owns the tables.*--print prints the SQL/);
  assertSaysNothing(refused, /wal_level|may not stream/);
  const more = ["--publication", "kept"];
  await cli("up", ["kept:owner"], { more });
  assertSays(await cli("down", ["kept:owner"], { as: "guest", more }), /--print prints the SQL/);
});

test("[CL17] what is no table whose rows are in the log is told as what it is", async () => {
  await sql.unsafe(`CREATE TABLE base (owner int NOT NULL, id int PRIMARY KEY);
    CREATE TABLE heir () INHERITS (base); CREATE VIEW seen AS SELECT * FROM base;
    CREATE UNLOGGED TABLE loose (owner int NOT NULL, id int PRIMARY KEY)`);
  assertSays(await cli("check", ["base:owner"]), /"public.base" has tables that inherit from it/);
  assertSays(await cli("check", ["seen:owner"]), /"public.seen" is a view: .*"uses"/);
  assertSays(await cli("check", ["loose:owner"]), /"public.loose" is unlogged.*SET LOGGED/);
  const dotted = await cli("check", ["a.b.c:owner"]);
  assertEquals(dotted.code, 2);
  assertSays(dotted, /needs --config/);
});

test("[CL17] a warning is printed, and nothing is missing for it", async () => {
  await sql.unsafe(`CREATE TABLE hidden (owner int NOT NULL, id int PRIMARY KEY);
    ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; CREATE ROLE reader LOGIN REPLICATION;
    GRANT SELECT ON hidden TO reader`);
  const more = ["--publication", "hidden"];
  await cli("up", ["hidden:owner"], { more });
  const warned = await cli("check", ["hidden:owner"], { as: "reader", more });
  // The server of these tests is one that is not set up.
  assertEquals(warned.code, 1);
  assertSays(warned, /wal_level/, /- warning: row level security of "public.hidden".*BYPASSRLS/);
  const json = await cli("check", ["hidden:owner"], { as: "reader", more: [...more, "--json"] });
  const { problems } = JSON.parse(json.said) as { problems: readonly { readonly code: string }[] };
  assertEquals(problems.map(({ code }) => code), ["wal_level", "row_security"]);
});

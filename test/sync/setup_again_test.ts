import postgres from "postgres";
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { createSync, syncDown, syncUp } from "../../adapters/postgres/mod.ts";
import { live, until, world } from "./fixtures/world.ts";

const w = await world();
const { sql, run, server } = w;

interface Thing {
  readonly id: number;
}

const COLUMNS = "organization_id int NOT NULL, owner int NOT NULL, id int PRIMARY KEY";

function setup(
  table: string,
  key = "organization_id",
): { readonly tables: Readonly<Record<string, { key: string }>>; readonly publication: string } {
  return { tables: { [table]: { key } }, publication: table };
}

/** What check() finds, as an instance of this role. */
async function problems(
  options: ReturnType<typeof setup>,
  role = "postgres",
): Promise<Awaited<ReturnType<ReturnType<typeof createSync>["check"]>>> {
  const client = postgres(server.url.replace("postgres@", `${role}@`), {
    max: 1,
    onnotice: () => {},
  });
  const sync = createSync({ sql: client, ...options });
  const found = await sync.check();
  await sync.close();
  await client.end();
  return found;
}

async function indexes(table: string): Promise<readonly string[]> {
  const rows = await sql`SELECT indexrelid::regclass::text AS name FROM pg_index
    WHERE indrelid = to_regclass(${table}) AND NOT indisprimary ORDER BY 1`;
  return rows.map(({ name }) => String(name));
}

test("[RL6] up sets up a table that has the name of one that was renamed, and down each by itself", async () => {
  const name = w.name();
  await run(`CREATE TABLE ${name} (${COLUMNS})`);
  await sql.unsafe(syncUp(setup(name)));
  await run(`ALTER TABLE ${name} RENAME TO ${name}_old`, `CREATE TABLE ${name} (${COLUMNS})`);
  for (let i = 0; i < 2; i++) await sql.unsafe(syncUp(setup(name)));
  assertEquals(await problems(setup(name)), []);
  assertEquals((await indexes(name)).length, 1);
  await sql.unsafe(syncDown(setup(name)));
  assertEquals([await indexes(name), await indexes(`${name}_old`)], [
    [],
    [`${name}_holdfast_identity`],
  ]);
  await run(`DROP TABLE ${name}`, `ALTER TABLE ${name}_old RENAME TO ${name}`);
  await sql.unsafe(syncDown(setup(name)));
  assertEquals(await indexes(name), []);
});

test("[RL6] up for another key makes another identity, and leaves nothing of the one before", async () => {
  const name = w.name();
  await run(`CREATE TABLE ${name} (${COLUMNS})`);
  await sql.unsafe(syncUp(setup(name)));
  const [before] = await indexes(name);
  await sql.unsafe(syncUp(setup(name, "owner")));
  assertEquals(await problems(setup(name, "owner")), []);
  const after = await indexes(name);
  assert(after.length === 1 && after[0] !== before, `there are ${after.join()}`);
});

test("[RL6] up takes an index on the columns that is there, and an identity that has more", async () => {
  const name = w.name();
  const own = `${name}_by_hand`;
  await run(
    `CREATE TABLE ${name} (${COLUMNS})`,
    `CREATE UNIQUE INDEX ${name}_some ON ${name} (organization_id, id) WHERE owner > 0`,
    `CREATE UNIQUE INDEX CONCURRENTLY ${own} ON ${name} (id, organization_id)`,
  );
  await sql.unsafe(syncUp(setup(name)));
  assertEquals(await problems(setup(name)), []);
  assertEquals(await indexes(name), [own, `${name}_some`]);
  await run(
    `CREATE UNIQUE INDEX ${name}_wide ON ${name} (owner, organization_id, id)`,
    `ALTER TABLE ${name} REPLICA IDENTITY USING INDEX ${name}_wide`,
  );
  for (const key of ["organization_id", "owner"]) await sql.unsafe(syncUp(setup(name, key)));
  const identity = await sql`SELECT indexrelid::regclass::text AS name FROM pg_index
    WHERE indisreplident AND indrelid = to_regclass(${name})`;
  assertEquals(identity[0]?.["name"], `${name}_wide`);
  await sql.unsafe(syncDown(setup(name)));
  assertEquals((await indexes(name)).length, 3);
});

test("[RL6] up works with a publication of all tables", async () => {
  const name = w.name();
  await run(`CREATE TABLE ${name} (${COLUMNS})`, `CREATE PUBLICATION ${name} FOR ALL TABLES`);
  await sql.unsafe(syncUp(setup(name)));
  assertEquals(await problems(setup(name)), []);
  await run(`DROP PUBLICATION ${name}`);
});

/** A client, and what the server tells it beside the answers. */
function listening(): readonly [string[], postgres.Sql] {
  const notices: string[] = [];
  const onnotice = ({ message }: postgres.Notice): void => void notices.push(String(message));
  return [notices, postgres(server.url, { max: 1, onnotice })];
}

/** The tables of a publication; `undefined` if it is not there. */
async function published(publication: string): Promise<readonly string[] | undefined> {
  if ((await sql`SELECT FROM pg_publication WHERE pubname = ${publication}`).length === 0) return;
  const rows = await sql`SELECT tablename FROM pg_publication_tables
    WHERE pubname = ${publication} ORDER BY 1`;
  return rows.map((row) => String(row["tablename"]));
}

test("[RL6] up adds its tables to a publication that others share, and says what more it has", async () => {
  const [one, two, three] = [w.name(), w.name(), w.name()];
  for (const name of [one, two, three]) await run(`CREATE TABLE ${name} (${COLUMNS})`);
  const columns = ["organization_id", "id"];
  const first = { tables: { [one]: { key: "organization_id", columns } }, publication: one };
  await sql.unsafe(syncUp(first));
  const [notices, client] = listening();
  await client.unsafe(syncUp({ ...setup(two), publication: one }));
  assertEquals(await published(one), [one, two]);
  assertEquals(await problems(first), []);
  assertEquals(await problems({ ...setup(two), publication: one }), []);
  const more = `the publication ${one} has more than these tables, and keeps it: `;
  assertEquals(notices.splice(0).map((notice) => notice.split(" (")[0]), [`${more}public.${one}`]);
  // Again, and it is the same: there is nobody who has to load for it.
  const rel = "SELECT oid, xmin::text FROM pg_publication_rel ORDER BY oid";
  const before = await sql.unsafe(rel);
  await client.unsafe(syncUp({ ...first, tables: { ...first.tables, ...setup(two).tables } }));
  assertEquals([[...await sql.unsafe(rel)], notices], [[...before], []]);
  // What a check gives as the SQL that puts it right takes nothing from the others either.
  const [problem] = await problems({ ...setup(three), publication: one });
  await sql.unsafe(problem!.sql!);
  assertEquals(await published(one), [one, two, three].toSorted());
  await client.end();
});

test("[RL6] up has the columns and rows of its tables as they are asked for, and says so", async () => {
  const name = w.name();
  await run(`CREATE TABLE ${name} (${COLUMNS})`);
  const some = (columns: readonly string[]): ReturnType<typeof setup> => ({
    tables: { [name]: { key: "organization_id", columns } as { key: string } },
    publication: name,
  });
  const [notices, client] = listening();
  await client.unsafe(syncUp(some(["id", "organization_id"])));
  await client.unsafe(syncUp(some(["organization_id", "id"])));
  assertEquals(notices, []);
  await client.unsafe(syncUp(some(["organization_id", "id", "owner"])));
  assertEquals(await problems(some(["organization_id", "id", "owner"])), []);
  await client.unsafe(syncUp(setup(name)));
  await run(`ALTER TABLE ${name} ADD more text`);
  assertEquals(await problems(setup(name)), []);
  await run(`ALTER PUBLICATION ${name} SET (publish = 'insert')`);
  await client.unsafe(syncUp(setup(name)));
  assertEquals(notices.map((notice) => notice.slice(notice.indexOf(" has"), -1)), [
    ` has all rows of "public"."${name}" now, and the columns that are asked for: for everyone who reads i`,
    ` has all rows of "public"."${name}" now, and the columns that are asked for: for everyone who reads i`,
    " has all kinds of changes now, those of partitions as of their table: for everyone who reads i",
  ]);
  await run(
    `DROP PUBLICATION ${name}`,
    `CREATE PUBLICATION ${name} FOR TABLES IN SCHEMA public WITH (publish_via_partition_root)`,
  );
  await client.unsafe(syncUp(setup(name)));
  assertEquals(await problems(setup(name)), []);
  assertEquals((await sql`SELECT FROM pg_publication_namespace`).length, 1);
  await run(`DROP PUBLICATION ${name}`);
  await client.end();
});

/** How the replica identity of a table is set: of an index its name. */
async function identity(table: string): Promise<unknown> {
  const rows = await sql`SELECT coalesce((SELECT indexrelid::regclass::text FROM pg_index
      WHERE indrelid = c.oid AND indisreplident), relreplident::text) AS identity
    FROM pg_class c WHERE oid = to_regclass(${table})`;
  return rows[0]?.["identity"];
}

test("[RL6] down makes a replica identity again what it was before the first up", async () => {
  const name = w.name();
  const [wide, own] = [`${name}_by_owner`, `${name}_own`];
  await run(
    `CREATE TABLE ${name} (${COLUMNS})`,
    `CREATE UNIQUE INDEX ${wide} ON ${name} (owner, id)`,
  );
  const befores = [
    ["DEFAULT", "d"],
    ["NOTHING", "n"],
    [`USING INDEX ${wide}`, wide],
  ] as const;
  const upAndDown = async (): Promise<readonly unknown[]> => {
    await sql.unsafe(syncUp(setup(name)));
    await sql.unsafe(syncUp(setup(name)));
    const during = await identity(name);
    // Another key makes another index.
    await run(`DROP INDEX IF EXISTS ${name}_gone`);
    await sql.unsafe(syncUp({ ...setup(name), tables: { [name]: { key: "more" } } }));
    await sql.unsafe(syncDown(setup(name)));
    return [during, await identity(name)];
  };
  await run(`ALTER TABLE ${name} ADD more int NOT NULL`);
  for (const [before, is] of befores) {
    await run(`ALTER TABLE ${name} REPLICA IDENTITY ${before}`);
    assertEquals(await upAndDown(), [`${name}_holdfast_identity`, is]);
  }
  assertEquals(await indexes(name), [wide]);
  // So it is with an index that up found there, and what somebody has said of that stays.
  await run(
    `CREATE UNIQUE INDEX CONCURRENTLY ${own} ON ${name} (organization_id, id)`,
    `COMMENT ON INDEX ${own} IS 'It''s ours'`,
  );
  const comment = async (): Promise<unknown> =>
    (await sql`SELECT obj_description(to_regclass(${own})) AS comment`)[0]?.["comment"];
  for (const [before, is] of befores) {
    await run(`ALTER TABLE ${name} REPLICA IDENTITY ${before}`);
    assertEquals([...await upAndDown(), await comment()], [own, is, "It's ours"]);
  }
  assertEquals(await indexes(name), [wide, own].toSorted());
});

test("[RL6] down says so when the index that was the replica identity has gone", async () => {
  const name = w.name();
  const before = `${name}'s "index" %]`;
  const quoted = `"${before.replaceAll('"', '""')}"`;
  await run(
    `CREATE TABLE ${name} (${COLUMNS})`,
    `CREATE UNIQUE INDEX ${quoted} ON ${name} (owner, id)`,
    `ALTER TABLE ${name} REPLICA IDENTITY USING INDEX ${quoted}`,
  );
  await sql.unsafe(syncUp(setup(name)));
  await sql.unsafe(syncDown(setup(name)));
  assertEquals(await identity(name), quoted);
  await sql.unsafe(syncUp(setup(name)));
  await run(`DROP INDEX ${quoted}`);
  const [notices, client] = listening();
  await client.unsafe(syncDown(setup(name)));
  await client.end();
  assertEquals([await identity(name), await indexes(name)], ["d", []]);
  assertEquals(notices, [
    `the replica identity of ${name} is DEFAULT now: before it was the index ${before}, which cannot be it any more`,
  ]);
});

test("[RL6] up leaves a replica identity that is FULL, with a word, and so does down", async () => {
  const name = w.name();
  await run(`CREATE TABLE ${name} (${COLUMNS})`, `ALTER TABLE ${name} REPLICA IDENTITY FULL`);
  const [notices, client] = listening();
  await client.unsafe(syncUp(setup(name)));
  assertEquals([await identity(name), await problems(setup(name))], ["f", []]);
  assert(
    notices.length === 1 && notices[0]!.startsWith(`the replica identity of ${name} stays FULL`),
  );
  await client.unsafe(syncDown(setup(name)));
  assertEquals(await identity(name), "f");
  // One that an older version has made says nothing, and one that was made FULL after up stays so.
  await run(`ALTER TABLE ${name} REPLICA IDENTITY DEFAULT`);
  await client.unsafe(syncUp(setup(name)));
  await run(`COMMENT ON INDEX ${name}_holdfast_identity IS NULL`);
  await client.unsafe(syncDown(setup(name)));
  assertEquals([await identity(name), await indexes(name)], ["d", []]);
  await client.unsafe(syncUp(setup(name)));
  await run(`ALTER TABLE ${name} REPLICA IDENTITY FULL`);
  await client.unsafe(syncDown(setup(name)));
  assertEquals([await identity(name), await indexes(name)], ["f", []]);
  await client.end();
});

test("[RL6] down takes its own tables out of a publication, and drops it once nothing is left", async () => {
  const [one, two] = [w.name(), w.name()];
  for (const name of [one, two]) await run(`CREATE TABLE ${name} (${COLUMNS})`);
  const both = { tables: { ...setup(one).tables, ...setup(two).tables }, publication: one };
  const left = { tables: setup(two).tables, publication: one };
  await sql.unsafe(syncUp(both));
  // It may have gone from it, or altogether, before.
  await sql.unsafe(syncDown(setup(one)));
  await sql.unsafe(syncDown(setup(one)));
  assertEquals([await published(one), await indexes(one)], [[two], []]);
  assertEquals([await problems(left), (await indexes(two)).length], [[], 1]);
  const sync = createSync({ sql, ...left });
  await sync.down();
  await sync.close();
  assertEquals([await published(one), await indexes(two)], [undefined, []]);
  await run(`CREATE SCHEMA ${one}`, `CREATE PUBLICATION ${one} FOR TABLES IN SCHEMA ${one}`);
  await sql.unsafe(syncDown(both));
  assertEquals(await published(one), []);
  await run(`DROP TABLE ${one}`);
  await sql.unsafe(syncDown(both));
});

test("[RL6] down leaves what others stand on: a publication of all tables, an identity under another one", async () => {
  const name = w.name();
  const [notices, client] = listening();
  await run(`CREATE TABLE ${name} (${COLUMNS})`, `CREATE PUBLICATION ${name}_all FOR ALL TABLES`);
  await sql.unsafe(syncUp(setup(name)));
  await sql.unsafe(syncUp({ ...setup(name), publication: `${name}_other` }));
  await client.unsafe(syncDown({ ...setup(name), publication: `${name}_all` }));
  assert((await published(`${name}_all`))!.includes(name));
  await run(`DROP PUBLICATION ${name}_all`);
  await client.unsafe(syncDown(setup(name)));
  assertEquals([await published(name), (await indexes(name)).length], [undefined, 1]);
  assertEquals(await problems({ ...setup(name), publication: `${name}_other` }), []);
  assertEquals(notices, [
    `the publication ${name}_all stays: it is of all tables`,
    `the replica identity of "public"."${name}" stays: another publication has the table`,
    `the replica identity of "public"."${name}" stays: another publication has the table`,
  ]);
  await client.unsafe(syncDown({ ...setup(name), publication: `${name}_other` }));
  assertEquals(await indexes(name), []);
  await client.end();
});

test("[RL7] a publication that leaves out rows is told, with the SQL that puts it right", async () => {
  const name = w.name();
  await run(`CREATE TABLE ${name} (${COLUMNS})`);
  await sql.unsafe(syncUp(setup(name)));
  await run(`ALTER PUBLICATION ${name} SET TABLE ${name} WHERE (id > 10)`);
  const [problem] = await problems(setup(name));
  assertEquals(problem?.code, "publication");
  assert(problem?.message.includes("leaves out rows"), problem?.message);
  await sql.unsafe(problem!.sql!);
  assertEquals(await problems(setup(name)), []);
});

test("[RL5] a role that policies hide rows from is warned, and nothing is refused", async (t) => {
  const name = w.name();
  await run(
    `CREATE TABLE ${name} (${COLUMNS})`,
    `CREATE ROLE ${name}_app LOGIN REPLICATION`,
    `GRANT SELECT ON ${name} TO ${name}_app`,
    `CREATE POLICY low_ids ON ${name} USING (id < 10)`,
  );
  await sql.unsafe(syncUp(setup(name)));
  assertEquals(await problems(setup(name), `${name}_app`), []);
  await run(`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`);
  const [warning, ...more] = await problems(setup(name), `${name}_app`);
  assertEquals([warning?.code, warning?.warning, more.length], ["row_security", true, 0]);
  assert(/BYPASSRLS/.test(warning!.message) && warning!.message.includes(`${name}_app`));
  // Neither a superuser nor the owner is held back by policies.
  assertEquals(await problems(setup(name)), []);
  await run(`ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`, `ALTER ROLE ${name}_app BYPASSRLS`);
  assertEquals(await problems(setup(name), `${name}_app`), []);
  await run(`ALTER ROLE ${name}_app NOBYPASSRLS`);
  const url = server.url.replace("postgres@", `${name}_app@`);
  const sync = createSync({ url, ...setup(name) });
  t.defer(() => sync.close());
  await live(sync as never);
  const watch = sync.watch<readonly Thing[]>({ table: name, key: 1 });
  await watch.ready();
  await run(`INSERT INTO ${name} VALUES (1, 1, 1)`);
  await until(watch, (rows) => rows.length === 1);
});

test("[RL5] a nullable key is told with SQL that begins with NOT NULL", async () => {
  const name = w.name();
  await run(`CREATE TABLE ${name} (organization_id int, id int PRIMARY KEY)`);
  await assertRejects(() => Promise.resolve(sql.unsafe(syncUp(setup(name)))), /nullable/);
  const fixes = (await problems(setup(name))).map(({ sql }) => sql!);
  assert(fixes.some((fix) => fix.includes(`ALTER "organization_id" SET NOT NULL`)));
  for (const fix of fixes) await sql.unsafe(fix);
  assertEquals(await problems(setup(name)), []);
});

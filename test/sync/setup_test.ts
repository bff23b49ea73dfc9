import postgres from "postgres";
import { assert, assertEquals, assertRejects, assertThrows, test } from "../harness/mod.ts";
import { createSync, syncDown, SyncSetupError, syncUp } from "../../adapters/postgres/mod.ts";
import { importPostgres } from "../../adapters/postgres/sync_sql.ts";
import { eventually, followTables, live, turn, until, world } from "./fixtures/world.ts";

const w = await world({ max_replication_slots: "6", max_wal_senders: "6" });
const { sql, run, server } = w;

interface Thing {
  readonly id: number;
}

async function table(
  columns = "organization_id int NOT NULL, id int PRIMARY KEY",
): Promise<string> {
  const name = w.name();
  await run(`CREATE TABLE ${name} (${columns})`);
  return name;
}

/** What check() says of a table, as codes. */
async function codes(
  name: string,
  options: { readonly columns?: readonly string[]; readonly key?: string; readonly as?: string } =
    {},
): Promise<readonly string[]> {
  const { as: role, columns, key = "organization_id" } = options;
  const url = role === undefined ? server.url : server.url.replace("postgres@", `${role}@`);
  const client = postgres(url, { max: 1, onnotice: () => {} });
  const more = columns === undefined ? {} : { columns };
  const sync = createSync({ sql: client, tables: { [name]: { key, ...more } }, publication: name });
  const problems = await sync.check();
  await sync.close();
  await client.end();
  return problems.map(({ code }) => code);
}

test("[RL5] what is missing is told with the SQL that puts it right, and that SQL does", async (t) => {
  const name = await table("organization_id int, id int NOT NULL UNIQUE");
  const tables = { [name]: { key: "organization_id" } };
  const sync = createSync({ sql, tables, publication: name });
  t.defer(() => sync.close());
  const error = await assertRejects(() => sync.ready(), "ERR_SYNC_SETUP");
  assert(error instanceof SyncSetupError);
  assertEquals(error.problems.map(({ code }) => code), ["publication", "identity"]);
  for (const { message, sql: fix } of error.problems) {
    assert(error.message.includes(message) && error.message.includes(fix!), message);
    await sql.unsafe(fix!);
  }
  assertEquals(await sync.check(), []);
  // It has looked again by itself.
  await live(sync as never);
});

test("[RL5] each thing that can be wrong with a table has a code of its own", async () => {
  const name = await table();
  assertEquals(await codes("nowhere"), ["publication", "table"]);
  await sql.unsafe(syncUp({ tables: { [name]: { key: "organization_id" } }, publication: name }));
  assertEquals(await codes(name), []);
  assertEquals(await codes(name, { key: "owner" }), ["column"]);
  await run(`ALTER PUBLICATION ${name} SET (publish = 'insert')`);
  assertEquals(await codes(name), ["publication"]);
  await run(
    `ALTER PUBLICATION ${name} SET (publish = 'insert, update, delete, truncate')`,
    `ALTER PUBLICATION ${name} SET (publish_via_partition_root = false)`,
  );
  assertEquals(await codes(name), ["publication"]);
  await run(
    `ALTER TABLE ${name} REPLICA IDENTITY FULL`,
    `ALTER PUBLICATION ${name} SET (publish_via_partition_root = true)`,
  );
  assertEquals(await codes(name), []);
  await run(`ALTER TABLE ${name} REPLICA IDENTITY DEFAULT`);
  assertEquals(await codes(name), ["identity"]);
  await run(`ALTER TABLE ${name} REPLICA IDENTITY NOTHING`);
  assertEquals(await codes(name), ["identity"]);
});

test("[RL5] a key whose values have several spellings is refused", async () => {
  const types = ["numeric", "float8", "timestamptz", "char(4)", "citext_like", "int", "owner_id"];
  await run(
    `CREATE COLLATION nobody_cares (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
    "CREATE DOMAIN citext_like AS text COLLATE nobody_cares",
    "CREATE DOMAIN owner_id AS uuid",
  );
  const found: (readonly string[])[] = [];
  for (const type of types) {
    const name = await table(`organization_id ${type} NOT NULL, id int PRIMARY KEY`);
    await sql.unsafe(syncUp({ tables: { [name]: { key: "organization_id" } }, publication: name }));
    found.push(await codes(name));
  }
  assertEquals(found.map((codes) => codes.join()), [
    ...types.slice(0, 5).map(() => "key_type"),
    "",
    "",
  ]);
});

test("[RL5] a role that may not stream or read is told what it needs", async (t) => {
  const name = await table();
  await sql.unsafe(syncUp({ tables: { [name]: { key: "organization_id" } }, publication: name }));
  await run("CREATE ROLE clerk LOGIN");
  assertEquals(await codes(name, { as: "clerk" }), ["privilege", "privilege"]);
  const url = server.url.replace("postgres@", "clerk@");
  const sync = createSync({
    url,
    tables: { [name]: { key: "organization_id" } },
    publication: name,
  });
  t.defer(() => sync.close());
  const error = await assertRejects(() => sync.ready(), /ALTER ROLE "clerk" REPLICATION/);
  assert(error instanceof SyncSetupError);
  for (const { sql: fix } of error.problems) await sql.unsafe(fix!);
  await live(sync as never);
});

test("[RL5] a server that is set up otherwise, or too old, is told by name", async (t) => {
  const plain = await (await import("../postgres/fixtures/server.ts")).startPostgres({
    wal_level: "replica",
    fsync: "off",
  });
  t.defer(() => plain.stop());
  const client = postgres(plain.url, { max: 1, onnotice: () => {} });
  t.defer(() => client.end());
  await client.unsafe("CREATE TABLE things (organization_id int NOT NULL, id int PRIMARY KEY)");
  const tables = { things: { key: "organization_id" } };
  const sync = createSync({ sql: client, tables });
  t.defer(() => sync.close());
  await assertRejects(() => sync.ready(), /wal_level is "replica"; .*ALTER SYSTEM SET wal_level/s);
  const { inspect } = await import("../../adapters/postgres/replication_check.ts");
  const old = {
    unsafe: () =>
      Promise.resolve([{
        data: JSON.stringify({ version: 130_012, walLevel: "logical", standby: true, role: "app" }),
      }]),
  };
  const { problems } = await inspect(old, [], "holdfast", false);
  assertEquals(problems.map(({ code }) => code), ["postgres_version", "standby", "privilege"]);
  assert(problems[0]!.message.includes("Postgres 13, and sync needs 14"));
});

test("[RL10] when all slots are taken the error says so, and one that becomes free is taken", async (t) => {
  const name = await table();
  const tables = { [name]: { key: "organization_id" } };
  await sql.unsafe(syncUp({ tables, publication: name }));
  const slots = ["a", "b", "c", "d", "e", "f"].map((letter) => `taken_${letter}`);
  for (const slot of slots) {
    await eventually(async () =>
      await sql`SELECT pg_create_logical_replication_slot(${slot}, 'pgoutput')`.then(
        () => true,
        () => false,
      )
    );
  }
  t.defer(async () => {
    await sql`SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
      WHERE slot_name LIKE 'taken%'`;
  });
  assertEquals(await codes(name), ["slots"]);
  const sync = createSync({ sql, tables, publication: name });
  t.defer(() => sync.close());
  await assertRejects(
    () => sync.ready(),
    /replication slots of the server are in use.*max_replication_slots/s,
  );
  const watch = sync.watch<readonly Thing[]>({ table: name, key: 1 });
  assertEquals((await watch.ready()).status, "stale");
  await sql`SELECT pg_drop_replication_slot('taken_a')`;
  await live(sync as never);
  await run(`INSERT INTO ${name} VALUES (1, 1)`);
  await until(watch, (rows, { status }) => rows.length === 1 && status === "live");
});

test("[RL10] a slot of ours ends with its sync", async (t) => {
  const { sync } = await w.follow(t);
  const ours = (): Promise<number> =>
    sql`SELECT FROM pg_replication_slots WHERE slot_name LIKE 'holdfast%'`.then((rows) =>
      rows.length
    );
  assert(await ours() > 0);
  await sync.close();
  await eventually(async () => await ours() === 0);
});

test("[RL6] up can be run again, and down takes back what it did", async (t) => {
  const name = await table();
  const options = { tables: { [name]: { key: "organization_id" } }, publication: name };
  for (let i = 0; i < 2; i++) await sql.unsafe(syncUp(options));
  assertEquals(await codes(name), []);
  const sync = createSync({ sql, ...options });
  t.defer(() => sync.close());
  await sync.up();
  await sync.ready();
  await sync.close();
  for (let i = 0; i < 2; i++) await sql.unsafe(syncDown(options));
  assertEquals(await codes(name), ["publication", "identity"]);
  const left = await sql`SELECT FROM pg_class WHERE relname LIKE ${`${name}%identity`}`;
  assertEquals(left.length, 0);
});

test("[RL6] a sync that sets its database up itself is ready after", async (t) => {
  const name = await table();
  const sync = createSync({
    sql,
    tables: { [name]: { key: "organization_id" } },
    publication: name,
  });
  t.defer(() => sync.close());
  const early = await assertRejects(() => sync.ready(), "ERR_SYNC_SETUP");
  assert(early.message.includes(name));
  await sync.up();
  await sync.ready();
  assertEquals(sync.status.state, "live");
});

test("[RL6] names of any kind are quoted", async (t) => {
  const schema = `we"ird 'schema' %s \\`;
  const name = `ta"ble'; DROP %I ${"x".repeat(40)}`;
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  await run(
    `CREATE SCHEMA ${quote(schema)}`,
    `CREATE TABLE ${quote(schema)}.${
      quote(name)
    } ("Org %s'" text NOT NULL, "i""d" int PRIMARY KEY)`,
  );
  const tables = { odd: { key: "Org %s'", id: 'i"d', schema, name } };
  const { sync } = await followTables(t, sql, tables, `pub"lication '`);
  const watch = sync.watch<readonly unknown[]>({ table: "odd", key: "it's" });
  await watch.ready();
  await run(`INSERT INTO ${quote(schema)}.${quote(name)} VALUES ('it''s', 1), ('its', 2)`);
  assertEquals((await until(watch, (rows) => rows.length === 1))[0], {
    "Org %s'": "it's",
    'i"d': 1,
  });
  await sync.close();
  await sql.unsafe(syncDown({ tables, publication: `pub"lication '` }));
});

test("[RL8] partitions are set up and followed as their table, those added later are missed by check", async (t) => {
  const name = w.name("parted");
  await run(
    `CREATE TABLE ${name} (organization_id int NOT NULL, id int NOT NULL, day int NOT NULL) PARTITION BY RANGE (day)`,
    `CREATE TABLE ${name}_a PARTITION OF ${name} FOR VALUES FROM (0) TO (10)`,
    `CREATE TABLE ${name}_b PARTITION OF ${name} FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (day)`,
    `CREATE TABLE ${name}_b1 PARTITION OF ${name}_b FOR VALUES FROM (10) TO (20)`,
  );
  const tables = { [name]: { key: "organization_id" } };
  const { sync } = await followTables(t, sql, tables, name);
  const watch = sync.watch<readonly { id: number; day: number }[]>({
    table: name,
    key: 1,
    orderBy: "id",
  });
  await watch.ready();
  await run(`INSERT INTO ${name} VALUES (1, 1, 5), (1, 2, 15), (2, 3, 15)`);
  await until(watch, (rows) => rows.length === 2);
  // From one partition to another, and to another key.
  await run(`UPDATE ${name} SET day = 16 WHERE id = 1`);
  await until(watch, (rows) => rows[0]?.day === 16);
  await run(
    `UPDATE ${name} SET organization_id = 2 WHERE id = 1`,
    `DELETE FROM ${name} WHERE id = 2`,
  );
  await until(watch, (rows) => rows.length === 0);
  await run(`CREATE TABLE ${name}_c PARTITION OF ${name} FOR VALUES FROM (20) TO (30)`);
  assertEquals(await codes(name), ["identity"]);
  await sync.up();
  assertEquals(await codes(name), []);
});

test("[RL9] [RL7] columns that are left out never leave the database", async (t) => {
  const name = await table(
    "organization_id int NOT NULL, id int PRIMARY KEY, title text, secret text",
  );
  const columns = ["organization_id", "id", "title"];
  const { sync } = await followTables(
    t,
    sql,
    { [name]: { key: "organization_id", columns } },
    name,
  );
  const watch = sync.watch<readonly object[]>({ table: name, key: 1 });
  await watch.ready();
  await run(`INSERT INTO ${name} VALUES (1, 1, 'a', 'tell nobody')`);
  await until(watch, (rows) => rows.length === 1);
  await run(`UPDATE ${name} SET secret = 'nobody at all', title = 'b'`);
  const rows = await until(watch, ([first]) => (first as { title: string }).title === "b");
  assertEquals(rows, [{ organization_id: 1, id: 1, title: "b" }]);
  assertEquals(await codes(name), ["publication"]);
  assertEquals(await codes(name, { columns }), []);
  const leaves = { [name]: { key: "organization_id", columns: ["title"] } };
  assertThrows(() => syncUp({ tables: leaves }), /"organization_id" is not in its columns/);
});

test("[RL11] a slot that stays is refused where the server would keep the log without end", async (t) => {
  const name = await table();
  const tables = { [name]: { key: "organization_id" } };
  await sql.unsafe(syncUp({ tables, publication: name }));
  const slot = { name: "unbounded" };
  const sync = createSync({ sql, tables, publication: name, slot });
  t.defer(() => sync.close());
  await assertRejects(() => sync.ready(), /without end.*ALTER SYSTEM SET max_slot_wal_keep_size/s);
  await sync.close();
  const willing = createSync({
    sql,
    tables,
    publication: name,
    slot: { ...slot, allowUnboundedWal: true },
  });
  t.defer(async () => {
    await willing.close();
    while (true) {
      const rows = await sql`SELECT active FROM pg_replication_slots WHERE slot_name = 'unbounded'`;
      if (rows[0]?.["active"] !== true) break;
      await turn();
    }
    await sql.unsafe(syncDown({ tables, publication: name, slot: "unbounded" }));
    assertEquals(
      (await sql`SELECT FROM pg_replication_slots WHERE slot_name = 'unbounded'`).length,
      0,
    );
  });
  await willing.ready();
});

test("[RL14] without the postgres package the error says what to install", async () => {
  const load = (): Promise<never> => Promise.reject(new Error("Cannot find package"));
  await assertRejects(() => importPostgres(load), /npm install postgres/);
});

test("[RL15] options that make no sense are refused at once", () => {
  const tables = { things: { key: "organization_id" } };
  const wrong = [
    { tables },
    { tables, sql, url: server.url },
    { tables: {}, sql },
    { tables: { things: { key: "" } }, sql },
    { tables: { things: { key: "a", id: [] } }, sql },
    { tables: { a: { key: "a", name: "c" }, b: { key: "a", name: "c" } }, sql },
    { tables, sql, slot: { name: "No Slot" } },
  ];
  for (const options of wrong) {
    assertThrows(() => createSync(options as never), (error) => error instanceof TypeError);
  }
  for (const limits of [{ concurrentLoads: 0 }, { statusEveryMs: 0 }, { lingerMs: NaN }]) {
    assertThrows(() => createSync({ sql, tables, limits }), (error) => error instanceof RangeError);
  }
});

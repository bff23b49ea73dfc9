import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { eventually, followTables, until, world } from "./fixtures/world.ts";
import { fuzzTenants } from "./fixtures/fuzz.ts";

interface Thing {
  readonly id: number;
  readonly organization_id: number;
}

const w = await world();
const { sql, run } = w;

function ids(rows: readonly Thing[]): readonly number[] {
  return rows.map(({ id }) => id);
}

test("[SY6] a row that moves to another key leaves the one and comes to the other, at once", async (t) => {
  const { sync, table } = await w.follow(t);
  await run(`INSERT INTO ${table} VALUES (1, 1, 'a', 1), (1, 2, 'b', 1)`);
  const [one, two] = [1, 2].map((key) => sync.watch<readonly Thing[]>({ table, key }));
  await Promise.all([one!.ready(), two!.ready()]);
  const seen: (readonly number[])[] = [];
  one!.subscribe(() => seen.push([one!, two!].map((watch) => watch.getSnapshot().value!.length)));
  await run(`UPDATE ${table} SET organization_id = 2 WHERE id = 1`);
  assertEquals(ids(await until(two!, (rows) => rows.length === 1)), [1]);
  assertEquals(ids(await until(one!, (rows) => rows.length === 1)), [2]);
  assertEquals(seen, [[1, 1]]);
  await run(`UPDATE ${table} SET organization_id = 2, id = 3 WHERE id = 2`);
  await until(one!, (rows) => rows.length === 0);
  assertEquals(ids(await until(two!, (rows) => rows.length === 2)), [1, 3]);
});

test("[SY39] a row leaves a key though the identity that said so was taken away", async (t) => {
  const { sync, table } = await w.follow(t);
  await run(`INSERT INTO ${table} VALUES (1, 1, 'a', 1), (1, 2, 'b', 1), (1, 3, 'c', 1)`);
  const [one, two] = [1, 2].map((key) =>
    sync.watch<readonly Thing[]>({ table, key, orderBy: "id" })
  );
  await Promise.all([one!.ready(), two!.ready()]);
  await run(
    `ALTER TABLE ${table} REPLICA IDENTITY DEFAULT`,
    `UPDATE ${table} SET organization_id = 2 WHERE id = 1`,
  );
  assertEquals(ids(await until(one!, (rows) => rows.length === 2)), [2, 3]);
  assertEquals(ids(await until(two!, (rows) => rows.length === 1)), [1]);
  await run(`DELETE FROM ${table} WHERE id = 2`);
  assertEquals(ids(await until(one!, (rows) => rows.length === 1)), [3]);
});

test("[SY39] a row leaves a key though it lies in a partition that nobody has set up", async (t) => {
  const table = w.name("parted");
  const columns = "organization_id int NOT NULL, id int NOT NULL, day int NOT NULL";
  await run(
    `CREATE TABLE ${table} (${columns}, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)`,
    `CREATE TABLE ${table}_a PARTITION OF ${table} FOR VALUES FROM (0) TO (10)`,
  );
  // It is not looked at the tables but when the log gives a reason to.
  const { sync, events } = await followTables(
    t,
    sql,
    { [table]: { key: "organization_id" } },
    table,
    {
      limits: { checkEveryMs: 3_600_000 },
    },
  );
  const [one, two] = [1, 2].map((key) =>
    sync.watch<readonly Thing[]>({ table, key, orderBy: "id" })
  );
  await Promise.all([one!.ready(), two!.ready()]);
  await run(
    `CREATE TABLE ${table}_b PARTITION OF ${table} FOR VALUES FROM (10) TO (20)`,
    `INSERT INTO ${table} VALUES (1, 1, 5), (1, 2, 15), (1, 3, 15)`,
  );
  await until(one!, (rows) => rows.length === 3);
  await run(`UPDATE ${table} SET organization_id = 2 WHERE id = 2`);
  assertEquals(ids(await until(one!, (rows) => rows.length === 2)), [1, 3]);
  assertEquals(ids(await until(two!, (rows) => rows.length === 1)), [2]);
  await run(`DELETE FROM ${table} WHERE id = 3`);
  assertEquals(ids(await until(one!, (rows) => rows.length === 1)), [1]);
  // It is told by now, with the SQL; once that was run its log says everything, and nobody loads.
  await eventually(() => String(sync.status.error).includes(`${table}_b`));
  await sync.up();
  assertEquals(sync.status.state, "live");
  await run(`INSERT INTO ${table} VALUES (1, 4, 15)`);
  await until(one!, (rows, { status }) => rows.length === 2 && status === "live");
  const loads = (): number =>
    events.filter(({ name }) => name === "holdfast.sync.invalidate").length;
  const before = loads();
  await run(`UPDATE ${table} SET organization_id = 2 WHERE id = 4`);
  assertEquals(ids(await until(one!, (rows) => rows.length === 1)), [1]);
  assertEquals(ids(await until(two!, (rows) => rows.length === 2)), [2, 4]);
  assertEquals(loads(), before);
});

test("[SY9] a change reaches nobody but the watches of its key", async (t) => {
  const { sync, table } = await w.follow(t);
  const [one, two] = [1, 2].map((key) => sync.watch<readonly Thing[]>({ table, key }));
  await Promise.all([one!.ready(), two!.ready()]);
  let calls = 0;
  two!.subscribe(() => calls++);
  await run(
    `INSERT INTO ${table} VALUES (1, 1, 'a', 1), (1, 2, 'b', 1)`,
    `UPDATE ${table} SET n = 2 WHERE id = 1`,
    `DELETE FROM ${table} WHERE id = 1`,
  );
  await until(one!, (rows) => rows.length === 1 && rows[0]!.id === 2);
  assertEquals(calls, 0);
});

test("[SY9] a row without a key reaches nobody", async (t) => {
  const table = w.name();
  await run(`CREATE TABLE ${table} (organization_id text, id int PRIMARY KEY)`);
  const tables = { [table]: { key: "organization_id" } };
  await sql.unsafe(`ALTER TABLE ${table} REPLICA IDENTITY FULL; CREATE PUBLICATION ${table}_full
    FOR TABLE ${table} WITH (publish_via_partition_root = true)`);
  const { sync } = await followFull(t, tables, `${table}_full`);
  const watches = ["null", "", "acme"].map((key) => sync.watch<readonly Thing[]>({ table, key }));
  await Promise.all(watches.map((watch) => watch.ready()));
  let calls = 0;
  for (const watch of watches.slice(0, 2)) watch.subscribe(() => calls++);
  await run(
    `INSERT INTO ${table} VALUES (NULL, 1), ('acme', 2)`,
    `UPDATE ${table} SET organization_id = NULL WHERE id = 2`,
    `UPDATE ${table} SET organization_id = 'acme' WHERE id = 1`,
    `DELETE FROM ${table} WHERE id = 2`,
  );
  const rows = await until(watches[2]!, (all) => all.some(({ id }) => id === 1));
  assertEquals([ids(rows), calls], [[1], 0]);
});

async function followFull(
  t: Parameters<typeof followTables>[0],
  tables: Parameters<typeof followTables>[2],
  publication: string,
): ReturnType<typeof followTables> {
  const { createSync } = await import("../../adapters/postgres/mod.ts");
  const sync = createSync({ sql, tables, publication });
  t.defer(() => sync.close());
  await sync.ready();
  return { sync, table: Object.keys(tables)[0]!, events: [] };
}

test("[SY9] the same name in another schema, and a table that is not watched, mean nothing", async (t) => {
  const { sync, table } = await w.follow(t);
  const other = w.name("schema");
  await run(
    `CREATE SCHEMA ${other}`,
    `CREATE TABLE ${other}.${table} (organization_id int NOT NULL, id int PRIMARY KEY, title text)`,
    `ALTER PUBLICATION ${table} ADD TABLE ${other}.${table}`,
  );
  const both = await followTables(t, sql, {
    [table]: { key: "organization_id" },
    theirs: { key: "organization_id", schema: other, name: table },
  }, w.name());
  const alone = sync.watch<readonly Thing[]>({ table, key: 1 });
  const theirs = both.sync.watch<readonly Thing[]>({ table: "theirs", key: 1 });
  await Promise.all([alone.ready(), theirs.ready()]);
  let calls = 0;
  alone.subscribe(() => calls++);
  await run(`INSERT INTO ${other}.${table} VALUES (1, 1, 'a')`);
  await until(theirs, (rows) => rows.length === 1);
  assertEquals(calls, 0);
  await run(`INSERT INTO ${table} VALUES (1, 2, 'a', 1)`);
  assertEquals(ids(await until(alone, (rows) => rows.length === 1)), [2]);
});

test("[SY10] a load that forgets its condition is refused, whatever it is of", async (t) => {
  const { sync, table } = await w.follow(t);
  await run(`INSERT INTO ${table} VALUES (1, 1, 'a', 1), (2, 2, 'b', 1)`);
  const loads = [
    { load: (tx: typeof sql) => tx<Thing[]>`SELECT * FROM ${tx(table)}` },
    { load: (tx: typeof sql) => tx<Thing[]>`SELECT * FROM ${tx(table)}`, where: true as const },
    {
      load: async (tx: typeof sql) => {
        const [row] = await tx<Thing[]>`SELECT * FROM ${tx(table)} WHERE id = 2`;
        return row ?? null;
      },
      one: true,
    },
  ];
  for (const options of loads) {
    const watch = sync.watch<unknown>({ table, key: 1, ...options as object });
    await assertRejects(() => watch.ready(), "ERR_FOREIGN_ROW");
    assertEquals(watch.getSnapshot().value, undefined);
    watch.close();
  }
});

test("[SY9] keys are compared as their types are", async (t) => {
  const table = w.name();
  await run(
    `CREATE TABLE ${table} (owner uuid NOT NULL, id bigint PRIMARY KEY, big bigint NOT NULL)`,
  );
  const { sync } = await followTables(t, sql, { [table]: { key: "owner" } }, w.name());
  const uuid = "0189ABCD-0000-7000-8000-0123456789AB";
  const watch = sync.watch<readonly Thing[]>({ table, key: uuid });
  await watch.ready();
  await run(`INSERT INTO ${table} VALUES ('${uuid}', 1, 1)`);
  await until(watch, (rows) => rows.length === 1);
  await assertRejects(() => sync.watch({ table, key: "not a uuid" }).ready(), /no such key/);
  const bigs = w.name();
  await run(`CREATE TABLE ${bigs} (owner bigint NOT NULL, id int PRIMARY KEY)`);
  const other = await followTables(t, sql, { [bigs]: { key: "owner" } }, w.name());
  const keys = ["9007199254740993", 9007199254740993n];
  const watches = keys.map((key) => other.sync.watch<readonly Thing[]>({ table: bigs, key }));
  await Promise.all(watches.map((one) => one.ready()));
  await run(`INSERT INTO ${bigs} VALUES (9007199254740993, 1), (9007199254740992, 2)`);
  for (const one of watches) assertEquals(ids(await until(one, (rows) => rows.length > 0)), [1]);
});

test(
  "[SY9] [SY1] tenants whose rows come, change, move and go at random never see each other's",
  async () => {
    const { transactions, looks, problems } = await fuzzTenants(w.server.url, {
      transactions: 1500,
      seed: 20_261,
      cuts: 2,
    });
    assertEquals(problems, []);
    assert(transactions === 1500 && looks > 500, `${transactions} transactions, ${looks} looks`);
  },
  { timeoutMs: 120_000 },
);

test("[SY24] rows of the log are read as those of a query are: types and transforms", async (t) => {
  const postgres = (await import("postgres")).default;
  const camel = postgres(w.server.url, {
    max: 3,
    onnotice: () => {},
    transform: postgres.camel,
    types: { bigint: postgres.BigInt },
  });
  t.defer(() => camel.end());
  const table = w.name();
  await run(
    `CREATE TABLE ${table} (organization_id int NOT NULL, id int PRIMARY KEY, big_one bigint,
      numbers numeric, flag boolean, doc jsonb, raw json, at timestamptz, day date, plain timestamp,
      texts text[], ints int[][], bytes bytea, note text, ratio float8, span interval)`,
  );
  const { sync } = await followTables(
    t,
    camel as never,
    { [table]: { key: "organization_id" } },
    w.name(),
  );
  const watch = sync.watch<readonly Thing[]>({ table, key: 1 });
  await watch.ready();
  await run(
    `INSERT INTO ${table} VALUES
      (1, 1, 9007199254740993, 1.50, true, '{"a":[1,null]}', '[1, 2]', '2026-01-02 03:04:05+02',
        '2026-01-02', '2026-01-02 03:04:05', '{a,"b,c",NULL,"\\"q\\""}', '{{1,2},{3,4}}', '\\x00ff',
        'é', 0.1, '1 day 2 hours'),
      (1, 2, NULL, 'NaN', false, 'null', '"x"', NULL, NULL, NULL, '{}', NULL, '', '', '-Infinity', NULL)`,
  );
  const streamed = await until(watch, (rows) => rows.length === 2);
  const queried = await camel.unsafe(`SELECT * FROM ${table} ORDER BY id`);
  assertEquals(streamed, Array.from(queried, (row) => ({ ...row })));
  assert("bigOne" in streamed[0]!, "the names were not changed");
  await eventually(() => true);
});

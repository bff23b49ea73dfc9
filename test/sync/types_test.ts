import postgres from "postgres";
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { createSync, postgresDates, syncUp } from "../../adapters/postgres/mod.ts";
import { followTables, until, world } from "./fixtures/world.ts";

const w = await world();
const { sql, run } = w;

interface Thing {
  readonly id: number;
}

function ids(rows: readonly Thing[]): readonly number[] {
  return rows.map(({ id }) => id);
}

test("[SY24] a column of a domain is read as one of the type below it, as a query reads it", async (t) => {
  const table = w.name();
  await run(
    "CREATE DOMAIN cents AS int CHECK (VALUE >= 0)",
    "CREATE DOMAIN price AS cents",
    "CREATE DOMAIN at AS timestamptz",
    "CREATE DOMAIN tags AS text[]",
    `CREATE TABLE ${table} (owner int NOT NULL, id cents PRIMARY KEY, price price, at at, tags tags)`,
  );
  const { sync } = await followTables(t, sql, { [table]: { key: "owner" } }, table);
  const watch = sync.watch<readonly Thing[]>({ table, key: 1, orderBy: "price" });
  await watch.ready();
  await run(
    `INSERT INTO ${table} VALUES (1, 1, 10, '2026-01-02 03:04:05Z', '{a,b}'), (1, 2, 9, NULL, '{}')`,
  );
  const rows = await until(watch, (all) => all.length === 2);
  const queried = await sql`SELECT * FROM ${sql(table)} ORDER BY price`;
  assertEquals(rows, Array.from(queried, (row) => ({ ...row }) as unknown as Thing));
  // Of a type that was not there when the tables were looked up.
  await run(
    "CREATE DOMAIN late AS int",
    `ALTER TABLE ${table} ADD late late DEFAULT 7`,
    `UPDATE ${table} SET price = 8`,
  );
  await until(watch, (all) => all.every((row) => (row as { late?: unknown }).late === 7));
});

test("[SY8] a list with a limit is in one order, in the database and in memory, whatever the type", async (t) => {
  const table = w.name();
  await run(
    "CREATE TYPE mood AS ENUM ('low', 'high', 'calm')",
    "CREATE DOMAIN amount AS numeric",
    `CREATE TABLE ${table} (owner int NOT NULL, id int PRIMARY KEY, mood mood, amount amount,
      ratio float8, at timestamptz)`,
  );
  const able = postgres(w.server.url, { max: 4, types: { dates: postgresDates } });
  t.defer(() => able.end());
  const options = { sql: able as never };
  const { sync } = await followTables(t, sql, { [table]: { key: "owner" } }, table, options);
  const watches = ["mood", "amount", "ratio", "at"].map((orderBy) =>
    sync.watch<readonly Thing[]>({ table, key: 1, orderBy: [orderBy, "id"], limit: 2 })
  );
  await Promise.all(watches.map((watch) => watch.ready()));
  await run(
    `INSERT INTO ${table} VALUES (1, 1, 'low', 9, 'NaN', 'infinity'), (1, 2, 'high', 10, 2, '2026-01-01')`,
    `INSERT INTO ${table} VALUES (1, 3, 'calm', 8, 1, '2025-01-01')`,
    `INSERT INTO ${table} VALUES (1, 4, 'low', 11, 3, '2027-01-01')`,
  );
  const wanted = [[3, 2], [3, 1], [3, 2], [3, 2]];
  const live = await Promise.all(
    watches.map((watch, i) => until(watch, (rows) => String(ids(rows)) === String(wanted[i]))),
  );
  assertEquals(live.map(ids), wanted);
  // And loaded afresh it is the same.
  const again = ["mood", "amount", "ratio", "at"].map((orderBy) =>
    sync.watch<readonly Thing[]>({ table, key: 1, orderBy: [orderBy, "id"], limit: 2 })
  );
  await Promise.all(again.map((watch) => watch.ready()));
  assertEquals(again.map((watch) => ids(watch.getSnapshot().value!)), wanted);
});

test("[SY23] a key that is out of the range of its column, or no text of Postgres, is refused", async (t) => {
  const wrong = [
    ["smallint", 32_768, -32_768],
    ["int", 2_147_483_648, "-2147483648"],
    ["bigint", 9223372036854775808n, 9223372036854775807n],
    ["text", "a\0b", "a\tb"],
    ["text", "\ud800", "\u{1F600}"],
    ["text", "\ud800", 7n],
  ] as const;
  for (const [type, key, other] of wrong) {
    const table = w.name();
    await run(`CREATE TABLE ${table} (owner ${type} NOT NULL, id int PRIMARY KEY)`);
    const { sync } = await followTables(t, sql, { [table]: { key: "owner" } }, table);
    await assertRejects(() => sync.watch({ table, key }).ready(), /holds no such key/);
    const watch = sync.watch<readonly Thing[]>({ table, key: other });
    await watch.ready();
    await sql`INSERT INTO ${sql(table)} VALUES (${String(other)}, 1)`;
    await until(watch, (rows) => rows.length === 1);
    await sync.close();
  }
});

test("[SY3] rows whose ids differ by less than is read of them are all there", async (t) => {
  const table = w.name();
  await run(
    `CREATE TABLE ${table} (owner int NOT NULL, at timestamptz NOT NULL, n int, PRIMARY KEY (owner, at))`,
  );
  const tables = { [table]: { key: "owner", id: "at" } };
  const { sync } = await followTables(t, sql, tables, table);
  const watch = sync.watch<readonly { readonly n: number }[]>({ table, key: 1, orderBy: "n" });
  await watch.ready();
  await run(
    `INSERT INTO ${table} VALUES (1, '2026-01-01 00:00:00.000001Z', 1)`,
    `INSERT INTO ${table} VALUES (1, '2026-01-01 00:00:00.000002Z', 2)`,
  );
  await until(watch, (rows) => rows.length === 2);
  await run(`DELETE FROM ${table} WHERE n = 1`);
  assertEquals((await until(watch, (rows) => rows.length === 1))[0]!.n, 2);
});

test("[SY3] a query that gives some rows twice keeps doing so", async (t) => {
  const { sync, table } = await w.follow(t);
  await run(`INSERT INTO ${table} VALUES (1, 1, 'a', 1), (1, 2, 'b', 2)`);
  const watch = sync.watch<readonly Thing[]>({
    table,
    key: 1,
    load: (tx, key) =>
      tx<Thing[]>`SELECT one.* FROM ${
        tx(table)
      } one, generate_series(1, n) WHERE organization_id = ${String(key)} ORDER BY id`,
    where: true,
  });
  await watch.ready();
  assertEquals(ids(watch.getSnapshot().value!), [1, 2, 2]);
  await run(`UPDATE ${table} SET n = 3 WHERE id = 1`);
  assertEquals(ids(await until(watch, (rows) => rows.length !== 3)), [1, 1, 1, 2, 2]);
  assert(watch.getSnapshot().status === "live");
});

test("[SY13] a list stays in its order, and a key is the same, when their columns become wider", async (t) => {
  const table = w.name();
  await run(`CREATE TABLE ${table} (owner int NOT NULL, id int PRIMARY KEY, n int)`);
  const { sync } = await followTables(t, sql, { [table]: { key: "owner" } }, table);
  const [ordered, odd] = [1, "007"].map((key) =>
    sync.watch<readonly Thing[]>({ table, key, orderBy: "n" })
  );
  await Promise.all([ordered!.ready(), odd!.ready()]);
  await run(`INSERT INTO ${table} VALUES (1, 1, 10), (1, 2, 9), (7, 3, 1)`);
  assertEquals(ids(await until(ordered!, (rows) => rows.length === 2)), [2, 1]);
  assertEquals(ids(await until(odd!, (rows) => rows.length === 1)), [3]);
  await run(`ALTER TABLE ${table} ALTER n TYPE bigint`, `INSERT INTO ${table} VALUES (1, 4, 11)`);
  assertEquals(ids(await until(ordered!, (rows) => rows.length === 3)), [2, 1, 4]);
  await run(
    `ALTER TABLE ${table} ALTER owner TYPE text USING lpad(owner::text, 3, '0')`,
    `INSERT INTO ${table} VALUES ('007', 5, 2)`,
  );
  assertEquals(ids(await until(odd!, (rows) => rows.length === 2)), [3, 5]);
  await run(`INSERT INTO ${table} VALUES ('007', 6, 3), ('7', 7, 3)`);
  assertEquals(ids(await until(odd!, (rows) => rows.length === 3)), [3, 5, 6]);
});

test("[SY44] infinite dates are Infinity over connections of our own, in their order", async (t) => {
  const table = w.name();
  await run(
    `CREATE TABLE ${table} (owner int NOT NULL, id int PRIMARY KEY, at timestamptz, day date, list timestamp[])`,
    `INSERT INTO ${table} VALUES (1, 1, 'infinity', '-infinity', '{infinity,2026-01-02}')`,
  );
  const tables = { [table]: { key: "owner" } };
  await sql.unsafe(syncUp({ tables, publication: table }));
  const own = createSync({ url: w.server.url, tables, publication: table });
  t.defer(() => own.close());
  await own.ready();
  const [of, wide] = [
    own.watch<readonly Thing[]>({ table, key: 1, orderBy: ["at", "id"] }),
    own.watch<readonly Thing[]>({ table, key: 1, orderBy: ["-at", "id"], limit: 2 }),
  ];
  await Promise.all([of, wide].map((watch) => watch!.ready()));
  await run(
    `INSERT INTO ${table} VALUES (1, 2, '-infinity', 'infinity', '{-infinity}')`,
    `INSERT INTO ${table} VALUES (1, 3, '2026-01-02T00:00:00Z', '2026-01-02', '{}')`,
    `INSERT INTO ${table} VALUES (1, 4, NULL, NULL, NULL)`,
  );
  const rows = await until(of!, (all) => all.length === 4);
  const date = new Date("2026-01-02");
  assertEquals(rows.map((row) => Object.values(row).slice(1)) as unknown, [
    [2, -Infinity, Infinity, [-Infinity]],
    [3, date, date, []],
    [1, Infinity, -Infinity, [Infinity, new Date("2026-01-02 00:00")]],
    [4, null, null, null],
  ]);
  assertEquals(ids(await until(wide!, (all) => ids(all)[0] === 4)), [4, 1]);
  // What is loaded is what the log has had.
  const later = own.watch<readonly Thing[]>({ table, key: 1, orderBy: ["at", "id"] });
  await later.ready();
  assertEquals(later.getSnapshot().value, rows);
});

test("[SY44] dates before Christ, of the first century and of any zone are what they are, loaded and from the log", async (t) => {
  const table = w.name();
  await run(
    `CREATE TABLE ${table} (owner int NOT NULL, id int PRIMARY KEY, at timestamptz, day date, list timestamptz[])`,
  );
  const tables = { [table]: { key: "owner" } };
  await sql.unsafe(syncUp({ tables, publication: table }));
  // Amsterdam was 17.5 minutes ahead, and an odd number of seconds.
  const url = `${w.server.url}?TimeZone=Europe/Amsterdam`;
  const own = createSync({ url, tables, publication: table });
  t.defer(() => own.close());
  await own.ready();
  const open = () => own.watch<readonly Thing[]>({ table, key: 1, orderBy: ["at", "id"] });
  const watch = open();
  await watch.ready();
  const dates = [
    ["0044-03-15 12:00:00+00 BC", "-000043-03-15T12:00:00.000Z"],
    ["0001-01-01 00:00:00+00", "0001-01-01T00:00:00.000Z"],
    ["0044-03-15 00:00:00.123456+00", "0044-03-15T00:00:00.123Z"],
    ["1800-06-01 00:00:00+00", "1800-06-01T00:00:00.000Z"],
    ["2026-06-01 00:00:00+02", "2026-05-31T22:00:00.000Z"],
    ["20260-01-01 00:00:00+00", "+020260-01-01T00:00:00.000Z"],
  ] as const;
  await run(
    `INSERT INTO ${table} VALUES ` +
      dates.map(([text], i) =>
        `(1, ${i}, '${text}', '${text}'::timestamptz AT TIME ZONE 'UTC', '{"${text}"}')`
      ),
  );
  const rows = await until(watch, (all) => all.length === dates.length) as unknown as readonly {
    readonly at: Date;
    readonly day: Date;
    readonly list: readonly Date[];
  }[];
  assertEquals(rows.map(({ at }) => at.toISOString()), dates.map(([, iso]) => iso));
  assertEquals(
    rows.map(({ day }) => day.toISOString().split("T")[0]),
    dates.map(([, iso]) => iso.split("T")[0]),
  );
  assertEquals(rows.map(({ list }) => list[0]), rows.map(({ at }) => at));
  const later = open();
  await later.ready();
  assertEquals(later.getSnapshot().value as unknown, rows);
  // And they go back as what they are.
  const again = await own.watch({
    table,
    key: 1,
    load: async (tx) =>
      await Promise.all(rows.map(async ({ at }) => {
        const query = `SELECT id FROM ${table} WHERE date_trunc('milliseconds', at) = $1`;
        return Array.from(await tx.unsafe(query, [at] as never[]) as readonly Thing[])[0]?.id;
      })),
  }).ready();
  assertEquals(again.value, dates.map((_, i) => i));
  await run(`UPDATE ${table} SET at = '294276-01-01' WHERE id = 1`);
  await until(watch, (_all, { error }) => /no Date is as late/.test(String(error)));
});

test("[SY44] an instance of the user's that reads a date as an invalid one is refused, and told how to read it", async (t) => {
  const table = w.name();
  await run(
    `CREATE TABLE ${table} (owner int NOT NULL, id int PRIMARY KEY, at timestamptz, list date[])`,
    `INSERT INTO ${table} VALUES (1, 1, 'infinity', NULL), (2, 2, '2026-01-01', '{2026-01-01}')`,
  );
  const { sync } = await followTables(t, sql, { [table]: { key: "owner" } }, table);
  const told = /invalid Date.*postgresDates/s;
  await assertRejects(() => sync.watch({ table, key: 1 }).ready(), told);
  const load = (tx: typeof sql) => tx<Thing[]>`SELECT * FROM ${tx(table)} WHERE owner = 1`;
  await assertRejects(() => sync.watch({ table, key: 1, load: load as never }).ready(), told);
  const watch = sync.watch<readonly Thing[]>({ table, key: 2 });
  await watch.ready();
  for (const bad of ["at = '0044-03-15 BC'", "list = '{infinity}'"]) {
    await run(`UPDATE ${table} SET ${bad} WHERE id = 2`);
    await until(
      watch,
      (_rows, { status, error }) => status === "stale" && told.test(String(error)),
    );
    assertEquals(ids(watch.getSnapshot().value!), [2]);
    await run(`UPDATE ${table} SET at = '2026-01-02', list = NULL WHERE id = 2`);
    await until(watch, (_rows, { status }) => status === "live");
  }
  const able = postgres(w.server.url, { max: 2, types: { dates: postgresDates } });
  t.defer(() => able.end());
  const other = createSync({
    sql: able as never,
    tables: { [table]: { key: "owner" } },
    publication: table,
  });
  t.defer(() => other.close());
  const shown = await other.watch<readonly { at: unknown }[]>({ table, key: 1 }).ready();
  assertEquals(shown.value?.[0]?.at, Infinity);
});

test("[SY44] a type that is given for dates has its way, and infinite ones are parameters", async (t) => {
  const table = w.name();
  await run(
    `CREATE TABLE ${table} (owner int NOT NULL, id int PRIMARY KEY, at timestamptz)`,
    `INSERT INTO ${table} VALUES (1, 1, 'infinity')`,
  );
  const tables = { [table]: { key: "owner" } };
  await sql.unsafe(syncUp({ tables, publication: table }));
  const text = { to: 1184, from: [1082, 1114, 1184], serialize: String, parse: String };
  const url = w.server.url;
  const plain = createSync({ url, tables, publication: table, types: { text } });
  const own = createSync({ url, tables, publication: table });
  t.defer(() => plain.close());
  t.defer(() => own.close());
  const first = await plain.watch<readonly Thing[]>({ table, key: 1 }).ready();
  assertEquals(first.value as unknown, [{ owner: 1, id: 1, at: "infinity" }]);
  const asked = await own.watch({
    table,
    key: 1,
    load: async (sql) => {
      const rows = sql.unsafe("SELECT id FROM " + table + " WHERE at = $1", [Infinity] as never[]);
      return Array.from(await rows as readonly Thing[]);
    },
  }).ready();
  assertEquals(asked.value, [{ id: 1 }]);
});

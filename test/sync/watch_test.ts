import postgres from "postgres";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { eventually, followTables, until, world } from "./fixtures/world.ts";

interface Thing {
  readonly id: number;
  readonly title: string | null;
  readonly n: number | null;
}

const w = await world();
const { sql, run } = w;

function ids(rows: readonly { readonly id: number }[]): readonly number[] {
  return rows.map(({ id }) => id);
}

test("[SY1] inserts, updates and deletes of anyone reach the watches of their key", async (t) => {
  const { sync, table } = await w.follow(t);
  const watch = sync.watch<readonly Thing[]>({ table, key: 1 });
  assertEquals((await watch.ready()).value, []);
  await run(`INSERT INTO ${table} VALUES (1, 1, 'a', 1), (1, 2, 'b', NULL)`);
  await until(watch, (rows) => rows.length === 2);
  await run(`UPDATE ${table} SET title = 'c' WHERE id = 1`);
  const rows = await until(watch, ([first]) => first?.title === "c");
  assertEquals(rows, [
    { organization_id: 1, id: 1, title: "c", n: 1 },
    { organization_id: 1, id: 2, title: "b", n: null },
  ]);
  await run(`DELETE FROM ${table} WHERE id = 1`);
  assertEquals(ids(await until(watch, (left) => left.length === 1)), [2]);
});

test("[SY1] a single row is set, changed, and null when it is gone", async (t) => {
  const { sync, table } = await w.follow(t);
  const watch = sync.watch<Thing | null>({ table, key: 1, one: true, where: ({ id }) => id === 7 });
  assertEquals((await watch.ready()).value, null);
  await run(`INSERT INTO ${table} VALUES (1, 6, 'other', 0), (1, 7, 'mine', 0)`);
  assertEquals((await until(watch, (row) => row !== null))?.title, "mine");
  await run(`UPDATE ${table} SET title = 'ours' WHERE id = 7`);
  await until(watch, (row) => row?.title === "ours");
  await run(`DELETE FROM ${table} WHERE id = 7`);
  await until(watch, (row) => row === null);
});

test("[SY1] a row that gets another id is one row still", async (t) => {
  const { sync, table } = await w.follow(t);
  await run(`INSERT INTO ${table} VALUES (1, 1, 'a', 1), (1, 2, 'b', 2)`);
  const watch = sync.watch<readonly Thing[]>({ table, key: 1, orderBy: "id" });
  await watch.ready();
  await run(`UPDATE ${table} SET id = 9 WHERE id = 1`);
  const rows = await until(watch, ([first]) => first?.id === 2);
  assertEquals(rows.map(({ id, title }) => [id, title]), [[2, "b"], [9, "a"]]);
});

test("[SY2] the changes of a transaction arrive together, in several tables, and once", async (t) => {
  const [one, other] = [w.name(), w.name()];
  for (const table of [one, other]) {
    await run(`CREATE TABLE ${table} (organization_id int NOT NULL, id int PRIMARY KEY)`);
  }
  const tables = { [one]: { key: "organization_id" }, [other]: { key: "organization_id" } };
  const { sync } = await followTables(t, sql, tables, w.name());
  const watches = [one, other].map((table) =>
    sync.watch<readonly { id: number }[]>({ table, key: 1 })
  );
  await Promise.all(watches.map((watch) => watch.ready()));
  const seen: (readonly number[])[] = [];
  for (const watch of watches) {
    watch.subscribe(() => seen.push(watches.map((one) => one.getSnapshot().value!.length)));
  }
  const end = until(watches[1]!, (rows) => rows.length === 3);
  await sql.begin(async (tx) => {
    for (const id of [1, 2, 3]) {
      await tx.unsafe(
        `INSERT INTO ${one} VALUES (1, ${id}); INSERT INTO ${other} VALUES (1, ${id})`,
      );
    }
  });
  await end;
  assertEquals(seen, [[3, 3], [3, 3]]);
});

test("[SY7] an update lets a row enter what a predicate takes, and leave it", async (t) => {
  const { sync, table } = await w.follow(t);
  await run(`INSERT INTO ${table} VALUES (1, 1, 'open', 1), (1, 2, 'done', 1)`);
  const watch = sync.watch({
    table,
    key: 1,
    load: (tx, key) =>
      tx<Thing[]>`SELECT * FROM ${tx(table)} WHERE organization_id = ${
        Number(key)
      } AND title = 'open'`,
    where: (row) => row.title === "open",
    orderBy: "id",
  });
  assertEquals(ids((await watch.ready()).value!), [1]);
  await run(`UPDATE ${table} SET title = 'open' WHERE id = 2`);
  await until(watch, (rows) => rows.length === 2);
  await run(`UPDATE ${table} SET title = 'done' WHERE id = 1`);
  assertEquals(ids(await until(watch, (rows) => rows.length === 1)), [2]);
  await run(`INSERT INTO ${table} VALUES (1, 3, 'done', 1), (1, 4, 'open', 1)`);
  assertEquals(ids(await until(watch, (rows) => rows.length === 2)), [2, 4]);
});

test("[SY7] what is exact costs no query, and without a predicate each change costs one", async (t) => {
  const { sync, table, events } = await w.follow(t);
  const loads = (): number =>
    events.filter((event) => event.name === "holdfast.sync.load" && event.error === undefined)
      .length;
  const exact = sync.watch<readonly Thing[]>({ table, key: 1 });
  await exact.ready();
  const before = loads();
  for (const id of [1, 2, 3]) await run(`INSERT INTO ${table} VALUES (1, ${id}, 'a', 1)`);
  await until(exact, (rows) => rows.length === 3);
  assertEquals(loads(), before);
  exact.close();
  const queried = sync.watch({
    table,
    key: 1,
    load: (tx) => tx<Thing[]>`SELECT * FROM ${tx(table)} WHERE organization_id = 1 AND n > 1`,
  });
  await queried.ready();
  await run(`UPDATE ${table} SET n = 5 WHERE id = 2`);
  assertEquals(ids(await until(queried, (rows) => rows.length === 1)), [2]);
  assert(loads() > before + 1);
});

test("[SY8] a list stays in its order, by columns as the collation C has it, or by a function", async (t) => {
  const { sync, table } = await w.follow(t, { columns: "title text, n numeric, big bigint" });
  const watch = sync.watch<readonly Thing[]>({ table, key: 1, orderBy: ["-n", "title"] });
  const own = sync.watch<readonly (Thing & { big: string })[]>({
    table,
    key: 1,
    orderBy: (a, b) => Number(BigInt(b.big) - BigInt(a.big)),
  });
  const plain = sync.watch<readonly Thing[]>({ table, key: 1, orderBy: "big" });
  await Promise.all([watch.ready(), own.ready(), plain.ready()]);
  await run(
    `INSERT INTO ${table} VALUES (1, 1, 'b', 9, 9), (1, 2, 'B', 10, 10), (1, 3, 'é', 9, -1),
      (1, 4, '\u{1f600}', 9, 100), (1, 5, '\u{ffff}', 9, 99), (1, 6, NULL, NULL, 9007199254740993),
      (1, 7, 'a', 'NaN', 7), (1, 8, 'a', -10.5, 6), (1, 9, 'a', -10.45, 5)`,
  );
  const expected = await sql.unsafe(
    `SELECT id FROM ${table} ORDER BY n DESC, title COLLATE "C"`,
  );
  assertEquals(ids(await until(watch, (rows) => rows.length === 9)), expected.map(({ id }) => id));
  assertEquals(ids(await until(own, (rows) => rows.length === 9)), [6, 4, 5, 2, 1, 7, 8, 9, 3]);
  assertEquals(ids(await until(plain, (rows) => rows.length === 9)), [3, 9, 8, 7, 1, 2, 5, 4, 6]);
  await run(`UPDATE ${table} SET n = 11 WHERE id = 8`);
  assertEquals(ids(await until(watch, (rows) => rows[2]?.id === 8)).slice(0, 4), [6, 7, 8, 2]);
});

test("[SY8] a limit holds, and what comes after the last one moves up", async (t) => {
  const { sync, table } = await w.follow(t);
  await run(`INSERT INTO ${table} SELECT 1, i, 't' || i, i FROM generate_series(1, 6) AS i`);
  const watch = sync.watch<readonly Thing[]>({ table, key: 1, orderBy: "n", limit: 3 });
  assertEquals(ids((await watch.ready()).value!), [1, 2, 3]);
  const steps: readonly (readonly [string, readonly number[]])[] = [
    [`DELETE FROM ${table} WHERE id = 2`, [1, 3, 4]],
    [`INSERT INTO ${table} VALUES (1, 7, 'first', 0)`, [7, 1, 3]],
    [`UPDATE ${table} SET n = 50 WHERE id = 1`, [7, 3, 4]],
    [`UPDATE ${table} SET n = 1 WHERE id = 6`, [7, 6, 3]],
    [`INSERT INTO ${table} VALUES (1, 8, 'last', 99)`, [7, 6, 3]],
    [`UPDATE ${table} SET title = 'seven' WHERE id = 7`, [7, 6, 3]],
    [`DELETE FROM ${table} WHERE id IN (7, 6)`, [3, 4, 5]],
  ];
  for (const [statement, expected] of steps) {
    await run(statement);
    await until(watch, (rows) => JSON.stringify(ids(rows)) === JSON.stringify(expected));
  }
});

test("[SY11] a large value that an update does not touch stays, though the log leaves it out", async (t) => {
  const { sync, table } = await w.follow(t, { columns: "title text, n int, body text" });
  await run(
    `ALTER TABLE ${table} ALTER body SET STORAGE EXTERNAL`,
    `INSERT INTO ${table} VALUES (1, 1, 'a', 1, repeat('x', 100000)), (1, 2, 'hidden', 1, repeat('y', 100000))`,
  );
  const watch = sync.watch<readonly (Thing & { body: string })[]>({
    table,
    key: 1,
    where: ({ title }) => title !== "hidden",
  });
  await watch.ready();
  await run(`UPDATE ${table} SET title = 'b' WHERE id = 1`);
  const [row] = await until(watch, ([first]) => first?.title === "b");
  assertEquals(row?.body, "x".repeat(100_000));
  // One that was not shown so far: it has to be asked for.
  await run(`UPDATE ${table} SET title = 'shown' WHERE id = 2`);
  const rows = await until(watch, ({ length }) => length === 2);
  assertEquals(rows.find(({ id }) => id === 2)?.body, "y".repeat(100_000));
});

test("[SY12] a truncated table empties its watches, whatever came before in the transaction", async (t) => {
  const { sync, table } = await w.follow(t);
  await run(`INSERT INTO ${table} VALUES (1, 1, 'a', 1), (2, 2, 'b', 1)`);
  const [one, two] = [1, 2].map((key) => sync.watch<readonly Thing[]>({ table, key }));
  await Promise.all([one!.ready(), two!.ready()]);
  await run(`TRUNCATE ${table}`);
  await Promise.all([one!, two!].map((watch) => until(watch, (rows) => rows.length === 0)));
  await sql.begin((tx) =>
    tx.unsafe(`INSERT INTO ${table} VALUES (1, 3, 'a', 1); TRUNCATE ${table};
      INSERT INTO ${table} VALUES (1, 4, 'b', 1)`)
  );
  assertEquals(ids(await until(one!, (rows) => rows.length > 0)), [4]);
});

test("[SY13] columns that come, go, or change their type have the value loaded again", async (t) => {
  const { sync, table } = await w.follow(t);
  await run(`INSERT INTO ${table} VALUES (1, 1, 'a', 1)`);
  const custom = sync.watch({
    table,
    key: 1,
    load: (tx) => tx<Thing[]>`SELECT * FROM ${tx(table)} WHERE organization_id = 1`,
    where: true,
  });
  await custom.ready();
  await run(`ALTER TABLE ${table} ADD COLUMN extra text DEFAULT 'new'`);
  await run(`INSERT INTO ${table} VALUES (1, 2, 'b', 2, 'given')`);
  const rows = await until(custom, ({ length }) => length === 2);
  assertEquals(rows.map((row) => (row as { extra?: string }).extra).sort(), ["given", "new"]);
  await run(`ALTER TABLE ${table} DROP COLUMN n`, `UPDATE ${table} SET title = 'c' WHERE id = 1`);
  await until(custom, (all) => all.some(({ title }) => title === "c") && !("n" in all[0]!));
});

test("[SY14] a row that cannot be read has the value loaded again, and the stream goes on", async (t) => {
  const fussy = postgres(w.server.url, {
    max: 3,
    onnotice: () => {},
    types: {
      fussy: {
        to: 25,
        from: [25],
        serialize: (value: string) => value,
        parse: (text: string) => {
          if (text === "poison") throw new Error("No such text");
          return text;
        },
      },
    },
  });
  t.defer(() => fussy.end());
  const { table } = await w.follow(t);
  const { sync, events } = await followTables(
    t,
    fussy as never,
    { [table]: { key: "organization_id" } },
    table,
  );
  const watch = sync.watch<readonly Thing[]>({ table, key: 1, where: true });
  await watch.ready();
  await run(`INSERT INTO ${table} VALUES (1, 1, 'poison', 1)`);
  await eventually(() => events.some(({ name }) => name === "holdfast.sync.failed"));
  assert(
    events.some((event) =>
      event.name === "holdfast.sync.invalidate" && event.reason === "undecodable"
    ),
    "nothing was loaded again",
  );
  await run(
    `UPDATE ${table} SET title = 'fine' WHERE id = 1`,
    `INSERT INTO ${table} VALUES (1, 2, 'b', 1)`,
  );
  const rows = await until(watch, ({ length }) => length === 2);
  assertEquals(rows.map(({ title }) => title).sort(), ["b", "fine"]);
});

test("[SY15] a row that comes and goes in one transaction leaves nothing behind", async (t) => {
  const { sync, table } = await w.follow(t);
  const watch = sync.watch<readonly Thing[]>({ table, key: 1 });
  await watch.ready();
  await sql.begin((tx) =>
    tx.unsafe(`INSERT INTO ${table} VALUES (1, 1, 'ghost', 1); UPDATE ${table} SET n = 2;
      DELETE FROM ${table} WHERE id = 1; INSERT INTO ${table} VALUES (1, 2, 'b', 1)`)
  );
  assertEquals(ids(await until(watch, (rows) => rows.length > 0)), [2]);
});

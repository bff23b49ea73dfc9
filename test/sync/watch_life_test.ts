import { assert, assertEquals, assertRejects, assertThrows, test } from "../harness/mod.ts";
import { createSync } from "../../adapters/postgres/mod.ts";
import { eventually, live, until, world } from "./fixtures/world.ts";

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

test("[SY21] onChange filters, sorts or adds, once for each transaction, and changes go on below it", async (t) => {
  const { sync, table } = await w.follow(t);
  const calls: string[] = [];
  const watch = sync.watch<readonly Thing[]>({
    table,
    key: 1,
    onChange: (rows, { cause }) => {
      calls.push(`${cause} ${rows.length}`);
      return rows.filter(({ n }) => n !== 0).toReversed();
    },
  });
  await watch.ready();
  calls.length = 0;
  await sql.begin((tx) =>
    tx.unsafe(`INSERT INTO ${table} VALUES (1, 1, 'a', 1);
    INSERT INTO ${table} VALUES (1, 2, 'b', 0); INSERT INTO ${table} VALUES (1, 3, 'c', 1)`)
  );
  assertEquals(ids(await until(watch, (rows) => rows.length > 0)), [3, 1]);
  assertEquals(calls, ["change 3"]);
  await run(`UPDATE ${table} SET n = 1 WHERE id = 2`);
  assertEquals(ids(await until(watch, (rows) => rows.length === 3)), [3, 2, 1]);
});

test("[SY21] an onChange that takes its time gets the last state next, and one that throws is told of", async (t) => {
  const { sync, table } = await w.follow(t);
  const gates: (() => void)[] = [];
  const given: number[] = [];
  const watch = sync.watch<readonly Thing[]>({
    table,
    key: 1,
    onChange: async (rows) => {
      given.push(rows.length);
      if (rows.length === 1) await new Promise<void>((open) => void gates.push(open));
      if (rows.length === 4) throw new Error("No fourth");
      return rows;
    },
  });
  const probe = sync.watch<readonly Thing[]>({ table, key: 1 });
  await Promise.all([watch.ready(), probe.ready()]);
  given.length = 0;
  for (const id of [1, 2, 3]) await run(`INSERT INTO ${table} VALUES (1, ${id}, 'a', 1)`);
  await until(probe, (rows) => rows.length === 3);
  assertEquals(given, [1]);
  gates[0]!();
  await until(watch, (rows) => rows.length === 3);
  assertEquals(given, [1, 3]);
  await run(`INSERT INTO ${table} VALUES (1, 4, 'a', 1)`);
  await until(watch, (rows, { error }) => rows.length === 3 && error !== undefined);
  await run(`DELETE FROM ${table} WHERE id = 4`);
  await until(
    watch,
    (rows, { error, status }) => rows.length === 3 && error === undefined && status === "live",
  );
});

test("[SY22] the same options and key share one load, until the last one is closed", async (t) => {
  const { sync, table, events } = await w.follow(t, { options: { limits: { lingerMs: 0 } } });
  const options = { table };
  const [one, two] = [
    sync.open<readonly Thing[]>(options, 1),
    sync.open<readonly Thing[]>(options, 1),
  ];
  await Promise.all([one.ready(), two.ready()]);
  const stops = (): number =>
    events.filter((event) => event.name === "holdfast.sync.load" && event.error === undefined)
      .length;
  assertEquals(stops(), 1);
  assertEquals(one.getSnapshot() === two.getSnapshot(), true);
  let calls = 0;
  one.subscribe(() => calls++);
  one.close();
  one.close();
  await run(`INSERT INTO ${table} VALUES (1, 1, 'a', 1)`);
  await until(two, (rows) => rows.length === 1);
  assertEquals(calls, 0);
  two.close();
  await sync.open<readonly Thing[]>(options, 1).ready();
  assertEquals(stops(), 2);
});

test("[SY22] what a listener throws is told to telemetry and to nobody else", async (t) => {
  const { sync, table, events } = await w.follow(t);
  const watch = sync.watch<readonly Thing[]>({ table, key: 1 });
  await watch.ready();
  let others = 0;
  watch.subscribe(() => {
    throw new Error("A listener");
  });
  watch.subscribe(() => others++);
  await run(`INSERT INTO ${table} VALUES (1, 1, 'a', 1)`);
  await until(watch, (rows) => rows.length === 1);
  assertEquals(others, 1);
  const failed = events.filter(({ name }) => name === "holdfast.sync.failed");
  assertEquals(failed.length, 1);
});

test("[SY23] a key that is missing or cannot be one is refused, and nothing is watched", async (t) => {
  const { sync, table } = await w.follow(t);
  for (const key of [undefined, null, NaN, 1.5, {}]) {
    const watch = (): unknown => sync.watch({ table, key: key as never });
    assertThrows(watch, (error) => error instanceof TypeError);
  }
  await assertRejects(() => sync.watch({ table, key: "acme" }).ready(), /holds no such key/);
  await assertRejects(
    () => sync.watch({ table: "nothing", key: 1 }).ready(),
    /not among the tables/,
  );
  await assertRejects(
    () => sync.watch({ table, key: 1, orderBy: "nothing" }).ready(),
    /no column "nothing"/,
  );
  const wrong = [{ load: 1 }, { where: 1 }, { uses: [table] }, { limit: 1 }, { limit: 0 }];
  for (const options of wrong) {
    assertThrows(() => sync.watch({ table, key: 1, ...options } as never), /Cannot watch/);
  }
});

test("[SY26] a load that fails says so, keeps what there was, and is tried again", async (t) => {
  const { sync, table } = await w.follow(t);
  let broken = true;
  const watch = sync.watch({
    table,
    key: 1,
    load: (tx) =>
      tx<Thing[]>`SELECT * FROM ${tx(broken ? "nowhere" : table)} WHERE organization_id = 1`,
  });
  await assertRejects(() => watch.ready(), "42P01");
  assertEquals(watch.getSnapshot().status, "loading");
  broken = false;
  await until(watch, (rows) => rows.length === 0);
  broken = true;
  await run(`INSERT INTO ${table} VALUES (1, 1, 'a', 1)`);
  await until(
    watch,
    (rows, { status, error }) => status === "stale" && error !== undefined && rows.length === 0,
  );
  broken = false;
  await until(
    watch,
    (rows, { status, error }) => status === "live" && error === undefined && rows.length === 1,
  );
});

test("[SY27] a closed sync ends what it has opened, and calls nobody", async (t) => {
  const { table } = await w.follow(t);
  const sync = createSync({
    url: `${w.server.url}?application_name=closing`,
    tables: { [table]: { key: "organization_id" } },
    publication: table,
  });
  await live(sync as never);
  const watch = sync.watch<readonly Thing[]>({ table, key: 1 });
  await watch.ready();
  let calls = 0;
  watch.subscribe(() => calls++);
  await sync.close();
  await sync.close();
  await run(`INSERT INTO ${table} VALUES (1, 1, 'a', 1)`);
  await eventually(async () => {
    const left = await sql`SELECT FROM pg_stat_activity WHERE application_name = 'closing'`;
    return left.length === 0;
  });
  assertEquals(calls, 0);
  assertEquals(sync.status.state, "closed");
  await assertRejects(() => sync.ready(), "ERR_CLOSED");
  assertThrows(() => sync.watch({ table, key: 1 }), "ERR_CLOSED");
});

test("[SY28] no event carries a key or a value", async (t) => {
  const { sync, table, events } = await w.follow(t);
  const watch = sync.watch<readonly Thing[]>({ table, key: 4711 });
  await watch.ready();
  await run(
    `INSERT INTO ${table} VALUES (4711, 1, 'tell nobody', 1)`,
    `ALTER TABLE ${table} ADD COLUMN extra int`,
    `UPDATE ${table} SET n = 2`,
  );
  await until(watch, ([first]) => first?.n === 2);
  const told = JSON.stringify(events);
  assertEquals([told.includes("tell nobody"), told.includes("4711")], [false, false]);
  assert(events.length > 3);
});

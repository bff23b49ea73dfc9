import postgres from "postgres";
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { createSync, SyncSetupError, syncUp } from "../../adapters/postgres/mod.ts";
import { cutsUnderWrites, moreRows } from "./fixtures/cuts.ts";
import { eventually, followTables, until, world } from "./fixtures/world.ts";

interface Thing {
  readonly id: number;
}

const w = await world({
  max_slot_wal_keep_size: "1MB",
  min_wal_size: "32MB",
  max_wal_size: "32MB",
});
const { sql, run } = w;

async function cut(application: string): Promise<void> {
  await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_replication
    WHERE application_name = ${application}`;
}

test("[SY18] with a slot of its own per connection, watches end right after the stream is cut", async (t) => {
  const { sync, table } = await w.follow(t);
  const watch = sync.watch<readonly Thing[]>({ table, key: 1, orderBy: "id" });
  await watch.ready();
  for (let id = 1; id <= 3; id++) {
    await cut("postgres.js");
    await run(`INSERT INTO ${table} VALUES (1, ${id}, 'a', 1)`);
    await until(watch, (rows, { status }) => status === "live" && rows.length === id);
  }
  await run(`INSERT INTO ${table} VALUES (1, 4, 'a', 1)`);
  await until(watch, (rows) => rows.length === 4);
  const { lagMs = -1 } = sync;
  assert(lagMs >= 0 && lagMs < 30_000, `${lagMs} ms behind`);
});

test(
  "[SY19] with a slot that stays, cuts under writes lose and repeat nothing, and nobody loads",
  async (t) => {
    const result = await cutsUnderWrites(t, w, {
      cuts: 3,
      pause: moreRows(60),
      slot: "staying",
    });
    assertEquals(
      [result.missing, result.twice, result.loads, result.wrong],
      [0, 0, 0, 0],
      JSON.stringify(result),
    );
    assert(result.written > 100, `${result.written} rows`);
  },
  { timeoutMs: 60_000 },
);

test("[SY20] a slot that the server gave up begins anew, and watches load", async (t) => {
  await run("CREATE ROLE reader LOGIN SUPERUSER");
  const client = postgres(w.server.url.replace("postgres@", "reader@"), {
    max: 3,
    onnotice: () => {},
  });
  t.defer(() => client.end({ timeout: 1 }));
  const table = w.name();
  await run(`CREATE TABLE ${table} (organization_id int NOT NULL, id int PRIMARY KEY)`);
  const { sync, events } = await followTables(
    t,
    client,
    { [table]: { key: "organization_id" } },
    w.name(),
    { slot: { name: "given_up" } },
  );
  t.defer(() => dropped(sync, "given_up"));
  const watch = sync.watch<readonly Thing[]>({ table, key: 1 });
  await watch.ready();
  const loads = (): number =>
    events.filter((event) => event.name === "holdfast.sync.load" && event.error === undefined)
      .length;
  const before = loads();
  // Nobody reads the slot any more, and the log grows over the bound.
  await run("ALTER ROLE reader NOLOGIN");
  await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'`;
  await run(`INSERT INTO ${table} VALUES (1, 1)`, "CREATE TABLE bulk (body text)");
  await eventually(async () => {
    await run(
      "INSERT INTO bulk SELECT repeat(md5(i::text), 300) FROM generate_series(1, 1000) AS i",
      "SELECT pg_switch_wal()",
      "CHECKPOINT",
    );
    return await walStatus("given_up") === "lost";
  });
  await run("ALTER ROLE reader LOGIN");
  const rows = await until(watch, (all, { status }) => status === "live" && all.length === 1);
  assertEquals(rows.length, 1);
  assert(loads() > before, "nothing was loaded");
  assert(await walStatus("given_up") !== "lost", "the slot is lost still");
  // It is looked at beside the stream, on a connection that takes a moment.
  await eventually(() =>
    events.some((event) => event.name === "holdfast.sync.slot" && event.retainedBytes >= 0)
  );
}, { timeoutMs: 60_000 });

async function walStatus(slot: string): Promise<unknown> {
  const [row] = await sql`SELECT wal_status FROM pg_replication_slots WHERE slot_name = ${slot}`;
  return row?.["wal_status"];
}

/** Closes a sync, and drops its slot once nobody reads it. */
async function dropped(sync: { close(): Promise<void> }, slot: string): Promise<void> {
  await sync.close();
  await eventually(() =>
    sql`SELECT pg_drop_replication_slot(${slot})`.then(() => true, () => false)
  );
}

test("[RL12] a slot that stays does not hold the log back while nothing of it is for us", async (t) => {
  const { sync } = await w.follow(t, {
    options: { slot: { name: "idle" }, limits: { statusEveryMs: 20 } },
  });
  t.defer(() => dropped(sync, "idle"));
  await run(
    "CREATE TABLE unrelated (id int)",
    "INSERT INTO unrelated SELECT generate_series(1, 1000)",
  );
  const [now] = await sql`SELECT pg_current_wal_lsn()::text AS lsn`;
  await eventually(async () => {
    await run("INSERT INTO unrelated VALUES (1)");
    const [slot] = await sql`SELECT confirmed_flush_lsn >= ${now!["lsn"]}::pg_lsn AS past
      FROM pg_replication_slots WHERE slot_name = 'idle'`;
    return slot?.["past"] === true;
  });
});

test("[SY25] while a transaction holds up the slot, values are shown and said to be stale", async (t) => {
  const table = w.name();
  await run(`CREATE TABLE ${table} (organization_id int NOT NULL, id int PRIMARY KEY)`);
  const tables = { [table]: { key: "organization_id" } };
  await sql.unsafe(syncUp({ tables, publication: table }));
  let end: () => void = () => {};
  const gate = new Promise<void>((resolve) => end = resolve);
  let began: () => void = () => {};
  const begun = new Promise<void>((resolve) => began = resolve);
  const long = sql.begin(async (tx: postgres.TransactionSql) => {
    await tx.unsafe(`INSERT INTO ${table} VALUES (1, 1)`);
    began();
    await gate;
  });
  await begun;
  const sync = createSync({ sql, tables, publication: table });
  t.defer(() => sync.close());
  const watch = sync.watch<readonly Thing[]>({ table, key: 1 });
  assertEquals(await watch.ready(), { value: [], status: "stale", version: 1 });
  assertEquals(sync.status.state, "connecting");
  end();
  await long;
  await until(watch, (rows, { status }) => status === "live" && rows.length === 1);
});

test("[SY38] a table that leaves the publication is told of, and loaded when it is back", async (t) => {
  const { sync, table } = await w.follow(t, { options: { limits: { checkEveryMs: 20 } } });
  const watch = sync.watch<readonly Thing[]>({ table, key: 1, orderBy: "id" });
  await watch.ready();
  const tables = { [table]: { key: "organization_id" } };
  const gone = [`ALTER PUBLICATION ${table} DROP TABLE ${table}`, `DROP PUBLICATION ${table}`];
  for (const [i, away] of gone.entries()) {
    await run(away, `INSERT INTO ${table} VALUES (1, ${i}, 'not in the log', 1)`);
    await eventually(() => watch.getSnapshot().status === "stale");
    assertEquals([sync.status.state, problemsOf(sync.status.error)], ["connecting", "publication"]);
    await run(syncUp({ tables, publication: table }));
    await until(watch, (rows, { status }) => status === "live" && rows.length === i + 1);
  }
  await sync.ready();
});

test("[SY42] what one table lacks is told, and watches of the others go on", async (t) => {
  const [one, two] = [w.name(), w.name()];
  const columns = "organization_id int NOT NULL, id int PRIMARY KEY, title text, n int";
  for (const table of [one, two]) {
    await run(`CREATE TABLE ${table} (${columns})`, `INSERT INTO ${table} VALUES (1, 1, 'a', 1)`);
  }
  const tables = { [one]: { key: "organization_id" }, [two]: { key: "organization_id" } };
  await sql.unsafe(syncUp({ tables, publication: one }));
  await run(`ALTER TABLE ${two} REPLICA IDENTITY NOTHING`);
  const sync = createSync({ sql, tables, publication: one, limits: { checkEveryMs: 20 } });
  t.defer(() => sync.close());
  const [good, bad] = [one, two].map((table) => sync.watch<readonly Thing[]>({ table, key: 1 }));
  await until(good!, (_, { status }) => status === "live");
  await assertRejects(() => bad!.ready(), "ERR_SYNC_SETUP");
  await assertRejects(() => sync.ready(), "ERR_SYNC_SETUP");
  assertEquals([sync.status.state, problemsOf(sync.status.error)], ["live", "identity"]);
  await sync.up();
  await until(bad!, (_, { status }) => status === "live");
  await sync.ready();
  // While it runs: what is not in the log of one is no matter of the other.
  const seen: string[] = [];
  good!.subscribe(({ status }) => seen.push(status));
  await run(`ALTER PUBLICATION ${one} DROP TABLE ${two}`);
  await eventually(() => bad!.getSnapshot().status === "stale");
  assertEquals([sync.status.state, problemsOf(sync.status.error)], ["live", "publication"]);
  await run(`INSERT INTO ${one} VALUES (1, 2, 'b', 1)`);
  await until(good!, (rows) => rows.length === 2);
  await run(syncUp({ tables, publication: one }), `INSERT INTO ${two} VALUES (1, 2, 'b', 1)`);
  await until(bad!, (rows, { status }) => status === "live" && rows.length === 2);
  assertEquals(new Set(seen), new Set(["live"]));
});

test("[SY43] a statement that adds a column has each watch of its table load once", async (t) => {
  const [one, two] = [w.name(), w.name()];
  const columns = "organization_id int NOT NULL, id int PRIMARY KEY";
  for (const table of [one, two]) await run(`CREATE TABLE ${table} (${columns})`);
  const tables = { [one]: { key: "organization_id" }, [two]: { key: "organization_id" } };
  const { sync, events } = await followTables(t, sql, tables, one, {
    limits: { checkEveryMs: 500 },
  });
  const watches = [[one, 1], [one, 2], [two, 1]].map(([table, key]) =>
    sync.watch<readonly Thing[]>({ table: String(table), key: key! })
  );
  await run(`INSERT INTO ${one} VALUES (1, 1)`, `INSERT INTO ${two} VALUES (1, 1)`);
  await until(watches[0]!, (rows) => rows.length === 1);
  await until(watches[2]!, (rows) => rows.length === 1);
  await Promise.all(watches.map((watch) => watch.ready()));
  const loads = (): number => events.filter(({ name }) => name === "holdfast.sync.load").length;
  const before = loads();
  await run(
    `ALTER TABLE ${one} ADD title text DEFAULT 'x'`,
    `INSERT INTO ${one} VALUES (1, 2, 'y')`,
  );
  await until(watches[0]!, (rows) => rows.length === 2);
  // A look finds this one, and would have found the other.
  await run(`ALTER TABLE ${two} ADD title text DEFAULT 'x'`);
  await until(watches[2]!, ([row]) => "title" in row!);
  assertEquals(loads() - before, 3);
});

test("[SY38] columns that come without a row are seen, and a key that went and came back", async (t) => {
  const { sync, table } = await w.follow(t, { options: { limits: { checkEveryMs: 20 } } });
  await run(`INSERT INTO ${table} VALUES (1, 1, 'a', 1)`);
  const watch = sync.watch<readonly Thing[]>({ table, key: 1 });
  await watch.ready();
  await run(`ALTER TABLE ${table} ADD more int DEFAULT 7`);
  await until(watch, (rows, { status }) => status === "live" && "more" in rows[0]!);
  await run(`ALTER TABLE ${table} RENAME organization_id TO other`);
  await eventually(() => problemsOf(sync.status.error) === "column");
  await run(`ALTER TABLE ${table} RENAME other TO organization_id`);
  await until(watch, (rows, { status }) => status === "live" && rows.length === 1);
});

test("[SY43] a column that is dropped and added again, by the same name and type, is seen", async (t) => {
  const looks = { limits: { checkEveryMs: 200 } };
  const { sync, table } = await w.follow(t, { options: looks });
  await run(`INSERT INTO ${table} VALUES (1, 1, 'a', 1), (1, 2, 'b', 2)`);
  const watch = sync.watch<readonly { readonly title: string }[]>({ table, key: 1, orderBy: "id" });
  await watch.ready();
  const again = (title: string): string =>
    `ALTER TABLE ${table} DROP COLUMN title, ADD COLUMN title text DEFAULT '${title}'`;
  await run(again("c"));
  await until(watch, (rows) => rows.every(({ title }) => title === "c"));
  assertEquals(watch.getSnapshot().value!.length, 2);
  await sync.close();
  // With a change the log has reason enough to look at once, however seldom it is looked otherwise.
  const seldom = createSync({
    sql,
    tables: { [table]: { key: "organization_id" } },
    publication: table,
    limits: { checkEveryMs: 3_600_000 },
  });
  t.defer(() => seldom.close());
  const other = seldom.watch<readonly { readonly title: string }[]>({ table, key: 1 });
  await until(other, (_rows, { status }) => status === "live");
  await run(`UPDATE ${table} SET n = 3 WHERE id = 1`, again("d"));
  await run(`UPDATE ${table} SET n = 4 WHERE id = 1`);
  await until(other, (rows) => rows.every(({ title }) => title === "d"));
});

test("[SY38] a partition that is emptied, or taken away, is missed", async (t) => {
  const table = w.name();
  await run(
    `CREATE TABLE ${table} (organization_id int NOT NULL, id int NOT NULL) PARTITION BY LIST (id)`,
    ...[1, 2].map((id) =>
      `CREATE TABLE ${table}_${id} PARTITION OF ${table} FOR VALUES IN (${id})`
    ),
    `INSERT INTO ${table} VALUES (1, 1), (1, 2)`,
  );
  const tables = { [table]: { key: "organization_id" } };
  const { sync } = await followTables(t, sql, tables, table, { limits: { checkEveryMs: 20 } });
  const watch = sync.watch<readonly Thing[]>({ table, key: 1 });
  await watch.ready();
  await run(`TRUNCATE ${table}_1`);
  await until(watch, (rows) => rows.length === 1);
  await run(`ALTER TABLE ${table} DETACH PARTITION ${table}_2`);
  await until(watch, (rows) => rows.length === 0);
});

/** What an error says has to be put right. */
function problemsOf(error: unknown): string {
  return error instanceof SyncSetupError ? error.problems.map(({ code }) => code).join() : "";
}

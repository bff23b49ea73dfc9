import postgres from "postgres";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { loadsUnderWrites } from "./fixtures/loads.ts";
import { eventually, until, world } from "./fixtures/world.ts";

interface Thing {
  readonly id: number;
  readonly title: string;
}

// Nobody of that name will ever confirm a commit: it is streamed, and stays invisible to queries.
const w = await world({ synchronous_standby_names: "ghost", synchronous_commit: "local" });
const { sql, run, server } = w;

/** A client whose commits wait for the standby. */
function waiting(): postgres.Sql {
  return postgres(server.url, {
    max: 1,
    onnotice: () => {},
    connection: { synchronous_commit: "on" },
  });
}

/** Lets commits that wait for the standby be: they become visible, with a warning. */
async function release(): Promise<void> {
  await eventually(async () => {
    const held = await sql`SELECT pg_cancel_backend(pid) FROM pg_stat_activity
      WHERE wait_event = 'SyncRep'`;
    return held.length === 0;
  });
}

/** Settles when so many commits wait for the standby. */
async function held(count: number): Promise<void> {
  await eventually(async () => {
    const rows = await sql`SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'`;
    return rows.length === count;
  });
}

test("[SY4] a commit that is streamed and invisible is in a value that is loaded after it", async (t) => {
  const { sync, table } = await w.follow(t);
  await run(`INSERT INTO ${table} VALUES (1, 1, 'visible', 1), (1, 2, 'before', 1)`);
  const probe = sync.watch<readonly Thing[]>({ table, key: 1 });
  await probe.ready();
  const slow = waiting();
  t.defer(() => slow.end({ timeout: 1 }));
  const commit = slow.unsafe(
    `BEGIN; INSERT INTO ${table} VALUES (1, 3, 'ahead', 1);
     UPDATE ${table} SET title = 'after' WHERE id = 2; DELETE FROM ${table} WHERE id = 1; COMMIT`,
  ).catch(() => {});
  void commit.then(() => {});
  await held(1);
  await until(probe, (rows) => rows.some(({ id }) => id === 3));
  // It is streamed, and no query sees it.
  assertEquals((await sql`SELECT id FROM ${sql(table)} WHERE id = 3`).length, 0);
  const late = sync.watch<readonly Thing[]>({ table, key: 1, orderBy: "id" });
  const rows = (await late.ready()).value!;
  assertEquals(rows.map(({ id, title }) => [id, title]), [[2, "after"], [3, "ahead"]]);
  await release();
  await commit;
  // Now that it is visible it is not applied once more.
  await run(`UPDATE ${table} SET title = 'later' WHERE id = 2`);
  const end = await until(late, ([first]) => first?.title === "later");
  assertEquals(end.map(({ id }) => id), [2, 3]);
});

test("[SY5] what only a query can tell is shown once the query sees the change, not before", async (t) => {
  const { sync, table } = await w.follow(t);
  await run(`INSERT INTO ${table} VALUES (1, 1, 'a', 1)`);
  const count = sync.watch<number>({
    table,
    key: 1,
    load: async (tx) => {
      const [row] = await tx<{ n: number }[]>`SELECT count(*)::int AS n FROM ${tx(table)}`;
      return row!.n;
    },
  });
  const probe = sync.watch<readonly Thing[]>({ table, key: 1 });
  await Promise.all([count.ready(), probe.ready()]);
  const slow = waiting();
  t.defer(() => slow.end({ timeout: 1 }));
  const commit = slow.unsafe(`INSERT INTO ${table} VALUES (1, 2, 'ahead', 1)`).catch(() => {});
  void commit.then(() => {});
  await held(1);
  await until(probe, (rows) => rows.length === 2);
  // Others that are visible are counted meanwhile.
  await run(`INSERT INTO ${table} VALUES (1, 3, 'b', 1)`);
  await until(count, (n) => n === 2);
  await release();
  assertEquals(await until(count, (n) => n === 3), 3);
  await commit;
});

test("[SY4] a commit that waits while the stream begins is not lost", async (t) => {
  const { sync, table } = await w.follow(t);
  const watch = sync.watch<readonly Thing[]>({ table, key: 1 });
  await watch.ready();
  const slow = waiting();
  t.defer(() => slow.end({ timeout: 1 }));
  const commit = slow.unsafe(`INSERT INTO ${table} VALUES (1, 1, 'ahead', 1)`).catch(() => {});
  void commit.then(() => {});
  await held(1);
  await until(watch, (rows) => rows.length === 1);
  // A new stream waits for it, a value is shown all the same.
  await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_replication`;
  await until(watch, (_, { status }) => status === "stale");
  const other = sync.watch<readonly Thing[]>({ table, key: 1, orderBy: "id" });
  await other.ready();
  await release();
  await commit;
  for (const one of [watch, other]) {
    await until(one, (rows, { status }) => status === "live" && rows.length === 1);
  }
});

test("[SY3] a value that is loaded under writes equals its query, over and over", async (t) => {
  const { loads, changed, wrong } = await loadsUnderWrites(t, w, { loads: 400, seed: 7 });
  assertEquals(wrong, []);
  assert(loads === 400 && changed > 0, `${changed} of ${loads} loads met a change`);
}, { timeoutMs: 120_000 });

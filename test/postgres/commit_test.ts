import postgres from "postgres";
import * as t from "../harness/mod.ts";
import { postgresStorage, type PostgresStorageOptions } from "../../adapters/postgres/mod.ts";
import { createVirtualClock } from "../../adapters/testing/mod.ts";
import { StorageUnavailableError } from "../../src/core/errors.ts";
import { afterAll } from "./fixtures/after_all.ts";
import { type ParkedSql, parkedSql } from "./fixtures/parked.ts";
import { startPostgres } from "./fixtures/server.ts";

const server = await startPostgres({ deadlock_timeout: "300ms" });
const admin = postgres(server.url, { max: 4, onnotice: () => {} });
await afterAll(async () => {
  await admin.end();
  await server.stop();
});

let tables = 0;

/** A storage on a table of its own, through an instance that counts. */
function open(context: t.TestContext, options: Omit<PostgresStorageOptions, "url"> = {}) {
  const table = `commit_${++tables}`;
  const sql: ParkedSql = parkedSql(admin);
  const storage = postgresStorage({ sql, table, ...options });
  context.defer(() => storage.close());
  return { storage, sql, table };
}

function lost(outcome: "none" | "unknown", why: RegExp): (error: Error) => boolean {
  return (error) =>
    error instanceof StorageUnavailableError && error.outcome === outcome &&
    why.test(error.message);
}

/** Settles when somebody waits for a lock on the server. */
async function somebodyWaits(): Promise<void> {
  for (;;) {
    const [row] = await admin`SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted`;
    if (row?.["n"] > 0) return;
  }
}

t.test("[PG4] what arrives while a commit is under way goes into the next, one statement", async (context) => {
  const { storage, sql } = open(context);
  const etags = await Promise.all(["r", "d", "w"].map((key) => storage.put(key, "1")));
  t.assertEquals(sql.writes.length, 1);
  const go = sql.park();
  const first = storage.put("first", "1");
  await sql.asked(2);
  const [replaced] = etags;
  const puts = Array.from({ length: 500 }, (_, n) => storage.put(`k${n}`, "1"));
  const others = [
    storage.put("r", "2", replaced?.ok ? { ifMatch: replaced.etag } : {}),
    storage.put("c", "1", { ifNoneMatch: "*" }),
    storage.delete("d"),
    storage.put("w", "2"),
  ];
  go();
  const results = await Promise.all([first, ...puts, ...others]);
  t.assertEquals(results.filter((result) => result.ok).length, 505);
  t.assertEquals(sql.writes.length, 3);
  t.assertEquals((await storage.get("r"))?.value, "2");
  t.assertEquals((await storage.list("")).length, 504);
});

t.test("[PG4] a statement has at most 1000 writes", async (context) => {
  const { storage, sql } = open(context);
  await Promise.all(Array.from({ length: 1001 }, (_, n) => storage.put(`k${n}`, "1")));
  t.assertEquals(sql.writes.length, 2);
});

t.test("[PG5] writes of one key are done in the order they arrived", async (context) => {
  const { storage } = open(context);
  const done = await Promise.all([
    storage.put("k", "1"),
    storage.put("k", "2", { ifNoneMatch: "*" }),
    storage.put("k", "3"),
    storage.delete("k"),
    storage.put("k", "4", { ifNoneMatch: "*" }),
    storage.put("k", "5", { ifNoneMatch: "*" }),
  ]);
  t.assertEquals(done.map((result) => result.ok), [true, false, true, true, true, false]);
  t.assertEquals((await storage.get("k"))?.value, "4");
});

t.test("[PG5] fifty racing puts of one key cost one statement", async (context) => {
  const { storage, sql } = open(context);
  const race = Array.from({ length: 50 }, () => storage.put("k", "1", { ifNoneMatch: "*" }));
  const won = (await Promise.all(race)).filter((result) => result.ok);
  t.assertEquals([won.length, sql.writes.length], [1, 1]);
});

t.test("[PG6] a write that the server refuses fails alone", async (context) => {
  const { storage, table } = open(context);
  await storage.put("before", "1");
  await admin.unsafe(`ALTER TABLE ${table} ADD CHECK (key <> 'bad')`);
  const puts = ["a", "bad", "b", "c"].map((key) => storage.put(key, key));
  await t.assertRejects(() => puts[1]!, lost("none", /^Cannot write: Postgres reported "23514"/));
  const rest = await Promise.all([puts[0]!, puts[2]!, puts[3]!]);
  t.assertEquals(rest.map((result) => result.ok), [true, true, true]);
  t.assertEquals(await storage.list(""), ["a", "b", "before", "c"]);
});

t.test("[PG7] the victim of a deadlock is tried again", async (context) => {
  const { storage, sql, table } = open(context);
  await storage.put("a", "1");
  await storage.put("b", "1");
  const before = sql.writes.length;
  let puts: Promise<unknown> = Promise.resolve();
  await admin.begin(async (other) => {
    await other.unsafe("SET LOCAL deadlock_timeout = '20s'");
    await other.unsafe(`UPDATE ${table} SET value = 'theirs' WHERE key = 'b'`);
    puts = Promise.all([storage.put("a", "ours"), storage.put("b", "ours")]);
    await somebodyWaits();
    // Ours has a and waits for b.
    await other.unsafe(`UPDATE ${table} SET value = 'theirs' WHERE key = 'a'`);
  });
  await puts;
  t.assert(sql.writes.length > before + 1, "there was no deadlock");
  t.assertEquals((await storage.get("a"))?.value, "ours");
  t.assertEquals((await storage.get("b"))?.value, "ours");
});

t.test("[PG8] a server that is not there means that nothing was written", async (context) => {
  const { host } = new URL(server.url);
  const nobody = server.url.replace(host, "127.0.0.1:1");
  const storage = postgresStorage({ url: nobody });
  context.defer(() => storage.close());
  await t.assertRejects(() => storage.put("k", "1"), lost("none", /ECONNREFUSED/));
  await t.assertRejects(() => storage.get("k"), lost("none", /ECONNREFUSED/));
});

t.test("[PG8] a statement that the server gives up by its statement_timeout was not done", async (context) => {
  const { storage: seeded, table } = open(context);
  await seeded.put("k", "1");
  const storage = postgresStorage({ url: `${server.url}?statement_timeout=100`, table });
  context.defer(() => storage.close());
  await admin.begin(async (other) => {
    await other.unsafe(`LOCK TABLE ${table}`);
    await t.assertRejects(() => storage.put("k", "2"), lost("none", /"57014"/));
    await t.assertRejects(() => storage.get("k"), lost("none", /"57014"/));
  });
  t.assertEquals((await storage.get("k"))?.value, "1");
});

t.test("[PG8] a connection that goes away before the answer leaves the outcome unknown", async (context) => {
  const { storage: seeded, table } = open(context);
  await seeded.put("k", "1");
  const storage = postgresStorage({ url: server.url, table });
  context.defer(() => storage.close());
  await storage.get("k");
  await admin.begin(async (other) => {
    await other.unsafe(`LOCK TABLE ${table}`);
    const put = t.assertRejects(() => storage.put("k", "2"), lost("unknown", /^Cannot write/));
    await somebodyWaits();
    await admin`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted`;
    await put;
  });
  t.assertEquals((await storage.put("k", "3")).ok, true);
});

t.test("[PG9] a write whose signal aborts before its statement began is taken back", async (context) => {
  const { storage, sql } = open(context);
  const go = sql.park();
  const first = storage.put("first", "1");
  await sql.asked(1);
  const controller = new AbortController();
  const reason = new Error("The caller has gone");
  const gone = storage.put("gone", "1", { signal: controller.signal });
  const kept = storage.put("kept", "1");
  controller.abort(reason);
  await t.assertRejects(() => gone, (error) => error === reason);
  go();
  await Promise.all([first, kept]);
  t.assertEquals(await storage.list(""), ["first", "kept"]);
});

t.test("[PG9] a call whose signal aborts under way rejects at once", async (context) => {
  const { storage, sql, table } = open(context);
  await storage.put("before", "1");
  const go = sql.park();
  const controller = new AbortController();
  const { signal } = controller;
  const put = storage.put("k", "1", { signal });
  await sql.asked(2);
  await admin.begin(async (other) => {
    await other.unsafe(`LOCK TABLE ${table}`);
    const get = storage.get("before", { signal });
    await somebodyWaits();
    controller.abort();
    for (const call of [put, get]) {
      await t.assertRejects(() => call, (error) => error.name === "AbortError");
    }
  });
  go();
});

t.test("[PG10] a write that is not answered in time is given up, and later ones go on", async (context) => {
  const clock = createVirtualClock();
  const { storage, sql } = open(context, { clock, writeTimeoutMs: 2000 });
  await storage.put("before", "1");
  const go = sql.park();
  const put = t.assertRejects(() => storage.put("k", "1"), lost("unknown", /within 2000 ms/));
  await sql.asked(2);
  await clock.advance(1999);
  t.assertEquals(clock.pending, 1);
  await clock.advance(1);
  await put;
  go();
  t.assertEquals((await storage.put("later", "1")).ok, true);
});

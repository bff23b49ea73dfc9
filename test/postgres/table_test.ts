import postgres from "postgres";
import * as t from "../harness/mod.ts";
import { postgresMigration, postgresStorage } from "../../adapters/postgres/mod.ts";
import { connectPool } from "../../adapters/postgres/connect.ts";
import { unavailable } from "../../adapters/postgres/failure.ts";
import { StorageUnavailableError } from "../../src/core/errors.ts";
import { afterAll } from "./fixtures/after_all.ts";
import { startPostgres } from "./fixtures/server.ts";

const server = await startPostgres();
const admin = postgres(server.url, { max: 2, onnotice: () => {} });
await afterAll(async () => {
  await admin.end();
  await server.stop();
});

function refusal(why: RegExp): (error: Error) => boolean {
  return (error) =>
    error instanceof StorageUnavailableError && error.outcome === "none" && why.test(error.message);
}

t.test("[PG1] the table is made on first use, once, however many come at the same time", async (context) => {
  const storages = Array.from(
    { length: 8 },
    () => postgresStorage({ url: server.url, table: "together", maxConnections: 1 }),
  );
  context.defer(async () => void await Promise.all(storages.map((storage) => storage.close())));
  await Promise.all(storages.map((storage, n) => storage.put(`k${n}`, "1")));
  t.assertEquals((await storages[0]!.list("")).length, 8);
});

t.test("[PG1] a table that was dropped is made again", async (context) => {
  const storage = postgresStorage({ sql: admin, table: "dropped" });
  context.defer(() => storage.close());
  await storage.put("k", "1");
  await admin`DROP TABLE dropped`;
  await t.assertRejects(() => storage.put("k", "1"), refusal(/does not exist/));
  t.assertEquals((await storage.put("k", "1")).ok, true);
});

t.test("[PG1] a table in a schema, and one beside it of the same name, do not meet", async (context) => {
  await admin`CREATE SCHEMA app`;
  const [one, other] = ["app.sessions", "sessions"].map((table) =>
    postgresStorage({ sql: admin, table })
  );
  context.defer(async () => void await Promise.all([one!.close(), other!.close()]));
  await one!.put("k", "1");
  t.assertEquals(await other!.get("k"), undefined);
});

t.test("[PG2] without migrate an absent table is refused with the SQL that makes it", async (context) => {
  const storage = postgresStorage({ sql: admin, table: "by_hand", migrate: false });
  context.defer(() => storage.close());
  const error = await t.assertRejects(() => storage.put("k", "1"), refusal(/does not exist; run/));
  await t.assertRejects(() => storage.get("k"), refusal(/does not exist; run/));
  t.assert(error.message.endsWith(postgresMigration("by_hand")));
  await admin.unsafe(postgresMigration("by_hand"));
  t.assertEquals((await storage.put("k", "1")).ok, true);
  // Once more does no harm.
  await admin.unsafe(postgresMigration("by_hand"));
  t.assertEquals((await storage.get("k"))?.value, "1");
});

t.test("[PG2] a role that may not make tables uses one that is there", async (context) => {
  await admin.unsafe(postgresMigration("granted"));
  await admin`CREATE ROLE clerk LOGIN`;
  await admin`REVOKE CREATE ON SCHEMA public FROM PUBLIC`;
  await admin`GRANT SELECT, INSERT, UPDATE, DELETE ON granted TO clerk`;
  const url = server.url.replace("postgres@", "clerk@");
  const storage = postgresStorage({ url, table: "granted" });
  context.defer(() => storage.close());
  t.assertEquals((await storage.put("k", "1")).ok, true);
  const none = postgresStorage({ url, table: "not_granted" });
  context.defer(() => none.close());
  await t.assertRejects(() => none.put("k", "1"), refusal(/"42501"/));
});

t.test("[PG3] the table of another application, or of a newer format, is refused and left alone", async (context) => {
  await admin`CREATE TABLE diary (entry text)`;
  await admin.unsafe(postgresMigration("newer"));
  await admin`COMMENT ON TABLE newer IS 'holdfast records, format 2'`;
  const refusals = { diary: /belongs to another application/, newer: /its format is 2/ };
  for (const [table, why] of Object.entries(refusals)) {
    const storage = postgresStorage({ sql: admin, table });
    context.defer(() => storage.close());
    await t.assertRejects(() => storage.put("k", "1"), refusal(why));
  }
  t.assertEquals((await admin`SELECT * FROM diary`).length, 0);
});

t.test("[PG3] a database that is not UTF8 is refused", async (context) => {
  await admin`CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`;
  const storage = postgresStorage({ url: server.url.replace(/postgres$/, "latin") });
  context.defer(() => storage.close());
  await t.assertRejects(() => storage.put("k", "1"), refusal(/not UTF8/));
});

t.test("[PG11] what the server says about a value does not reach the error", async (context) => {
  const storage = postgresStorage({ sql: admin, table: "secretive" });
  context.defer(() => storage.close());
  await storage.put("k", "1");
  await admin`ALTER TABLE secretive ADD CHECK (value <> 'tell nobody')`;
  const error = await t.assertRejects(() => storage.put("k", "tell nobody"), refusal(/"23514"/));
  const { cause } = error;
  t.assert(cause instanceof Error);
  const all = [error, cause].flatMap((one) => [one.message, one.stack, JSON.stringify(one)]);
  t.assertEquals(all.filter((text) => text?.includes("tell nobody")), []);
  t.assertEquals(
    Object.getOwnPropertyNames(cause).filter((name) => /param|arg|detail/.test(name)),
    [],
  );
});

t.test("[PG12] close() ends what the storage opened, and not what it was given", async () => {
  const given = postgresStorage({ sql: admin, table: "closing" });
  await given.put("k", "1");
  await given.close();
  t.assertEquals((await admin`SELECT value FROM closing`)[0]?.["value"], "1");
  const own = postgresStorage({ url: `${server.url}?application_name=own`, table: "closing" });
  await own.get("k");
  await own.close();
  for (;;) {
    const left = await admin`SELECT FROM pg_stat_activity WHERE application_name = 'own'`;
    if (left.length === 0) return;
  }
});

t.test("[PG13] without the postgres package the error says what to install", async () => {
  const load = (): Promise<never> => Promise.reject(new Error("Cannot find package"));
  const options = { url: server.url, maxConnections: 1, prepare: true };
  await t.assertRejects(() => connectPool(options, load), refusal(/npm install postgres/));
});

t.test("[PG14] options that make no sense are refused at once", () => {
  const wrong = [{}, { sql: admin, url: server.url }];
  for (const options of wrong) {
    t.assertThrows(() => postgresStorage(options), (error) => error instanceof TypeError);
  }
  for (const table of ["", "a b", "A", "1a", "a.b.c", 'a"b', "x".repeat(64), 1, ".a"]) {
    const make = (): unknown => postgresStorage({ sql: admin, table: table as string });
    t.assertThrows(make, (error) => error instanceof TypeError);
    t.assertThrows(() => postgresMigration(table as string), (error) => error instanceof TypeError);
  }
  for (const number of [{ maxConnections: 0 }, { writeTimeoutMs: 0 }, { writeTimeoutMs: NaN }]) {
    const make = (): unknown => postgresStorage({ url: server.url, ...number });
    t.assertThrows(make, (error) => error instanceof RangeError);
  }
});

t.test("[PG17] a value is stored as it is, unless it has a NUL or begins as an escaped one", async (context) => {
  const storage = postgresStorage({ sql: admin, table: "texts" });
  context.defer(() => storage.close());
  const plain = '{"a":[1,"\\\\{}\\"",null],"é":"\u0001"}';
  const odd = ["\0", "\x01", "\x01\x02", "\x01\0\x01\x01\x02", "a\0\x02b\x01\x01"];
  await Promise.all([plain, ...odd].map((value, n) => storage.put(`k${n}`, value)));
  const rows = await admin`SELECT value FROM texts WHERE key = 'k0'`;
  t.assertEquals(rows[0]?.["value"], plain);
  const read = await Promise.all(odd.map((_, n) => storage.get(`k${n + 1}`)));
  t.assertEquals(read.map((stored) => stored?.value), odd);
});

t.test("[PG8] whatever is thrown becomes an error that says how sure it is", () => {
  const known = new StorageUnavailableError("Cannot read: it is late", "none");
  t.assertEquals(unavailable("read", known, "unknown"), known);
  t.assertEquals(unavailable("write", undefined, "unknown").outcome, "unknown");
});

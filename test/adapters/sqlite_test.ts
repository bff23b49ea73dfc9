import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import * as t from "../harness/mod.ts";
import { type Connection, findDriver, loadDriver } from "../../adapters/sqlite/driver.ts";
import { type SqliteStorage, sqliteStorage } from "../../adapters/sqlite/mod.ts";
import { createVirtualClock, seededRandom, storageSuite } from "../../adapters/testing/mod.ts";
import { StorageUnavailableError } from "../../src/core/errors.ts";
import { countingProcesses, killedProcess } from "./fixtures/process_rules.ts";
import { makeTemp, removeTemp, temp } from "./fixtures/temp.ts";

storageSuite(t, "sqlite", () => {
  const directory = makeTemp();
  const open = (): Promise<SqliteStorage> => Promise.resolve(sqliteStorage(`${directory}/s.db`));
  return open().then((storage) => ({
    storage,
    reopen: open,
    another: open,
    dispose: () => removeTemp(directory),
  }));
}, { durable: true, shared: true });

storageSuite(
  t,
  "sqlite in memory",
  () => Promise.resolve(sqliteStorage(":memory:")),
);

/** A connection beside the storage's own. */
function connect(path: string): Connection {
  return new (loadDriver())(path);
}

/** Checks for a storage error that says that nothing was written, and why. */
function refusal(why: RegExp): (error: Error) => boolean {
  return (error) =>
    error instanceof StorageUnavailableError && error.outcome === "none" &&
    why.test(error.message);
}

/** A storage whose file another connection has locked, and whose time is turned by hand. */
async function locked(
  context: Parameters<typeof temp>[0],
  busyTimeoutMs = 5000,
) {
  const path = join(temp(context), "s.db");
  const clock = createVirtualClock();
  const storage = sqliteStorage(path, {
    busyTimeoutMs,
    clock,
    random: seededRandom(1),
  });
  context.defer(() => storage.close());
  await storage.put("before", "1");
  const other = connect(path);
  context.defer(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  return { storage, clock, path, unlock: () => void other.exec("COMMIT") };
}

t.test("[SQ5] a write waits for another connection's lock without blocking the process", async (context) => {
  const { storage, clock, unlock } = await locked(context);
  let answered = false;
  const put = storage.put("k", "1").finally(() => answered = true);
  await clock.advance(1000);
  t.assertEquals(answered, false);
  unlock();
  await clock.advance(100);
  t.assertEquals((await put).ok, true);
});

t.test("[SQ5] a storage that opens waits for another connection's lock", async (context) => {
  const path = join(temp(context), "s.db");
  const other = connect(path);
  context.defer(() => other.close());
  other.exec("BEGIN EXCLUSIVE");
  const clock = createVirtualClock();
  const storage = sqliteStorage(path, { clock });
  context.defer(() => storage.close());
  const put = storage.put("k", "1");
  const get = storage.get("k");
  await clock.advance(1000);
  other.exec("COMMIT");
  await clock.advance(100);
  t.assertEquals((await put).ok, true);
  await get;
});

t.test("[SQ6] a lock that stays makes writes fail when the time is up, and nothing is written", async (context) => {
  const { storage, clock, unlock } = await locked(context, 2000);
  const puts = ["a", "b"].map((key) =>
    t.assertRejects(() => storage.put(key, "1"), refusal(/busy for 2000 ms/))
  );
  await clock.advance(1999);
  t.assertEquals(clock.pending, 1);
  await clock.advance(1);
  await Promise.all(puts);
  unlock();
  t.assertEquals(await storage.list(""), ["before"]);
  t.assertEquals((await storage.put("a", "1")).ok, true);
});

t.test("[SQ7] a write whose signal aborts while it waits is taken back, the others are not", async (context) => {
  const { storage, clock, unlock } = await locked(context);
  const controller = new AbortController();
  const reason = new Error("The caller has gone");
  const early = storage.put("gone", "1", { signal: controller.signal });
  const kept = storage.put("kept", "1");
  await clock.advance(500);
  const late = storage.put("gone/too", "1", { signal: controller.signal });
  controller.abort(reason);
  for (const put of [early, late]) {
    await t.assertRejects(() => put, (error) => error === reason);
  }
  unlock();
  await clock.advance(100);
  t.assertEquals((await kept).ok, true);
  t.assertEquals(await storage.list(""), ["before", "kept"]);
});

t.test("[SQ7] a write whose signal aborts in the turn it was made in is taken back", async (context) => {
  const storage = sqliteStorage(":memory:");
  context.defer(() => storage.close());
  // Twice: the first write opens the database, during which aborts take another way.
  for (const value of ["1", "2"]) await storage.put("before", value);
  const controller = new AbortController();
  const put = storage.put("gone", "1", { signal: controller.signal });
  controller.abort();
  await t.assertRejects(() => put, (error) => error.name === "AbortError");
  t.assertEquals(await storage.list(""), ["before"]);
});

t.test("[SQ8] reads go on while another connection writes, and see what is committed", async (context) => {
  const { storage, path } = await locked(context);
  const put = storage.put("before", "2");
  t.assertEquals((await storage.get("before"))?.value, "1");
  t.assertEquals(await storage.list(""), ["before"]);
  t.assert(existsSync(path));
  void put;
});

for (const action of ["ABORT", "ROLLBACK"]) {
  t.test(`[SQ4] a statement that fails (${action}) fails its own write only`, async (context) => {
    const path = join(temp(context), "s.db");
    const storage = sqliteStorage(path);
    context.defer(() => storage.close());
    await storage.put("before", "1");
    const other = connect(path);
    other.exec(
      `CREATE TRIGGER refuse BEFORE INSERT ON record WHEN NEW.key = 'bad'
       BEGIN SELECT RAISE(${action}, 'refused'); END`,
    );
    other.close();
    const puts = ["a", "bad", "b", "c"].map((key) => storage.put(key, key));
    await t.assertRejects(() => puts[1]!, refusal(/reported an error/));
    const rest = await Promise.all([puts[0]!, puts[2]!, puts[3]!]);
    t.assertEquals(rest.map((result) => result.ok), [true, true, true]);
    t.assertEquals(await storage.list(""), ["a", "b", "before", "c"]);
  });
}

t.test("[SQ9] the file and its directory are created for this user only", async (context) => {
  const directory = join(temp(context), "deep", "er");
  const storage = sqliteStorage(join(directory, "s.db"));
  await storage.put("k", "1");
  const modes = readdirSync(directory).map((name) => statSync(join(directory, name)).mode & 0o777);
  await storage.close();
  if (process.platform === "win32") return;
  t.assertEquals(modes, [0o600, 0o600, 0o600]);
  t.assertEquals(statSync(directory).mode & 0o777, 0o700);
});

t.test("[SQ10] a file that is not an SQLite database is refused and left alone", async (context) => {
  const path = join(temp(context), "s.db");
  const text = "Dear diary, ".repeat(1000);
  writeFileSync(path, text);
  const storage = sqliteStorage(path);
  context.defer(() => storage.close());
  await t.assertRejects(
    () => storage.get("k"),
    refusal(/cannot be read or written as an SQLite/),
  );
  await t.assertRejects(
    () => storage.put("k", "1"),
    refusal(/cannot be read or written as an/),
  );
  t.assertEquals(readFileSync(path, "utf8"), text);
});

t.test("[SQ10] the database of another application is refused and left alone", async (context) => {
  const path = join(temp(context), "s.db");
  const other = connect(path);
  other.exec("CREATE TABLE diary (entry TEXT)");
  other.close();
  const before = readFileSync(path);
  const storage = sqliteStorage(path);
  context.defer(() => storage.close());
  await t.assertRejects(
    () => storage.put("k", "1"),
    refusal(/belongs to another application/),
  );
  t.assertEquals(readFileSync(path).equals(before), true);
});

t.test("[SQ10] a file of a newer format is refused", async (context) => {
  const path = join(temp(context), "s.db");
  const storage = sqliteStorage(path);
  await storage.put("k", "1");
  await storage.close();
  const other = connect(path);
  other.exec("PRAGMA user_version = 2");
  other.close();
  const again = sqliteStorage(path);
  context.defer(() => again.close());
  await t.assertRejects(() => again.get("k"), refusal(/its format is 2/));
});

t.test("[SQ10] a path that cannot be a file is refused", async (context) => {
  const directory = temp(context);
  writeFileSync(join(directory, "file"), "");
  for (const path of [directory, join(directory, "file", "s.db")]) {
    const storage = sqliteStorage(path);
    context.defer(() => storage.close());
    await t.assertRejects(
      () => storage.put("k", "1"),
      refusal(/^Cannot open ".*": it cannot be/),
    );
  }
});

t.test("[SQ10] a damaged page makes the calls that need it fail, and no other answer is given", async (context) => {
  const path = join(temp(context), "s.db");
  const storage = sqliteStorage(path);
  await Promise.all(
    Array.from(
      { length: 100 },
      (_, n) => storage.put(`k${n}`, "x".repeat(1000)),
    ),
  );
  await storage.close();
  const bytes = readFileSync(path);
  bytes.fill(0xff, 4096);
  writeFileSync(path, bytes);
  const damaged = sqliteStorage(path);
  context.defer(() => damaged.close());
  await t.assertRejects(
    () => damaged.get("k1"),
    refusal(/^Cannot read: the SQLite database/),
  );
  await t.assertRejects(
    () => damaged.put("k1", "1"),
    refusal(/^Cannot write: the SQLite database/),
  );
});

t.test("[SQ11] a runtime without SQLite is told what to do", () => {
  for (const load of [undefined, () => undefined]) {
    t.assertThrows(() => findDriver(load, false), /Node 22\.13 or later/);
  }
  t.assertThrows(
    () => findDriver(() => undefined, true),
    "ERR_STORAGE_UNAVAILABLE",
  );
});

t.test("[SQ12] after the last close one file is left, with everything in it", async (context) => {
  const directory = temp(context);
  const storage = sqliteStorage(join(directory, "s.db"));
  await storage.put("k", "1");
  await storage.get("k");
  await storage.list("");
  await storage.close();
  t.assertEquals(readdirSync(directory), ["s.db"]);
});

t.test("[SQ15] a failure to open is not remembered", async (context) => {
  const directory = temp(context);
  const path = join(directory, "later", "s.db");
  writeFileSync(join(directory, "later"), "");
  const storage = sqliteStorage(path);
  context.defer(() => storage.close());
  await t.assertRejects(() => storage.put("k", "1"), "ERR_STORAGE_UNAVAILABLE");
  await removeTemp(join(directory, "later"));
  mkdirSync(join(directory, "later"));
  t.assertEquals((await storage.put("k", "1")).ok, true);
});

t.test("[SQ16] a path that is no path and a time that is none are refused at once", () => {
  for (const path of ["", undefined, 1]) {
    t.assertThrows(
      () => sqliteStorage(path as string),
      (error) => error instanceof TypeError,
    );
  }
  for (const busyTimeoutMs of [-1, NaN]) {
    const make = (): unknown => sqliteStorage(":memory:", { busyTimeoutMs });
    t.assertThrows(make, (error) => error instanceof RangeError);
  }
});

countingProcesses(
  "[SQ13] four processes that add to one counter lose no increment",
  "sqlite",
);
killedProcess(
  "[SQ14] what was acknowledged is there after the process was killed",
  "sqlite",
);

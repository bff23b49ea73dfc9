import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import * as t from "../harness/mod.ts";
import { fileStorage } from "../../adapters/file/mod.ts";
import { keyOf, placeOf } from "../../adapters/file/names.ts";
import { thisProcess } from "../../adapters/file/owner.ts";
import { createVirtualClock, storageSuite } from "../../adapters/testing/mod.ts";
import { countingProcesses, killedProcess } from "./fixtures/process_rules.ts";
import { startChild } from "./fixtures/child.ts";
import { makeTemp, removeTemp, temp } from "./fixtures/temp.ts";

storageSuite(t, "file", () => {
  const directory = makeTemp();
  return Promise.resolve({
    storage: fileStorage(directory),
    reopen: () => Promise.resolve(fileStorage(directory)),
    dispose: () => removeTemp(directory),
  });
}, { durable: true });

/** Paths of all files below a directory. */
function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

async function recordOf(directory: string, key: string, value: string): Promise<string> {
  const storage = fileStorage(directory);
  await storage.put(key, value);
  await storage.close();
  return filesOf(directory)[0]!;
}

t.test("[FS1] a record is one file, under its own name, for this user only", async (context) => {
  const directory = join(temp(context), "deep", "er");
  const path = await recordOf(directory, "Carts/1", "[]");
  t.assertEquals(filesOf(directory).length, 1);
  t.assert(path.endsWith(`${placeOf("Carts/1").shard}/+carts+-1+0`), path);
  t.assertEquals(readFileSync(path, "utf8").split("\n")[1], "[]");
  if (process.platform === "win32") return;
  t.assertEquals(statSync(path).mode & 0o777, 0o600);
  t.assertEquals(statSync(directory).mode & 0o777, 0o700);
});

t.test("[FS2] keys have names that differ also where case does not count", () => {
  const keys = ["a", "A", "a/b", "a+b", "aA", "Aa", "con", "a.", "=", "~", "x".repeat(1000)];
  keys.push(`${"x".repeat(1000)}X`, "X".repeat(70), `${"X".repeat(70)}x`, "a-b", "a_b");
  const names = keys.map((key) => placeOf(key).name);
  t.assertEquals(new Set(names.map((name) => name.toLowerCase())).size, keys.length);
  for (const name of names) t.assert(/^[a-z0-9_.~=+-]{1,143}[0-9a-f]$/.test(name), name);
});

t.test("[FS2] a name gives its key back, and no other name does", () => {
  for (const key of ["a", "A/b.C", "_", "=~-/Z"]) {
    t.assertEquals(keyOf(placeOf(key).name), { key });
  }
  t.assertEquals(keyOf(placeOf("x".repeat(200)).name), "in file");
  for (const name of ["a", "A+0", "a+0.tmp", ".DS_Store", "+0", "+1", "a b+0", "+-a+0", "+a"]) {
    t.assertEquals(keyOf(name), undefined, name);
  }
});

t.test("[FS3] what a crash left half written is ignored and removed", async (context) => {
  const directory = temp(context);
  await recordOf(directory, "k", "1");
  writeFileSync(join(directory, "tmp", "17"), '{"holdfast":1,"key":"half"');
  writeFileSync(join(directory, "records", placeOf("k").shard, "notes.txt"), "not a record");
  const storage = fileStorage(directory);
  context.defer(() => storage.close());
  t.assertEquals(await storage.list(""), ["k"]);
  t.assertEquals(await readdir(join(directory, "tmp")), []);
});

t.test("[FS4] a damaged file is refused, not read", async (context) => {
  const damages: readonly ((text: string) => string | Uint8Array)[] = [
    (text) => text.slice(0, -1),
    (text) => `${text}x`,
    (text) => text.replace('"k"', '"j"'),
    (text) => text.replace("{", "["),
    () => "",
    (text) => new Uint8Array([...new TextEncoder().encode(text.slice(0, -1)), 0xff]),
  ];
  for (const damage of damages) {
    const directory = temp(context);
    const path = await recordOf(directory, "k", "[1,2]");
    writeFileSync(path, damage(readFileSync(path, "utf8")));
    const storage = fileStorage(directory);
    context.defer(() => storage.close());
    await t.assertRejects(() => storage.get("k"), "ERR_CORRUPT_RECORD");
    await t.assertRejects(() => storage.put("k", "2", { ifMatch: "x" }), "ERR_CORRUPT_RECORD");
    t.assertEquals((await storage.put("k", "2")).ok, true);
  }
});

t.test("[FS4] a file of a newer format is refused", async (context) => {
  const directory = temp(context);
  const path = await recordOf(directory, "k", "1");
  writeFileSync(path, readFileSync(path, "utf8").replace('"holdfast":1', '"holdfast":2'));
  const storage = fileStorage(directory);
  context.defer(() => storage.close());
  await t.assertRejects(() => storage.get("k"), /its format is 2/);
});

t.test("[FS5] a second storage on the directory is refused until the first is closed", async (context) => {
  const directory = temp(context);
  const first = fileStorage(directory);
  await first.put("k", "1");
  const second = fileStorage(directory, { lockTimeoutMs: 0 });
  context.defer(() => second.close());
  const error = await t.assertRejects(() => second.get("k"), "ERR_STORAGE_UNAVAILABLE");
  t.assert(error.message.includes(`process ${process.pid} on host`), error.message);
  await first.close();
  t.assertEquals((await second.get("k"))?.value, "1");
});

t.test("[FS5] the first call waits for the directory", async (context) => {
  const directory = temp(context);
  const first = fileStorage(directory);
  await first.put("k", "1");
  const clock = createVirtualClock();
  const second = fileStorage(directory, { clock, lockTimeoutMs: 10_000 });
  context.defer(() => second.close());
  const read = second.get("k");
  while (clock.pending === 0) await clock.advance(0);
  await first.close();
  while (clock.pending > 0) await clock.advance(1000);
  t.assertEquals((await read)?.value, "1");
});

t.test("[FS6] the lock of a process that was killed is taken over", async (context) => {
  const path = join(temp(context), "store");
  const child = startChild("append", ["file", path, "0"]);
  context.defer(() => void child.process.kill("SIGKILL"));
  await child.printed(1);
  const early = fileStorage(path, { lockTimeoutMs: 0 });
  await t.assertRejects(() => early.get("k"), "ERR_STORAGE_UNAVAILABLE");
  child.process.kill("SIGKILL");
  await child.ended;
  // Eight are written at a time: which is the first is a matter of luck.
  const [first = ""] = child.lines;
  t.assertEquals((await early.get(first))?.value, `value of ${first}`);
  await early.close();
  t.assertEquals(readdirSync(path).filter((name) => name.startsWith("lock")), []);
});

t.test("[FS6] of many that find the same owner dead one takes over, also after a takeover that died", async (context) => {
  const directory = temp(context);
  await mkdir(directory, { recursive: true });
  const dead = { ...thisProcess("dead-one"), pid: 2 ** 22 + 1, started: "long ago" };
  writeFileSync(join(directory, "lock"), JSON.stringify(dead));
  const heir = { ...dead, nonce: "dead-two" };
  writeFileSync(join(directory, "lock.after.dead-one"), JSON.stringify(heir));
  const storages = Array.from({ length: 10 }, () => fileStorage(directory, { lockTimeoutMs: 0 }));
  const results = await Promise.allSettled(storages.map((storage) => storage.get("k")));
  t.assertEquals(results.filter((result) => result.status === "fulfilled").length, 1);
  await Promise.all(storages.map((storage) => storage.close()));
});

t.test("[FS6] the lock of a process on another host is left alone", async (context) => {
  const directory = temp(context);
  const elsewhere = { ...thisProcess("elsewhere"), pid: 2 ** 22 + 1, host: "other.example" };
  writeFileSync(join(directory, "lock"), JSON.stringify(elsewhere));
  const storage = fileStorage(directory, { lockTimeoutMs: 0 });
  context.defer(() => storage.close());
  await t.assertRejects(() => storage.get("k"), /on host "other.example".*delete the file "lock"/);
});

t.test("[FS7] a path that cannot be a directory is refused, and the failure is not remembered", async (context) => {
  const directory = temp(context);
  writeFileSync(join(directory, "file"), "");
  const storage = fileStorage(join(directory, "file"));
  context.defer(() => storage.close());
  await t.assertRejects(() => storage.put("k", "1"), "ERR_STORAGE_UNAVAILABLE");
  await removeTemp(join(directory, "file"));
  t.assertEquals((await storage.put("k", "1")).ok, true);
});

t.test("[FS8] a path that is no path and a time that is none are refused at once", () => {
  for (const path of ["", undefined, 1]) {
    t.assertThrows(() => fileStorage(path as string), (error) => error instanceof TypeError);
  }
  for (const lockTimeoutMs of [-1, NaN]) {
    const make = (): unknown => fileStorage("unused", { lockTimeoutMs });
    t.assertThrows(make, (error) => error instanceof RangeError);
  }
});

t.test("[FS9] a call stops waiting when its signal aborts", async (context) => {
  const directory = temp(context);
  const storage = fileStorage(directory);
  context.defer(() => storage.close());
  await storage.put("k", "1");
  const controller = new AbortController();
  const puts = ["2", "3"].map((value) => storage.put("k", value, { signal: controller.signal }));
  controller.abort();
  for (const put of puts) await t.assertRejects(() => put, (error) => error.name === "AbortError");
  // The second had not begun, so it never does.
  t.assert((await storage.get("k"))?.value !== "3");
});

countingProcesses("[FS10] four processes that add to one counter lose no increment", "file");
killedProcess("[FS11] what was acknowledged is there after the process was killed", "file");

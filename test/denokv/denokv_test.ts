import * as t from "../harness/mod.ts";
import { type DenoKv, denokvStorage } from "../../adapters/denokv/mod.ts";
import { openDenoKv } from "../../adapters/denokv/kv.ts";
import { patiently } from "../../adapters/denokv/locked.ts";
import { createVirtualClock, seededRandom, storageSuite } from "../../adapters/testing/mod.ts";
import { StorageUnavailableError } from "../../src/core/errors.ts";
import type { Storage } from "../../src/ports/storage.ts";
import { startChild } from "../adapters/fixtures/child.ts";
import { makeTemp, removeTemp, temp } from "../adapters/fixtures/temp.ts";

const isDeno = t.runtime === "deno";

/** Registers a test of Deno KV itself. */
const test: typeof t.test = isDeno ? t.test : (name) => t.skip(name, "only on Deno");

if (isDeno) {
  storageSuite(t, "denokv", () => {
    const directory = makeTemp();
    const open = (): Promise<Storage> => Promise.resolve(denokvStorage(`${directory}/kv.sqlite`));
    return open().then((storage) => ({
      storage,
      reopen: open,
      another: open,
      dispose: () => removeTemp(directory),
    }));
  }, { durable: true, shared: true });
}

/** An instance that other storages and a look at the database share. */
async function memory(context: t.TestContext): Promise<DenoKv> {
  const kv = await openDenoKv(":memory:");
  context.defer(() => kv.close());
  return kv;
}

/** How many chunks are in the database. */
async function chunksIn(kv: DenoKv): Promise<number> {
  const start = ["holdfast", "chunk"];
  let count = 0;
  for await (const _ of kv.list({ start: [...start, ""], end: [...start, "\x7f"] }, {})) count++;
  return count;
}

const large = (letter: string): string => letter.repeat(1_000_000);

t.test("[DK1] where there is no Deno KV the error says what to do", async () => {
  const refusal = (why: RegExp) => (error: Error): boolean =>
    error instanceof StorageUnavailableError && error.outcome === "none" && why.test(error.message);
  await t.assertRejects(() => openDenoKv(":memory:", {}), refusal(/--unstable-kv/));
  const failing = { openKv: () => Promise.reject(new Error("no such place")) };
  await t.assertRejects(() => openDenoKv("x", failing), refusal(/see the cause/));
  if (isDeno) return;
  await t.assertRejects(() => denokvStorage().put("k", "1"), refusal(/not Deno/));
});

t.test("[DK2] a prefix that is not an array of strings is a TypeError", () => {
  for (const prefix of ["holdfast", [1], [undefined]]) {
    const make = (): unknown =>
      denokvStorage(":memory:", { prefix: prefix as unknown as string[] });
    t.assertThrows(make, (error) => error instanceof TypeError);
  }
});

test("[DK3] storages with different prefixes do not meet, and leave other data alone", async (context) => {
  const kv = await memory(context);
  await kv.atomic().set(["diary"], "dear").commit();
  const [one, other] = [["a"], ["b", "c"]].map((prefix) => denokvStorage(kv, { prefix }));
  await one!.put("k", "1");
  t.assertEquals(await other!.get("k"), undefined);
  t.assertEquals(await other!.list(""), []);
  t.assertEquals((await kv.get(["diary"])).value, "dear");
});

test("[DK4] chunks are removed with the value they were of", async (context) => {
  const kv = await memory(context);
  const storage = denokvStorage(kv);
  await storage.put("k", large("a"));
  t.assertEquals(await chunksIn(kv), 17);
  await storage.put("k", large("b"));
  t.assertEquals(await chunksIn(kv), 17);
  await storage.put("k", "small");
  t.assertEquals(await chunksIn(kv), 0);
  await storage.put("k", large("c"));
  await storage.delete("k");
  t.assertEquals(await chunksIn(kv), 0);
});

test("[DK5] racing large puts: one wins whole, and nothing of the others is left", async (context) => {
  const kv = await memory(context);
  const storages = [denokvStorage(kv), denokvStorage(kv)];
  const puts = Array.from(
    { length: 10 },
    (_, n) => storages[n % 2]!.put("k", large(String(n)), { ifNoneMatch: "*" }),
  );
  const results = await Promise.all(puts);
  const winner = results.findIndex((result) => result.ok);
  t.assertEquals(results.filter((result) => result.ok).length, 1);
  t.assertEquals((await storages[0]!.get("k"))?.value === large(String(winner)), true);
  t.assertEquals(await chunksIn(kv), 17);
});

test("[DK5] a read beside large writes sees one of them whole", async (context) => {
  const kv = await memory(context);
  const storage = denokvStorage(kv);
  await storage.put("k", large("0"));
  let writing = true;
  const write = async (letter: string): Promise<void> => {
    for (let n = 0; n < 10; n++) await storage.put("k", large(letter));
  };
  const writes = Promise.all(["a", "b"].map(write)).finally(() => writing = false);
  while (writing) {
    const value = (await storage.get("k"))?.value ?? "";
    t.assert(value === large(value[0] ?? ""), "a value in pieces of two");
  }
  await writes;
  t.assertEquals(await chunksIn(kv), 17);
});

test("[DK6] chunks that a dead process left are removed by the next large write", async (context) => {
  const kv = await memory(context);
  await kv.atomic().set(["holdfast", "chunk", "k", "dead", 0], new Uint8Array(9)).commit();
  const storage = denokvStorage(kv);
  await storage.put("k", large("a"));
  t.assertEquals(await chunksIn(kv), 17);
});

test("[DK7] a value of more than 2 MiB is refused with ERR_TOO_LARGE", async (context) => {
  const storage = denokvStorage(await memory(context));
  const most = "x".repeat(2 ** 21);
  const key = "k/".repeat(511) + "kk";
  t.assertEquals((await storage.put(key, most)).ok, true);
  t.assertEquals((await storage.put(key, most)).ok, true);
  t.assertEquals((await storage.get(key))?.value === most, true);
  await t.assertRejects(() => storage.put(key, `${most}x`), "ERR_TOO_LARGE");
});

test("[DK8] a value whose chunk is gone is refused with ERR_CORRUPT_RECORD", async (context) => {
  const kv = await memory(context);
  const storage = denokvStorage(kv);
  await storage.put("k", large("a"));
  const start = ["holdfast", "chunk"];
  for await (
    const entry of kv.list({ start: [...start, ""], end: [...start, "\x7f"] }, { limit: 1 })
  ) {
    await kv.atomic().delete(entry.key as string[]).commit();
  }
  await t.assertRejects(() => storage.get("k"), "ERR_CORRUPT_RECORD");
});

test("[DK9] close() closes what the storage opened, and not what it was given", async (context) => {
  const kv = await memory(context);
  const storage = denokvStorage(kv);
  await storage.put("k", "1");
  await storage.close();
  t.assertEquals((await kv.get(["holdfast", "record", "k"])).value, "1");
});

t.test("[DK11] a database that another handle has locked is waited for", async () => {
  const clock = createVirtualClock();
  const random = seededRandom(1);
  let tries = 0;
  const commit = patiently(() => {
    if (++tries < 5) return Promise.reject(new TypeError("database is locked"));
    return Promise.resolve("done");
  }, { clock, random });
  await clock.runAll(10_000);
  t.assertEquals([await commit, tries], ["done", 5]);
  const other = new TypeError("disk I/O error");
  await t.assertRejects(
    () => patiently(() => Promise.reject(other), { clock, random }),
    (error) => error === other,
  );
});

test("[DK10] an acknowledged write is there after the process was killed", async (context) => {
  const path = `${temp(context)}/kv.sqlite`;
  const acknowledged: string[] = [];
  for (const round of [1, 2, 3]) {
    const child = startChild("../../denokv/fixtures/append", [path, String(round * 1_000_000)]);
    context.defer(() => void child.process.kill("SIGKILL"));
    await child.printed(40 * round);
    child.process.kill("SIGKILL");
    const { stderr } = await child.ended;
    t.assert(child.lines.length >= 40 * round, stderr);
    acknowledged.push(...child.lines);
  }
  const storage = denokvStorage(path);
  context.defer(() => storage.close());
  for (const key of acknowledged) {
    t.assert((await storage.get(key))?.value.startsWith(`value of ${key}`), key);
  }
}, { timeoutMs: 60_000 });

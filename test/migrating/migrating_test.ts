import * as t from "../harness/mod.ts";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import { migratingStorage, type MigrationPhase } from "../../adapters/migrating/mod.ts";
import { faultyStorage, seededRandom, storageSuite } from "../../adapters/testing/mod.ts";
import { HoldfastError, StorageUnavailableError } from "../../src/core/errors.ts";
import type { Storage, StorageCallOptions } from "../../src/ports/storage.ts";

const CONTROL = "holdfast-migrating/state";

/** Two stores between which the copying has been done. */
async function pair(records: Readonly<Record<string, string>> = {}) {
  const [from, to] = [memoryStorage(), memoryStorage()];
  for (const [key, value] of Object.entries(records)) await from.put(key, value);
  const node = (phase: MigrationPhase) => migratingStorage({ from, to, phase });
  await node("copying").migrate();
  return { from, to, node };
}

/** Everything a store has, without what says that the copying was done. */
async function contents(storage: Storage): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const key of await storage.list("")) {
    if (key !== CONTROL) found[key] = (await storage.get(key))?.value ?? "";
  }
  return found;
}

/** A store that other handles still use after one of them was closed. */
function shared(inner: Storage): Storage {
  return {
    get: (key, options) => inner.get(key, options),
    put: (key, value, options) => inner.put(key, value, options),
    delete: (key, options) => inner.delete(key, options),
    list: (prefix, options) => inner.list(prefix, options),
  };
}

for (const phase of ["copying", "cutover"] as const) {
  storageSuite(t, `migrating, ${phase}`, async () => {
    const [from, to] = [shared(memoryStorage()), shared(memoryStorage())];
    const open = (): Promise<Storage> => Promise.resolve(migratingStorage({ from, to, phase }));
    await migratingStorage({ from, to, phase: "copying" }).migrate();
    return { storage: await open(), reopen: open, another: open };
  }, { durable: true, shared: true });
}

storageSuite(t, "migrating, a node in each phase", async () => {
  const [from, to] = [shared(memoryStorage()), shared(memoryStorage())];
  const node = (phase: MigrationPhase) => migratingStorage({ from, to, phase });
  await node("copying").migrate();
  const another = (): Promise<Storage> => Promise.resolve(node("cutover"));
  return { storage: node("copying"), another };
}, { shared: true });

t.test("[MV1] copying leaves the old storage as it is for nodes that do not migrate", async () => {
  const { from, node } = await pair({ a: "1", b: "1" });
  const storage = node("copying");
  const a = await storage.get("a");
  await storage.put("a", "2", { ifMatch: a?.etag ?? "" });
  await from.put("c", "theirs");
  t.assertEquals((await storage.get("c"))?.value, "theirs");
  await storage.delete("b");
  await storage.put("d", "1", { ifNoneMatch: "*" });
  await storage.migrate();
  t.assertEquals(await contents(from), { a: "2", c: "theirs", d: "1" });
});

t.test("[MV2] to cut over before the copying was done is refused, and does nothing", async () => {
  const [from, to] = [memoryStorage(), memoryStorage()];
  await from.put("a", "1");
  const storage = migratingStorage({ from, to, phase: "cutover" });
  const calls = [
    () => storage.get("a"),
    () => storage.put("a", "2"),
    () => storage.delete("a"),
    () => storage.list(""),
    () => storage.migrate(),
  ];
  for (const call of calls) {
    await t.assertRejects(
      call,
      (error) =>
        error instanceof StorageUnavailableError && error.outcome === "none" &&
        /^Cannot cut over/.test(error.message),
    );
  }
  t.assertEquals([await contents(from), await contents(to)], [{ a: "1" }, {}]);
  await migratingStorage({ from, to, phase: "copying" }).migrate();
  t.assertEquals((await storage.put("a", "2")).ok, true);
});

t.test("[MV3] a version keeps its etag when it moves", async () => {
  const { node } = await pair({ a: "1" });
  const [copying, cutover] = [node("copying"), node("cutover")];
  const before = await copying.get("a");
  t.assertEquals(await cutover.put("a", "2", { ifNoneMatch: "*" }), {
    ok: false,
    found: before?.etag ?? null,
  });
  const second = await cutover.put("a", "2", { ifMatch: before?.etag ?? "" });
  t.assertEquals(second.ok, true);
  t.assertEquals(await copying.put("a", "3", { ifMatch: before?.etag ?? "" }), {
    ok: false,
    found: second.ok ? second.etag : null,
  });
  const third = await copying.put("a", "3", second.ok ? { ifMatch: second.etag } : {});
  t.assertEquals(third.ok, true);
  t.assertEquals((await cutover.get("a"))?.value, "3");
});

t.test("[MV4] reading moves nothing, and a write that loses moves nothing", async () => {
  const { from, to, node } = await pair({ a: "1" });
  const before = [await contents(from), await contents(to)];
  const storage = node("cutover");
  await storage.get("a");
  await storage.get("nothing");
  await storage.list("");
  await storage.put("a", "2", { ifMatch: "other" });
  await storage.put("a", "2", { ifNoneMatch: "*" });
  await storage.put("nothing", "2", { ifMatch: "other" });
  await storage.delete("nothing");
  t.assertEquals([await contents(from), await contents(to)], before);
});

t.test("[MV5] after a pass and a good report the new storage alone has everything", async () => {
  const records = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`k${n}`, `v${n}`]));
  const { from, to, node } = await pair(records);
  const [copying, storage] = [node("copying"), node("cutover")];
  await copying.put("k1", "changed after the copying");
  await copying.delete("k2");
  await copying.put("late", "1");
  await storage.put("k3", "moved");
  await storage.delete("k4");
  await storage.put("k5", "moved");
  await copying.delete("k5");
  const { k2: _2, k4: _4, k5: _5, ...rest } = records;
  const expected = { ...rest, k1: "changed after the copying", k3: "moved", late: "1" };
  t.assertEquals((await storage.verify()).complete, false);
  await storage.migrate();
  t.assertEquals(await storage.verify(), { complete: true, keys: 49, pending: 0, leftovers: 0 });
  t.assertEquals(await contents(to), expected);
  t.assertEquals(await contents(storage), expected);
  t.assertEquals(await contents(copying), expected);
  // Beside a node that has the new storage alone.
  await to.put("new", "1");
  t.assertEquals((await storage.get("new"))?.value, "1");
  t.assertEquals((await storage.put("new", "2", { ifNoneMatch: "*" })).ok, false);
  await storage.put("new", "2");
  t.assertEquals((await to.get("new"))?.value, "2");
  t.assertEquals((await from.get("k1"))?.value.startsWith('{"~holdfast-migrating":'), true);
});

t.test("[MV6] a pass that was interrupted goes on where it was, or from the beginning", async () => {
  const records = Object.fromEntries(Array.from({ length: 2500 }, (_, n) => [`k${n}`, "1"]));
  const [from, to] = [memoryStorage(), memoryStorage()];
  for (const [key, value] of Object.entries(records)) await from.put(key, value);
  const storage = migratingStorage({ from, to, phase: "copying" });
  const controller = new AbortController();
  let after = "";
  await t.assertRejects(() =>
    storage.migrate({
      signal: controller.signal,
      onProgress: (progress) => {
        after = progress.after;
        controller.abort();
      },
    }), (error) => error.name === "AbortError");
  t.assertEquals([to.size, (await storage.verify()).pending], [1000, 1500]);
  const seen: number[] = [];
  const last = await storage.migrate({ after, onProgress: ({ keys }) => void seen.push(keys) });
  t.assertEquals([last.keys, last.changed, seen], [1500, 1500, [1000, 1500]]);
  t.assertEquals(await storage.verify(), { complete: true, keys: 2500, pending: 0, leftovers: 0 });
  t.assertEquals((await storage.migrate()).changed, 0);
});

t.test("[MV7] a copy whose record was deleted or changed since counts for nothing and is removed", async () => {
  const { from, to, node } = await pair({ a: "1", b: "1" });
  await from.delete("a");
  await from.put("b", "2");
  const storage = node("cutover");
  t.assertEquals(await storage.get("a"), undefined);
  t.assertEquals(await storage.list(""), ["b"]);
  t.assertEquals(await storage.verify(), { complete: false, keys: 2, pending: 1, leftovers: 1 });
  await storage.migrate();
  t.assertEquals(await contents(to), { b: "2" });
});

t.test("[MV8] a record in both storages is refused and stays as it is", async () => {
  const { from, to, node } = await pair();
  await from.put("a", "old");
  await to.put("a", "of somebody else");
  const storage = node("cutover");
  for (const call of [() => storage.put("a", "2"), () => storage.migrate()]) {
    await t.assertRejects(
      call,
      (error) =>
        error instanceof HoldfastError && error.code === "ERR_CORRUPT_RECORD" &&
        /both storages/.test(error.message),
    );
  }
  t.assertEquals([(await from.get("a"))?.value, (await to.get("a"))?.value], [
    "old",
    "of somebody else",
  ]);
});

t.test("[MV9] what belongs to the migration is refused as a key, as a value and as a phase", async () => {
  const { from, to, node } = await pair();
  const storage = node("cutover");
  const isTypeError = (error: Error): boolean => error instanceof TypeError;
  await t.assertRejects(() => storage.get(CONTROL), isTypeError);
  await t.assertRejects(() => storage.put(CONTROL, "1"), isTypeError);
  await t.assertRejects(() => storage.delete(CONTROL), isTypeError);
  await t.assertRejects(() => storage.put("k", '{"~holdfast-migrating":1}'), isTypeError);
  t.assertEquals(await storage.list(""), []);
  const phase = "over" as MigrationPhase;
  t.assertThrows(() => migratingStorage({ from, to, phase }), isTypeError);
  t.assertThrows(() => migratingStorage({ from, to: from, phase: "copying" }), isTypeError);
});

t.test("[MV10] a step that fails before the write leaves the outcome none, the write itself its own", async () => {
  for (const count of [1, 2, 3]) {
    const { from, to } = await pair({ a: "1" });
    const storage = migratingStorage({
      from,
      to: faultyStorage(to, {
        plan: (call) => call.operation === "put" && call.count === count ? "lose-answer" : "none",
      }),
      phase: "cutover",
    });
    // The first put here is the copy of `b`, or the write of `a`, whose copy is there already.
    await from.put("b", "1");
    const outcome = (error: unknown): string => (error as StorageUnavailableError).outcome;
    const put = (key: string): Promise<string> => storage.put(key, "2").then(() => "done", outcome);
    const outcomes = [await put("b"), await put("a")];
    const expected = { 1: ["none", "done"], 2: ["unknown", "done"], 3: ["done", "unknown"] };
    t.assertEquals(outcomes, expected[count as 1 | 2 | 3]);
    t.assertEquals((await storage.get("b"))?.value, count === 1 ? "1" : "2");
  }
});

t.test("[MV11] a finished migration can be followed by one in the other direction", async () => {
  const { from, to, node } = await pair({ a: "1", b: "1" });
  const there = node("cutover");
  await there.put("a", "2");
  await there.migrate();
  await there.delete("b");
  await migratingStorage({ from: to, to: from, phase: "copying" }).migrate();
  const back = migratingStorage({ from: to, to: from, phase: "cutover" });
  t.assertEquals(await contents(back), { a: "2" });
  await back.put("b", "again", { ifNoneMatch: "*" });
  await back.migrate();
  t.assertEquals((await back.verify()).complete, true);
  t.assertEquals(await from.list(""), ["a", "b"]);
  t.assertEquals(await contents(from), { a: "2", b: "again" });
});

t.test("[MV12] close() closes both storages", async () => {
  const { from, to, node } = await pair();
  await node("copying").close();
  const closed = (call: (o: StorageCallOptions) => Promise<unknown>): Promise<Error> =>
    t.assertRejects(() => call({}), "ERR_CLOSED");
  await closed((options) => from.get("a", options));
  await closed((options) => to.get("a", options));
});

t.test("[MV13] tokens come from the source that was given", async () => {
  const texts = await Promise.all([1, 2].map(async () => {
    const [from, to] = [memoryStorage(), memoryStorage()];
    await from.put("a", "1");
    await migratingStorage({ from, to, phase: "copying", random: seededRandom(7) }).migrate();
    return await contents(to);
  }));
  t.assertEquals(texts[0], texts[1]);
});

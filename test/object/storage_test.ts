import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { StorageUnavailableError } from "../../src/core/errors.ts";
import type { FaultPlan } from "../../adapters/testing/faults.ts";
import { append, key, look, replacing, world } from "./world.ts";

/** The put with these counts meets this fault. */
const puts = (kind: ReturnType<FaultPlan>, ...counts: number[]): FaultPlan => (call) =>
  call.operation === "put" && counts.includes(call.count) ? kind : undefined;

const outcomeIs = (outcome: string) => (error: Error) =>
  error instanceof StorageUnavailableError && error.outcome === outcome;

test("[OB8] a write whose answer was lost has happened if the record names it", async () => {
  const w = world(puts("lose-answer", 1));
  const engine = w.engine();
  assertEquals(await w.finish(engine.run(key, append("a"))), ["a"]);
  assertEquals(await w.stored(), ["a"]);
  assertEquals(w.events.some(({ name }) => name === "holdfast.object.conflict"), false);
  assertEquals(await w.finish(engine.run(key, append("b"))), ["a", "b"]);
});

test("[OB8] a write that was never answered is looked for when the time is up", async () => {
  for (const kind of ["hang-after", "lose-answer"] as const) {
    const w = world(puts(kind, 1, 2, 3));
    assertEquals(await w.finish(w.engine().run(key, append("a"))), ["a"], kind);
    assertEquals(await w.stored(), ["a"]);
  }
});

test("[OB8] a lost write that another has built upon is not applied again", async () => {
  const w = world();
  const [one, two] = [w.engine(), w.engine()];
  await w.finish(one.run(key, append("a")));
  const rival = () => w.finish(two.run(key, append("rival"), { fresh: true }));
  w.storage.plan = puts("lose-answer", 2);
  const lost = one.run(key, append("b"));
  lost.catch(() => {});
  await w.clock.advance(1);
  assertEquals(await w.stored(), ["a", "b"]);
  await rival();
  await assertRejects(() => w.finish(lost), outcomeIs("unknown"));
  assertEquals(await w.stored(), ["a", "b", "rival"]);
});

test("[OB8] a lost write whose place another has taken is applied to what is there", async () => {
  const w = world();
  const [one, two] = [w.engine(), w.engine()];
  await w.finish(one.run(key, append("a")));
  w.storage.plan = puts("lose-request", 2);
  const lost = one.run(key, append("b"));
  await w.clock.advance(1);
  await w.finish(two.run(key, append("rival"), { fresh: true }));
  assertEquals(await w.finish(lost), ["a", "rival", "b"]);
  assertEquals(await w.stored(), ["a", "rival", "b"]);
});

test("[OB8] a lost write that may land yet is not run again", async () => {
  const w = world();
  const engine = w.engine();
  await w.finish(engine.run(key, append("a")));
  // The first try is lost on its way, the second reports a race that nobody was in.
  w.storage.plan = (call) =>
    call.operation !== "put" ? undefined : call.count === 2 ? "lose-request" : "conflict";
  await assertRejects(() => w.finish(engine.run(key, append("b"))), outcomeIs("unknown"));
  assertEquals(await w.stored(), ["a"]);
});

test("[OB8] a lost write stays unknown when the look at the record fails too", async () => {
  const w = world();
  const engine = w.engine();
  await w.finish(engine.run(key, append("a")));
  w.storage.plan = ({ operation, count }) =>
    operation === "get" ? "refuse" : count === 2 ? "lose-answer" : undefined;
  await assertRejects(() => w.finish(engine.run(key, append("b"))), outcomeIs("unknown"));
  assertEquals(await w.stored(), ["a", "b"]);
});

test("[OB8] a write that storage refused for certain is not looked for", async () => {
  const w = world();
  const engine = w.engine();
  await w.finish(engine.run(key, append("a")));
  const { get } = w.storage.calls;
  w.storage.plan = ({ operation }) => operation === "put" ? "refuse" : undefined;
  await assertRejects(() => w.finish(engine.run(key, append("b"))), outcomeIs("none"));
  assertEquals(w.storage.calls.get, get);
  assertEquals(await w.finish(engine.run(key, look)), ["a"]);
});

test("[OB13] an unknown outcome fails its callers, and the next turn sees what is stored", async () => {
  for (const landed of [false, true]) {
    const w = world();
    const engine = w.engine();
    await w.finish(engine.run(key, append("a")));
    w.storage.plan = ({ operation }) =>
      operation === "put" ? (landed ? "lose-answer" : "lose-request") : "refuse";
    const calls = [engine.run(key, append("b")), engine.run(key, append("c"))];
    for (const call of calls) call.catch(() => {});
    for (const call of calls) {
      await assertRejects(
        () => w.finish(call),
        (error) => error.code === "ERR_STORAGE_UNAVAILABLE",
      );
    }
    assertEquals(w.events.filter(({ name }) => name === "holdfast.object.discard").length, 1);
    w.storage.plan = () => "none";
    assertEquals(await w.finish(engine.run(key, look)), landed ? ["a", "b"] : ["a"]);
    assertEquals(await w.finish(engine.run(key, append("d"))), [...await w.stored()]);
  }
});

test("[OB13] a turn that runs while the outcome becomes unknown runs again", async () => {
  const w = world();
  const engine = w.engine();
  await w.finish(engine.run(key, append("a")));
  w.storage.plan = ({ operation, count }) =>
    operation === "put" && count <= 4 || operation === "get" && count === 2 ? "refuse" : undefined;
  const failed = engine.run(key, append("b"));
  failed.catch(() => {});
  let runs = 0;
  const slow = engine.run(key, async (current) => {
    runs++;
    await new Promise<void>((resolve) => void w.clock.timer(1000, resolve));
    return { kind: "keep", reply: current.state?.["ids"] };
  });
  await assertRejects(() => w.finish(failed), "ERR_STORAGE_UNAVAILABLE");
  assertEquals(await w.finish(slow), ["a"]);
  assertEquals(runs, 2);
});

test("[OB11] a storage call that fails is tried again after growing delays", async () => {
  const w = world(({ operation, count }) =>
    operation === "get" && count < 3 ? "refuse" : undefined
  );
  const engine = w.engine({ storageRetry: { tries: 3, firstDelayMs: 40, maxDelayMs: 1000 } });
  const before = w.clock.monotonic();
  assertEquals(await w.finish(engine.run(key, look)), []);
  const passed = w.clock.monotonic() - before;
  // Full delays are 40 and 80; chance takes up to half.
  assert(passed >= 60 && passed <= 125, `took ${passed} ms`);
  assertEquals(w.storage.calls.get, 3);
});

test("[OB11] a failing storage call is given up after its tries or its time", async () => {
  const tried = world(() => "refuse");
  const engine = tried.engine();
  await assertRejects(() => tried.finish(engine.run(key, look)), outcomeIs("none"));
  assertEquals(tried.storage.calls.get, 3);
  const slow = world(() => ({ kind: "refuse", latencyMs: 900 }));
  await assertRejects(() => slow.finish(slow.engine().read(key)), outcomeIs("none"));
  assert(slow.storage.calls.get < 4);
  assert(slow.clock.monotonic() <= 4000);
});

test("[OB11] a storage call that does not answer is given up at the limit, its signal aborted", async () => {
  const w = world(() => "hang");
  const engine = w.engine({ storageTimeoutMs: 300 });
  const before = w.clock.monotonic();
  const failed = assertRejects(
    () => w.finish(engine.run(key, look)),
    (error) => /no answer within 0.3 s/.test(String(error.cause)),
  );
  await failed;
  assertEquals(w.clock.monotonic() - before <= 310, true);
  assertEquals(w.storage.calls.get, 1);
});

test("[OB11] calls that began at different times have a time limit each", async () => {
  const w = world(() => "hang");
  const engine = w.engine({ storageTimeoutMs: 100 });
  const failures: number[] = [];
  for (let n = 0; n < 3; n++) {
    engine.read(`k/${n}`).catch(() => failures.push(w.clock.monotonic()));
    await w.clock.advance(30);
  }
  await w.clock.advance(200);
  assertEquals(failures, [100, 130, 160]);
});

test("[OB11] a driver that rejects with a TypeError, as fetch does, has failed", async () => {
  const w = world();
  let failed = 0;
  const storage = replacing(w.memory, {
    get: () => Promise.reject(new TypeError(`fetch failed ${++failed}`)),
  });
  const engine = w.engine({}, storage);
  await assertRejects(() => w.finish(engine.run(key, look)), "ERR_STORAGE_UNAVAILABLE");
  assertEquals(failed, 3);
});

test("[OB12] telemetry and errors never show a full key", async () => {
  const w = world(({ count }) =>
    count % 3 === 0 ? "lose-answer" : count % 4 === 0 ? "conflict" : "none"
  );
  const engine = w.engine();
  const errors: unknown[] = [];
  for (let n = 0; n < 12; n++) {
    await w.finish(engine.run(key, append(`${n}`), { fresh: true })).catch((e) => errors.push(e));
  }
  w.storage.plan = () => "refuse";
  await w.finish(engine.read(key)).catch((error) => errors.push(error));
  assert(errors.length > 0 && w.events.length > 20);
  const secret = key.slice(key.lastIndexOf("/") + 1);
  for (const event of w.events) {
    assert("ref" in event && (event.ref === "" || event.ref === secret.slice(0, 8)));
    const text = JSON.stringify(
      event,
      (_, value) => value instanceof Error ? value.message : value,
    );
    assert(!text.includes(secret), text);
  }
  for (const error of errors) assert(!String((error as Error).stack).includes(secret));
});

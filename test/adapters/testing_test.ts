import * as t from "../harness/mod.ts";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import {
  createVirtualClock,
  type Fault,
  faultyStorage,
  seededPlan,
  seededRandom,
  storageSuite,
} from "../../adapters/testing/mod.ts";
import type { Storage } from "../../src/ports/storage.ts";

storageSuite(
  t,
  "faulty without faults",
  () => Promise.resolve(faultyStorage(memoryStorage(), { plan: () => undefined })),
);

t.test("[TE1] timers fire in order of due time, then of creation", async () => {
  const clock = createVirtualClock({ now: 1_000_000 });
  const fired: string[] = [];
  const ring = (name: string, delayMs: number): () => void =>
    clock.timer(delayMs, () => void fired.push(`${name} at ${clock.monotonic()}`));
  ring("c", 20);
  ring("a", 10);
  ring("b", 10);
  ring("never", 10)();
  ring("later", 31);
  await clock.advance(30);
  t.assertEquals(fired, ["a at 10", "b at 10", "c at 20"]);
  t.assertEquals([clock.now(), clock.monotonic(), clock.pending], [1_000_030, 30, 1]);
});

t.test("[TE1] a timer that a timer starts fires within the same advance", async () => {
  const clock = createVirtualClock();
  const fired: number[] = [];
  const again = (): void =>
    void clock.timer(10, () => {
      fired.push(clock.now());
      again();
    });
  again();
  await clock.advance(35);
  t.assertEquals(fired, [10, 20, 30]);
});

t.test("[TE2] what the promises of a timer set going runs before the next timer", async () => {
  const clock = createVirtualClock();
  const events: string[] = [];
  clock.timer(1, () =>
    void (async () => {
      for (let n = 0; n < 100; n++) await null;
      await new Promise<void>((resolve) => void setTimeout0(resolve));
      events.push("promises of the first");
    })());
  clock.timer(2, () => void events.push("second"));
  await clock.advance(2);
  t.assertEquals(events, ["promises of the first", "second"]);
});

/** One turn of the event loop. */
function setTimeout0(callback: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(0);
}

t.test("[TE3] runAll() stops when no timer is left, or before the limit is passed", async () => {
  const clock = createVirtualClock();
  clock.timer(10, () => void clock.timer(15, () => {}));
  t.assertEquals(await clock.runAll(1000), 25);
  clock.timer(2000, () => {});
  t.assertEquals(await clock.runAll(1000), 0);
  t.assertEquals([clock.now(), clock.pending], [25, 1]);
});

t.test("[TE3] a wall clock that is corrected moves no timer", async () => {
  const clock = createVirtualClock({ now: 5000 });
  let rang = false;
  clock.timer(100, () => void (rang = true));
  clock.jump(-4000);
  await clock.advance(99);
  t.assertEquals([rang, clock.now(), clock.monotonic()], [false, 1099, 99]);
  await clock.advance(1);
  t.assertEquals(rang, true);
});

t.test("[TE3] time goes forward only, and by a number", async () => {
  const clock = createVirtualClock();
  for (const ms of [-1, NaN]) {
    await t.assertRejects(() => clock.advance(ms), (error) => error instanceof RangeError);
    t.assertThrows(() => clock.timer(ms, () => {}), (error) => error instanceof RangeError);
  }
});

t.test("[TE4] the same seed gives the same numbers, another seed others", () => {
  const draw = (seed: number): number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 50 }, () => random.number());
  };
  t.assertEquals(draw(1), draw(1));
  t.assertEquals(new Set([...draw(1), ...draw(2), ...draw(3)]).size, 150);
  t.assert(draw(4).every((number) => number >= 0 && number < 1));
  t.assertEquals(seededRandom(9).bytes(33), seededRandom(9).bytes(33));
  t.assertEquals(seededRandom(9).bytes(33).length, 33);
});

t.test("[TE4] the seeded numbers are spread evenly", () => {
  const random = seededRandom(42);
  const counts: number[] = Array(16).fill(0);
  for (let n = 0; n < 16_000; n++) counts[Math.floor(random.number() * 16)]!++;
  for (const count of counts) t.assert(count > 850 && count < 1150, `${count} of 1000`);
});

/** What a caller and a later reader see of a put with a fault. */
async function put(kind: Fault["kind"], storage: Storage): Promise<unknown[]> {
  const faulty = faultyStorage(storage, {
    plan: ({ operation }) => operation === "put" ? kind : "none",
  });
  const seen = await faulty.put("k", "new", { ifNoneMatch: "*" }).then(
    (result) => result.ok ? "ok" : result.found,
    (error) => [error.code, error.outcome],
  );
  return [seen, (await faulty.get("k"))?.value];
}

t.test("[TE5] each fault does, and tells, what its name says", async () => {
  const code = "ERR_STORAGE_UNAVAILABLE";
  t.assertEquals(await put("none", memoryStorage()), ["ok", "new"]);
  t.assertEquals(await put("refuse", memoryStorage()), [[code, "none"], undefined]);
  t.assertEquals(await put("lose-request", memoryStorage()), [[code, "unknown"], undefined]);
  t.assertEquals(await put("lose-answer", memoryStorage()), [[code, "unknown"], "new"]);
  t.assertEquals(await put("conflict", memoryStorage()), [null, undefined]);
});

t.test("[TE5] a conflict is for writes with a condition only", async () => {
  const storage = faultyStorage(memoryStorage(), { plan: () => "conflict" });
  const first = await storage.put("k", "1");
  t.assert(first.ok);
  const lost = { ok: false, found: first.etag };
  t.assertEquals(await storage.put("k", "2", { ifMatch: first.etag }), lost);
  t.assertEquals(await storage.delete("k", { ifMatch: first.etag }), lost);
  t.assertEquals((await storage.get("k"))?.value, "1");
  t.assertEquals(await storage.list(""), ["k"]);
  t.assertEquals(await storage.delete("k"), { ok: true });
});

t.test("[TE5] a plan that names no fault there is is told so, and does not pass for none", async () => {
  const plan = () => "loose-answer" as Fault["kind"];
  const storage = faultyStorage(memoryStorage(), { plan });
  await t.assertRejects(
    () => storage.put("k", "1"),
    (error) => error.message.includes('"loose-answer"; the nearest is "lose-answer"'),
  );
  storage.plan = () => undefined;
  t.assertEquals(await storage.get("k"), undefined);
  t.assertThrows(
    () => seededPlan(seededRandom(1), { ["refused" as "refuse"]: 1 }),
    /rates.refused/,
  );
});

for (const [kind, written] of [["hang", undefined], ["hang-after", "1"]] as const) {
  t.test(`[TE6] a call that hangs (${kind}) ends when its signal aborts`, async () => {
    const inner = memoryStorage();
    const storage = faultyStorage(inner, { plan: () => kind });
    const controller = new AbortController();
    const reason = new Error("Too late");
    let ended = false;
    const call = storage.put("k", "1", { signal: controller.signal }).finally(() => ended = true);
    await createVirtualClock().advance(0);
    t.assertEquals(ended, false);
    controller.abort(reason);
    await t.assertRejects(() => call, (error) => error === reason);
    t.assertEquals((await inner.get("k"))?.value, written);
  });
}

t.test("[TE7] latency passes on the clock, before anything happens", async () => {
  const clock = createVirtualClock();
  const inner = memoryStorage();
  const storage = faultyStorage(inner, { clock, plan: () => ({ kind: "none", latencyMs: 30 }) });
  const call = storage.put("k", "1");
  await clock.advance(29);
  t.assertEquals(inner.size, 0);
  await clock.advance(1);
  t.assertEquals((await call).ok, true);
  t.assertEquals(inner.size, 1);
});

t.test("[TE7] a call that aborts while its latency passes does nothing", async () => {
  const clock = createVirtualClock();
  const inner = memoryStorage();
  const storage = faultyStorage(inner, { clock, plan: () => ({ kind: "none", latencyMs: 30 }) });
  const controller = new AbortController();
  const call = storage.put("k", "1", { signal: controller.signal });
  controller.abort();
  await t.assertRejects(() => call, (error) => error.name === "AbortError");
  t.assertEquals([inner.size, clock.pending], [0, 0]);
});

t.test("[TE8] calls are counted by operation, and the plan is told the count", async () => {
  const told: string[] = [];
  const storage = faultyStorage(memoryStorage(), {
    plan: ({ operation, key, count }) => {
      told.push(`${operation} ${key} ${count}`);
      return operation === "put" ? "refuse" : "none";
    },
  });
  await t.assertRejects(() => storage.put("a", "1"));
  await t.assertRejects(() => storage.put("b", "1"));
  await storage.get("a");
  await storage.list("x/");
  t.assertEquals(told, ["put a 1", "put b 2", "get a 1", "list x/ 1"]);
  t.assertEquals(storage.calls, { get: 1, put: 2, delete: 0, list: 1 });
});

t.test("[TE9] a seeded plan decides the same again, in the given shares", () => {
  const decide = (seed: number): Fault["kind"][] => {
    const plan = seededPlan(seededRandom(seed), { refuse: 0.1, "lose-answer": 0.2 }, 10);
    const call = { operation: "get", key: "k", count: 1 } as const;
    return Array.from({ length: 5000 }, () => (plan(call) as Fault).kind);
  };
  const kinds = decide(1);
  t.assertEquals(kinds, decide(1));
  const share = (kind: string): number => kinds.filter((one) => one === kind).length / 5000;
  t.assert(Math.abs(share("refuse") - 0.1) < 0.02, "share of refuse");
  t.assert(Math.abs(share("lose-answer") - 0.2) < 0.02, "share of lose-answer");
  t.assert(Math.abs(share("none") - 0.7) < 0.03, "share of none");
  for (const rates of [{ refuse: -0.1 }, { refuse: 0.6, hang: 0.6 }, { hang: NaN }]) {
    t.assertThrows(
      () => seededPlan(seededRandom(1), rates),
      (error) => error instanceof RangeError,
    );
  }
});

import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { append, gate, key, look, world } from "./world.ts";

const limits = { idleMs: 60_000 };
const evicted = "holdfast.object.evict";

test("[OB16] an object nobody called for the idle time leaves memory, and comes back as it was", async () => {
  const w = world();
  const engine = w.engine(limits);
  await w.finish(engine.run(key, append("a")));
  await w.clock.advance(50_000);
  assertEquals(engine.size, 1);
  await w.clock.advance(45_000);
  assertEquals([engine.size, w.events.filter(({ name }) => name === evicted).length], [0, 1]);
  assertEquals(w.clock.pending, 0);
  assertEquals(await w.finish(engine.run(key, append("b"))), ["a", "b"]);
});

test("[OB16] a call makes the idle time begin anew", async () => {
  const w = world();
  const engine = w.engine(limits);
  for (let n = 0; n < 10; n++) {
    const call: Promise<unknown> = n % 2 === 0 ? engine.run(key, look) : engine.read(key);
    await w.finish(call);
    await w.clock.advance(50_000);
  }
  assertEquals([engine.size, w.storage.calls.get], [1, 6]);
});

test("[OB16] an object that has anything to do stays in memory", async () => {
  const w = world();
  const engine = w.engine(limits);
  const stuck = gate();
  const call = engine.run(key, async () => {
    await stuck.opened;
    return { kind: "keep", reply: 0 };
  });
  await w.clock.advance(200_000);
  assertEquals(engine.size, 1);
  stuck.open();
  await call;
  await w.clock.advance(100_000);
  assertEquals(engine.size, 0);
});

test("[OB16] a read beside the mailbox keeps an object in memory too", async () => {
  const w = world(() => ({ kind: "none", latencyMs: 50 }));
  const engine = w.engine({ maxActive: 1 });
  const reading = engine.read("k/1");
  const other = engine.read("k/2");
  await w.finish(Promise.all([reading, other]));
  assertEquals(w.events.filter(({ name }) => name === evicted).length, 0);
  await w.finish(engine.read("k/3"));
  assertEquals(engine.size, 1);
});

test("[OB16] beyond the cap the least recently used idle object goes first", async () => {
  const w = world();
  const engine = w.engine({ maxActive: 3 });
  const use = async (id: string) => {
    await w.finish(engine.run(`k/${id}`, look));
    await w.clock.advance(1000);
  };
  for (const id of ["1", "2", "3", "1", "4"]) await use(id);
  const { get } = w.storage.calls;
  for (const id of ["1", "3", "4"]) await use(id);
  assertEquals([engine.size, w.storage.calls.get], [3, get]);
  await use("2");
  assertEquals(w.storage.calls.get, get + 1);
});

test("[OB16] beyond the cap an object with something to do stays", async () => {
  const w = world();
  const engine = w.engine({ maxActive: 1 });
  const stuck = gate();
  const call = engine.run("k/1", async () => {
    await stuck.opened;
    return { kind: "keep", reply: "stuck" };
  });
  await w.finish(engine.run("k/2", look));
  assertEquals(engine.size, 2);
  stuck.open();
  assertEquals(await w.finish(call), "stuck");
  await w.finish(engine.run("k/3", look));
  assertEquals(engine.size, 1);
});

test("[OB17] a failed load answers everybody who waited, and the next call loads again", async () => {
  const w = world(() => ({ kind: "refuse", latencyMs: 10 }));
  const engine = w.engine();
  const waiting = Array.from({ length: 5 }, () => engine.run(key, look));
  for (const call of waiting) call.catch(() => {});
  for (const call of waiting) await assertRejects(() => w.finish(call), "ERR_STORAGE_UNAVAILABLE");
  assertEquals(w.storage.calls.get, 3);
  w.storage.plan = () => "none";
  assertEquals(await w.finish(engine.run(key, append("a"))), ["a"]);
});

test("[OB17] no turn runs when the load failed", async () => {
  const w = world(() => "refuse");
  let ran = false;
  const call = w.engine().run(key, () => {
    ran = true;
    return { kind: "keep", reply: 0 };
  });
  await assertRejects(() => w.finish(call), "ERR_STORAGE_UNAVAILABLE");
  assertEquals(ran, false);
});

test("[OB19] draining answers what was accepted and refuses what comes later", async () => {
  const w = world(() => ({ kind: "none", latencyMs: 50 }));
  const engine = w.engine();
  const accepted = ["a", "b"].map((id) => engine.run(key, append(id)));
  const draining = engine.drain(10_000);
  const late = [
    () => engine.run(key, look),
    () => engine.read(key),
    () => engine.peek(key),
    () => engine.purge(key),
    () => engine.list("", {}),
  ];
  for (const call of late) await assertRejects(call, "ERR_CLOSED");
  assertEquals(await w.finish(draining), { complete: true, unfinished: 0 });
  assertEquals(await w.finish(Promise.all(accepted)), [["a"], ["a", "b"]]);
  assertEquals(await w.stored(), ["a", "b"]);
  assertEquals(await w.finish(engine.drain(1000)), { complete: true, unfinished: 0 });
});

test("[OB19] draining waits for readers too", async () => {
  const w = world(() => ({ kind: "none", latencyMs: 50 }));
  const engine = w.engine();
  const log: string[] = [];
  void engine.read(key).then(() => log.push("read"));
  void engine.drain(1000).then(() => log.push("drained"));
  await w.clock.advance(60);
  assertEquals(log, ["read", "drained"]);
});

test("[OB19] draining goes on through conflicts and failures", async () => {
  const w = world();
  const [one, two] = [w.engine(), w.engine()];
  await w.finish(Promise.all([one.run(key, look), two.run(key, append("rival"))]));
  w.storage.plan = ({ operation, count }) =>
    operation === "put" && count < 6 ? { kind: "conflict", latencyMs: 20 } : undefined;
  const call = one.run(key, append("a"));
  const lost = one.run("k/lost", look);
  lost.catch(() => {});
  assertEquals(await w.finish(one.drain(10_000)), { complete: true, unfinished: 0 });
  assertEquals(await w.finish(call), ["rival", "a"]);
});

test("[OB19] draining reports what it could not finish within the limit", async () => {
  const w = world();
  const engine = w.engine();
  await w.finish(engine.run("k/idle", look));
  const stuck = gate();
  const calls = ["k/1", "k/2"].map((stuckKey) =>
    engine.run(stuckKey, async () => {
      await stuck.opened;
      return { kind: "keep", reply: 0 };
    })
  );
  const before = w.clock.monotonic();
  assertEquals(await w.finish(engine.drain(500)), { complete: false, unfinished: 2 });
  assert(w.clock.monotonic() - before <= 505);
  stuck.open();
  await w.finish(Promise.all(calls));
  assertEquals(await w.finish(engine.drain(500)), { complete: true, unfinished: 0 });
});

test("[OB19] an engine that was drained leaves no timer behind", async () => {
  const w = world();
  const engine = w.engine();
  await w.finish(engine.run(key, append("a")));
  await w.finish(engine.drain(500));
  await w.clock.advance(10_000);
  assertEquals(w.clock.pending, 0);
});

import { assert, assertEquals, test } from "../harness/mod.ts";
import { counterWith } from "./living.ts";
import { gate, hour, minute, second, world } from "./world.ts";

const hibernations = "holdfast.object.hibernate";
const shutdowns = "holdfast.object.shutdown";

test("[OJ22] the state leaves memory five minutes after the last call, and comes back as it was", async () => {
  const w = world();
  const loads: string[] = [];
  const Counter = counterWith({ afterLoad: ({ id }) => void loads.push(id) });
  const counter = w.node().object(Counter, "a");
  await counter.increment();
  await w.clock.advance(4 * minute);
  await counter.get();
  await w.clock.advance(4 * minute);
  assertEquals([w.told(hibernations).length, w.storage.calls.get], [0, 1]);
  await w.clock.advance(minute + second);
  assertEquals(w.told(hibernations).length, 1);
  assertEquals(await counter.increment(), 2);
  assertEquals([w.storage.calls.get, loads], [2, ["a", "a"]]);
});

test("[OJ22] the time is the definition's, and Infinity is never", async () => {
  for (const [hibernateAfterMs, count] of [[1000, 1], [Infinity, 0]] as const) {
    const w = world();
    await w.node().object(counterWith({ hibernateAfterMs }), "a").increment();
    await w.clock.advance(2000);
    assertEquals(w.told(hibernations).length, count);
    await w.clock.advance(24 * hour);
    assertEquals(w.told(hibernations).length, count);
  }
});

test("[OJ22] an object that has something to do, or an alarm in a moment, stays awake", async () => {
  const w = world();
  const stuck = gate();
  const Counter = counterWith({ hibernateAfterMs: 10 * second, callTimeoutMs: hour });
  const node = w.node();
  const waiting = node.object(Counter, "a").wait(stuck.opened);
  await node.object(Counter, "b").ring(12 * second);
  await w.clock.advance(11 * second);
  assertEquals(w.told(hibernations).length, 0);
  await w.clock.advance(5 * minute);
  assertEquals(w.told(hibernations).length, 1);
  stuck.open();
  await waiting;
  await w.clock.advance(21 * second);
  assertEquals(w.told(hibernations).length, 2);
});

test("[OJ22] alarms wake an object but do not count as calls", async () => {
  const w = world();
  const Ticker = counterWith({
    hibernateAfterMs: minute,
    alarms: { ring: ({ schedule }) => schedule("ring", 20 * second) },
  });
  await w.node().object(Ticker, "a").ring(20 * second);
  await w.clock.advance(10 * minute);
  const slept = w.told(hibernations).length;
  assert(slept >= 5, `it slept ${slept} times`);
  assertEquals(w.told("holdfast.alarm.fire").length, 30);
});

test("[OJ22] objects that sleep keep no other one awake", async () => {
  const w = world();
  const Counter = counterWith({ hibernateAfterMs: minute, shutdownAfterMs: hour });
  const node = w.node();
  await node.object(Counter, "a").increment();
  await w.clock.advance(2 * minute);
  await node.object(Counter, "b").increment();
  await w.clock.advance(2 * minute);
  assertEquals(w.told(hibernations).length, 2);
  await w.clock.advance(hour);
  assertEquals(w.told(shutdowns).length, 2);
});

test("[OJ23] onHibernate and onShutdown can change the state, which is stored before it goes", async () => {
  const w = world();
  const Counter = counterWith({
    hibernateAfterMs: minute,
    shutdownAfterMs: 3 * minute,
    onHibernate: ({ state }) => void (state.slept += 1),
    onShutdown: ({ state }) => void (state.slept += 100),
  });
  await w.node().object(Counter, "a").increment();
  await w.clock.advance(minute + second);
  assertEquals([w.told(hibernations).length, await w.state()], [1, { count: 1, slept: 1 }]);
  await w.clock.advance(2 * minute + second);
  assertEquals([w.told(shutdowns).length, await w.state()], [1, { count: 1, slept: 101 }]);
  await w.clock.advance(hour);
  assertEquals([w.told(hibernations).length, w.told(shutdowns).length], [1, 1]);
});

test("[OJ23] a call sets the time of the shutdown anew, and without a time there is none", async () => {
  for (const shutdownAfterMs of [3 * minute, Infinity]) {
    const w = world();
    const Counter = counterWith({ hibernateAfterMs: minute, shutdownAfterMs });
    const counter = w.node().object(Counter, "a");
    await counter.increment();
    await w.clock.advance(2 * minute);
    await counter.increment();
    await w.clock.advance(2 * minute);
    assertEquals(w.told(shutdowns).length, 0);
    await w.clock.advance(2 * minute);
    assertEquals(w.told(shutdowns).length, shutdownAfterMs === Infinity ? 0 : 1);
    assertEquals(await counter.increment(), 3);
  }
});

test("[OJ23] a hook that throws is told to telemetry, and what it changed is not stored", async () => {
  const w = world();
  const Counter = counterWith({
    hibernateAfterMs: minute,
    onHibernate({ state }) {
      state.slept = 1;
      throw new Error("no bed");
    },
  });
  await w.node().object(Counter, "a").increment();
  await w.clock.advance(2 * minute);
  assertEquals(w.told("holdfast.object.hook_failed").length, 1);
  assertEquals([w.told(hibernations).length, await w.state()], [1, { count: 1, slept: 0 }]);
});

test("[OJ23] hooks do not run for an object of which nothing is stored", async () => {
  const w = world();
  const seen: string[] = [];
  const Counter = counterWith({
    hibernateAfterMs: minute,
    onHibernate: ({ id }) => void seen.push(id),
    onShutdown: ({ id }) => void seen.push(id),
  });
  const node = w.node();
  await node.object(Counter, "a").get();
  await w.clock.advance(2 * minute);
  await node.close();
  assertEquals([seen, w.memory.size], [[], 0]);
});

test("[OJ23] stop() lets an object leave after its hook, and the next call starts it again", async () => {
  const w = world();
  const node = w.node();
  const Counter = counterWith({ onShutdown: ({ state }) => void state.slept++ });
  const counter = node.object(Counter, "a");
  await counter.increment();
  await node.objects.stop(Counter, "a");
  await node.objects.stop("counter", "never-started");
  assertEquals([await w.state(), w.told(shutdowns).length], [{ count: 1, slept: 1 }, 1]);
  assertEquals([await counter.increment(), w.storage.calls.get], [2, 2]);
});

test("[OJ24] beyond the cap the least recently used object goes to sleep", async () => {
  const w = world();
  const Counter = counterWith();
  const node = w.node({ limits: { maxObjects: 2 } });
  for (const id of ["a", "b", "c"]) {
    await node.object(Counter, id).increment();
    await w.clock.advance(2 * second);
  }
  assertEquals(w.told(hibernations).length, 1);
  const { get } = w.storage.calls;
  await node.object(Counter, "c").increment();
  await node.object(Counter, "b").increment();
  assertEquals(w.storage.calls.get, get);
  assertEquals(await node.object(Counter, "a").increment(), 2);
  assertEquals(w.storage.calls.get, get + 1);
});

test("[OJ24] a hundred thousand objects of which few may be awake", async () => {
  const w = world();
  const Counter = counterWith();
  const node = w.node({ limits: { maxObjects: 100 }, telemetry: () => {} });
  for (let n = 0; n < 2000; n++) await node.object(Counter, `u${n}`).increment();
  for (let n = 0; n < 2000; n += 100) {
    assertEquals(await node.object(Counter, `u${n}`).increment(), 2);
  }
});

import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { defineObject } from "../../src/object/definition.ts";
import { counterWith } from "./living.ts";
import { gate, hour, minute, second, world } from "./world.ts";

test("[OJ25] a deleted object has no alarms and refuses every call, also of a node that remembers it", async () => {
  const w = world();
  const Counter = counterWith();
  const [here, there] = [w.node(), w.node()];
  await here.object(Counter, "a").ring(minute);
  await there.object(Counter, "a").increment();
  assertEquals(await here.objects.delete(Counter, "a"), true);
  await w.clock.advance(0);
  for (const node of [here, there, w.node()]) {
    await assertRejects(() => node.object(Counter, "a").increment(), "ERR_DELETED");
  }
  assertEquals(await here.objects.delete("counter", "a"), false);
  assertEquals(await here.objects.exists("counter", "a"), false);
  assertEquals(await here.objects.alarms("counter", "a"), { scheduled: [], parked: [] });
  await w.clock.advance(10 * minute);
  assertEquals(w.told("holdfast.alarm.fire"), []);
});

test("[OJ25] a write under way does not bring a deleted object back", async () => {
  const w = world();
  const Counter = counterWith();
  const [here, there] = [w.node(), w.node()];
  await here.object(Counter, "a").increment();
  await there.object(Counter, "a").get();
  let puts = 0;
  w.storage.plan = ({ operation }) =>
    operation === "put" && ++puts === 1 ? { kind: "none", latencyMs: 50 } : "none";
  const late = assertRejects(() => there.object(Counter, "a").increment(), "ERR_DELETED");
  await w.finish(here.objects.delete(Counter, "a"));
  await w.finish(late);
  assert((await w.record())?.ended !== undefined);
});

test("[OJ25] the mark of a deleted object goes after an hour, and the id is new", async () => {
  const w = world();
  const Counter = counterWith();
  const node = w.node();
  await node.object(Counter, "a").increment(5);
  await node.objects.delete(Counter, "a");
  await w.clock.advance(59 * minute);
  await assertRejects(() => node.object(Counter, "a").increment(), "ERR_DELETED");
  await w.clock.advance(minute + 10 * second);
  assertEquals([w.memory.size, await w.index()], [0, []]);
  assertEquals(await node.object(Counter, "a").increment(), 1);
});

test("[OJ25] the id is new after an hour also for a node that kept asking", async () => {
  const w = world();
  const Counter = counterWith({ handlers: { get: { readOnly: true, run: ({ state }) => state } } });
  const here = w.node();
  const there = w.node({ alarms: { pollEveryMs: hour } });
  await w.put("counter/a", { vsn: 1, state: { count: 1, slept: 0 } });
  await here.object(Counter, "b").get();
  await here.objects.delete(Counter, "a");
  for (let n = 0; n < 59; n++) {
    await w.clock.advance(minute);
    await assertRejects(() => there.object(Counter, "a").get(), "ERR_DELETED");
  }
  await w.clock.advance(2 * minute);
  assertEquals(await there.object(Counter, "a").get(), { count: 0, slept: 0 });
});

test("[OJ25] an entry that is left over does not take the mark of a deleted object away", async () => {
  const w = world();
  const Counter = counterWith();
  const node = w.node();
  await node.object(Counter, "a").ring(10 * minute);
  const [entry = ""] = await w.index();
  await node.objects.delete(Counter, "a");
  await w.clock.advance(0);
  await w.memory.put(entry, "{}");
  await w.clock.advance(50 * minute);
  assert((await w.record())?.ended !== undefined);
  await w.clock.advance(hour);
  assertEquals([await w.record(), await w.index()], [undefined, []]);
});

test("[OJ25] a damaged object can be deleted", async () => {
  const w = world();
  const node = w.node({ objects: [counterWith()] });
  await w.memory.put("app/object/counter/a", "nonsense");
  await w.put("counter/b", { vsn: "x", alarms: { ring: 1 } });
  await assertRejects(() => node.objects.exists("counter", "a"), "ERR_CORRUPT_RECORD");
  assertEquals(await node.objects.delete("counter", "a"), true);
  assertEquals(await node.objects.delete("counter", "b"), true);
  assertEquals(await node.objects.exists("counter", "a"), false);
});

test("[OJ26] list() names the objects of one class, a part at a time, without the deleted", async () => {
  const w = world();
  const Counter = counterWith();
  const Other = defineObject({
    name: "counter2",
    vsn: 1,
    state: () => ({ on: false }),
    handlers: { on: ({ state }) => void (state.on = true) },
  });
  const node = w.node();
  const ids = ["a", "b c", "d/é", "e", "f"];
  for (const id of ids) await node.object(Counter, id).increment();
  await node.object(Other, "z").on();
  await node.objects.delete(Counter, "e");
  const found: string[] = [];
  let after: string | undefined;
  do {
    const page = await node.objects.list("counter", { limit: 2, ...(after && { after }) });
    found.push(...page.ids);
    after = page.next;
  } while (after !== undefined);
  assertEquals(found, ["a", "b c", "d/é", "f"]);
  assertEquals(await node.objects.list(Other), { ids: ["z"], next: undefined });
  const begun = async (prefix: string, more = {}) =>
    (await node.objects.list(Counter, { prefix, ...more })).ids;
  assertEquals([await begun("d/"), await begun("d/é"), await begun("b c"), await begun("x")], [
    ["d/é"],
    ["d/é"],
    ["b c"],
    [],
  ]);
  await node.object(Counter, "d/z").increment();
  assertEquals(await begun("d", { after: "d/z", limit: 1 }), ["d/é"]);
  assertEquals(
    [await node.objects.exists(Counter, "d/é"), await node.objects.exists(Counter, "x")],
    [
      true,
      false,
    ],
  );
});

test("[OJ27] close() finishes what was accepted, also what is called on the way, and refuses the rest", async () => {
  const w = world();
  w.storage.plan = (call) => call.operation === "put" ? { kind: "none", latencyMs: 100 } : "none";
  const Counter = counterWith();
  const Caller = defineObject({
    name: "caller",
    vsn: 1,
    state: () => ({}),
    handlers: {
      add: ({ call }, until: Promise<void>) => until.then(() => call(Counter, "b", "increment", 2)),
    },
  });
  const node = w.node();
  const stuck = gate();
  const calls = [node.object(Counter, "a").increment(), node.object(Caller, "x").add(stuck.opened)];
  await w.clock.advance(10);
  const closing = node.close();
  stuck.open();
  const late = assertRejects(() => node.object(Counter, "a").increment(), "ERR_CLOSED");
  assertEquals(await w.finish(Promise.all(calls)), [1, 2]);
  assertEquals(await w.finish(closing), { complete: true, unfinished: 0 });
  await late;
  await assertRejects(() => node.objects.delete(Counter, "a"), "ERR_CLOSED");
});

test("[OJ27] close() finishes what is called on the way however late that is", async () => {
  const w = world();
  const Counter = counterWith();
  const Caller = defineObject({
    name: "caller",
    vsn: 1,
    state: () => ({}),
    handlers: {
      add: ({ call }, until: Promise<void>) => until.then(() => call(Counter, "b", "increment", 2)),
    },
  });
  const node = w.node();
  const stuck = gate();
  const call = node.object(Caller, "x").add(stuck.opened);
  await w.clock.advance(10);
  const closing = node.close();
  await w.clock.advance(second);
  await assertRejects(() => node.objects.delete(Counter, "a"), "ERR_CLOSED");
  stuck.open();
  assertEquals(await w.finish(call), 2);
  assertEquals(await w.finish(closing), { complete: true, unfinished: 0 });
  assertEquals(await w.state("counter/b"), { count: 2, slept: 0 });
});

test("[OJ27] close() runs onShutdown, waits for what was answered early, and says what is left", async () => {
  const w = world();
  const Notes = counterWith({
    durability: "behind",
    onShutdown: ({ state }) => void state.slept++,
  });
  const node = w.node();
  w.storage.plan = (call) => call.operation === "put" ? { kind: "none", latencyMs: 500 } : "none";
  for (const id of ["a", "b", "c"]) await node.object(Notes, id).increment();
  await w.finish(node.close());
  for (const id of ["a", "b", "c"]) {
    assertEquals(await w.state(`counter/${id}`), { count: 1, slept: 1 });
  }
  const other = w.node();
  const waiting = other.object(counterWith(), "d").wait(new Promise(() => {}));
  waiting.catch(() => {});
  assertEquals(await w.finish(other.close({ withinMs: 1000 })), { complete: false, unfinished: 1 });
});

test("[OJ27] close() runs onShutdown of what comes into memory on the way, too", async () => {
  const w = world();
  const Archive = counterWith({ name: "archive", onShutdown: ({ state }) => void state.slept++ });
  const Counter = counterWith({
    onShutdown: async ({ call, id }) => void await call(Archive, id, "increment"),
  });
  const node = w.node();
  await node.object(Counter, "a").increment();
  await w.finish(node.close());
  assertEquals(await w.state("archive/a"), { count: 1, slept: 1 });
});

test("[OJ27] close() waits until the index is in step, too", async () => {
  const w = world();
  w.storage.plan = (call) =>
    call.operation === "delete" ? { kind: "none", latencyMs: 500 } : "none";
  const node = w.node();
  await node.object(counterWith(), "a").ring(minute);
  await w.clock.advance(minute);
  await w.finish(node.close());
  assertEquals([await w.index(), await w.state()], [[], { count: 1, slept: 0 }]);
});

test("[OJ27] after close() no timer is left that would hold anything up", async () => {
  const w = world();
  const node = w.node();
  await node.object(counterWith(), "a").ring(hour);
  await w.finish(node.close());
  await w.clock.runAll(31 * second);
  assertEquals(w.clock.pending, 0);
});

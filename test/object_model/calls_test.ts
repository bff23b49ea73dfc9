import * as v from "valibot";
import { assert, assertEquals, assertRejects, assertThrows, test } from "../harness/mod.ts";
import { defineObject } from "../../src/object/definition.ts";
import { gate, world } from "./world.ts";

class Refusal extends Error {}

const Counter = defineObject({
  name: "counter",
  vsn: 1,
  state: () => ({ count: 0, items: [] as unknown[], more: null as unknown }),
  handlers: {
    increment({ state }, by = 1) {
      state.count += by;
      return state.count;
    },
    set({ state }, value: unknown) {
      state.more = value;
    },
    replace(ctx, count: number) {
      ctx.state = { count, items: [], more: null };
    },
    get: ({ state }) => state,
    count: { readOnly: true, run: ({ state }) => state.count },
    fail({ state }, error: unknown) {
      state.count = 100;
      throw error;
    },
    async failLater({ state }, error: unknown) {
      state.count = 100;
      await Promise.resolve();
      throw error;
    },
    add({ state }, item: unknown) {
      state.items.push(item);
      return state.items.length;
    },
    whoami: ({ id }) => id,
    echo: (_ctx, ...args: unknown[]) => args,
  },
});

test("[OJ2] the client, call() and another object reach the same handler", async () => {
  const w = world();
  const Caller = defineObject({
    name: "caller",
    vsn: 1,
    state: () => ({}),
    handlers: {
      byDefinition: ({ call }, by: number) => call(Counter, "a", "increment", by),
      byName: ({ call }, by: number) => call("counter", "a", "increment", by),
    },
  });
  const node = w.node({ objects: [Counter] });
  assertEquals(await node.object(Counter, "a").increment(), 1);
  assertEquals(await node.call("counter", "a", "increment", [2]), 3);
  assertEquals(await node.call(Counter, "a", "increment", [3]), 6);
  const caller = node.object(Caller, "x");
  assertEquals([await caller.byDefinition(4), await caller.byName(5)], [10, 15]);
  assertEquals(await w.state(), { count: 15, items: [], more: null });
});

test("[OJ2] arguments arrive as they were given", async () => {
  const node = world().node();
  const date = new Date(0);
  const [first, second, third] = await node.object(Counter, "a").echo(undefined, date, [1]);
  assertEquals([first, second === date, third], [undefined, true, [1]]);
});

test("[OJ2] a client can be awaited, and its methods taken out", async () => {
  const node = world().node();
  const client = await Promise.resolve(node.object(Counter, "a"));
  const { increment } = client;
  assertEquals([await increment(), await increment(), client.id], [1, 2, "a"]);
});

test("[OJ3] what a handler changed is durable before its caller gets the reply", async () => {
  const w = world();
  w.storage.plan = (call) => call.operation === "put" ? { kind: "none", latencyMs: 50 } : "none";
  const counter = w.node().object(Counter, "a");
  let answered = false;
  const call = counter.increment().then(() => answered = true);
  await w.clock.advance(49);
  assertEquals([answered, await w.record()], [false, undefined]);
  await w.clock.advance(1);
  assertEquals([answered, await w.state()], [true, { count: 1, items: [], more: null }]);
  await call;
});

test("[OJ3] a handler that changes nothing in value writes nothing", async () => {
  const w = world();
  const counter = w.node().object(Counter, "a");
  await counter.increment();
  const { put } = w.storage.calls;
  await counter.get();
  await counter.increment(0);
  await counter.set(null);
  assertEquals(w.storage.calls.put, put);
});

test("[OJ3] nested values, lists, nulls and any text come back equal after a restart", async () => {
  const w = world();
  const value = { list: [1, [2, null, { deep: true }]], text: "né 🐚 \u2028", "": "", n: -1.5e300 };
  const first = w.node();
  await first.object(Counter, "a").set(value);
  await first.close();
  const { more } = await w.node().object(Counter, "a").get();
  assertEquals(more, value);
});

test("[OJ3] a write that fails leaves the state, and its caller gets the error", async () => {
  const w = world();
  const counter = w.node().object(Counter, "a");
  await counter.increment();
  w.storage.plan = (call) => call.operation === "put" ? "refuse" : "none";
  await assertRejects(() => w.finish(counter.increment(5)), "ERR_STORAGE_UNAVAILABLE");
  w.storage.plan = () => "none";
  assertEquals((await w.finish(counter.get())).count, 1);
});

test("[OJ4] a handler that throws changes nothing, and the caller gets what it threw", async () => {
  const w = world();
  const counter = w.node().object(Counter, "a");
  await counter.increment();
  const error = new Refusal("no");
  for (const call of [counter.fail(error), counter.failLater(error)]) {
    assert(await call.then(() => undefined, (caught) => caught) === error);
  }
  assertEquals(await counter.fail(undefined).then(() => "kept", (caught) => caught), undefined);
  assertEquals([(await counter.get()).count, (await w.record())?.rev], [1, 1]);
});

test("[OJ5] unknown classes and handlers are refused with a code", async () => {
  const node = world().node();
  await assertRejects(() => node.call("nobody", "a", "get"), "ERR_UNKNOWN_CLASS");
  await assertRejects(() => node.objects.exists("nobody", "a"), "ERR_UNKNOWN_CLASS");
  node.object(Counter, "a");
  await assertRejects(() => node.call("counter", "a", "nothing"), "ERR_UNKNOWN_HANDLER");
  await assertRejects(() => node.call("counter", "a", "toString"), "ERR_UNKNOWN_HANDLER");
  await assertRejects(() => node.call("counter", "a", "__proto__"), "ERR_UNKNOWN_HANDLER");
});

test("[OJ5] two definitions cannot have one name, and a definition is one of defineObject()", () => {
  const node = world().node({ objects: [Counter] });
  const Other = defineObject({ name: "counter", vsn: 1, state: () => ({}), handlers: {} });
  assertThrows(() => node.object(Other, "a"), /another definition has this name/);
  assertThrows(
    () => node.object({ ...plainObject } as unknown as typeof Counter, "a"),
    /not one of defineObject/,
  );
});

const plainObject = { name: "x", vsn: 1, state: () => ({}), handlers: {} };

test("[OJ6] arguments that do not satisfy their schema never reach the handler", async () => {
  const w = world();
  const Strict = defineObject({
    name: "counter",
    vsn: 1,
    state: () => ({ count: 0 }),
    handlers: {
      add: {
        args: v.tuple([
          v.pipe(v.number(), v.integer()),
          v.optional(v.object({ note: v.string() })),
        ]),
        run: ({ state }, by: number, _about?: { note: string }) => state.count += by,
      },
    },
  });
  const node = w.node();
  const strict = node.object(Strict, "a");
  assertEquals(await strict.add(2), 2);
  const error = await assertRejects(
    () => node.call("counter", "a", "add", [1.5, { note: 1 }]),
    "ERR_INVALID_ARGUMENTS",
  ) as Error & { problems: { path: string }[] };
  assertEquals(error.problems.map(({ path }) => path), ["[0]", "[1].note"]);
  await assertRejects(() => node.call("counter", "a", "add"), "ERR_INVALID_ARGUMENTS");
  assertEquals(await w.state(), { count: 2 });
});

test("[OJ19] ids are any Unicode text of 1 to 512 bytes, and different ids different objects", async () => {
  const w = world();
  const node = w.node();
  const ids = [
    ".",
    "..",
    "a",
    "A",
    "a/b",
    "a b",
    "é",
    "e\u0301",
    "🐚",
    "~41",
    "\u0000",
    "x".repeat(512),
  ];
  for (const [n, id] of ids.entries()) await node.object(Counter, id).increment(n + 1);
  for (const [n, id] of ids.entries()) {
    assertEquals(await node.object(Counter, id).count(), n + 1, id);
  }
  assertThrows(() => node.object(Counter, ""), (error) => error instanceof RangeError);
  assertThrows(() => node.object(Counter, "x".repeat(513)), (error) => error instanceof RangeError);
  assertThrows(() => node.object(Counter, "\ud800"), (error) => error instanceof TypeError);
  await assertRejects(() => node.call("counter", "", "increment"), (e) => e instanceof RangeError);
});

test("[OJ20] a client for existing objects only creates none", async () => {
  const w = world();
  const node = w.node();
  const existing = node.object(Counter, "a", { existing: true });
  await assertRejects(() => existing.increment(), "ERR_UNKNOWN_OBJECT");
  await assertRejects(() => existing.count(), "ERR_UNKNOWN_OBJECT");
  assertEquals(w.memory.size, 0);
  await node.object(Counter, "a").increment();
  assertEquals([await existing.increment(), await existing.count()], [2, 2]);
});

test("[OJ21] a client, a read and a failed call create nothing", async () => {
  const w = world();
  const counter = w.node().object(Counter, "a");
  assertEquals([await counter.get(), await counter.count()], [
    { count: 0, items: [], more: null },
    0,
  ]);
  await assertRejects(() => counter.fail(new Refusal("no")));
  assertEquals([w.memory.size, w.storage.calls.put], [0, 0]);
});

test("[OJ28] calls of one object run one after the other, also across an await", async () => {
  const w = world();
  const Slow = defineObject({
    name: "counter",
    vsn: 1,
    state: () => ({ count: 0 }),
    handlers: {
      async increment({ state }) {
        const before = state.count;
        for (let n = 0; n < 5; n++) await Promise.resolve();
        state.count = before + 1;
        return state.count;
      },
    },
  });
  const slow = w.node().object(Slow, "a");
  const replies = await Promise.all(Array.from({ length: 50 }, () => slow.increment()));
  assertEquals(replies, Array.from({ length: 50 }, (_, n) => n + 1));
});

test("[OJ28] concurrent first calls share one load and one write", async () => {
  const w = world();
  w.storage.plan = () => ({ kind: "none", latencyMs: 10 });
  const node = w.node();
  const calls = Array.from({ length: 100 }, () => node.object(Counter, "a").increment());
  await w.finish(Promise.all(calls));
  assertEquals([w.storage.calls.get, w.storage.calls.put], [1, 1]);
  assertEquals(w.told("holdfast.object.activate").length, 1);
});

test("[OJ28] objects do not wait for each other", async () => {
  const w = world();
  const stuck = gate();
  const Waiter = defineObject({
    name: "waiter",
    vsn: 1,
    state: () => ({}),
    handlers: { wait: () => stuck.opened, pass: () => "passed" },
  });
  const node = w.node();
  const waiting = node.object(Waiter, "a").wait();
  assertEquals(await node.object(Waiter, "b").pass(), "passed");
  stuck.open();
  await waiting;
});

test("[OJ29] two nodes that call one object at once lose nothing and repeat nothing", async () => {
  const w = world();
  w.storage.plan = () => ({ kind: "none", latencyMs: 7 });
  const nodes = [w.node(), w.node(), w.node()];
  const calls = Array.from({ length: 60 }, (_, n) => {
    const node = nodes[n % nodes.length];
    assert(node !== undefined);
    return node.object(Counter, "a").increment();
  });
  const replies = await w.finish(Promise.all(calls));
  assertEquals(replies.sort((a, b) => a - b), Array.from({ length: 60 }, (_, n) => n + 1));
  assert(w.told("holdfast.object.conflict").length > 0);
});

test("[OJ29] a fresh call sees what another node has stored", async () => {
  const w = world();
  const [here, there] = [w.node(), w.node()];
  await here.object(Counter, "a").increment();
  await there.object(Counter, "a").increment();
  assertEquals(await here.object(Counter, "a").count(), 1);
  assertEquals(await here.object(Counter, "a", { fresh: true }).count(), 2);
  await there.object(Counter, "a").increment();
  assertEquals((await here.object(Counter, "a", { fresh: true }).get()).count, 3);
});

test("[OJ31] the state can be replaced as a whole, and the id is there but not stored", async () => {
  const w = world();
  const counter = w.node().object(Counter, "a");
  await counter.set({ x: 1 });
  await counter.replace(7);
  assertEquals([await counter.whoami(), await w.state()], ["a", {
    count: 7,
    items: [],
    more: null,
  }]);
});

test("[OJ33] a damaged record is refused and left as it is", async () => {
  const w = world();
  const counter = w.node().object(Counter, "a");
  for (const state of [{ vsn: "1", state: {} }, { vsn: 1 }, { vsn: 1, state: [], alarms: {} }]) {
    await w.put("counter/a", state);
    await assertRejects(() => w.node().object(Counter, "a").increment(), "ERR_CORRUPT_RECORD");
    assertEquals(((await w.record()) as { state: unknown }).state, state);
  }
  await w.memory.put("app/object/counter/a", "nonsense");
  await assertRejects(() => counter.increment(), "ERR_CORRUPT_RECORD");
  assertEquals((await w.memory.get("app/object/counter/a"))?.value, "nonsense");
});

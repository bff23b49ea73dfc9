import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { defineObject } from "../../src/object/definition.ts";
import { world } from "./world.ts";

const Counter = defineObject({
  name: "counter",
  vsn: 1,
  state: () => ({ count: 0, items: [] as unknown[], more: null as unknown }),
  handlers: {
    increment: ({ state }, by = 1) => state.count += by,
    set({ state }, value: unknown) {
      state.more = value;
    },
    add({ state }, item: unknown) {
      state.items.push(item);
    },
    get: ({ state }) => state,
    merge({ state }, fields: object) {
      for (const [key, value] of Object.entries(fields)) {
        Object.defineProperty(state, key, { value, enumerable: true });
      }
    },
  },
});

test("[OJ7] what JSON cannot carry is refused with its path, and changes nothing", async () => {
  const w = world();
  const counter = w.node().object(Counter, "a");
  await counter.increment();
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  const wrong: readonly (readonly [unknown, string])[] = [
    [new Date(0), '"more" is an instance of Date'],
    [{ at: [1, new Map()] }, '"more.at[1]" is an instance of Map'],
    [NaN, '"more" is not finite'],
    [1n, '"more" is a bigint'],
    [() => 1, '"more" is a function'],
    [{ a: { b: Symbol("x") } }, '"more.a.b" is a symbol'],
    [[1, , 3], '"more[1]" is a hole in a sparse array'],
    ["\ud800", '"more" holds a lone surrogate'],
    [JSON.parse('{"__proto__": 1}'), '"more.__proto__" is a refused key'],
    [cycle, '"more.self" is part of a cycle'],
  ];
  for (const [value, message] of wrong) {
    const error = await assertRejects(() => counter.set(value), "ERR_INVALID_VALUE");
    assert(error.message.includes(message), error.message);
  }
  assertEquals([(await counter.get()).more, (await w.record())?.rev], [null, 1]);
});

test("[OJ7] an index far beyond the end of a list is refused without a walk through its holes", async () => {
  const w = world();
  const List = defineObject({
    name: "list",
    vsn: 1,
    state: () => ({ items: ["a"] }),
    handlers: {
      put: ({ state }, index: number) => void (state.items[index] = "b"),
      far: (_, index: number) => Object.assign(["a"], { [index]: "b" }),
    },
  });
  const list = w.node().object(List, "a");
  const error = await assertRejects(() => list.put(2_000_000), "ERR_INVALID_VALUE");
  assertEquals((error as { readonly problems?: unknown }).problems, [
    { path: "items[1]", reason: "is a hole in a sparse array" },
  ]);
  const { length, ...items } = await list.far(2 ** 32 - 2);
  assertEquals([length, items], [2 ** 32 - 1, { 0: "a", 4294967294: "b" }]);
});

test("[OJ7] a key that JSON should not carry is refused at the top of the state, too", async () => {
  const w = world();
  const counter = w.node().object(Counter, "a");
  for (const key of ["__proto__", "constructor", "prototype", "\\ud800"]) {
    const fields: object = JSON.parse(`{"${key}": 1}`);
    const error = await assertRejects(() => counter.merge(fields), "ERR_INVALID_VALUE");
    assert(/refused key|lone surrogate/.test(error.message), error.message);
  }
  assertEquals(w.memory.size, 0);
});

test("[OJ7] undefined fields are left out, and what is inside an unchanged part is kept", async () => {
  const w = world();
  const counter = w.node().object(Counter, "a");
  await counter.set({ a: undefined, b: -0, c: [{ d: undefined }] });
  await counter.add({ e: 1 });
  await counter.increment();
  assertEquals(await w.state(), { count: 1, items: [{ e: 1 }], more: { b: 0, c: [{}] } });
});

test("[OJ8] a state larger than allowed is refused, and the one before stays", async () => {
  const w = world();
  const counter = w.node({ limits: { maxObjectBytes: 2000 } }).object(Counter, "a");
  await counter.set("x".repeat(1900));
  for (const size of [2000, 100_000]) {
    await assertRejects(() => counter.set("y".repeat(size)), "ERR_TOO_LARGE");
  }
  await assertRejects(() => counter.add("y".repeat(100)), "ERR_TOO_LARGE");
  await counter.set("z");
  for (let n = 1; n <= 300; n++) await counter.set(n % 2 === 0 ? "é".repeat(400) : null);
  assertEquals((await w.state() as { count: number }).count, 0);
});

test("[OJ8] a state of exactly the size allowed is stored, one byte more is not", async () => {
  const w = world();
  const counter = w.node({ limits: { maxObjectBytes: 1024 } }).object(Counter, "a");
  const empty = JSON.stringify({ vsn: 1, state: { count: 0, items: [], more: "" } }).length;
  await counter.set("x".repeat(1024 - empty));
  await assertRejects(() => counter.set("x".repeat(1025 - empty)), "ERR_TOO_LARGE");
});

test("[OJ8] the size that counts is that of the state another node has stored", async () => {
  const w = world();
  const limits = { maxObjectBytes: 2000 };
  const [here, there] = [w.node({ limits }).object(Counter, "a"), w.node({ limits })];
  await here.increment();
  await there.object(Counter, "a").set("x".repeat(1900));
  await assertRejects(() => here.add("y".repeat(100)), "ERR_TOO_LARGE");
  assertEquals((await w.record())?.rev, 2);
});

test("[OJ13] what leaves a handler is a copy, also where it is a part of the state", async () => {
  const w = world();
  const counter = w.node().object(Counter, "a");
  const mine = { n: 1 };
  await counter.add(mine);
  mine.n = 2;
  const got = await counter.get();
  got.count = 50;
  got.items.push("more");
  (got.items[0] as { n: number }).n = 3;
  assertEquals(await counter.get(), { count: 0, items: [{ n: 1 }], more: null });
  await counter.increment();
  assertEquals(await w.state(), { count: 1, items: [{ n: 1 }], more: null });
});

test("[OJ13] a reply may hold drafts, cycles and objects of any class", async () => {
  const w = world();
  const Giver = defineObject({
    name: "giver",
    vsn: 1,
    state: () => ({ list: [{ n: 1 }] }),
    handlers: {
      give({ state }) {
        const reply: Record<string, unknown> = { first: state.list[0], at: new Date(5) };
        reply["self"] = reply;
        return reply;
      },
    },
  });
  const reply = await w.node().object(Giver, "a").give();
  assertEquals(reply["first"], { n: 1 });
  assert(reply["self"] === reply && reply["at"] instanceof Date);
});

test("[OJ13] what one object hands to another is a copy, also a part of its state", async () => {
  const w = world();
  const Taker = defineObject({
    name: "taker",
    vsn: 1,
    state: () => ({ kept: null as unknown }),
    handlers: {
      keep({ state }, item: { n: number }) {
        item.n++;
        state.kept = item;
      },
    },
  });
  const Giver = defineObject({
    name: "giver",
    vsn: 1,
    state: () => ({ item: { n: 1 }, given: 0 }),
    handlers: {
      async give({ state, call }) {
        state.given++;
        await call(Taker, "t", "keep", state.item);
      },
    },
  });
  await w.node().object(Giver, "g").give();
  assertEquals([await w.state("giver/g"), await w.state("taker/t")], [
    { item: { n: 1 }, given: 1 },
    { kept: { n: 2 } },
  ]);
});

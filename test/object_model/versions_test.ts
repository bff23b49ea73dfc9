import * as v from "valibot";
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { defineObject } from "../../src/object/definition.ts";
import { world } from "./world.ts";

const handlers = {
  get: ({ state }: { state: object }) => state,
  touch({ state }: { state: object }) {
    Object.assign(state, { touched: true });
  },
  fail() {
    throw new Error("no");
  },
};

test("[OJ9] fields that state() has gained appear in what was stored before", async () => {
  const w = world();
  await w.put("counter/a", { vsn: 1, state: { count: 5 } });
  const Counter = defineObject({
    name: "counter",
    vsn: 1,
    state: () => ({ count: 0, step: 1, list: [] as string[] }),
    handlers: { get: ({ state }) => state, bump: ({ state }) => state.count += state.step },
  });
  const counter = w.node().object(Counter, "a");
  assertEquals(await counter.get(), { count: 5, step: 1, list: [] });
  assertEquals((await w.record())?.rev, 1);
  assertEquals(await counter.bump(), 6);
  assertEquals(await w.state(), { count: 6, step: 1, list: [] });
});

test("[OJ9] fields that state() has lost are kept unless they shall be dropped", async () => {
  for (const unknownFields of ["keep", "drop"] as const) {
    const w = world();
    await w.put("counter/a", { vsn: 1, state: { count: 5, old: [1] } });
    const state = (): object => ({ count: 0 });
    const Counter = defineObject({ name: "counter", vsn: 1, state, handlers, unknownFields });
    const counter = w.node().object(Counter, "a");
    const kept = unknownFields === "keep" ? { old: [1] } : {};
    assertEquals(await counter.get(), { count: 5, ...kept });
    assertEquals((await w.record())?.rev, 1);
    await counter.touch();
    assertEquals(await w.state(), { count: 5, ...kept, touched: true });
  }
});

test("[OJ10] older state is migrated once and written back with the first call", async () => {
  const w = world();
  await w.put("counter/a", { vsn: 1, state: { n: 5 } });
  const seen: unknown[] = [];
  const Counter = defineObject({
    name: "counter",
    vsn: 3,
    state: (): object => ({ count: 0, note: "" }),
    migrate: (from, { n, ...rest }) => {
      seen.push([from, n]);
      return { ...rest, count: n };
    },
    handlers,
  });
  const counter = w.node().object(Counter, "a");
  assertEquals(await counter.get(), { count: 5, note: "" });
  const record = await w.record();
  assertEquals([record?.rev, record?.state?.vsn, record?.state?.state], [2, 3, {
    count: 5,
    note: "",
  }]);
  await counter.get();
  await w.node().object(Counter, "a").get();
  assertEquals(seen, [[1, 5]]);
});

test("[OJ10] what a migration has made is stored also when the call fails", async () => {
  const w = world();
  await w.put("counter/a", { vsn: 1, state: { count: 1 } });
  const migrate = (_: number, data: object): object => ({ ...data, migrated: true });
  const state = (): object => ({ count: 0 });
  const Counter = defineObject({ name: "counter", vsn: 2, state, migrate, handlers });
  await assertRejects(() => w.node().object(Counter, "a").fail(), /^no$/);
  assertEquals((await w.record())?.state, { vsn: 2, state: { count: 1, migrated: true } });
});

test("[OJ10] older state without migrate, and a migrate that fails, leave what is stored", async () => {
  const w = world();
  const state = (): object => ({ count: 0 });
  const broken = (): never => {
    throw new Error("broken");
  };
  for (const more of [{}, { migrate: broken }, { migrate: (): unknown => [] }]) {
    await w.put("counter/a", { vsn: 1, state: { n: 5 } });
    const Counter = defineObject({ name: "counter", vsn: 2, state, handlers, ...more });
    const counter = w.node().object(Counter, "a");
    await assertRejects(() => counter.touch(), "ERR_UNRECOVERED");
    assertEquals((await w.record())?.state, { vsn: 1, state: { n: 5 } });
  }
});

test("[OJ10] state of a newer version is refused and never clobbered", async () => {
  const w = world();
  const state = (): object => ({ count: 0 });
  const define = (vsn: number) =>
    defineObject({ name: "counter", vsn, state, handlers, migrate: (_, data) => data });
  const [old, next] = [w.node(), w.node()];
  const before = old.object(define(1), "a");
  await before.touch();
  await next.object(define(2), "a").get();
  const stored = await w.record();
  assertEquals(stored?.state?.vsn, 2);
  // From memory it would be fine: the store says otherwise.
  await assertRejects(
    () => old.call("counter", "a", "touch", [], { fresh: true }),
    "ERR_NEWER_VERSION",
  );
  const error = await assertRejects(() => w.node().object(define(1), "a").touch());
  assertEquals([error.code, (error as { retryable?: boolean }).retryable], [
    "ERR_NEWER_VERSION",
    true,
  ]);
  assert(error.message.endsWith("wrote it, with vsn 2, and this one has vsn 1"), error.message);
  assertEquals(await w.record(), stored);
});

test("[OJ11] a state that does not satisfy the schema is neither stored nor loaded", async () => {
  const w = world();
  const Counter = defineObject({
    name: "counter",
    vsn: 1,
    state: () => ({ count: 0 }),
    schema: v.object({ count: v.pipe(v.number(), v.maxValue(10)) }),
    handlers: {
      add: ({ state }, by: number) => state.count += by,
      get: ({ state }) => state.count,
    },
  });
  const counter = w.node().object(Counter, "a");
  assertEquals(await counter.add(10), 10);
  const error = await assertRejects(() => counter.add(1), "ERR_INVALID_STATE");
  assert(error.message.includes('"count"'), error.message);
  assertEquals(await w.state(), { count: 10 });
  await w.put("counter/b", { vsn: 1, state: { count: "x" } });
  await assertRejects(() => w.node().object(Counter, "b").get(), "ERR_INVALID_STATE");
  assertEquals(await w.state("counter/b"), { count: "x" });
});

test("[OJ11] a schema may be asynchronous", async () => {
  const w = world();
  const schema = v.objectAsync({
    count: v.pipeAsync(v.number(), v.checkAsync((n) => Promise.resolve(n < 3))),
  });
  const Counter = defineObject({
    name: "counter",
    vsn: 1,
    state: () => ({ count: 0 }),
    schema,
    handlers: { add: ({ state }) => ++state.count },
  });
  const counter = w.node().object(Counter, "a");
  const replies = await Promise.allSettled([counter.add(), counter.add(), counter.add()]);
  assertEquals(replies.map(({ status }) => status), ["fulfilled", "fulfilled", "rejected"]);
  assertEquals(await w.state(), { count: 2 });
});

/** A class that notes each load, and starts a window with the first. */
function withAfterLoad(loads: string[]) {
  return defineObject({
    name: "counter",
    vsn: 1,
    state: () => ({ count: 0, since: null as number | null }),
    handlers: {
      add: ({ state }) => ++state.count,
      since: ({ state }) => state.since,
      fail() {
        throw new Error("no");
      },
    },
    alarms: { end() {} },
    async afterLoad({ id, state, now, schedule }) {
      loads.push(id);
      await Promise.resolve();
      if (state.since !== null) return;
      state.since = now();
      schedule("end", 60_000);
    },
  });
}

test("[OJ12] afterLoad runs before the first call sees the state, and is stored with it", async () => {
  const w = world();
  const loads: string[] = [];
  const Counter = withAfterLoad(loads);
  const counter = w.node().object(Counter, "a");
  const first = await Promise.all([counter.since(), counter.add(), counter.since()]);
  assertEquals(first, [w.clock.now(), 1, w.clock.now()]);
  assertEquals([loads, (await w.index()).length, w.storage.calls.get], [["a"], 1, 1]);
  await w.node().object(Counter, "a").add();
  assertEquals([loads, await w.state()], [["a", "a"], { count: 2, since: w.clock.now() }]);
});

test("[OJ12] what afterLoad changed is stored also when the call fails", async () => {
  const w = world();
  const loads: string[] = [];
  const counter = w.node().object(withAfterLoad(loads), "a");
  await assertRejects(() => counter.fail(), /^no$/);
  assertEquals([await w.state(), (await w.index()).length], [
    { count: 0, since: w.clock.now() },
    1,
  ]);
  await counter.add();
  assertEquals(loads, ["a"]);
});

test("[OJ12] afterLoad that changes nothing writes nothing, and one that throws fails the call", async () => {
  const w = world();
  let broken = true;
  const Counter = defineObject({
    name: "counter",
    vsn: 1,
    state: () => ({ count: 0 }),
    handlers: { get: ({ state }) => state.count },
    afterLoad() {
      if (broken) throw new Error("not yet");
    },
  });
  const counter = w.node().object(Counter, "a");
  await assertRejects(() => counter.get(), /not yet/);
  broken = false;
  assertEquals([await counter.get(), w.memory.size, w.storage.calls.put], [0, 0, 0]);
});

import { defineObject } from "../../src/object/definition.ts";
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { begin, world } from "./world.ts";

/** An object that counts, and tells another one what it has counted. */
function teller() {
  const Listener = defineObject({
    name: "listener",
    vsn: 1,
    state: () => ({ heard: [] as [number, number][] }),
    handlers: {
      hear({ state, now }, count: number) {
        state.heard.push([count, now() - begin]);
      },
      get: { readOnly: true, run: ({ state }) => state.heard },
    },
  });
  const Teller = defineObject({
    name: "counter",
    vsn: 1,
    state: () => ({ count: 0 }),
    handlers: {
      add: ({ state }) => ++state.count,
      tell: ({ state, call }) => call(Listener, "one", "hear", state.count),
      tellBeside: {
        readOnly: true,
        run: ({ state, call }) => call(Listener, "one", "hear", state.count),
      },
    },
  });
  return { Teller, Listener };
}

test("[OJ41] a handler reaches another object once what it has seen is durable", async () => {
  const w = world();
  const { Teller, Listener } = teller();
  const node = w.node();
  const one = node.object(Teller, "a");
  await w.finish(one.add());
  const startedAt = w.clock.now() - begin;
  w.storage.plan = ({ operation, key }) =>
    operation === "put" && key.endsWith("counter/a") ? { kind: "none", latencyMs: 100 } : undefined;
  const added = one.add();
  const told = one.tell();
  await w.clock.advance(50);
  // Runs beside them, on what is durable, and waits for nobody.
  await w.finish(one.tellBeside(), 40);
  await w.finish(Promise.all([added, told]));
  const heard = await w.finish(node.object(Listener, "one").get());
  assertEquals(heard.map(([count]) => count), [1, 2]);
  assert((heard[1]?.[1] ?? 0) >= startedAt + 100, JSON.stringify([startedAt, heard]));
});

test("[OJ41] what was overtaken is told to nobody: the handler is run again on what there is", async () => {
  const w = world();
  const { Teller, Listener } = teller();
  const [mine, other] = [w.node(), w.node()];
  await w.finish(mine.object(Teller, "a").add());
  w.storage.plan = ({ operation, key }) =>
    operation === "put" && key.endsWith("counter/a") ? { kind: "none", latencyMs: 100 } : undefined;
  // The other one is first.
  const first = other.object(Teller, "a", { fresh: true }).add();
  await w.clock.advance(50);
  const added = mine.object(Teller, "a").add();
  const told = mine.object(Teller, "a").tell();
  assertEquals(await w.finish(Promise.all([first, added])), [2, 3]);
  await w.finish(told);
  const heard = await w.finish(mine.object(Listener, "one").get());
  assertEquals(heard.map(([count]) => count), [3]);
});

test("[OJ42] a call that a handler does not wait for fails without ending the process, and is told", async () => {
  const w = world();
  const Listener = defineObject({
    name: "listener",
    vsn: 1,
    state: () => ({}),
    handlers: {
      fail() {
        throw new Error("Not today");
      },
    },
  });
  const Caller = defineObject({
    name: "counter",
    vsn: 1,
    state: () => ({ count: 0 }),
    handlers: {
      forget({ state, call }, target: string, thrown?: string) {
        void call(target, "one", "fail");
        if (thrown !== undefined) throw new Error(thrown);
        return ++state.count;
      },
      forgetBeside: {
        readOnly: true,
        run: ({ state, call }, target: string) => {
          void call(target, "one", "fail");
          return state.count;
        },
      },
      wait: async ({ call }, target: string) =>
        await call(target, "one", "fail").catch((error: unknown) => `caught ${error}`),
      pass: ({ call }, target: string) => call(target, "one", "fail"),
    },
  });
  const node = w.node({ objects: [Listener] });
  const caller = node.object(Caller, "a");
  assertEquals(await w.finish(caller.forget("listener")), 1);
  assertEquals(await w.finish(caller.forget("nobody")), 2);
  assertEquals(await w.finish(caller.forgetBeside("nobody")), 2);
  await assertRejects(() => w.finish(caller.forget("listener", "Neither")), /Neither/);
  await w.clock.advance(1000);
  const told = () =>
    w.events.flatMap((event) =>
      event.name === "holdfast.object.call_failed"
        ? [`${event.class} ${event.ref}: ${(event.error as Error).message}`]
        : []
    );
  const unknown =
    'counter a: Cannot use object "nobody": no definition with this name was registered';
  assertEquals(told(), ["counter a: Not today", unknown, unknown, "counter a: Not today"]);
  // Whoever waits gets the error, and nobody else is told.
  assertEquals(await w.finish(caller.wait("listener")), "caught Error: Not today");
  await assertRejects(() => w.finish(caller.pass("listener")), /Not today/);
  assertEquals(told().length, 4);
});

import { defineObject } from "../../src/object/definition.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
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

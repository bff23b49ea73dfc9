import { defineObject } from "../../src/object/definition.ts";
import { assertEquals, assertRejects, test } from "../harness/mod.ts";
import { counterWith } from "./living.ts";
import { gate, second, world } from "./world.ts";

test("[OJ18] behind: what was answered and is lost while flush() waits is told by that one", async () => {
  const w = world();
  const a = w.node().object(counterWith({ durability: "behind" }), "a");
  await a.increment();
  await a.flush();
  w.storage.plan = ({ operation }) =>
    operation === "put" ? { kind: "refuse", latencyMs: 20 } : "none";
  assertEquals(await a.increment(), 2);
  const running = gate();
  const waiting = a.wait(running.opened);
  const flushed = assertRejects(() => a.flush(), "ERR_STORAGE_UNAVAILABLE");
  await w.clock.advance(10 * second);
  w.storage.plan = () => "none";
  running.open();
  await w.finish(Promise.all([waiting, flushed]));
  // It may have been somebody else's that was lost: the next one is told, too.
  await assertRejects(() => a.flush(), "ERR_STORAGE_UNAVAILABLE");
  await a.flush();
  assertEquals(await a.get(), { count: 1, slept: 0 });
});

test("[OJ18] behind: a conflict does not do what was refused, and flush() tells what it undid", async () => {
  const w = world();
  const Purse = defineObject({
    name: "purse",
    vsn: 1,
    durability: "behind",
    state: () => ({ has: 10 }),
    handlers: {
      give: ({ state }, sum: number) => state.has += sum,
      take({ state }, sum: number) {
        if (state.has < sum) throw new Error("Not so much");
        return state.has -= sum;
      },
    },
  });
  const [here, there] = [w.node().object(Purse, "a"), w.node().object(Purse, "a")];
  const both = async (sum: number): Promise<void> => {
    await there.give(sum);
    await w.finish(there.flush());
  };
  await here.take(8);
  await here.flush();
  await both(8);
  // Here nobody knows of the 8 that are back.
  const calls = [here.give(1), assertRejects(() => here.take(8), /^Not so much$/)];
  await w.finish(Promise.all(calls));
  await w.finish(here.flush());
  assertEquals(await w.state("purse/a"), { has: 11 });
  await both(-8);
  assertEquals(await here.take(5), 6);
  await assertRejects(() => w.finish(here.flush()), /^Not so much$/);
  assertEquals(await w.state("purse/a"), { has: 3 });
  await assertRejects(() => here.flush(), /^Not so much$/);
  await here.flush();
});

import { defineObject } from "../../src/object/definition.ts";
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { counterWith } from "./living.ts";
import { gate, hour, minute, second, world } from "./world.ts";

/** A counter whose `afterLoad` fails while it is told to. */
function fragile(): { Counter: ReturnType<typeof counterWith>; ill: boolean; loads: number } {
  const self = { ill: true, loads: 0 };
  const Counter = counterWith({
    hibernateAfterMs: Infinity,
    afterLoad: () => {
      self.loads++;
      if (self.ill) throw new Error("it is ill");
    },
  });
  return Object.assign(self, { Counter });
}

test("[OJ36] an object that keeps failing to start rests, longer each time", async () => {
  const w = world();
  const part = fragile();
  const node = w.node();
  const counter = node.object(part.Counter, "a");
  const rests: (number | undefined)[] = [];
  node.subscribe("holdfast.object.cool_down", (event) => {
    rests.push("restMs" in event ? event.restMs : undefined);
  });
  for (let n = 1; n <= 5; n++) await assertRejects(() => counter.get(), /it is ill/);
  assertEquals([part.loads, rests], [5, [second]]);
  const error = await assertRejects(() => counter.get(), "ERR_COOLING_DOWN");
  assert(error instanceof Error && (error.cause as Error).message === "it is ill");
  assertEquals((error as { retryable?: boolean }).retryable, true);
  assertEquals(part.loads, 5);
  // Each further failure makes the rest longer, up to five minutes.
  for (let n = 0; n < 10; n++) {
    await w.clock.advance(Math.min(5 * minute, second * 2 ** n));
    await assertRejects(() => counter.get(), /it is ill/);
    await assertRejects(() => counter.get(), "ERR_COOLING_DOWN");
  }
  assertEquals(part.loads, 15);
  assertEquals(rests.slice(0, 3), [second, 2 * second, 4 * second]);
  assertEquals(rests.at(-1), 5 * minute);
  // No other object suffers.
  await assertRejects(() => node.object(part.Counter, "b").get(), /it is ill/);
  part.ill = false;
  await w.clock.advance(5 * minute);
  assertEquals(await counter.increment(), 1);
  // Forgotten with the first success.
  part.ill = true;
  await node.objects.stop(part.Counter, "a");
  for (let n = 1; n <= 4; n++) await assertRejects(() => counter.get(), /it is ill/);
  part.ill = false;
  assertEquals(await counter.increment(), 2);
});

test("[OJ36] failures more than an hour apart, of storage, and of a newer version make nobody rest", async () => {
  const w = world();
  const part = fragile();
  const counter = w.node().object(part.Counter, "a");
  for (let n = 1; n <= 4; n++) await assertRejects(() => counter.get(), /it is ill/);
  await w.clock.advance(hour + 1);
  for (let n = 1; n <= 4; n++) await assertRejects(() => counter.get(), /it is ill/);
  await w.put("counter/b", { vsn: 9, state: {} });
  w.storage.plan = () => "refuse";
  for (let n = 1; n <= 7; n++) {
    const call = w.finish(w.node().object(part.Counter, "c").get());
    await assertRejects(() => call, "ERR_STORAGE_UNAVAILABLE");
  }
  w.storage.plan = () => "none";
  for (let n = 1; n <= 7; n++) {
    await assertRejects(() => w.node().object(part.Counter, "b").get(), "ERR_NEWER_VERSION");
  }
  assertEquals(w.told("holdfast.object.cool_down"), []);
});

test("[OJ37] start() has an object ready, is harmless twice, and ends its rest", async () => {
  const w = world();
  const part = fragile();
  const node = w.node();
  const counter = node.object(part.Counter, "a");
  for (let n = 1; n <= 5; n++) await assertRejects(() => counter.get(), /it is ill/);
  await assertRejects(() => node.objects.start(part.Counter, "a"), /it is ill/);
  for (let n = 1; n <= 4; n++) await assertRejects(() => counter.get(), /it is ill/);
  part.ill = false;
  await assertRejects(() => counter.get(), "ERR_COOLING_DOWN");
  await Promise.all([1, 2, 3].map(() => node.objects.start(part.Counter, "a")));
  assertEquals(part.loads, 11);
  assertEquals(await w.record(), undefined);
  assertEquals(await counter.increment(), 1);
  assertEquals(part.loads, 11);
  await node.close();
  await assertRejects(() => node.objects.start(part.Counter, "a"), "ERR_CLOSED");
});

test("[OJ37] what afterLoad changes at a start is stored", async () => {
  const w = world();
  const Counter = counterWith({
    afterLoad: ({ state, schedule }) => {
      state.count = 7;
      schedule("ring", second);
    },
  });
  await w.node().objects.start(Counter, "a");
  assertEquals(await w.state(), { count: 7, slept: 0 });
  await w.clock.advance(2 * second);
  assertEquals(await w.state(), { count: 8, slept: 0 });
});

test("[OJ38] a cordon lets an object finish, refuses calls, and keeps its alarms until it is gone", async () => {
  const w = world();
  const Counter = counterWith();
  const node = w.node({ objects: [Counter] });
  const [one, two] = [node.object(Counter, "a"), node.object(Counter, "b")];
  await one.ring(10 * second);
  const held = gate();
  const waiting = one.wait(held.opened);
  const cordoned = node.objects.cordon(Counter, "a");
  await assertRejects(() => one.increment(), "ERR_CORDONED");
  const refused = w.events.at(-1);
  assert(refused !== undefined && "phase" in refused && refused.phase === "exception");
  assertEquals(await two.increment(), 1);
  held.open();
  await waiting;
  await w.finish(cordoned);
  assertEquals(w.told("holdfast.object.shutdown").length, 1);
  await w.clock.advance(hour);
  assertEquals((await w.state() as { count: number }).count, 0);
  assertEquals(node.objects.uncordon(Counter, "a"), true);
  assertEquals(node.objects.uncordon(Counter, "a"), false);
  await w.clock.advance(10 * second);
  assertEquals((await one.get()).count, 1);
});

test("[OJ38] a cordon of a class holds all of it, and what its handlers had begun", async () => {
  const w = world();
  const Counter = counterWith();
  const held = gate();
  const Boss = defineObject({
    name: "boss",
    vsn: 1,
    state: () => ({}),
    handlers: {
      later: async (ctx): Promise<unknown> => {
        await held.opened;
        return await ctx.call("boss", "helper", "help");
      },
      help: () => "helped",
      ask: (ctx) => ctx.call(Counter, "a", "increment"),
    },
  });
  const node = w.node();
  const later = node.object(Boss, "a").later();
  const cordoned = node.objects.cordon(Boss);
  await assertRejects(() => node.object(Boss, "new").help(), "ERR_CORDONED");
  held.open();
  assertEquals(await w.finish(later), "helped");
  await w.finish(cordoned);
  assertEquals(node.objects.uncordon(Boss, "a"), false);
  assertEquals(node.objects.uncordon("boss"), true);
  node.object(Counter, "a");
  await w.finish(node.objects.cordon(Counter));
  await assertRejects(() => node.object(Boss, "new").ask(), "ERR_CORDONED");
});

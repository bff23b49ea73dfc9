/**
 * What the test lists of the ancestors have and no other file here: DurableObject and DurableServer,
 * both in Elixir. Everything else on those lists is proven beside what it belongs to.
 */
import { HoldfastError } from "../../src/core/errors.ts";
import { defineObject } from "../../src/object/definition.ts";
import { assert, assertEquals, assertRejects, assertThrows, test } from "../harness/mod.ts";
import { counterWith } from "./living.ts";
import { gate, minute, open, second, world } from "./world.ts";

const Counter = counterWith();

test("[OJ28] starting an object twice, also at once, gives the same one", async () => {
  const w = world();
  const node = w.node();
  await Promise.all([node.objects.start(Counter, "a"), node.objects.start(Counter, "a")]);
  await node.objects.start(Counter, "a");
  await node.object(Counter, "a").increment();
  assertEquals(w.told("holdfast.object.activate").length, 1);
  assertEquals(w.storage.calls.get, 1);
});

test("[OJ21] an object can be looked up without being started", async () => {
  const w = world();
  const node = w.node();
  assertEquals(await node.objects.exists(Counter, "a"), false);
  assertEquals(await node.objects.peek(Counter, "a"), undefined);
  await node.object(Counter, "a").increment();
  await node.close();
  const other = w.node();
  const before = w.told("holdfast.object.activate").length;
  assertEquals(await other.objects.exists(Counter, "a"), true);
  assertEquals((await other.objects.peek(Counter, "a"))?.state, { count: 1, slept: 0 });
  assertEquals(w.told("holdfast.object.activate").length, before);
});

test("[OJ19] a missing class or id is an error at once", async () => {
  const node = world().node();
  for (const id of [undefined, null, 7, ""]) {
    assertThrows(
      () => node.object(Counter, id as string),
      (error) => error instanceof TypeError || error instanceof RangeError,
    );
  }
  assertThrows(() => node.object(undefined as never, "a"), (error) => error instanceof TypeError);
  await assertRejects(() => node.objects.start("nobody", "a"), "ERR_UNKNOWN_CLASS");
});

test("[OJ3] a handler without a reply is acknowledged like any other, when its state is durable", async () => {
  const w = world();
  const Silent = defineObject({
    name: "silent",
    vsn: 1,
    state: () => ({ heard: 0 }),
    handlers: { hear: ({ state }) => void state.heard++ },
  });
  w.storage.plan = ({ operation }) =>
    operation === "put" ? { kind: "none", latencyMs: 40 } : "none";
  const call = w.node().object(Silent, "a").hear();
  await w.clock.advance(39);
  assertEquals(await w.state("silent/a"), undefined);
  assertEquals(await w.finish(call), undefined);
  assertEquals(await w.state("silent/a"), { heard: 1 });
});

test("[OJ12] afterLoad can set an alarm, which fires though nobody calls again", async () => {
  const w = world();
  const Timed = counterWith({
    afterLoad: ({ state, schedule, alarms }) => {
      if (state.slept === 0 && alarms().length === 0) schedule("ring", minute);
    },
  });
  await w.node().object(Timed, "a").get();
  assertEquals((await w.index()).length, 1);
  await w.clock.advance(minute + 10 * second);
  assertEquals(await w.state(), { count: 1, slept: 0 });
});

test("[AL8] an alarm that sets another one hands on, and one that sets itself goes on", async () => {
  const w = world();
  const Chain = defineObject({
    name: "chain",
    vsn: 1,
    state: () => ({ rang: [] as string[] }),
    handlers: { begin: ({ schedule }) => schedule("first", second) },
    alarms: {
      first: ({ state, schedule }) => {
        state.rang.push("first");
        schedule("second", second);
      },
      second: ({ state, schedule }) => {
        state.rang.push("second");
        if (state.rang.length < 4) schedule("second", second);
      },
    },
  });
  await w.node().object(Chain, "a").begin();
  await w.clock.advance(minute);
  assertEquals(await w.state("chain/a"), { rang: ["first", "second", "second", "second"] });
  assertEquals(await w.index(), []);
});

test("[AL1] cancelling all alarms of an object leaves those of the others", async () => {
  const w = world();
  const Many = defineObject({
    name: "many",
    vsn: 1,
    state: () => ({ rang: 0 }),
    handlers: {
      set: ({ schedule }) => ["one", "two", "three"].forEach((name) => schedule(name, second)),
      clear: ({ alarms, cancel }) => alarms().map(({ name }) => cancel(name)).length,
    },
    alarms: {
      one: ({ state }) => void state.rang++,
      two: ({ state }) => void state.rang++,
      three: ({ state }) => void state.rang++,
    },
  });
  const [a, b] = ["a", "b"].map((id) => w.node().object(Many, id));
  await a?.set();
  await b?.set();
  assertEquals([await a?.clear(), await a?.clear()], [3, 0]);
  await w.clock.advance(minute);
  assertEquals(await w.state("many/a"), { rang: 0 });
  assertEquals(await w.state("many/b"), { rang: 3 });
});

test("[AL8] an alarm that is cancelled while it fires has fired, and does not come again", async () => {
  const w = world();
  const held = gate();
  let runs = 0;
  const Slow = defineObject({
    name: "counter",
    vsn: 1,
    state: () => ({ count: 0 }),
    handlers: {
      ring: ({ schedule }) => schedule("ring", second),
      cancel: ({ cancel }) => cancel("ring"),
    },
    alarms: {
      ring: async ({ state }) => {
        runs++;
        await held.opened;
        state.count++;
      },
    },
  });
  const slow = w.node().object(Slow, "a");
  await slow.ring();
  await w.clock.advance(second);
  assertEquals(runs, 1);
  const cancelled = slow.cancel();
  held.open();
  assertEquals(await w.finish(cancelled), false);
  await w.clock.advance(minute);
  assertEquals([runs, (await w.state() as { count: number }).count], [1, 1]);
});

test("[AL11] a slow node that fires an alarm another has set again leaves the new one alone", async () => {
  const w = world();
  const held = gate();
  let slow = true;
  const Slow = counterWith({
    alarms: {
      ring: async ({ state }) => {
        if (slow) {
          slow = false;
          await held.opened;
        }
        state.count++;
      },
    },
  });
  const [one, two] = [w.node({ objects: [Slow] }), w.node({ objects: [Slow] })];
  await one.object(Slow, "a").ring(second);
  await w.clock.advance(second);
  // The first node is within the handler; the second one sets the alarm again, for much later.
  await two.call("counter", "a", "ring", [10 * minute], { fresh: true });
  held.open();
  await w.clock.advance(5 * minute);
  const { scheduled } = await two.objects.alarms(Slow, "a");
  assertEquals(scheduled.map(({ name, attempt }) => [name, attempt]), [["ring", 1]]);
  const before = (await w.state() as { count: number }).count;
  await w.clock.advance(6 * minute);
  assertEquals((await w.state() as { count: number }).count, before + 1);
});

test("[OJ29] a stale process never overwrites what a newer one wrote, and then goes on from it", async () => {
  const w = world();
  const [stale, newer] = [w.node(), w.node()];
  await stale.object(Counter, "a").increment();
  await newer.object(Counter, "a").increment(10);
  const rev = (await w.record())?.rev ?? 0;
  // It remembers 1; what it adds is added to 11.
  assertEquals(await w.finish(stale.object(Counter, "a").increment()), 12);
  assertEquals((await w.record())?.rev, rev + 1);
  assertEquals(w.told("holdfast.object.conflict").length, 1);
});

test("[OJ27] a stop stores the last state, also of what was answered early", async () => {
  const w = world();
  const Early = counterWith({
    durability: "behind",
    onShutdown: ({ state }) => void state.slept++,
  });
  w.storage.plan = ({ operation }) =>
    operation === "put" ? { kind: "none", latencyMs: 100 } : "none";
  const node = w.node();
  const counter = node.object(Early, "a");
  assertEquals(await counter.increment(), 1);
  assertEquals(await w.record(), undefined);
  assertEquals(await w.finish(node.close()), { complete: true, unfinished: 0 });
  assertEquals(await w.state(), { count: 1, slept: 1 });
});

test("[OJ10] forward and back: a field that a newer definition has dropped is still there for an older one", async () => {
  const w = world();
  const Old = defineObject({
    name: "counter",
    vsn: 1,
    state: () => ({ count: 0, note: "" }),
    handlers: { write: ({ state }, note: string) => void (state.note = note) },
  });
  const New = defineObject({
    name: "counter",
    vsn: 1,
    state: () => ({ count: 0 }),
    handlers: { increment: ({ state }) => ++state.count },
  });
  await w.node().object(Old, "a").write("kelp");
  assertEquals(await w.node().object(New, "a").increment(), 1);
  assertEquals(await w.state(), { count: 1, note: "kelp" });
});

test("[OJ39] every error says whether trying again can help", async () => {
  const w = world();
  const node = w.node({ limits: { mailbox: 1 } });
  const held = gate();
  const busy = [1, 2].map(() => node.object(Counter, "busy").wait(held.opened).catch((e) => e));
  const retryable = async (call: () => Promise<unknown>, code: string): Promise<boolean> => {
    const error = await assertRejects(call, code);
    assert(error instanceof HoldfastError);
    return error.retryable;
  };
  assertEquals(
    await retryable(() => node.object(Counter, "busy").increment(), "ERR_MAILBOX_FULL"),
    true,
  );
  held.open();
  await w.finish(Promise.all(busy));
  assertEquals(await retryable(() => node.call("x", "a", "get"), "ERR_UNKNOWN_CLASS"), false);
  assertEquals(
    await retryable(() => node.call(Counter, "a", "no" as "get", []), "ERR_UNKNOWN_HANDLER"),
    false,
  );
  const existing = node.object(Counter, "none", { existing: true });
  assertEquals(await retryable(() => existing.get(), "ERR_UNKNOWN_OBJECT"), false);
  await node.object(Counter, "gone").increment();
  await node.objects.delete(Counter, "gone");
  assertEquals(await retryable(() => node.object(Counter, "gone").get(), "ERR_DELETED"), false);
  await w.memory.put("app/object/counter/bad", "{");
  assertEquals(
    await retryable(() => node.object(Counter, "bad").get(), "ERR_CORRUPT_RECORD"),
    false,
  );
  await w.put("counter/newer", { vsn: 9, state: {} });
  assertEquals(
    await retryable(() => node.object(Counter, "newer").get(), "ERR_NEWER_VERSION"),
    true,
  );
  w.storage.plan = () => "refuse";
  const call = w.finish(node.object(Counter, "x").get());
  assertEquals(await retryable(() => call, "ERR_STORAGE_UNAVAILABLE"), true);
  w.storage.plan = () => "none";
  await node.close();
  assertEquals(await retryable(() => node.object(Counter, "a").get(), "ERR_CLOSED"), true);
});

test("[OJ3] without a store that lasts, objects work from memory alone", async () => {
  const w = world();
  const node = w.node({ storage: open(w.memory) });
  assertEquals(await node.object(Counter, "a").increment(3), 3);
  await node.objects.stop(Counter, "a");
  assertEquals(await node.object(Counter, "a").increment(), 4);
});

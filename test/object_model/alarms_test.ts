import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { begin, hour, minute, second, world } from "./world.ts";
import { bell } from "./ringing.ts";

const day = 24 * hour;

const Plain = bell();

test("[AL1] an alarm is stored by the write that holds what its call did", async () => {
  const w = world();
  const a = w.node().object(Plain, "x");
  await a.set("a", minute);
  const record = await w.record("bell/x");
  assertEquals([record?.rev, Object.keys(record?.state?.alarms ?? {})], [1, ["a"]]);
  await assertRejects(() => a.setAndFail("b"), /^no$/);
  assertEquals([(await a.alarms()).length, (await w.index()).length], [1, 1]);
});

test("[AL1] the same name replaces, other names stand beside it, and the list is in order of time", async () => {
  const w = world();
  const node = w.node();
  const a = node.object(Plain, "x");
  await a.set("b", 3 * minute);
  await a.set("a", 2 * minute);
  await a.set("c", 0.5);
  await a.set("b", minute);
  const expected = [["c", 1], ["b", minute], ["a", 2 * minute]] as const;
  assertEquals(
    await a.alarms(),
    expected.map(([name, ms]) => ({ name, at: begin + ms, scheduledAt: begin + ms, attempt: 1 })),
  );
  const { scheduled } = await node.objects.alarms("bell", "x");
  assertEquals(scheduled.map(({ name }) => name), ["c", "b", "a"]);
  await w.clock.advance(3 * minute);
  assertEquals([await a.rung(), await w.index()], [["c", "b", "a"], []]);
});

test("[AL1] cancelling takes back one alarm, says whether there was one, and touches no other object", async () => {
  const w = world();
  const node = w.node();
  const [x, y] = [node.object(Plain, "x"), node.object(Plain, "y")];
  for (const object of [x, y]) for (const name of ["a", "b"]) await object.set(name, minute);
  assertEquals([await x.cancel("a"), await x.cancel("a"), await x.cancel("c")], [
    true,
    false,
    false,
  ]);
  await w.clock.advance(2 * minute);
  assertEquals([await x.rung(), await y.rung(), await w.index()], [["b"], ["a", "b"], []]);
});

test("[AL3] the record decides: firing, clearing and what the handler did are one write", async () => {
  const w = world();
  const node = w.node();
  await node.object(Plain, "x").set("a", minute);
  const { put } = w.storage.calls;
  await w.clock.advance(minute);
  assertEquals(w.storage.calls.put, put + 1);
  assertEquals((await w.record("bell/x"))?.state, { vsn: 1, state: { rung: ["a"] } });
  await node.close();
  await w.clock.advance(day);
  w.node({ objects: [Plain] });
  await w.clock.advance(minute);
  assertEquals(await w.state("bell/x"), { rung: ["a"] });
});

test("[AL3] an alarm whose write fails or is lost fires again, with its effect once", async () => {
  for (const fault of ["refuse", "lose-answer", "lose-request"] as const) {
    const w = world();
    await w.node().object(Plain, "x").set("a", minute);
    let faults = 0;
    w.storage.plan = ({ operation, key }) =>
      operation === "put" && key.includes("/object/") && ++faults <= 4 ? fault : "none";
    await w.clock.advance(2 * minute);
    assertEquals(await w.state("bell/x"), { rung: ["a"] }, fault);
    assert(faults > 0);
  }
});

test("[AL4] an alarm that this process has set or loaded fires at its time", async () => {
  const w = world();
  const node = w.node({ alarms: { pollEveryMs: hour } });
  const a = node.object(Plain, "x");
  await a.set("a", 90 * second);
  await w.clock.advance(90 * second - 1);
  assertEquals(await a.rung(), []);
  await w.clock.advance(1);
  assertEquals(await a.rung(), ["a"]);
  await a.set("b", 2 * minute);
  await node.close();
  const other = w.node({ alarms: { pollEveryMs: hour } });
  await other.object(Plain, "x").rung();
  await w.clock.advance(2 * minute);
  assertEquals(await w.state("bell/x"), { rung: ["a", "b"] });
});

test("[AL4] an alarm that another process has set is found by the next look at the index", async () => {
  const w = world();
  const here = w.node();
  await here.object(Plain, "x").set("a", minute);
  await here.close();
  w.node({ objects: [Plain], alarms: { pollEveryMs: 10 * second } });
  await w.clock.advance(59 * second);
  assertEquals(await w.state("bell/x"), { rung: [] });
  await w.clock.advance(15 * second);
  assertEquals(await w.state("bell/x"), { rung: ["a"] });
});

test("[AL4] an alarm of an object that this process remembers otherwise is found all the same", async () => {
  const w = world();
  const [here, there] = [w.node(), w.node()];
  const x = here.object(Plain, "x");
  await x.set("c", 24 * hour);
  await there.object(Plain, "x").set("a", minute);
  await there.close();
  await w.clock.advance(minute + 10 * second);
  assertEquals(await w.state("bell/x"), { rung: ["a"] });
});

test("[AL5] alarms that fell due while no process was running fire after the start", async () => {
  const w = world();
  const first = w.node();
  for (const id of ["x", "y"]) await first.object(Plain, id).set("a", minute);
  await first.object(Plain, "x").set("b", 30 * second);
  await first.close();
  await w.clock.advance(day);
  w.node({ objects: [Plain] });
  await w.clock.advance(0);
  assertEquals([await w.state("bell/x"), await w.state("bell/y")], [
    { rung: ["b", "a"] },
    { rung: ["a"] },
  ]);
  assertEquals(await w.index(), []);
});

test("[AL8] an alarm that its own handler sets again is kept, for later and for now", async () => {
  const w = world();
  const Bell = bell({
    alarms: {
      a({ state, schedule }) {
        state.rung.push("a");
        if (state.rung.length < 3) schedule("a", 0);
        else schedule("b", minute);
      },
      b({ state, schedule }) {
        state.rung.push("b");
        schedule("b", minute);
      },
    },
  });
  const a = w.node().object(Bell, "x");
  await a.set("a", minute);
  await w.clock.advance(minute);
  assertEquals(await a.rung(), ["a", "a", "a"]);
  await w.clock.advance(3 * minute);
  assertEquals([await a.rung(), (await a.alarms()).length, (await w.index()).length], [
    ["a", "a", "a", "b", "b", "b"],
    1,
    1,
  ]);
});

test("[AL8] an alarm that sets itself for now forever holds up nobody", async () => {
  const w = world();
  const Bell = bell({
    alarms: {
      a: ({ state, schedule }) => {
        state.rung = ["a"];
        schedule("a", 0);
      },
      b: ({ state }) => void state.rung.push("b"),
    },
  });
  const node = w.node({ alarms: { parallel: 1 } });
  await node.object(Bell, "y").set("b", minute);
  await node.object(Bell, "x").set("a", 0);
  const turning = w.clock.advance(0);
  assertEquals(await node.object(Bell, "x").cancel("c"), false);
  assertEquals(await node.objects.delete(Bell, "x"), true);
  await turning;
  await w.clock.advance(minute);
  assertEquals(await w.state("bell/y"), { rung: ["b"] });
});

test("[AL8] a handler that cancels itself or another has its way", async () => {
  const w = world();
  const Bell = bell({
    alarms: {
      a({ state, cancel }) {
        state.rung.push(`a ${cancel("a")} ${cancel("b")}`);
      },
      b: ({ state }) => void state.rung.push("b"),
    },
  });
  const a = w.node().object(Bell, "x");
  await a.set("a", minute);
  await a.set("b", minute);
  await w.clock.advance(2 * minute);
  assertEquals([await a.rung(), await w.index()], [["a false true"], []]);
});

test("[AL9] a date in the past fires at once, and a date in the far future does not", async () => {
  const w = world();
  const a = w.node().object(Plain, "x");
  await a.set("a", new Date(0));
  await a.set("b", new Date(8.64e15));
  await a.set("c", 100 * 365 * day);
  await w.clock.advance(0);
  assertEquals([await a.rung(), (await a.alarms()).length], [["a"], 2]);
  assertEquals((await w.index()).length, 2);
});

test("[AL9] ticks that were missed come as one", async () => {
  const w = world();
  const Bell = bell({
    alarms: {
      a({ state, now, schedule }, { scheduledAt }) {
        state.rung.push(`${now() - scheduledAt}`);
        schedule("a", minute);
      },
    },
  });
  const first = w.node();
  await first.object(Bell, "x").set("a", minute);
  await first.close();
  await w.clock.advance(10 * minute);
  w.node({ objects: [Bell] });
  await w.clock.advance(minute);
  assertEquals(await w.state("bell/x"), { rung: [String(9 * minute), "0"] });
});

test("[AL10] a wall clock that jumps ahead or back fires nothing twice and loses nothing", async () => {
  const w = world();
  const a = w.node().object(Plain, "x");
  await a.set("a", hour);
  w.clock.jump(2 * hour);
  await w.clock.advance(6 * second);
  assertEquals(await a.rung(), ["a"]);
  await a.set("b", minute);
  w.clock.jump(-3 * hour);
  await w.clock.advance(2 * hour);
  assertEquals(await a.rung(), ["a"]);
  await w.clock.advance(hour + 2 * minute);
  assertEquals([await a.rung(), await w.index()], [["a", "b"], []]);
});

test("[AL14] an alarm the class does not have, and a time that is none, are refused", async () => {
  const w = world();
  const a = w.node().object(Plain, "x");
  await assertRejects(() => a.set("nobody", 0), (error) => error instanceof TypeError);
  for (const when of [-1, NaN, Infinity, new Date(NaN), 9e15, "5" as never, undefined as never]) {
    await assertRejects(() => a.set("a", when), (error) => error instanceof RangeError);
  }
  assertEquals(w.memory.size, 0);
});

test("[AL16] odd characters in names and ids make no difference", async () => {
  const w = world();
  const first = w.node();
  const ids = ["a/b", "..", "🐚 é", "x".repeat(512), "~41"];
  for (const id of ids) await first.object(Plain, id).set("né/ .. 🐚~", minute);
  await first.close();
  const node = w.node({ objects: [Plain] });
  await w.clock.advance(2 * minute);
  for (const id of ids) assertEquals(await node.object(Plain, id).rung(), ["odd"], id);
});

test("[AL17] all due alarms of an object fire, in order of time, one after the other", async () => {
  const w = world();
  let running = 0;
  const ring = (name: string) => async ({ state }: { state: { rung: string[] } }) => {
    assertEquals(++running, 1);
    await Promise.resolve();
    running--;
    state.rung.push(name);
  };
  const Bell = bell({ alarms: { a: ring("a"), b: ring("b"), c: ring("c") } });
  const first = w.node();
  const x = first.object(Bell, "x");
  await x.set("c", minute);
  await x.set("a", 2 * minute);
  await x.set("b", 3 * minute);
  await first.close();
  await w.clock.advance(hour);
  w.node({ objects: [Bell] });
  await w.clock.advance(0);
  assertEquals(await w.state("bell/x"), { rung: ["c", "a", "b"] });
});

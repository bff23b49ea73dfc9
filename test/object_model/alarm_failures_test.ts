import { assert, assertEquals, test } from "../harness/mod.ts";
import { defineObject } from "../../src/object/definition.ts";
import type { AlarmEvent } from "../../src/ports/telemetry.ts";
import { begin, hour, minute, second, type World, world } from "./world.ts";
import { bell } from "./ringing.ts";

const Plain = bell();

/** A bell whose alarm fails a number of times before it rings. */
function failing(times: number, tried: number[] = []) {
  return bell({
    alarms: {
      a({ state, now }, { attempt, scheduledAt }) {
        tried.push(now());
        state.rung.push("half");
        if (tried.length <= times) throw new Error("the line is dead");
        state.rung = [`a at try ${attempt}, set for ${scheduledAt}`];
      },
      b: ({ state }) => void state.rung.push("b"),
    },
  });
}

function alarmEvents(w: World): readonly AlarmEvent[] {
  return w.events.filter((event): event is AlarmEvent => event.name.startsWith("holdfast.alarm."));
}

test("[AL6] an alarm that fails changes nothing and is tried again, later each time", async () => {
  const w = world();
  const tried: number[] = [];
  const a = w.node().object(failing(4, tried), "x");
  await a.set("a", minute);
  await w.clock.advance(minute);
  assertEquals(await a.rung(), []);
  const [alarm] = await a.alarms();
  assertEquals([alarm?.scheduledAt, alarm?.attempt], [begin + minute, 2]);
  await w.clock.advance(2 * minute);
  assertEquals(await a.rung(), [`a at try 5, set for ${begin + minute}`]);
  const pauses = tried.slice(1).map((at, n) => at - (tried[n] ?? 0));
  for (const [n, pause] of pauses.entries()) {
    const most = 2000 * 2 ** n;
    assert(pause >= most / 2 && pause <= most + 1, `pause ${n} is ${pause}`);
  }
  assertEquals(await w.index(), []);
});

test("[AL6] the pauses grow to five minutes and not beyond", async () => {
  const w = world();
  const tried: number[] = [];
  const a = w.node({ alarms: { tries: 30 } }).object(failing(20, tried), "x");
  await a.set("a", 0);
  await w.clock.advance(5 * hour);
  const pauses = tried.slice(1).map((at, n) => at - (tried[n] ?? 0));
  assertEquals(tried.length, 21);
  assert(Math.max(...pauses) <= 5 * minute + 1 && Math.max(...pauses) > 2 * minute);
});

test("[AL6] an alarm that fails holds up neither the others nor the calls", async () => {
  const w = world();
  const a = w.node().object(failing(100), "x");
  await a.set("a", 0);
  await a.set("b", 1);
  await w.clock.advance(1);
  assertEquals(await a.rung(), ["b"]);
});

test("[AL6] an alarm that does not come to an end is a failure like any other", async () => {
  const w = world();
  let stuck = true;
  const Bell = bell({
    alarms: {
      async a({ state, signal }) {
        if (stuck) await new Promise(() => {});
        state.rung.push(signal.aborted ? "late" : "a");
      },
    },
  });
  const a = w.node().object(Bell, "x");
  await a.set("a", 0);
  await w.clock.advance(30 * second);
  stuck = false;
  await w.clock.advance(5 * second);
  assertEquals(await a.rung(), ["a"]);
  assertEquals(alarmEvents(w).map(({ name }) => name), [
    "holdfast.alarm.retry",
    "holdfast.alarm.fire",
  ]);
});

test("[AL6] an alarm that the class no longer has is tried again, for a node that has it", async () => {
  const w = world();
  const first = w.node();
  await first.object(Plain, "x").set("a", minute);
  await first.close();
  const other = w.node({ objects: [bell({ alarms: {} })] });
  await w.clock.advance(minute + 10 * second);
  assert(alarmEvents(w).every(({ name }) => name === "holdfast.alarm.retry"));
  await other.close();
  w.node({ objects: [Plain] });
  await w.clock.advance(10 * minute);
  assertEquals((await w.state("bell/x") as { rung: string[] }).rung.length, 1);
});

test("[AL7] an alarm that fails too often is parked in sight, and never dropped", async () => {
  const w = world();
  const node = w.node({ alarms: { tries: 3 } });
  const a = node.object(failing(3), "x");
  await a.set("a", minute);
  await w.clock.advance(hour);
  assertEquals((await a.alarms()).length, 0);
  const { scheduled, parked } = await node.objects.alarms("bell", "x");
  assertEquals([scheduled, parked.length], [[], 1]);
  const [alarm] = parked;
  assertEquals(alarm && { ...alarm, parkedAt: 0 }, {
    name: "a",
    scheduledAt: begin + minute,
    parkedAt: 0,
    attempts: 3,
    error: "Error: the line is dead",
  });
  const events = alarmEvents(w);
  assertEquals(events.map(({ name, attempt }) => [name, attempt]), [
    ["holdfast.alarm.retry", 1],
    ["holdfast.alarm.retry", 2],
    ["holdfast.alarm.park", 3],
  ]);
  await w.clock.advance(24 * hour);
  assertEquals([(await node.objects.alarms("bell", "x")).parked.length, await w.index()], [1, []]);
});

test("[AL7] an alarm of an object that has no room for another try is parked, not tried for ever", async () => {
  const w = world();
  const node = w.node({ limits: { maxObjectBytes: 1024 } });
  const Full = defineObject({
    name: "full",
    vsn: 1,
    state: () => ({ text: "" }),
    handlers: {
      fill({ state, schedule }, length: number) {
        state.text = "x".repeat(length);
        schedule("a", minute);
      },
    },
    alarms: {
      a() {
        throw new Error("the line is dead");
      },
    },
  });
  const full = node.object(Full, "x");
  let length = 1024;
  while (await full.fill(length).then(() => false, ({ code }) => code === "ERR_TOO_LARGE")) {
    length--;
  }
  await w.clock.advance(hour);
  const { scheduled, parked } = await node.objects.alarms(Full, "x");
  assertEquals([scheduled, parked.map(({ name }) => name), await w.index()], [[], ["a"], []]);
  assertEquals(w.told("holdfast.alarm.visit_failed"), []);
});

test("[AL7] setting a parked alarm sets it free, and cancelling it forgets it", async () => {
  const w = world();
  const node = w.node({ alarms: { tries: 1 } });
  const a = node.object(failing(2), "x");
  await a.set("a", 0);
  await w.clock.advance(second);
  assertEquals((await node.objects.alarms("bell", "x")).parked.length, 1);
  assertEquals([await a.cancel("a"), await a.cancel("a")], [true, false]);
  assertEquals((await node.objects.alarms("bell", "x")).parked, []);
  for (let n = 0; n < 2; n++) {
    await a.set("a", 0);
    await w.clock.advance(second);
  }
  assertEquals(await node.objects.alarms("bell", "x"), { scheduled: [], parked: [] });
  assertEquals((await a.rung()).length, 1);
});

test("[AL18] while storage fails alarms wait, which is told, and fire when it is back", async () => {
  const w = world();
  const first = w.node();
  await first.object(Plain, "x").set("a", minute);
  await first.close();
  w.storage.plan = () => "refuse";
  w.node({ objects: [Plain] });
  await w.clock.advance(5 * minute);
  assert(w.told("holdfast.alarm.poll_failed").length > 5);
  w.storage.plan = ({ operation }) => operation === "list" ? "none" : "refuse";
  await w.clock.advance(5 * minute);
  assert(w.told("holdfast.alarm.visit_failed").length > 1);
  w.storage.plan = () => "none";
  await w.clock.advance(6 * minute);
  assertEquals([await w.state("bell/x"), await w.index()], [{ rung: ["a"] }, []]);
});

test("[AL18] entries that are none, and objects that are damaged, are passed over", async () => {
  const w = world();
  const first = w.node();
  for (const id of ["x", "y"]) await first.object(Plain, id).set("a", minute);
  await first.close();
  for (const odd of ["0", "000000000000000", "000000000000000/bell/x", "000000000000000/a/b/!"]) {
    await w.memory.put(`app/alarm/${odd.replace("!", "-.")}`, "{}");
  }
  await w.memory.put("app/object/bell/x", "nonsense");
  w.node({ objects: [Plain] });
  await w.clock.advance(10 * minute);
  assertEquals(await w.state("bell/y"), { rung: ["a"] });
  assertEquals((await w.memory.get("app/object/bell/x"))?.value, "nonsense");
});

test("[AL18] what leads to nothing is looked at less and less often", async () => {
  const w = world();
  await w.memory.put("app/object/bell/x", "nonsense");
  await w.memory.put(`app/alarm/000000000000000/bell/x/${begin.toString(36)}.n`, "{}");
  await w.memory.put(`app/alarm/000000000000000/bell/y/${begin.toString(36)}.n`, "{}");
  w.node({ objects: [Plain] });
  await w.clock.advance(hour - minute);
  assert(w.storage.calls.get < 100, `${w.storage.calls.get} looks in an hour`);
  assert(w.storage.calls.get > 20);
});

test("[AL18] more entries that lead nowhere than fit into a page keep no alarm from firing", async () => {
  const w = world();
  for (let n = 0; n < 12_000; n++) {
    const due = String(n).padStart(15, "0");
    await w.memory.put(`app/alarm/${due}/stranger/x${n}/${begin.toString(36)}.n`, "{}");
  }
  const first = w.node();
  await first.object(Plain, "x").set("a", minute);
  await first.close();
  await w.clock.advance(hour);
  w.node({ objects: [Plain] });
  await w.clock.advance(30 * second);
  assertEquals(await w.state("bell/x"), { rung: ["a"] });
});

test("[AL6] what the last try of another object failed with is nobody else's", async () => {
  const w = world();
  const node = w.node({ alarms: { tries: 1 } });
  await node.object(failing(1), "x").set("a", 0);
  await w.clock.advance(second);
  assertEquals((await node.objects.alarms("bell", "y")).parked, []);
});

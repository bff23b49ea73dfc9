import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { hour, minute, world } from "./world.ts";
import { bell } from "./ringing.ts";

const Plain = bell();

test("[AL2] the entry of the index is there before the record, and goes after it", async () => {
  const w = world();
  const order: string[] = [];
  w.storage.plan = ({ operation, key }) => {
    if (operation !== "list" && operation !== "get") {
      order.push(`${operation} ${key.split("/")[1]}`);
    }
    return "none";
  };
  const a = w.node().object(Plain, "x");
  await a.set("a", minute);
  await a.set("a", 2 * minute);
  await a.cancel("a");
  await w.clock.advance(0);
  assertEquals(order, [
    "put alarm",
    "put object",
    "put alarm",
    "put object",
    "delete alarm",
    "put object",
    "delete alarm",
  ]);
});

test("[AL2] where the entry cannot be written, nothing is", async () => {
  const w = world();
  const a = w.node().object(Plain, "x");
  w.storage.plan = ({ operation, key }) =>
    operation === "put" && key.includes("/alarm/") ? "refuse" : "none";
  const error = await assertRejects(() => w.finish(a.set("a", minute)), "ERR_STORAGE_UNAVAILABLE");
  assertEquals([(error as { outcome?: string }).outcome, w.memory.size], ["none", 0]);
  w.storage.plan = () => "none";
  await w.finish(a.set("a", minute));
  await w.clock.advance(minute);
  assertEquals(await a.rung(), ["a"]);
});

test("[AL2] a record whose answer was lost has its entry, and its alarm fires", async () => {
  const w = world();
  const node = w.node();
  w.storage.plan = ({ operation, key }) =>
    operation === "put" && key.includes("/object/") ? "lose-answer" : "none";
  await w.finish(node.object(Plain, "x").set("a", minute)).catch(() => {});
  w.storage.plan = () => "none";
  await w.clock.advance(2 * minute);
  assertEquals(await node.object(Plain, "y").rung().then(() => w.state("bell/x")), {
    rung: ["a"],
  });
});

test("[AL11] several nodes that find the same alarm give it one effect", async () => {
  const w = world();
  let runs = 0;
  const Bell = bell({
    alarms: {
      a({ state, afterCommit }) {
        runs++;
        state.rung.push("a");
        afterCommit(() => void w.events.push({ name: "holdfast.alarm.poll_failed", ref: "mine" }));
      },
    },
  });
  const first = w.node();
  for (let n = 0; n < 20; n++) await first.object(Bell, `x${n}`).set("a", minute);
  await first.close();
  await w.clock.advance(hour);
  w.storage.plan = () => ({ kind: "none", latencyMs: 5 });
  for (let n = 0; n < 3; n++) w.node({ objects: [Bell] });
  await w.clock.advance(minute);
  for (let n = 0; n < 20; n++) assertEquals(await w.state(`bell/x${n}`), { rung: ["a"] });
  assert(runs > 20, "the nodes never met");
  assertEquals(w.events.filter((event) => "ref" in event && event.ref === "mine").length, 20);
  assertEquals(await w.index(), []);
});

test("[AL12] thousands due at once run a few at a time, and calls go on between them", async () => {
  const w = world();
  let running = 0;
  let most = 0;
  const Bell = bell({
    alarms: {
      async a({ state }) {
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => void w.clock.timer(1, resolve));
        running--;
        state.rung.push("a");
      },
    },
  });
  const first = w.node();
  await Promise.all(
    Array.from({ length: 3000 }, (_, n) => first.object(Bell, `x${n}`).set("a", minute)),
  );
  await first.close();
  await w.clock.advance(hour);
  w.storage.plan = () => ({ kind: "none", latencyMs: 1 });
  const node = w.node({ objects: [Bell], alarms: { parallel: 8 } });
  const turning = w.clock.advance(50);
  await turning;
  const left = (await w.index()).length;
  assert(left > 500 && left < 3000, `${left} are left`);
  await w.finish(node.object(Bell, "other").rung(), 20);
  await w.clock.advance(minute);
  assertEquals([await w.index(), most], [[], 8]);
  assertEquals(w.told("holdfast.alarm.fire").length, 3000);
});

test("[AL13] an entry that no record needs is removed, but not while its record may be on its way", async () => {
  const w = world();
  const first = w.node();
  await first.object(Plain, "x").set("b", 0);
  await w.clock.advance(0);
  w.storage.plan = ({ operation, key }) =>
    operation === "put" && key.includes("/object/") ? "lose-request" : "none";
  const lost = first.object(Plain, "x").set("a", minute);
  await assertRejects(() => w.finish(lost), "ERR_STORAGE_UNAVAILABLE");
  w.storage.plan = () => "none";
  await first.close();
  const left = await w.index();
  w.node({ objects: [Plain] });
  await w.clock.advance(59 * minute);
  assertEquals([left.length, await w.index()], [1, left]);
  await w.clock.advance(11 * minute);
  assertEquals([await w.index(), await w.state("bell/x")], [[], { rung: ["b"] }]);
});

test("[AL13] an entry that a process has left which was killed goes with the first look at it", async () => {
  const w = world();
  const killed = w.node();
  await killed.object(Plain, "x").set("a", minute);
  await killed.object(Plain, "y").set("a", minute);
  await killed.object(Plain, "y").set("b", 2 * minute);
  w.storage.plan = ({ operation }) => operation === "delete" ? "refuse" : "none";
  await killed.object(Plain, "y").cancel("a");
  await w.clock.advance(minute);
  await w.finish(killed.close());
  const [rung, cancelled, set] = await w.index();
  assert(rung?.includes("/bell/x/") && cancelled?.includes("/bell/y/"), `${rung} ${cancelled}`);
  w.storage.plan = () => "none";
  w.node({ objects: [Plain] });
  await w.clock.advance(1);
  assertEquals([await w.state("bell/x"), await w.index()], [{ rung: ["a"] }, [set]]);
});

test("[AL13] an entry that is looked at before its record has come is of use all the same", async () => {
  const w = world();
  const there = w.node();
  w.node({ objects: [Plain], alarms: { pollEveryMs: 1000 } });
  w.storage.plan = ({ operation, key }) =>
    operation === "put" && key.includes("/object/") ? { kind: "none", latencyMs: 1900 } : "none";
  const setting = there.object(Plain, "x").set("a", 0);
  await w.clock.advance(1850);
  assertEquals([(await w.index()).length, await w.record("bell/x")], [1, undefined]);
  w.storage.plan = () => "none";
  await w.finish(setting);
  await there.close();
  await w.clock.advance(minute);
  assertEquals([await w.state("bell/x"), await w.index()], [{ rung: ["a"] }, []]);
});

test("[AL15] an alarm of a class that this node does not know is left for one that does", async () => {
  const w = world();
  const first = w.node();
  await first.object(Plain, "x").set("a", minute);
  await first.close();
  w.node({ objects: [bell({ name: "gong" })] });
  await w.clock.advance(3 * hour);
  assertEquals((await w.index()).length, 1);
  w.node({ objects: [Plain] });
  await w.clock.advance(minute);
  assertEquals([await w.state("bell/x"), await w.index()], [{ rung: ["a"] }, []]);
});

test("[AL15] an alarm of an object that a newer definition wrote is left for a node that has it", async () => {
  const w = world();
  const first = w.node();
  await first.object(bell({ vsn: 2 }), "x").set("a", minute);
  await first.close();
  const old = w.node({ objects: [Plain] });
  await w.clock.advance(3 * hour);
  assertEquals([(await w.index()).length, (await w.record("bell/x"))?.rev], [1, 1]);
  await old.close();
  w.node({ objects: [bell({ vsn: 2 })] });
  await w.clock.advance(minute);
  assertEquals(await w.state("bell/x"), { rung: ["a"] });
});

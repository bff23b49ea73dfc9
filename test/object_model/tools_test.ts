import * as v from "valibot";
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import {
  assertAlarmScheduled,
  assertPersisted,
  drainAlarms,
  fireAlarm,
  performAlarm,
  performHandler,
  refuteAlarmScheduled,
} from "../../adapters/testing/mod.ts";
import { defineObject } from "../../src/object/definition.ts";
import { bell } from "./ringing.ts";
import { begin, minute, second, world } from "./world.ts";

const Order = defineObject({
  name: "order",
  vsn: 1,
  state: () => ({ items: [] as string[], paid: false, at: 0 }),
  handlers: {
    add({ state, now, schedule, afterCommit, id }, item: string) {
      state.items.push(item);
      state.at = now();
      schedule("expire", minute);
      afterCommit(() => void mails.push(`${id}: ${item}`));
      return state.items;
    },
    items: { readOnly: true, run: ({ state }) => state.items.length },
    pay: {
      args: v.tuple([v.number()]),
      async run({ state, call, id, cancel }, amount: number) {
        state.paid = await call("bank", id, "charge", amount) === true;
        cancel("expire");
      },
    },
    fail({ state }) {
      state.paid = true;
      throw new Error("no");
    },
    spoil({ state }) {
      (state as Record<string, unknown>)["at"] = new Date(0);
    },
    lot: ({ random }) => random(),
  },
  alarms: {
    expire({ state, schedule }, { attempt, scheduledAt }) {
      if (attempt === 1) throw new Error(`set for ${scheduledAt}`);
      state.items = [];
      schedule("expire", 1000);
    },
  },
});

const mails: string[] = [];

test("[OT1] a handler on its own tells reply, state, alarms and effects", async () => {
  const state = { items: ["a"], paid: false, at: 0 };
  const done = await performHandler(Order, "add", ["b"], { id: "o-1", state, now: 5000 });
  assertEquals(
    { ...done, effects: done.effects.length },
    {
      reply: ["a", "b"],
      state: { items: ["a", "b"], paid: false, at: 5000 },
      changed: true,
      alarms: [{ name: "expire", at: 65_000, scheduledAt: 65_000, attempt: 1 }],
      effects: 1,
    },
  );
  assertEquals([mails, state.items], [[], ["a"]]);
  for (const effect of done.effects) await effect();
  assertEquals(mails, ["o-1: b"]);
});

test("[OT1] without an object a handler runs on a new one, and chance repeats", async () => {
  const { reply, changed, state } = await performHandler(Order, "items", []);
  assertEquals([reply, changed, state], [0, false, Order.state()]);
  const lots = [await performHandler(Order, "lot", []), await performHandler(Order, "lot", [])];
  assertEquals(lots[0]?.reply, lots[1]?.reply);
});

test("[OT1] other objects are answered for, and what a call is refused with rejects", async () => {
  const asked: unknown[] = [];
  const paid = await performHandler(Order, "pay", [7], {
    id: "o-1",
    alarms: { expire: 99 },
    call: (...call) => {
      asked.push(call);
      return true;
    },
  });
  assertEquals([paid.state.paid, paid.alarms, asked], [true, [], [["bank", "o-1", "charge", [7]]]]);
  await assertRejects(
    () => performHandler(Order, "pay", [7]),
    (error) => error instanceof TypeError,
  );
  await assertRejects(() => performHandler(Order, "pay", ["7" as never]), "ERR_INVALID_ARGUMENTS");
  await assertRejects(() => performHandler(Order, "fail", []), /^no$/);
  await assertRejects(() => performHandler(Order, "spoil", []), "ERR_INVALID_VALUE");
  await assertRejects(() => performHandler(Order, "none" as "fail", []), "ERR_UNKNOWN_HANDLER");
});

test("[OT2] an alarm on its own is told when it was set for and which try it is", async () => {
  const state = { items: ["a"], paid: false, at: 0 };
  await assertRejects(
    () => performAlarm(Order, "expire", { state, now: 50, alarms: { expire: 40 } }),
    /^set for 40$/,
  );
  const done = await performAlarm(Order, "expire", { state, now: 50, attempt: 2 });
  assertEquals([done.state.items, done.alarms.map(({ at }) => at)], [[], [1050]]);
  await assertRejects(() => performAlarm(Order, "none"), (error) => error instanceof TypeError);
});

const Bell = bell();

test("[OT3] an alarm is fired now whatever its time, and only the one", async () => {
  const w = world();
  const node = w.node();
  const x = node.object(Bell, "x");
  await x.set("a", 24 * 60 * minute);
  await x.set("b", minute);
  await fireAlarm(node, Bell, "x", "a");
  assertEquals([await x.rung(), (await w.index()).length], [["a"], 1]);
  const error = await assertRejects(() => fireAlarm(node, "bell", "x", "a"));
  assert(error.message.includes('"b" for 2001-09-09T01:47:40.000Z'), error.message);
  await assertRejects(() => fireAlarm(node, Bell, "nobody", "a"), /none is set/);
});

test("[OT3] a parked alarm can be fired, and a failure rejects and counts", async () => {
  const w = world();
  let broken = true;
  const Broken = bell({
    alarms: {
      a({ state }, { attempt }) {
        if (broken) throw new Error("the line is dead");
        state.rung.push(`try ${attempt}`);
      },
    },
  });
  const node = w.node({ alarms: { tries: 2 } });
  await node.object(Broken, "x").set("a", minute);
  await assertRejects(() => fireAlarm(node, Broken, "x", "a"), /the line is dead/);
  await assertAlarmScheduled(node, Broken, "x", "a", { at: begin + minute });
  await assertRejects(() => fireAlarm(node, Broken, "x", "a"), /the line is dead/);
  assertEquals((await node.objects.alarms(Broken, "x")).parked.length, 1);
  broken = false;
  await fireAlarm(node, Broken, "x", "a");
  assertEquals(await node.objects.alarms(Broken, "x"), { scheduled: [], parked: [] });
  assertEquals([await w.state("bell/x"), await w.index()], [{ rung: ["try 3"] }, []]);
});

test("[OT4] everything that is due fires, and what that sets for now", async () => {
  const w = world();
  const Chain = bell({
    alarms: {
      a({ state, schedule }) {
        state.rung.push("a");
        if (state.rung.length < 3) schedule("a", 0);
        schedule("b", minute);
      },
      b: () => {
        throw new Error("not now");
      },
    },
  });
  const first = w.node();
  for (const id of ["x", "y"]) await first.object(Chain, id).set("a", minute);
  await first.object(Chain, "z").set("b", minute);
  await first.close();
  const node = w.node({ objects: [Chain], alarms: { pollEveryMs: 3_600_000 } });
  await w.clock.advance(second);
  w.clock.jump(minute);
  assertEquals(await drainAlarms(node), { fired: 6, failed: 1 });
  assertEquals(await drainAlarms(node), { fired: 0, failed: 0 });
  await assertPersisted(node, Chain, "x", { rung: ["a", "a", "a"] });
  await node.close();
  await assertRejects(() => drainAlarms(node), "ERR_CLOSED");
});

test("[OT4] an alarm that sets itself for now forever does not keep it from ending", async () => {
  const w = world();
  const Forever = bell({ alarms: { a: ({ schedule }) => schedule("a", 0) } });
  const node = w.node();
  await node.object(Forever, "x").set("a", 0);
  const { fired } = await drainAlarms(node);
  assert(fired >= 100);
  await node.close();
});

test("[OT4] a listing that fails is told to who asked", async () => {
  const w = world();
  const node = w.node({ objects: [Bell] });
  w.storage.plan = ({ operation }) => operation === "list" ? "refuse" : "none";
  await assertRejects(() => w.finish(drainAlarms(node)), "ERR_STORAGE_UNAVAILABLE");
});

test("[OT5] what is stored is as expected, or the message says what it is", async () => {
  const node = world().node();
  const x = node.object(Bell, "x");
  await assertPersisted(node, Bell, "x", undefined);
  await assertRejects(
    () => assertPersisted(node, Bell, "x", { rung: [] }),
    /^Expected \{"rung":\[\]\} to be stored, found undefined$/,
  );
  await x.set("a", minute);
  await assertPersisted(node, "bell", "x", { rung: [] });
  await assertPersisted(node, Bell, "x", (state) => "rung" in state);
  for (const wrong of [undefined, { rung: ["a"] }, {}, () => false]) {
    await assertRejects(() => assertPersisted(node, Bell, "x", wrong), /found \{"rung":\[\]\}$/);
  }
  await assertRejects(
    () => assertPersisted(node, Bell, "x", { rung: new Map() }),
    (error) => error instanceof TypeError,
  );
});

test("[OT5] an alarm is set or it is not, and for its time", async () => {
  const node = world().node();
  await node.object(Bell, "x").set("a", minute);
  await assertAlarmScheduled(node, Bell, "x", "a");
  await assertAlarmScheduled(node, Bell, "x", "a", { at: new Date(begin + minute) });
  await refuteAlarmScheduled(node, Bell, "x", "b");
  for (
    const wrong of [
      () => assertAlarmScheduled(node, Bell, "x", "b"),
      () => assertAlarmScheduled(node, Bell, "y", "a"),
      () => assertAlarmScheduled(node, Bell, "x", "a", { at: begin }),
      () => refuteAlarmScheduled(node, Bell, "x", "a"),
    ]
  ) await assertRejects(wrong, /^Expected alarm "[ab]" /);
});

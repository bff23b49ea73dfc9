import { assert, assertEquals, assertRejects, assertThrows, test } from "../harness/mod.ts";
import { defineObject } from "../../src/object/definition.ts";
import type { TelemetryEvent } from "../../src/ports/telemetry.ts";
import { counterWith } from "./living.ts";
import { open, second, world } from "./world.ts";

test("[OJ32] calls are told with class, handler and duration, and no argument, state or reply", async () => {
  const w = world();
  w.storage.plan = (call) => call.operation === "put" ? { kind: "none", latencyMs: 40 } : "none";
  const counter = w.node().object(counterWith(), "a-very-long-and-private-id");
  await w.finish(counter.increment(123_456_789));
  await assertRejects(() => w.node().call("counter", "a", "increment"), "ERR_UNKNOWN_CLASS");
  const calls = w.events.filter((event) => event.name === "holdfast.object.call");
  const { id = "", within } = calls[0] ?? {};
  assert(id.length > 0 && within !== undefined);
  assertEquals(calls, [
    {
      name: "holdfast.object.call",
      id,
      ref: "a-very-l",
      class: "counter",
      handler: "increment",
      phase: "start",
      within,
    },
    {
      name: "holdfast.object.call",
      id,
      ref: "a-very-l",
      class: "counter",
      handler: "increment",
      phase: "stop",
      durationMs: 40,
    },
  ]);
  assert(!JSON.stringify(w.events).includes("123456789"));
  assert(!JSON.stringify(w.events).includes("private"));
});

test("[OJ32] what an asynchronous listener rejects with ends nobody's process", async () => {
  const w = world();
  let rejections = 0;
  const fails = () => {
    const failing = Promise.reject(new Error("a broken listener"));
    // The runtime would end the process over it, or the test; whether somebody cares is what counts.
    const caught = failing.catch.bind(failing);
    failing.catch = (caring) => {
      rejections++;
      return caught(caring);
    };
    return failing;
  };
  const node = w.node({ telemetry: fails });
  node.subscribe("holdfast.object.activate", fails);
  await node.object(counterWith(), "a").increment();
  assert(rejections >= 3, `${rejections} were cared for`);
});

test("[OJ32] subscribe() hears the events of a pattern until it is ended", async () => {
  const w = world();
  const node = w.node({
    telemetry: () => {
      throw new Error("a broken listener");
    },
  });
  const heard: Record<string, string[]> = { exact: [], objects: [], all: [] };
  const into = (list: string) => ({ name }: TelemetryEvent) => void heard[list]?.push(name);
  const ends = [
    node.subscribe("holdfast.object.activate", into("exact")),
    node.subscribe("holdfast.object.*", into("objects")),
    node.subscribe("*", into("all")),
  ];
  await node.object(counterWith(), "a").increment();
  assertEquals(heard["exact"], ["holdfast.object.activate"]);
  assertEquals(heard["objects"], [
    "holdfast.object.call",
    "holdfast.object.activate",
    "holdfast.object.call",
  ]);
  assert((heard["all"]?.length ?? 0) > 3);
  for (const end of ends) end();
  await node.object(counterWith2, "a").get();
  assertEquals(heard["exact"]?.length, 1);
  for (const pattern of ["", "a b", "holdfast.*.x", "*x"]) {
    assertThrows(() => node.subscribe(pattern, () => {}), (error) => error instanceof TypeError);
  }
  assertThrows(() => node.subscribe("*", undefined as never), (e) => e instanceof TypeError);
});

const counterWith2 = defineObject({
  name: "second",
  vsn: 1,
  state: () => ({}),
  handlers: { get: () => 1 },
});

test("[OJ34] processes with different namespaces on one storage never meet", async () => {
  const w = world();
  const Counter = counterWith();
  const [one, two] = [w.node({ namespace: "one" }), w.node({ namespace: "two" })];
  await one.object(Counter, "a").increment();
  await one.object(Counter, "a").ring(second);
  assertEquals(await two.object(Counter, "a").increment(5), 5);
  await w.clock.advance(20 * second);
  assertEquals((await one.object(Counter, "a").get()).count, 2);
  assertEquals((await two.object(Counter, "a").get()).count, 5);
  assertEquals(await open(w.memory).list("app/"), []);
});

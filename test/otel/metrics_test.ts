import * as api from "@opentelemetry/api";
import { mappings } from "../../adapters/otel/events.ts";
import { otelTelemetry } from "../../adapters/otel/mod.ts";
import { importApi } from "../../adapters/otel/api.ts";
import { loadOtelTelemetry } from "../../adapters/otel/telemetry.ts";
import { HoldfastError } from "../../src/core/errors.ts";
import type { Telemetry, TelemetryEvent } from "../../src/ports/telemetry.ts";
import { assert, assertEquals, assertRejects, assertThrows, test } from "../harness/mod.ts";
import { sourceFile } from "./source.ts";
import { counterWith } from "../object_model/living.ts";
import { gate, minute, second, world } from "../object_model/world.ts";
import { type Point, registerSdk, type Sdk } from "./sdk.ts";

const sdk: Sdk = registerSdk();
const Counter = counterWith();

/** The labels and the value of each point, in an order that does not depend on the SDK. */
function sorted(points: readonly Point[]): readonly string[] {
  return points.map(({ labels, value }) => {
    const shown = Object.entries(labels).map(([key, label]) => `${key}=${label}`).sort().join(" ");
    const count = typeof value === "number" ? value : `${value.count} in ${value.sum} s`;
    return `${shown}: ${count}`;
  }).sort();
}

test("[OE6] durations are histograms in seconds, with labels of few values", async () => {
  await sdk.reset();
  const w = world();
  w.storage.plan = ({ operation }) =>
    operation === "put" ? { kind: "none", latencyMs: 250 } : "none";
  const node = w.node({ telemetry: otelTelemetry({ api }) });
  for (const id of ["a", "b"]) await w.finish(node.object(Counter, id).increment());
  await assertRejects(
    () => node.call(Counter, "a", "drop tables" as "get", []),
    "ERR_UNKNOWN_HANDLER",
  );
  assertEquals(sorted(await sdk.points("holdfast.object.call.duration")), [
    "error.type=ERR_UNKNOWN_HANDLER holdfast.class=counter holdfast.handler=_OTHER: 1 in 0 s",
    "holdfast.class=counter holdfast.handler=increment: 2 in 0.5 s",
  ]);
  assertEquals(
    sorted(await sdk.points("holdfast.storage.duration")).filter((p) => !p.includes("list")),
    [
      "holdfast.operation=get holdfast.result=absent: 2 in 0 s",
      "holdfast.operation=put holdfast.result=ok: 2 in 0.5 s",
    ],
  );
  const all = await sdk.described();
  for (const { name, unit, description } of all) {
    assert(name.startsWith("holdfast.") && description !== "", name);
    assert(name.endsWith("duration") ? unit === "s" : /^\{\w+\}$/.test(unit), `${name} in ${unit}`);
    for (const { labels } of await sdk.points(name)) {
      for (const label of Object.keys(labels)) {
        assert(label !== "holdfast.ref" && label !== "holdfast.attempt", `${name} has ${label}`);
      }
    }
  }
});

test("[OE7] what is under way is counted up and down", async () => {
  await sdk.reset();
  const w = world();
  const node = w.node({ telemetry: otelTelemetry({ api }) });
  const held = gate();
  const waiting = node.object(Counter, "a").wait(held.opened);
  await w.clock.advance(1);
  const active = async () => sorted(await sdk.points("holdfast.object.active_calls"));
  assertEquals(await active(), ["holdfast.class=counter: 1"]);
  const failing = node.call(Counter, "a", "nothing" as "get", []).catch(() => {});
  held.open();
  await w.finish(waiting);
  await failing;
  assertEquals(await active(), ["holdfast.class=counter: 0"]);
  for (const line of sorted(await sdk.points("holdfast.storage.active_calls"))) {
    assert(line.endsWith(": 0"), line);
  }
});

test("[OE8] everything else is counted: conflicts, evictions, alarms that retry and park, sweeps", async () => {
  await sdk.reset();
  const w = world();
  const Failing = counterWith({
    alarms: {
      ring: () => {
        throw new Error("on purpose");
      },
    },
  });
  const telemetry = otelTelemetry({ api });
  const [one, two] = [1, 2].map(() => w.node({ telemetry, alarms: { tries: 2 } }));
  await w.finish(one!.object(Failing, "a").increment());
  await w.finish(two!.object(Failing, "a").increment());
  await w.finish(one!.object(Failing, "a").increment());
  await w.finish(one!.object(Failing, "b").ring(second));
  await w.clock.advance(10 * minute);
  await two!.sweep();
  const value = async (name: string) => sorted(await sdk.points(name));
  assertEquals(await value("holdfast.object.conflict"), ["holdfast.class=counter: 1"]);
  assertEquals(await value("holdfast.object.replays"), ["holdfast.class=counter: 1"]);
  const alarm = "error.type=Error holdfast.alarm=ring holdfast.class=counter";
  assertEquals(await value("holdfast.alarm.retry"), [`${alarm}: 1`]);
  assertEquals(await value("holdfast.alarm.park"), [`${alarm}: 1`]);
  assertEquals(await value("holdfast.session.sweep"), [": 1"]);
  assertEquals(await value("holdfast.session.removed"), [": 0"]);
  assert((await value("holdfast.object.hibernate")).length === 1);
});

test("[OE8] how late an alarm was is a histogram", async () => {
  await sdk.reset();
  const w = world();
  const first = w.node({ telemetry: otelTelemetry({ api }) });
  await w.finish(first.object(Counter, "a").ring(second));
  await w.finish(first.close());
  await w.clock.advance(minute);
  w.node({ telemetry: otelTelemetry({ api }), objects: [Counter] });
  await w.clock.advance(10 * second);
  assertEquals(sorted(await sdk.points("holdfast.alarm.lateness")), [
    "holdfast.alarm=ring holdfast.class=counter: 1 in 59 s",
  ]);
});

test("[OE9] every event of the union has its line in the table, and each line an event", async () => {
  const text = await sourceFile("src/ports/telemetry.ts");
  const names = Array.from(text.matchAll(/"(holdfast\.[a-z_.]+)"/g), ([, name]) => name);
  assert(names.length > 30, "the union was not found");
  assertEquals([...new Set(names)].sort(), Object.keys(mappings).sort());
});

test("[OE9] each event ends up in a metric, also one that nobody knows, and a broken one harms nobody", async () => {
  const telemetry: Telemetry = otelTelemetry({ api });
  for (const name of [...Object.keys(mappings), "holdfast.from.the_future"]) {
    await sdk.reset();
    const event = { name, ref: "abc", error: new HoldfastError("ERR_CLOSED", "Cannot") };
    // Made by hand, so that no event is left out.
    telemetry(event as unknown as TelemetryEvent);
    const counted = await sdk.points(name);
    assertEquals(sorted(counted).map((line) => line.includes("ERR_CLOSED")), [true], name);
  }
});

test("[OE10] an SDK that is registered later is used from then on", async () => {
  api.metrics.disable();
  const w = world();
  const node = w.node({ telemetry: otelTelemetry({ api }) });
  await w.finish(node.object(Counter, "a").increment());
  await sdk.reset();
  await w.finish(node.object(Counter, "a").increment());
  assertEquals(sorted(await sdk.points("holdfast.object.call.duration")), [
    "holdfast.class=counter holdfast.handler=increment: 1 in 0 s",
  ]);
});

test("[OE10] the module is loaded when asked for, and named where it is missing", async () => {
  await sdk.reset();
  const w = world();
  const node = w.node({ telemetry: await loadOtelTelemetry({ spans: false }) });
  const before = sdk.spans.length;
  await w.finish(node.object(Counter, "a").increment());
  assertEquals((await sdk.points("holdfast.object.call.duration")).length, 1);
  assertEquals(sdk.spans.length, before);
  const missing = () => importApi("@opentelemetry/api-that-is-not-there");
  await assertRejects(missing, /"@opentelemetry\/api-that-is-not-there" is missing, run "\w+ /);
});

test("[OE10] options that make no sense are a TypeError", () => {
  const isTypeError = (error: Error) => error instanceof TypeError;
  assertThrows(() => otelTelemetry({} as never), isTypeError);
  assertThrows(() => otelTelemetry({ api: {} as never }), isTypeError);
  assertThrows(() => otelTelemetry({ api, storageSpans: "some" as never }), isTypeError);
});

import * as api from "@opentelemetry/api";
import { otelTelemetry } from "../../adapters/otel/mod.ts";
import { defineObject } from "../../src/object/definition.ts";
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { gate, minute, second, type World, world } from "../object_model/world.ts";
import { ms, parentOf, registerSdk, type Sdk } from "./sdk.ts";

const sdk: Sdk = registerSdk();
const tracer = api.trace.getTracer("the application");

class OutOfKelp extends Error {}

const Shop = defineObject({
  name: "shop",
  vsn: 1,
  state: () => ({ kelp: 3, secret: "" }),
  handlers: {
    take({ state }, secret = "") {
      tracer.startSpan("within the handler").end();
      if (state.kelp === 0) throw new OutOfKelp(`none left for ${secret}`);
      state.secret = secret;
      return --state.kelp;
    },
    wait: ({ state }, until: Promise<void>) => {
      state.kelp++;
      return until.then(() => void tracer.startSpan("after waiting").end());
    },
    look: { run: ({ state }) => state.kelp, readOnly: true },
    later: ({ schedule }) => schedule("restock", 10 * second),
    notify({ afterCommit, state }) {
      state.kelp++;
      afterCommit(() => void tracer.startSpan("effect").end());
    },
    forward: async (ctx) => await ctx.call("shop", "b", "take"),
  },
  alarms: {
    restock: ({ state }, { attempt }): void => {
      if (attempt < 3) throw new Error(`the truck with ${state.secret} is late`);
      state.kelp = 10;
    },
  },
});

/** A world whose nodes are traced in its time. */
async function traced(): Promise<World> {
  await sdk.reset();
  const w = world();
  const now = () => w.clock.now();
  return { ...w, node: (o) => w.node({ telemetry: otelTelemetry({ api, now }), ...o }) };
}

/** Runs something within a span of the application. */
function request<T>(name: string, run: () => Promise<T>): Promise<T> {
  return tracer.startActiveSpan(name, (span) => run().finally(() => span.end()));
}

const named = (name: string) => sdk.spans.filter((span) => span.name === name);

test("[OE1] a call is a span within the request, and its storage calls and its handler are within it", async () => {
  const w = await traced();
  w.storage.plan = ({ operation }) => ({
    kind: "none",
    latencyMs: operation === "put" ? 40 : 5,
  });
  const shop = w.node().object(Shop, "a-long-private-id");
  await request("GET /", () => w.finish(shop.take("kelp for Ann")));
  const [call] = named("call shop.take");
  assertEquals(parentOf(sdk, call), "GET /");
  assertEquals([ms(call!.startTime), ms(call!.endTime)].map((at) => at - 1e12), [0, 45]);
  assertEquals(call?.attributes, {
    "holdfast.class": "shop",
    "holdfast.handler": "take",
    "holdfast.ref": "a-long-p",
  });
  const [get, put, inside] = [
    named("storage get")[0],
    named("storage put")[0],
    named("within the handler")[0],
  ];
  for (const span of [get, put, inside]) assertEquals(parentOf(sdk, span), "call shop.take");
  assertEquals([ms(get!.startTime), ms(get!.endTime)].map((at) => at - 1e12), [0, 5]);
  assertEquals([ms(put!.startTime), ms(put!.endTime)].map((at) => at - 1e12), [5, 45]);
  assertEquals(put?.attributes, {
    "holdfast.operation": "put",
    "holdfast.result": "ok",
    "holdfast.ref": "a-long-p",
    "holdfast.attempt": 1,
  });
  assert(!JSON.stringify(sdk.spans.map(({ attributes }) => attributes)).includes("Ann"));
});

test("[OE1] what the loop of one request does for another is within the span of the other", async () => {
  const w = await traced();
  const shop = w.node().object(Shop, "a");
  const held = gate();
  const one = request("one", () => shop.wait(held.opened));
  const two = request("two", () => shop.take());
  await w.clock.advance(1);
  held.open();
  await w.finish(Promise.all([one, two]));
  assertEquals(parentOf(sdk, named("within the handler")[0]), "call shop.take");
  assertEquals(parentOf(sdk, named("after waiting")[0]), "call shop.wait");
  assertEquals(parentOf(sdk, named("call shop.take")[0]), "two");
  const traces = new Map(sdk.spans.map((span) => [span.name, span.spanContext().traceId]));
  assertEquals(traces.get("within the handler"), traces.get("two"));
  assert(traces.get("one") !== traces.get("two"));
  // A write of its own, for each that needed one.
  const puts = named("storage put").map((span) => parentOf(sdk, span));
  assertEquals(puts[0], "call shop.wait");
});

test("[OE1] effects, read-only handlers and calls of other objects are within their call", async () => {
  const w = await traced();
  const shop = w.node().object(Shop, "a");
  await w.finish(shop.notify());
  await w.finish(shop.look());
  await w.finish(shop.forward());
  assertEquals(parentOf(sdk, named("effect")[0]), "call shop.notify");
  assertEquals(parentOf(sdk, named("call shop.take")[0]), "call shop.forward");
  assertEquals(parentOf(sdk, named("call shop.look")[0]), undefined);
});

test("[OE2] an error is told by its class or code, and in words only if they are ours", async () => {
  const w = await traced();
  const node = w.node();
  const shop = node.object(Shop, "a");
  for (let n = 0; n < 3; n++) await w.finish(shop.take());
  await sdk.reset();
  await assertRejects(() => shop.take("the password"), /none left/);
  const [call] = named("call shop.take");
  assertEquals(call?.status, { code: api.SpanStatusCode.ERROR });
  assertEquals(call?.attributes["error.type"], "OutOfKelp");
  assertEquals(call?.events, []);
  await assertRejects(
    () => node.call(Shop, "a", "the password" as "take", []),
    "ERR_UNKNOWN_HANDLER",
  );
  const [unknown] = named("call shop._OTHER");
  assertEquals(unknown?.attributes["error.type"], "ERR_UNKNOWN_HANDLER");
  assertEquals(unknown?.attributes["holdfast.handler"], "_OTHER");
  assertEquals(unknown?.status.code, api.SpanStatusCode.ERROR);
  w.storage.plan = () => "refuse";
  await assertRejects(() => w.finish(node.object(Shop, "b").take()), "ERR_STORAGE_UNAVAILABLE");
  const tries = named("storage get");
  assertEquals(tries.map(({ attributes }) => attributes["holdfast.attempt"]), [1, 2, 3]);
  for (const { attributes, status } of tries) {
    assertEquals(attributes["error.type"], "ERR_STORAGE_UNAVAILABLE");
    assertEquals(status, {
      code: api.SpanStatusCode.ERROR,
      message: "Cannot get: an injected fault",
    });
  }
  const all = JSON.stringify(
    sdk.spans.map(({ attributes, events, status }) => [attributes, events, status]),
  );
  assert(!all.includes("none left"), all);
});

test("[OE3] an alarm is a span with its time and its try, failed or not", async () => {
  const w = await traced();
  const node = w.node();
  await request("the request that set it", () => w.finish(node.object(Shop, "a").take("s3cret")));
  await w.finish(node.object(Shop, "a").later());
  await sdk.reset();
  await w.clock.advance(minute);
  const alarms = named("alarm shop.restock");
  assertEquals(alarms.map(({ attributes }) => attributes["holdfast.attempt"]), [1, 2, 3]);
  assertEquals(alarms.map(({ attributes }) => attributes["error.type"]), [
    "Error",
    "Error",
    undefined,
  ]);
  assertEquals(alarms.map(({ status }) => status.code), [2, 2, 0]);
  const [first] = alarms;
  assertEquals(ms(first!.startTime) - 1e12, 10 * second);
  assertEquals(first?.attributes["holdfast.class"], "shop");
  assert(
    !JSON.stringify(alarms.map(({ status, attributes }) => [status, attributes])).includes(
      "s3cret",
    ),
  );
});

test("[OE4] what has no duration is told by the span it happens in", async () => {
  const w = await traced();
  const [one, two] = [w.node(), w.node()];
  await w.finish(one.object(Shop, "a").take());
  await w.finish(two.object(Shop, "a").take());
  await sdk.reset();
  await w.finish(one.object(Shop, "a").take());
  const [call] = named("call shop.take");
  const conflict = call?.events.find(({ name }) => name === "holdfast.object.conflict");
  assertEquals(conflict?.attributes, {
    "holdfast.class": "shop",
    "holdfast.ref": "a",
    "holdfast.calls": 1,
  });
});

test("[OE5] storage calls are spans within others, or all of them, or none", async () => {
  for (const storageSpans of ["nested", "all", "none"] as const) {
    const w = await traced();
    const node = w.node({ telemetry: otelTelemetry({ api, storageSpans }), objects: [Shop] });
    await w.finish(node.object(Shop, "a").take());
    await w.clock.advance(minute);
    const count = (name: string) => named(name).length;
    assertEquals(count("storage put"), storageSpans === "none" ? 0 : 1, storageSpans);
    // The looks at the index of alarms belong to nobody.
    assertEquals(count("storage list") > 0, storageSpans === "all", storageSpans);
    for (const { parentSpanContext } of named("storage list")) {
      assertEquals(parentSpanContext, undefined);
    }
  }
});

test("[OE5] a call that began before the listener is a span all the same", async () => {
  const w = await traced();
  const node = w.node({ telemetry: () => {} });
  const held = gate();
  const waiting = node.object(Shop, "a").wait(held.opened);
  await w.clock.advance(second);
  node.subscribe("*", otelTelemetry({ api, now: () => w.clock.now() }));
  held.open();
  await w.finish(waiting);
  const [call] = named("call shop.wait");
  assertEquals(ms(call!.startTime) - 1e12, 0);
});

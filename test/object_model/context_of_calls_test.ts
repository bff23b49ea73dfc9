import { AsyncLocalStorage } from "node:async_hooks";
import { findSnapshot } from "../../adapters/web/async_context.ts";
import { webClock } from "../../adapters/web/clock.ts";
import { defineObject } from "../../src/object/definition.ts";
import type { CallEvent, StorageEvent, TelemetryEvent } from "../../src/ports/telemetry.ts";
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { gate, world } from "./world.ts";

/** Who a piece of work is done for, as an application has it that follows its requests. */
const request: AsyncLocalStorage<string> = new AsyncLocalStorage();

const Notes = defineObject({
  name: "notes",
  vsn: 1,
  state: () => ({ said: [] as string[] }),
  handlers: {
    say(ctx, by: string, wait?: Promise<void>) {
      const seen = request.getStore() ?? "nobody";
      ctx.state.said.push(`${by} as ${seen}`);
      ctx.afterCommit(() => void effects.push(`${by} as ${request.getStore()}`));
      return wait;
    },
    fail() {
      throw new Error("on purpose");
    },
  },
});
const effects: string[] = [];

const isCall = (event: TelemetryEvent): event is CallEvent => event.name === "holdfast.object.call";
const isStorage = (event: TelemetryEvent): event is StorageEvent =>
  event.name.startsWith("holdfast.storage.") && event.name !== "holdfast.storage.list";

test("[TL1] the phases of a call have one id, and so have the tries of a storage call", async () => {
  const w = world();
  let puts = 0;
  w.storage.plan = ({ operation }) => operation === "put" && ++puts === 1 ? "refuse" : "none";
  const notes = w.node().object(Notes, "a");
  await w.finish(Promise.all([notes.say("a"), notes.say("b")]));
  await assertRejects(() => notes.fail(), /on purpose/);
  const phases = Map.groupBy(w.events.filter(isCall), ({ id }) => id);
  assertEquals(Array.from(phases.values(), (events) => events.map(({ phase }) => phase)), [
    ["start", "stop"],
    ["start", "stop"],
    ["start", "exception"],
  ]);
  const tries = Map.groupBy(w.events.filter(isStorage), ({ id }) => id);
  const put = Array.from(tries.values()).find(([first]) => first?.name === "holdfast.storage.put");
  assertEquals(put?.map(({ phase, attempt }) => `${phase} ${attempt}`), [
    "start 1",
    "exception 1",
    "start 2",
    "stop 2",
  ]);
  for (const events of tries.values()) assertEquals(new Set(events.map((e) => e.name)).size, 1);
});

test("[TL2] a call is carried out through the function of a listener, with all that is done for it", async () => {
  const w = world();
  const told: string[] = [];
  const node = w.node({
    telemetry: (event) => {
      if (isCall(event)) event.within?.((run) => request.run("the span", run));
      else if (isStorage(event) && event.phase === "start") {
        told.push(`${event.name} for ${request.getStore()}`);
      }
    },
  });
  await request.run("the request", () => w.finish(node.object(Notes, "a").say("a")));
  assertEquals(await w.state("notes/a"), { said: ["a as the span"] });
  assertEquals(told, [
    "holdfast.storage.get for the span",
    "holdfast.storage.put for the span",
  ]);
});

test("[TL2] several listeners have their way, and one that fails or runs it twice changes nothing", async () => {
  const w = world();
  const other: AsyncLocalStorage<string> = new AsyncLocalStorage();
  const seen: (string | undefined)[] = [];
  const node = w.node({
    telemetry: (event) => {
      if (isCall(event)) event.within?.((run) => other.run("outer", run));
      if (isStorage(event)) seen.push(`${other.getStore()} ${request.getStore()}`);
    },
  });
  const hear = (tell: (event: CallEvent) => void) =>
    node.subscribe("holdfast.object.call", (event) => {
      if (isCall(event)) tell(event);
    });
  hear(({ within }) => within?.((run) => request.run("inner", run)));
  hear(({ within }) =>
    within?.(() => {
      throw new Error("before it ran");
    })
  );
  hear(({ within }) => within?.((run) => (run(), run())));
  await w.finish(node.object(Notes, "a").say("a"));
  assertEquals(await w.state("notes/a"), { said: ["a as inner"] });
  assertEquals(new Set(seen), new Set(["outer inner"]));
});

test("[TL3] what the loop of one caller does for another is done in the context of the other", async () => {
  const w = world();
  const told: string[] = [];
  const node = w.node({
    telemetry: (event) => {
      if (event.name === "holdfast.storage.put" && event.phase === "start") {
        told.push(request.getStore() ?? "nobody");
      }
    },
  });
  const notes = node.object(Notes, "a");
  const held = gate();
  const slow = request.run("one", () => notes.say("a", held.opened));
  const next = request.run("two", () => notes.say("b"));
  effects.length = 0;
  await w.clock.advance(10);
  held.open();
  await w.finish(slow);
  await w.finish(next);
  assertEquals(await w.state("notes/a"), { said: ["a as one", "b as two"] });
  assertEquals(effects, ["a as one", "b as two"]);
  // One after the other, each for the call it was made for.
  await w.finish(request.run("three", () => notes.say("c")));
  assertEquals(told.at(-1), "three");
  assertEquals(told[0], "one");
});

test("[TL4] what goes on in the background is in nobody's context", async () => {
  const seen = (background: boolean): Promise<string | undefined> =>
    new Promise((resolve) =>
      request.run(
        "a request",
        () => void webClock().timer(1, () => resolve(request.getStore()), { background }),
      )
    );
  // Something has to keep the process alive meanwhile.
  const alive = setInterval(() => {}, 1000);
  assertEquals([await seen(true), await seen(false)], [undefined, "a request"]);
  clearInterval(alive);
});

test("[TL4] a runtime without async contexts does without", () => {
  assertEquals(findSnapshot({}), undefined);
  assertEquals(findSnapshot({ process: { getBuiltinModule: () => ({}) } }), undefined);
  assert(findSnapshot() !== undefined, "this one has them");
});

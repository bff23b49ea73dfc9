import * as v from "valibot";
import { defineView } from "../../adapters/live/mod.ts";
import type { JsonValue } from "../../src/core/json.ts";
import { formFields, inputOf } from "../../src/live/input.ts";
import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";
import { Settings } from "./views.ts";
import { liveWorld, Page } from "./world.ts";

test("[LV2] scenario 2: events are handled in order, however long each takes", async () => {
  const at = liveWorld();
  const seen: string[] = [];
  const Slow = defineView({
    name: "slow",
    state: () => ({ count: 0 }),
    events: {
      async inc({ state }, input) {
        seen.push(`begin ${input}`);
        await new Promise<void>((resolve) => void at.clock.timer(Number(input), resolve));
        state.count++;
        seen.push(`end ${input}`);
      },
    },
    render: ({ state }) => `${state.count}`,
  });
  const page = await Page.open(at, at.live([Slow]), "/slow");
  for (const value of [300, 20, 1]) page.fire("inc", { value });
  await at.until(() => page.of("reply").length === 3);
  assertEquals(seen, ["begin 300", "end 300", "begin 20", "end 20", "begin 1", "end 1"]);
  assertEquals(page.of("reply").map(({ rev }) => rev), [2, 3, 4]);
  assertEquals(page.root().html, "3");
});

test("[LV2] a handler that takes too long ends its view, and what it does later reaches nobody", async () => {
  const at = liveWorld();
  let late = () => {};
  const Hung = defineView({
    name: "hung",
    stored: ["count"],
    state: () => ({ count: 0 }),
    events: {
      async hang(ctx) {
        ctx.state.count = 99;
        await new Promise<void>((resolve) => late = resolve);
        ctx.push("late");
        ctx.send("late");
      },
    },
    render: ({ state }) => `${state.count}`,
  });
  const node = at.live([Hung], { timing: { handlerMs: 1000 } });
  const page = await Page.open(at, node, "/hung");
  page.fire("hang");
  await at.until(() => page.of("error").length > 0);
  assertEquals(page.of("error")[0]?.code, "timeout");
  late();
  await at.clock.advance(5000);
  assertEquals(page.of("patch").length, 0);
  assertEquals(at.memory.size, 0, "what was never rendered is not stored");
  await page.join();
  assertEquals(page.root().html, "0");
});

test("[LV2] a view in which too much waits closes its connection", async () => {
  const at = liveWorld();
  const Stuck = defineView({
    name: "stuck",
    state: () => ({}),
    events: { wait: () => new Promise<void>(() => {}) },
    render: () => "",
  });
  const node = at.live([Stuck], { limits: { mailbox: 5, eventBurst: 1000 } });
  const page = await Page.open(at, node, "/stuck");
  for (let events = 0; events < 20; events++) {
    page.fire("wait");
    await at.clock.advance(0);
  }
  assertEquals(page.closedWith, 4429);
});

test("[LV21] only what a view declares is an event, and what a schema refuses never gets there", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Settings]), "/settings");
  for (const name of ["toString", "__proto__", "constructor", "nope"]) {
    const reply = await page.event(name);
    assertEquals([reply.ok, reply.code], [false, "unknown_event"], name);
  }
  const refused = await page.event("theme", { value: { theme: "secret-purple" } });
  assertEquals([refused.ok, refused.code], [false, "invalid_event"]);
  assertEquals(refused.problems?.[0]?.path, "theme");
  assert(!JSON.stringify(refused).includes("purple"), "no value is repeated");
  assertEquals((await page.event("theme", { value: { theme: "dark" } })).ok, true);
});

test("[LV21] a handler gets what the schema makes of the input", async () => {
  const at = liveWorld();
  const Typed = defineView({
    name: "typed",
    state: () => ({ sum: 0 }),
    events: {
      add: {
        input: v.object({
          n: v.pipe(v.string(), v.transform(Number)),
          by: v.optional(v.number(), 2),
        }),
        run: ({ state }, { n, by }) => state.sum += n * by,
      },
    },
    render: ({ state }) => `${state.sum}`,
  });
  const page = await Page.open(at, at.live([Typed]), "/typed");
  const form = { id: "f", data: [["n", "21"]] as [string, string][] };
  assertEquals((await page.event("add", { type: "submit", form })).value, 42);
});

test("[LV20] a form is an object: a list where a name is there twice or ends with brackets", () => {
  assertEquals(
    formFields([["a", "1"], ["b[]", "2"], ["c", "3"], ["c", "4"], ["c", "5"], ["d[e]", "6"]]),
    { a: "1", b: ["2"], c: ["3", "4", "5"], "d[e]": "6" },
  );
  const hostile = formFields([["__proto__", "x"], ["constructor", "y"], ["", "z"], [
    "toString",
    "w",
  ]]);
  assertEquals(Object.entries(hostile), [["toString", "w"]]);
  assertEquals(Object.getPrototypeOf(hostile), Object.prototype);
});

test("[LV20] the values of its element are beside what a form has, which goes first", () => {
  const event = (value: JsonValue | undefined, data: readonly (readonly [string, string])[]) =>
    inputOf({
      t: "event",
      id: "v",
      ref: 1,
      name: "edit",
      type: "change",
      form: { id: "", data, touched: [] },
      ...(value === undefined ? {} : { value }),
    });
  assertEquals(event({ id: "7", done: "no" }, [["done", "on"]]), { id: "7", done: "on" });
  assertEquals(event({ id: "7" }, []), { id: "7" });
  assertEquals(event(undefined, [["done", "on"]]), { done: "on" });
  const odd = JSON.parse('{"__proto__":{"a":1},"constructor":1,"id":"7"}');
  assertEquals(Object.keys(event(odd, []) as object), ["id"]);
  for (const other of [null, "text", 1, ["a"]]) {
    assertEquals(event(other, [["a", "1"]]), { a: "1" });
  }
});

test("[LV20] a handler is told what set it off", async () => {
  const at = liveWorld();
  const told: unknown[] = [];
  const Told = defineView({
    name: "told",
    state: () => ({}),
    events: {
      edit(ctx, input, event) {
        told.push(
          input,
          event.type,
          event.target,
          [...event.touched],
          event.form,
          event.recovering,
        );
        told.push(ctx.recovering, event.id === ctx.eventId && ctx.eventId === `${ctx.page}:2`);
      },
    },
    render: () => "",
  });
  const page = await Page.open(at, at.live([Told]), "/told");
  await page.event("edit", {
    type: "change",
    recover: true,
    form: {
      id: "f",
      data: [["user[name]", "Kim"]],
      target: ["user", "name"],
      touched: ["user[name]"],
    },
  });
  assertEquals(told, [
    { "user[name]": "Kim" },
    "change",
    ["user", "name"],
    ["user[name]"],
    "f",
    true,
    true,
    true,
  ]);
});

test("[LV24] scenario 6: a definition that makes no sense is refused when it is made", () => {
  const base = { name: "a", state: () => ({ a: 1 }), render: () => "" };
  type Rows = (source: unknown, options: object) => unknown;
  const [source, key] = [{ open: () => {} }, () => 1];
  // Each breaks one rule that the types would catch too.
  const bad: readonly [object, RegExp][] = [
    [{ name: "a b" }, /Cannot define a view named/],
    [{ stored: { a: "permanent" } }, /reserved/],
    [{ stored: { a: "forever" } }, /neither "session" nor "reconnect"/],
    [{ stored: ["b"] }, /has no key "b"/],
    [{ vsn: 0 }, /^Cannot define view "a": .*vsn/],
    [{ state: () => null }, /^Cannot define view "a": state\(\) did not return an object/],
    [{ schema: {} }, /^Cannot define view "a": "schema" is not/],
    [{ render: undefined }, /"render" is not a function/],
    [{ mount: 1 }, /"mount" is not a function/],
    [{ events: { "a b": () => {} } }, /an event cannot be named/],
    [{ events: { a: 1 } }, /neither a function nor has a schema/],
    [{ events: { a: { input: {}, run: () => {} } } }, /neither a function nor has a schema/],
    [{ events: [] }, /"events" is not an object/],
    [{ autoStash: { debounceMs: -1 } }, /"autoStash"/],
    [{ watch: {} }, /"watch" is not a function/],
    [{ watch: () => null }, /"watch" does not return an object/],
    [{ watch: () => ({ rows: { table: "a" } }) }, /"rows" was not made by/],
    [{ watch: (rows: Rows) => ({ "a b": rows(source, { key }) }) }, /rows cannot be named "a b"/],
    [{ watch: (rows: Rows) => ({ a: rows({}, { key }) }) }, /createSync\(\) did not make/],
    [
      { watch: (rows: Rows) => ({ a: rows(source, { table: "t" }) }) },
      /the key of its watch of "t"/,
    ],
  ];
  for (const [change, message] of bad) {
    assertThrows(
      () => defineView({ ...base, ...change } as Parameters<typeof defineView>[0]),
      message,
    );
  }
  const fine = defineView({ ...base, stored: ["a"] });
  assertEquals([...fine.stash.scopes], [["a", "session"]]);
  assertEquals([...defineView(base).stash.scopes], []);
});

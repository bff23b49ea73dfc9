import { defineView } from "../../adapters/live/mod.ts";
import { StorageUnavailableError } from "../../src/core/errors.ts";
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { Cart, Settings } from "./views.ts";
import { liveWorld, Page } from "./world.ts";

const theme = (to: string) => ({ value: { theme: to } });

test("[LV10] a burst of events is one write, and the page is told what of it is durable", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Cart]), "/cart");
  for (let events = 0; events < 10; events++) await page.event("put", { value: events });
  await page.saved();
  assertEquals(at.storage.calls.put, 1);
  assertEquals(page.of("stash"), [
    { t: "stash", id: "live-cart", rev: page.root().rev, durable: true },
  ]);
  await page.event("nothing");
  await at.clock.advance(5000);
  assertEquals(at.storage.calls.put, 1, "nothing changed, nothing is written");
});

test("[LV10] a blur, and ctx.stash(), store at once; autoStash: false only then", async () => {
  const at = liveWorld();
  const Manual = defineView({
    name: "manual",
    stored: ["count"],
    autoStash: false,
    state: () => ({ count: 0 }),
    events: {
      add: ({ state }) => void state.count++,
      save: ({ stash }) => stash(),
    },
    render: ({ state }) => `${state.count}`,
  });
  const node = at.live([Manual, Cart]);
  const page = await Page.open(at, node, "/manual");
  await page.event("add");
  await at.clock.advance(5000);
  assertEquals(at.storage.calls.put, 0);
  let before = at.clock.now();
  await page.event("save");
  await at.until(() => page.of("stash").length === 1);
  assert(at.clock.now() - before < 100, "nobody waited for a timer");
  const cart = await Page.open(at, node, "/cart", page.jar);
  before = at.clock.now();
  await cart.event("put", { value: "kelp", type: "blur" });
  await at.until(() => cart.of("stash").length === 1);
  assert(at.clock.now() - before < 100, "nobody waited for a timer");
  await page.event("add");
  await page.reconnect();
  assertEquals(page.root().html, "1", "what nobody asked to store is gone with its view");
});

test("[LV11] flush() is durable when it resolves, and rejects when it is not", async () => {
  const at = liveWorld();
  let flushed: unknown;
  const Careful = defineView({
    name: "careful",
    stored: ["count"],
    state: () => ({ count: 0, broken: false }),
    events: {
      async add({ state, flush }) {
        state.count++;
        await flush();
        flushed = (await at.theSession()).views["careful"]?.keys["count"];
      },
      async fail({ state, flush }) {
        state.count++;
        flushed = await assertRejects(flush);
      },
      async broken({ state, flush }) {
        state.count++;
        state.broken = true;
        flushed = await assertRejects(flush);
        state.broken = false;
        state.count--;
      },
    },
    render: ({ state }) => {
      if (state.broken) throw new Error("cannot render");
      return `${state.count}`;
    },
  });
  const page = await Page.open(at, at.live([Careful]), "/careful");
  await page.event("add");
  assertEquals(flushed, 1);
  await page.event("broken");
  assert(flushed instanceof Error && flushed.message === "cannot render");
  assertEquals((await at.theSession()).views["careful"]?.keys["count"], 1);
  at.storage.plan = () => "refuse";
  await page.event("fail");
  assert(flushed instanceof StorageUnavailableError);
});

test("[LV9] scenario 42: a value that JSON cannot carry crashes the handler that made it", async () => {
  for (const onInvalidValue of ["throw", "skip"] as const) {
    const at = liveWorld();
    const Odd = defineView({
      name: "odd",
      stored: ["when", "note"],
      onInvalidValue,
      state: () => ({ when: null as unknown, note: "" }),
      events: {
        set({ state }) {
          state.when = new Map();
          state.note = "kept";
        },
      },
      render: ({ state }) => state.note,
    });
    const page = await Page.open(at, at.live([Odd]), "/odd");
    if (onInvalidValue === "throw") {
      page.fire("set");
      await at.until(() => page.of("error").length > 0);
      const crash = at.events.find(({ name }) => name === "holdfast.live.crash");
      assert(
        /"odd".*"when" is an instance of Map/.test(
          String(crash && "error" in crash && crash.error),
        ),
      );
      assertEquals(at.memory.size, 0);
    } else {
      await page.event("set");
      await page.saved();
      assertEquals((await at.theSession()).views["odd"]?.keys, { note: "kept" });
      assert(at.events.some(({ name }) => name === "holdfast.stash.skip"));
    }
  }
});

test("[LV13] scenario 43: with storage down views work from memory, and write over nothing they could not read", async () => {
  const at = liveWorld();
  const node = at.live([Settings]);
  const page = await Page.open(at, node, "/settings");
  await page.event("theme", theme("dark"));
  await page.saved();
  await page.event("edit", { value: null, form: { id: "f", data: [["draft", "mine"]] } });
  await page.saved();
  at.storage.plan = () => "refuse";
  const fresh = at.live([Settings]);
  await page.reconnect(fresh);
  assertEquals(page.root().html, "<p>light||0|1|error</p>");
  await page.event("theme", theme("dim"));
  assertEquals(page.root().html, "<p>dim||0|1|error</p>");
  await page.saved();
  assertEquals(page.of("stash").at(-1)?.durable, false);
  at.storage.plan = () => "none";
  await at.until(() => page.root().html === "<p>dark|mine|0|1|error</p>", "it has come back");
  assertEquals(page.of("stash").at(-1)?.code, "ERR_UNRECOVERED", "what was changed gave way");
  assertEquals((await at.theSession()).views["settings"]?.keys["theme"], "dark");
  await page.event("theme", theme("dim"));
  await page.saved();
  assertEquals((await at.theSession()).views["settings"]?.keys["theme"], "dim");
});

test("[LV13] while writing fails every view goes on, and nothing is rejected unheard", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Cart]), "/cart");
  at.storage.plan = ({ operation }) => operation === "put" ? "refuse" : "none";
  for (let events = 0; events < 5; events++) {
    await page.event("put", { value: events });
    await at.clock.advance(3000);
  }
  assertEquals(page.of("error"), []);
  assert(page.of("stash").every(({ durable }) => !durable));
  at.storage.plan = () => "none";
  await at.until(() => page.of("stash").at(-1)?.durable === true);
  assertEquals((await at.theSession()).views["cart"]?.keys["items"], ["0", "1", "2", "3", "4"]);
});

test("[LV13] scenarios 10 and 11: tabs on two nodes merge key by key, and the last write of a key stays", async () => {
  const at = liveWorld();
  const Two = defineView({
    name: "two",
    stored: ["a", "b"],
    state: () => ({ a: 0, b: 0 }),
    events: {
      a: ({ state }, input) => void (state.a = Number(input)),
      b: ({ state }, input) => void (state.b = Number(input)),
    },
    render: ({ state }) => `${state.a}|${state.b}`,
  });
  const [one, two] = [at.live([Two]), at.live([Two])];
  const a = await Page.open(at, one, "/two");
  const b = await Page.open(at, two, "/two", a.jar);
  a.fire("a", { value: 1 });
  b.fire("b", { value: 2 });
  await at.until(() => a.of("stash").length + b.of("stash").length === 2);
  a.fire("a", { value: 5 });
  await a.saved();
  b.fire("a", { value: 6 });
  await b.saved();
  const third = await Page.load(at, one, "/two", a.jar);
  assertEquals(third.root().html, "6|2");
});

test("[LV17] the other views of a session here are told that something was stored", async () => {
  const at = liveWorld();
  const heard: unknown[] = [];
  const Watching = defineView({
    name: "watching",
    stored: ["own"],
    state: () => ({ own: 0, items: 0 }),
    events: { own: ({ state }) => void state.own++ },
    async info(ctx, message) {
      heard.push(message);
      ctx.state.items = (await ctx.session.stash(Cart.stash)).state.items.length;
    },
    render: ({ state }) => `${state.items}`,
  });
  const node = at.live([Watching, Cart]);
  const page = await Page.open(at, node, "/watching");
  const cart = await Page.open(at, node, "/cart", page.jar);
  await cart.event("put", { value: "kelp" });
  await cart.saved();
  await at.until(() => page.root().html === "1");
  assertEquals(heard, [{ type: "stash-changed", stash: "cart" }]);
  await page.event("own");
  await page.saved();
  assertEquals(heard.length, 1, "not of its own");
});

test("[LV17] views without a cluster are told when a write finds that another node was first", async () => {
  const at = liveWorld();
  const heard: unknown[] = [];
  const Counting = defineView({
    name: "counting",
    stored: ["own"],
    state: () => ({ own: 0 }),
    events: { own: ({ state }) => void state.own++ },
    info: (_, message) => void heard.push(message),
    render: ({ state }) => `${state.own}`,
  });
  const [one, two] = [at.live([Counting, Cart]), at.live([Counting, Cart])];
  const page = await Page.open(at, one, "/counting");
  await page.event("own");
  await page.saved();
  const cart = await Page.open(at, two, "/cart", page.jar);
  await cart.event("put", { value: "kelp" });
  await cart.saved();
  assertEquals(heard, []);
  await page.event("own");
  await page.saved();
  assertEquals(heard, [{ type: "stash-changed", stash: undefined }]);
});

test("[LV17] messages and timers of a view come in turn, and end with it", async () => {
  const at = liveWorld();
  const heard: unknown[] = [];
  const Clock = defineView({
    name: "clock",
    state: () => ({ ticks: 0 }),
    events: {
      start({ send }) {
        send("now");
        send("soon", 1000);
        send("never", 500)();
        send("late", 60_000);
      },
    },
    info({ state }, message) {
      heard.push(message);
      state.ticks++;
    },
    render: ({ state }) => `${state.ticks}`,
  });
  const page = await Page.open(at, at.live([Clock]), "/clock");
  await page.event("start");
  await at.until(() => page.root().html === "1");
  await at.clock.advance(1000);
  assertEquals([heard, page.root().html], [["now", "soon"], "2"]);
  page.socket?.drop();
  await at.clock.advance(120_000);
  assertEquals(heard.length, 2);
});

test("[LV10] resetStash() removes what the view has stored, and leaves the others", async () => {
  const at = liveWorld();
  const Wipe = defineView({
    name: "wipe",
    stored: ["a"],
    state: () => ({ a: 0 }),
    events: { set: ({ state }) => void (state.a = 1), wipe: (ctx) => ctx.resetStash() },
    render: ({ state }) => `${state.a}`,
  });
  const node = at.live([Wipe, Cart]);
  const page = await Page.open(at, node, "/wipe");
  const cart = await Page.open(at, node, "/cart", page.jar);
  await cart.event("put", { value: "kelp" });
  await cart.saved();
  await page.event("set");
  await page.saved();
  await page.event("set");
  await page.event("wipe");
  assertEquals(page.root().html, "0");
  await at.clock.advance(5000);
  assertEquals(Object.keys((await at.theSession()).views), ["cart"]);
});

import { defineView } from "../../adapters/live/mod.ts";
import type { LiveOptions } from "../../adapters/live/mod.ts";
import { assertEquals, test } from "../harness/mod.ts";
import { Cart, Settings } from "./views.ts";
import { Jar, liveWorld, Page } from "./world.ts";

const drain: LiveOptions["drain"] = { batch: 2, everyMs: 500, answerMs: 3000, withinMs: 25_000 };

test("[LV18] scenarios 21 and 23: what the page has pending is taken in, all is stored, and only then is it closed", async () => {
  const at = liveWorld();
  const hooks: string[] = [];
  const Draining = defineView({
    name: "draining",
    stored: { text: "reconnect" },
    state: () => ({ text: "" }),
    events: { edit: ({ state }, input) => void (state.text += String(input)) },
    drain: ({ state }) => {
      hooks.push(state.text);
      state.text += "!";
    },
    render: ({ state }) => state.text,
  });
  const node = at.live([Draining]);
  const page = await Page.open(at, node, "/draining");
  await page.event("edit", { value: "half" });
  page.pending = [{
    t: "event",
    id: "live-draining",
    ref: 50,
    name: "edit",
    type: "change",
    value: " typed",
  }];
  const report = await at.finish(node.live.drain());
  assertEquals(report, { views: 1, flushed: 1, timedOut: 0, failed: 0 });
  assertEquals([hooks, page.closedWith], [["half typed"], 1012]);
  assertEquals(page.frames.slice(-4).map(({ t }) => t), ["drain", "reply", "patch", "stash"]);
  assertEquals(page.of("stash").at(-1)?.durable, true);
  await page.reconnect(at.live([Draining]));
  assertEquals(page.root().html, "half typed!");
});

test("[LV18] scenario 22: while a node takes leave it is not ready, and refuses joins", async () => {
  const at = liveWorld();
  const node = at.live([Settings], { drain });
  const page = await Page.open(at, node, "/settings");
  page.answersDrain = false;
  const late = await Page.load(at, node, "/settings");
  assertEquals((await node.app.request("https://app.example/live/ready")).status, 200);
  const draining = node.live.drain();
  assertEquals((await node.app.request("https://app.example/live/ready")).status, 503);
  await late.connect();
  late.sendJoins();
  await at.until(() => late.closedWith !== undefined);
  assertEquals([late.closedWith, late.of("error")[0]?.code, late.of("error")[0]?.retry], [
    1012,
    "draining",
    true,
  ]);
  assertEquals(await at.finish(draining), { views: 1, flushed: 1, timedOut: 1, failed: 0 });
  assertEquals(
    await node.live.drain(),
    { views: 1, flushed: 1, timedOut: 1, failed: 0 },
    "the same",
  );
});

test("[LV18] pages are told in batches, and one that does not answer holds up nobody else", async () => {
  const at = liveWorld();
  const node = at.live([Settings], { drain });
  const pages: Page[] = [];
  for (let count = 0; count < 5; count++) pages.push(await Page.open(at, node, "/settings"));
  const told = () => pages.filter((page) => page.of("drain").length > 0).length;
  if (pages[0] !== undefined) pages[0].answersDrain = false;
  const draining = node.live.drain();
  await at.clock.advance(0);
  assertEquals(told(), 2);
  await at.clock.advance(499);
  assertEquals(told(), 2);
  await at.clock.advance(1);
  assertEquals(told(), 4);
  await at.clock.advance(500);
  assertEquals(told(), 5);
  assertEquals(pages.filter(({ closedWith }) => closedWith === 1012).length, 4);
  assertEquals((await at.finish(draining)).timedOut, 1);
});

test("[LV18] a page that leaves before its turn has stored what it had, or is reported", async () => {
  for (const refuses of [false, true]) {
    const at = liveWorld();
    const node = at.live([Cart], { drain: { ...drain, batch: 1, withinMs: 5000 } });
    const pages: Page[] = [];
    for (let count = 0; count < 3; count++) {
      const page = await Page.open(at, node, "/cart", new Jar());
      page.fire("put", { value: `item ${count}` });
      pages.push(page);
    }
    await at.clock.advance(0);
    const draining = node.live.drain();
    await at.clock.advance(0);
    // The first is gone, the others wait.
    at.storage.plan = ({ operation }) => refuses && operation === "put" ? "refuse" : "none";
    for (const page of pages.slice(1)) page.socket?.drop();
    const { views, failed } = await at.finish(draining);
    assertEquals([views, failed], [3, refuses ? 2 : 0]);
    assertEquals(at.memory.size, refuses ? 1 : 3);
  }
});

test("[LV18] a hurry waits for nobody, and still stores", async () => {
  const at = liveWorld();
  const node = at.live([Cart], {
    drain: { ...drain, batch: 1, everyMs: 60_000, answerMs: 60_000 },
  });
  const pages: Page[] = [];
  for (let count = 0; count < 3; count++) {
    const page = await Page.open(at, node, "/cart", new Jar());
    page.answersDrain = false;
    page.fire("put", { value: `item ${count}` });
    pages.push(page);
  }
  const hurry = new AbortController();
  const draining = node.live.drain({ hurry: hurry.signal });
  await at.clock.advance(10);
  const before = at.clock.monotonic();
  hurry.abort();
  assertEquals(await at.finish(draining), { views: 3, flushed: 3, timedOut: 3, failed: 0 });
  assertEquals(at.clock.monotonic() - before < 1000, true);
  assertEquals(at.memory.size, 3);
});

test("[LV18] scenario 22: what cannot be stored is reported, within the limit", async () => {
  const at = liveWorld();
  const node = at.live([Cart], { drain: { ...drain, withinMs: 5000 } });
  const page = await Page.open(at, node, "/cart");
  await page.event("put", { value: "kelp" });
  at.storage.plan = ({ operation }) => operation === "put" ? "refuse" : "none";
  assertEquals(await at.finish(node.live.drain()), {
    views: 1,
    flushed: 0,
    timedOut: 0,
    failed: 1,
  });
  assertEquals(page.of("stash").at(-1)?.durable, false);
  assertEquals(page.closedWith, 1012);

  const slow = at.live([Cart], { drain: { ...drain, withinMs: 1000 } });
  at.storage.plan = () => "none";
  const hung = await Page.open(at, slow, "/cart");
  hung.answersDrain = false;
  const before = at.clock.monotonic();
  assertEquals((await at.finish(slow.live.drain())).failed, 1);
  assertEquals(at.clock.monotonic() - before <= 1100, true);
  assertEquals(hung.closedWith, 1012);
});

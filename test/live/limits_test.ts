import { createLive } from "../../adapters/live/mod.ts";
import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";
import { hour } from "../stash/world.ts";
import { Settings } from "./views.ts";
import { liveWorld, Page } from "./world.ts";

test("[LV19] a connection that does not join in time is closed", async () => {
  const at = liveWorld();
  const page = await Page.load(at, at.live([Settings]), "/settings");
  await page.connect();
  await at.clock.advance(4000);
  assertEquals(page.closedWith, undefined);
  await at.clock.advance(2500);
  assertEquals(page.closedWith, 4408);
});

test("[LV19] a join that the server is slow to do is in time", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Settings]), "/settings");
  await page.event("theme", { value: { theme: "dark" } });
  await page.saved();
  // From here on it is looked up whether the session is still there.
  await at.clock.advance(hour);
  at.storage.plan = () => ({ kind: "none", latencyMs: 2000 });
  await page.reconnect(at.live([Settings], { timing: { joinMs: 500 } }));
  assertEquals(page.closedWith, undefined);
  assert(page.root().joined !== undefined, "it has joined");
});

test("[LV19] frames too large, too many or none at all close the connection", async () => {
  const at = liveWorld();
  const node = at.live([Settings]);
  const bad: readonly (readonly [unknown, number, string])[] = [
    ["{", 4400, "bad_message"],
    ["[]", 4400, "bad_message"],
    ['{"t":"nope"}', 4400, "bad_message"],
    [
      '{"t":"event","id":"live-settings","ref":-1,"name":"add","type":"click"}',
      4400,
      "bad_message",
    ],
    ['{"t":"ping","n":1,"__proto__":{}}', 4400, "bad_message"],
    [new Uint8Array(3), 4400, "bad_message"],
    [JSON.stringify({ t: "ping", n: 1, pad: "x".repeat(65_536) }), 4413, "too_large"],
    [JSON.stringify({ t: "ping", n: 1, pad: "\u{1f600}".repeat(17_000) }), 4413, "too_large"],
  ];
  for (const [data, code, why] of bad) {
    const page = await Page.open(at, node, "/settings");
    page.socket?.send(data);
    await at.until(() => page.closedWith !== undefined, String(data).slice(0, 40));
    assertEquals([page.closedWith, page.of("error").at(-1)?.code], [code, why]);
  }
});

test("[LV19] events over the rate close the connection, those within it do not", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Settings]), "/settings");
  for (let second = 0; second < 3; second++) {
    for (let events = 0; events < 50; events++) page.fire("add");
    await at.clock.advance(1000);
  }
  assertEquals([page.closedWith, page.of("reply").length], [undefined, 150]);
  for (let events = 0; events < 120; events++) page.fire("add");
  await at.until(() => page.closedWith !== undefined);
  assertEquals([page.closedWith, page.of("error").at(-1)?.code], [4429, "rate"]);
});

test("[LV19] a session has so many connections, a connection so many views", async () => {
  const at = liveWorld();
  const node = at.live([Settings], { limits: { socketsPerSession: 2, viewsPerConnection: 1 } });
  const one = await Page.open(at, node, "/settings");
  const two = await Page.open(at, node, "/settings", one.jar);
  const three = await Page.load(at, node, "/settings", one.jar);
  await three.connect();
  three.sendJoins();
  await at.until(() => three.closedWith !== undefined);
  assertEquals(three.closedWith, 4429);
  two.socket?.drop();
  await three.connect();
  await three.join();
  three.sendJoins({ id: "another" });
  await at.until(() => three.closedWith !== undefined);
  assertEquals([three.closedWith, one.closedWith], [4429, undefined]);
});

test("[LV19] a heartbeat is answered, also while the view is busy", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Settings]), "/settings");
  page.send({ t: "ping", n: 7 });
  assertEquals(page.of("pong"), [{ t: "pong", n: 7 }]);
  assertEquals(page.root().joined?.heartbeatMs, 25_000);
});

test("[LV19] text that was cut within a character is taken in with a mark in its place", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Settings]), "/settings");
  await page.event("edit", {
    form: { id: "f", data: [["draft", "a\ud83d and \\ud83d \u{1f600}"]] },
  });
  assert(page.root().html.includes("|a\ufffd and \\ud83d \u{1f600}|"), page.root().html);
});

test("[LV19] an old or a future protocol is refused so that the page is loaded again", async () => {
  const at = liveWorld();
  const page = await Page.load(at, at.live([Settings]), "/settings");
  await page.connect();
  page.sendJoins({ v: 2 });
  await at.until(() => page.closedWith !== undefined);
  assertEquals([page.closedWith, page.of("error")[0]?.code], [4426, "version"]);
});

test("[LV19] options that make no sense are refused", () => {
  const at = liveWorld();
  const node = at.node();
  const views = [Settings];
  assertThrows(() => createLive({} as typeof node, { views }), /createHoldfast/);
  assertThrows(() => createLive(node, { views: [{}] as never }), /not a list of views/);
  assertThrows(() => createLive(node, { views: [Settings, Settings] }), /two of them are named/);
  assertThrows(() => createLive(node, { views, path: "live" }), /"path"/);
  assertThrows(() => createLive(node, { views, origins: ["example.com"] }), /no origin/);
  assertThrows(() => createLive(node, { views, limits: { mailbox: 0 } }), /limit "mailbox"/);
  assertThrows(() => createLive(node, { views, timing: { joinMs: NaN } }), /timing "joinMs"/);
  assertThrows(() => createLive(node, { views, drain: { batch: 0.5 } }), /drain option "batch"/);
  assertThrows(() => createLive(node, { views: [] }).page(Settings), /not one of "views"/);
});

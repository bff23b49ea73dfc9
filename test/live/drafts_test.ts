import { assert, assertEquals, test } from "../harness/mod.ts";
import { defineView } from "../../adapters/live/mod.ts";
import { hour } from "../stash/world.ts";
import { Cart, Settings } from "./views.ts";
import { Jar, liveWorld, Page } from "./world.ts";

const form = (draft: string) => ({
  type: "change" as const,
  form: { id: "f", data: [["draft", draft]] as [string, string][] },
});

test("[LV3] scenario 3: mounts counts the joins of a page instance that came to be", async () => {
  const at = liveWorld();
  const node = at.live([Settings]);
  const page = await Page.load(at, node, "/settings");
  assertEquals(page.root().html, "<p>light||0|-1|new</p>");
  await page.connect();
  // The answer is lost: the page counts nothing.
  page.sendJoins();
  page.socket?.drop();
  await at.clock.advance(100);
  await page.connect();
  await page.join();
  assertEquals(page.root().joined?.mounts, 0);
  for (const mounts of [1, 2, 3]) {
    await page.reconnect();
    assertEquals(page.root().joined?.mounts, mounts);
    assert(page.root().html.includes(`|${mounts}|`), "the view is told");
  }
  await page.patch("/settings?tab=2");
  assert(page.root().html.includes("|3|"), "a patch does not join");
  const next = await Page.open(at, node, "/settings", page.jar);
  assertEquals(next.root().joined?.mounts, 0);
});

test("[LV5] scenarios 4 and 5: a draft comes back with its page, and not with the next one", async () => {
  const at = liveWorld();
  const node = at.live([Settings]);
  const page = await Page.open(at, node, "/settings");
  await page.event("theme", { value: { theme: "dark" } });
  await page.event("edit", form("half"));
  await page.saved();
  await page.reconnect(at.live([Settings]));
  assertEquals(page.root().html, "<p>dark|half|0|1|recovered</p>");
  page.send({ t: "leave", id: page.root().id, why: "navigate" });
  const next = await Page.load(at, node, "/settings", page.jar);
  assertEquals(next.root().html, "<p>dark||0|-1|recovered</p>", "the theme is in the first HTML");
  await next.connect();
  await next.join();
  assertEquals(next.root().html, "<p>dark||0|0|recovered</p>");
  await next.reconnect();
  assertEquals(next.root().html, "<p>dark||0|1|recovered</p>");
});

test("[LV5] G1: a second tab neither sees nor clears the draft of the first", async () => {
  const at = liveWorld();
  const node = at.live([Settings]);
  const a = await Page.open(at, node, "/settings");
  await a.event("edit", form("of a"));
  await a.saved();
  const b = await Page.open(at, node, "/settings", a.jar);
  assert(b.root().html.includes("light||"), b.root().html);
  await b.event("edit", form("of b"));
  await b.saved();
  await a.reconnect(at.live([Settings]));
  await b.reconnect(at.live([Settings]));
  assert(a.root().html.includes("|of a|") && b.root().html.includes("|of b|"));
});

test("[LV22] who leaves takes the draft along, and the view is told why", async () => {
  const at = liveWorld();
  const left: string[] = [];
  const Told = defineView({
    name: "told",
    stored: { draft: "reconnect" },
    state: () => ({ draft: "" }),
    events: { edit: ({ state }) => void (state.draft = "half") },
    leave: (_ctx, why) => void left.push(why),
    render: () => "",
  });
  const page = await Page.open(at, at.live([Told]), "/told");
  await page.event("edit");
  await page.saved();
  assertEquals(Object.keys((await at.theSession()).views["told"]?.drafts ?? {}).length, 1);
  page.send({ t: "leave", id: page.root().id, why: "unload" });
  await at.clock.advance(1000);
  assertEquals(left, ["unload"]);
  assertEquals((await at.theSession()).views["told"]?.drafts, undefined);
  await page.reconnect();
  assertEquals(left, ["unload"], "a lost connection is no leave");
});

test("[LV6] scenario 13: of two connections with one page instance the newer works, the older is closed", async () => {
  const at = liveWorld();
  const node = at.live([Settings]);
  const page = await Page.open(at, node, "/settings");
  await page.event("edit", form("not stored yet"));
  const older = page.socket;
  await page.connect();
  await page.join();
  assertEquals(older?.closedWith, 4409);
  assertEquals(older?.received.at(-1), { t: "error", code: "replaced", retry: false });
  assertEquals(page.root().html, "<p>light|not stored yet|0|1|recovered</p>");
  assertEquals((await page.event("add")).ok, true);
});

test("[LV6] a page instance that begins a second time is another one", async () => {
  const at = liveWorld();
  const node = at.live([Settings]);
  const page = await Page.load(at, node, "/settings");
  const copy = await Page.load(at, node, "/settings", page.jar);
  copy.root().token = page.root().token;
  await page.connect();
  await page.join();
  await page.event("edit", form("of the page"));
  await page.saved();
  await copy.connect();
  await copy.join();
  assertEquals(page.closedWith, undefined);
  await copy.event("edit", form("of the copy"));
  await copy.saved();
  await page.reconnect();
  await copy.reconnect();
  assert(page.root().html.includes("|of the page|"), page.root().html);
  assert(copy.root().html.includes("|of the copy|"), copy.root().html);
  // Also when the first one is not connected any more, and so only its draft is there.
  const third = await Page.load(at, node, "/settings", page.jar);
  third.root().token = page.root().token;
  page.socket?.drop();
  await third.connect();
  await third.join();
  assert(third.root().html.includes("light||"), third.root().html);
});

test("[LV4] scenario 9: without a cookie nothing is read or written, and nothing before there is something", async () => {
  const at = liveWorld();
  const Draft = defineView({
    name: "draft",
    stored: { text: "reconnect" },
    state: () => ({ text: "" }),
    events: { edit: ({ state }) => void (state.text = "x") },
    render: ({ ctx }) => ctx.recovery,
  });
  const node = at.live([Settings, Draft]);
  for (let gets = 0; gets < 100; gets++) {
    const jar = new Jar();
    assertEquals((await jar.request(node, "/settings")).status, 200);
    assertEquals(jar.got.length, 1);
  }
  assertEquals(at.storage.calls, { get: 0, put: 0, delete: 0, list: 0 });
  const page = await Page.open(at, node, "/draft");
  assertEquals(page.root().html, "new");
  await Page.load(at, node, "/draft", page.jar);
  assertEquals(at.storage.calls, { get: 0, put: 0, delete: 0, list: 0 });
  await page.event("edit");
  await page.saved();
  assertEquals(at.memory.size, 1);
});

test("[LV4] a GET writes nothing, whatever version it finds", async () => {
  const at = liveWorld();
  const node = at.live([Settings]);
  const page = await Page.open(at, node, "/settings");
  await page.event("theme", { value: { theme: "dark" } });
  await page.event("edit", form("half"));
  await page.saved();
  await at.clock.advance(hour / 60);
  const puts = at.storage.calls.put;
  const Next = defineView({
    name: "settings",
    vsn: 2,
    stored: { theme: "session", draft: "reconnect" },
    state: () => ({ theme: "light", draft: "" }),
    migrate: (_from, data) => ({ ...data, draft: `${data["draft"]} (2)` }),
    render: ({ state, ctx }) => `<p>${state.theme}|${state.draft}|${ctx.recovery}</p>`,
  });
  const newer = at.live([Next]);
  const get = await Page.load(at, newer, "/settings", page.jar);
  assert(get.root().html.startsWith("<p>dark|"));
  assertEquals(at.storage.calls.put, puts);
  // Scenario 25: the tab that comes back has its draft, migrated.
  await page.reconnect(newer);
  assertEquals(page.root().html, "<p>dark|half (2)|migrated</p>");
});

/** A page that has gone on on another node, while its first node has something it cannot store yet. */
async function movedOn() {
  const at = liveWorld();
  const first = at.live([Settings], { timing: { stashRetryMs: 5000 } });
  const page = await Page.open(at, first, "/settings");
  await page.event("theme", { value: { theme: "dark" } });
  await page.saved();
  at.storage.plan = () => "refuse";
  await page.event("edit", form("late"));
  await page.event("theme", { value: { theme: "dim" } });
  await at.clock.advance(1000);
  const old = page.socket;
  page.socket = undefined;
  at.storage.plan = () => "none";
  return { at, page, old };
}

test("[LV41] what an earlier connection of a page stores late changes no draft of a later one", async () => {
  const { at, page, old } = await movedOn();
  const second = at.live([Settings]);
  await page.connect(second);
  await page.join();
  assertEquals(page.root().html, "<p>dark||0|1|recovered</p>", "the first has not stored it");
  await page.event("edit", form("mine"));
  await page.saved();
  await at.clock.advance(20_000);
  assert(
    old?.received.some((frame) => frame.t === "error" && frame.code === "replaced"),
    "whoever still listens there is told to join again",
  );
  await page.reconnect(at.live([Settings]));
  assertEquals(page.root().html, "<p>dim|mine|0|2|recovered</p>", "what all pages share is stored");
});

test("[LV41] an earlier connection that could not read stores what all pages share, and no draft", async () => {
  const at = liveWorld();
  const Order = defineView({
    name: "order",
    stored: { theme: "session", name: "reconnect", note: "reconnect" },
    state: () => ({ theme: "light", name: "", note: "" }),
    events: {
      theme: ({ state }, input) => void (state.theme = String(input)),
      name: ({ state }, input) => void (state.name = String(input)),
      note: ({ state }, input) => void (state.note = String(input)),
    },
    render: ({ state, ctx }) => `${state.theme}|${state.name}|${state.note}|${ctx.recovery}`,
  });
  const page = await Page.open(at, at.live([Order]), "/order");
  await page.event("name", { value: "ada" });
  await page.saved();
  at.storage.plan = () => "refuse";
  await page.reconnect(at.live([Order], { timing: { stashRetryMs: 5000 } }));
  assertEquals(page.root().html, "light|||error");
  await page.event("theme", { value: "dim" });
  await page.event("note", { value: "late" });
  await page.saved();
  const old = page.socket;
  page.socket = undefined;
  at.storage.plan = () => "none";
  await page.connect(at.live([Order]));
  await page.join();
  assertEquals(page.root().html, "light|ada||recovered");
  await page.event("name", { value: "bob" });
  await page.saved();
  await at.clock.advance(20_000);
  assert(
    old?.received.some((frame) => frame.t === "stash" && frame.code === "ERR_SUPERSEDED"),
    "it is told",
  );
  assert(old?.received.some((frame) => frame.t === "error" && frame.code === "replaced"));
  await page.reconnect(at.live([Order]));
  assertEquals(page.root().html, "dim|bob||recovered");
});

test("[LV41] nor when the later one has emptied its draft", async () => {
  const at = liveWorld();
  const Note = defineView({
    name: "note",
    stored: { text: "reconnect" },
    state: (): { text: string | undefined } => ({ text: undefined }),
    events: {
      edit: ({ state }, input) => void (state.text = String(input)),
      clear: ({ state }) => void (state.text = undefined),
    },
    render: ({ state }) => `<p>${state.text ?? "empty"}</p>`,
  });
  const timing = { stashRetryMs: 5000 };
  const page = await Page.open(at, at.live([Note], { timing }), "/note");
  await page.event("edit", { value: "first" });
  await page.saved();
  at.storage.plan = () => "refuse";
  await page.event("edit", { value: "late" });
  await at.clock.advance(1000);
  const old = page.socket;
  page.socket = undefined;
  at.storage.plan = () => "none";
  await page.connect(at.live([Note]));
  await page.join();
  await page.event("clear");
  await page.saved();
  await at.clock.advance(20_000);
  assert(old?.received.some((frame) => frame.t === "error" && frame.code === "replaced"));
  await page.reconnect(at.live([Note]));
  assertEquals(page.root().html, "<p>empty</p>");
});

test("[LV12] a submit on a state that lacks another node's submit is done again with it", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Cart]), "/cart");
  await page.event("put", { value: "kelp" });
  await page.saved();
  // Stored by the first node while the second one has read already what was there before.
  at.storage.plan = ({ operation }) =>
    operation === "put" ? { kind: "none", latencyMs: 400 } : "none";
  const order = (item: string) => ({
    type: "submit" as const,
    form: { id: "f", data: [["item", item]] as [string, string][] },
  });
  page.fire("order", order("one"));
  await at.clock.advance(50);
  page.socket = undefined;
  await page.connect(at.live([Cart]));
  await page.join();
  await at.clock.advance(2000);
  const ref = page.fire("order", order("two"));
  await at.until(() => page.frames.some((frame) => frame.t === "error"), "it has to join again");
  await page.reconnect(page.node);
  assert((page.root().joined?.submitted ?? 0) < ref, "it is not stored");
  await page.event("order", { ...order("two"), ref });
  assertEquals(page.root().html, "<ul><li>kelp</li><li>one</li><li>two</li></ul>");
});

import * as v from "valibot";
import { defineView, type ViewDefinition } from "../../adapters/live/mod.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { assertEquals, test } from "../harness/mod.ts";
import { liveWorld, Page } from "./world.ts";

interface State {
  theme: string;
  draft: string;
}

interface Options {
  readonly vsn: number;
  readonly migrate?: (from: number, data: JsonObject) => JsonObject;
}

/** The same view in one version or another. */
function prefs({ vsn, migrate }: Options): ViewDefinition<State> {
  return defineView({
    name: "prefs",
    vsn,
    stored: { theme: "session", draft: "reconnect" },
    ...(migrate === undefined ? {} : { migrate }),
    state: (): State => ({ theme: "light", draft: "" }),
    events: {
      theme: ({ state }, input) => void (state.theme = String(input)),
      draft: ({ state }, input) => void (state.draft = String(input)),
    },
    render: ({ state, ctx }) => `<p>${state.theme}|${state.draft}|${ctx.recovery}</p>`,
  });
}

const upgrade = (from: number, data: JsonObject): JsonObject => ({
  ...data,
  theme: `${data["theme"]} of ${from}`,
});

/** A page of version 1 with something stored. */
async function begun() {
  const at = liveWorld();
  const old = at.live([prefs({ vsn: 1 })]);
  const page = await Page.open(at, old, "/prefs");
  await page.event("theme", { value: "dark" });
  await page.event("draft", { value: "half" });
  await page.saved();
  return { at, old, page };
}

test("[LV14] scenario 27: an older shape is migrated once, drafts included, and stored in full", async () => {
  const { at, page } = await begun();
  await page.reconnect(at.live([prefs({ vsn: 2, migrate: upgrade })]));
  assertEquals(page.root().html, "<p>dark of 1|half|migrated</p>");
  await page.saved();
  const slice = (await at.theSession()).views["prefs"];
  assertEquals([slice?.vsn, slice?.keys], [2, { theme: "dark of 1" }]);
  assertEquals(Object.values(slice?.drafts ?? {}).map(({ keys }) => keys), [{ draft: "half" }]);
});

test("[LV14] scenario 26: without migrate older data is discarded, and replaced by what comes next", async () => {
  const { at, page } = await begun();
  await page.reconnect(at.live([prefs({ vsn: 2 })]));
  assertEquals(page.root().html, "<p>light||discarded</p>");
  assertEquals((await at.theSession()).views["prefs"]?.vsn, 1);
  await page.event("draft", { value: "new" });
  await page.saved();
  const slice = (await at.theSession()).views["prefs"];
  assertEquals([slice?.vsn, slice?.keys], [2, {}]);
});

test("[LV14] a migrate that throws leaves what is stored, and the view on its defaults", async () => {
  const { at, page } = await begun();
  const broken = () => {
    throw new Error("cannot migrate");
  };
  await page.reconnect(at.live([prefs({ vsn: 2, migrate: broken })]));
  assertEquals(page.root().html, "<p>light||error</p>");
  await page.event("theme", { value: "dim" });
  await page.saved();
  assertEquals([page.of("stash").at(-1)?.durable, page.of("stash").at(-1)?.code], [
    false,
    "ERR_UNRECOVERED",
  ]);
  assertEquals((await at.theSession()).views["prefs"]?.keys["theme"], "dark");
});

test("[LV14] scenario 24: an old node that finds a newer shape works from its defaults and writes nothing", async () => {
  const { at, old, page } = await begun();
  await page.reconnect(at.live([prefs({ vsn: 2, migrate: upgrade })]));
  await page.saved();
  const before = JSON.stringify((await at.theSession()).views);
  await page.reconnect(old);
  assertEquals(page.root().html, "<p>light||newer</p>");
  const fresh = await Page.open(at, old, "/prefs", page.jar);
  assertEquals(fresh.root().html, "<p>light||newer</p>");
  await fresh.event("theme", { value: "dim" });
  assertEquals(fresh.root().html, "<p>dim||newer</p>");
  await at.clock.advance(60_000);
  assertEquals(JSON.stringify((await at.theSession()).views), before);
  assertEquals([fresh.closedWith, page.closedWith], [undefined, undefined], "nobody is sent round");
});

test("[LV14] G2: an old node whose session has moved on is refused, and sends its page to a newer one", async () => {
  const { at, old, page } = await begun();
  const newer = at.live([prefs({ vsn: 2, migrate: upgrade })]);
  const other = await Page.open(at, newer, "/prefs", page.jar);
  await other.event("theme", { value: "bright" });
  await other.saved();
  await page.event("theme", { value: "old" });
  await at.until(() => page.closedWith !== undefined);
  assertEquals(page.closedWith, 1012);
  assertEquals(page.of("drain").map(({ reason }) => reason), ["stale"]);
  assertEquals(page.of("stash").at(-1)?.code, "ERR_NEWER_VERSION");
  assertEquals((await at.theSession()).views["prefs"]?.keys["theme"], "bright");
  await page.reconnect(newer);
  assertEquals(page.root().html, "<p>bright|half|recovered</p>");
  assertEquals(old.live.connections, 0);
});

test("[LV14] scenario 28: a recovered value that the schema refuses falls back to its default alone", async () => {
  const { at, page } = await begun();
  const Strict = defineView({
    name: "prefs",
    stored: { theme: "session", draft: "reconnect" },
    state: (): State => ({ theme: "light", draft: "" }),
    schema: v.object({ theme: v.picklist(["light", "dim"]), draft: v.string() }),
    events: { theme: ({ state }, input) => void (state.theme = String(input)) },
    render: ({ state, ctx }) => `<p>${state.theme}|${state.draft}|${ctx.recovery}</p>`,
  });
  await page.reconnect(at.live([Strict]));
  assertEquals(page.root().html, "<p>light|half|recovered</p>");
  // And what it refuses is shown, but not stored.
  await page.event("theme", { value: "neon" });
  await page.saved();
  assertEquals(page.of("stash").at(-1)?.code, "ERR_INVALID_STATE");
  assertEquals((await at.theSession()).views["prefs"]?.keys["theme"], "dark");
  await page.event("theme", { value: "dim" });
  await page.saved();
  assertEquals((await at.theSession()).views["prefs"]?.keys["theme"], "dim");
});

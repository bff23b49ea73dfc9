import { defineView } from "../../adapters/live/mod.ts";
import type { OpenWatch, WatchOptions, WatchSource } from "../../src/sync/watch.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { type FakeWorld, fakeWorld, insert, type Thing } from "../sync/fixtures/fake.ts";
import { type LiveWorld, liveWorld, Page } from "./world.ts";

type Sql = unknown;
const Things: WatchOptions<readonly Thing[], Sql> = { table: "things", orderBy: "id" };

/** A hub on a made-up log, and how many of its watches are open. */
function rows(): { readonly w: FakeWorld; readonly source: WatchSource<Sql>; open(): number } {
  const w = fakeWorld();
  let open = 0;
  const source: WatchSource<Sql> = {
    open<Value>(options: WatchOptions<Value, Sql>, key: number): OpenWatch<Value> {
      const watch = w.hub.open(options as never, key) as unknown as OpenWatch<Value>;
      open++;
      let isOpen = true;
      return {
        getSnapshot: () => watch.getSnapshot(),
        subscribe: (listener) => watch.subscribe(listener),
        ready: () => watch.ready(),
        close() {
          watch.close();
          if (isOpen) open--;
          isOpen = false;
        },
      };
    },
  };
  return { w, source, open: () => open };
}

function listView(source: WatchSource<Sql>) {
  const watches = new WeakMap<object, OpenWatch<readonly Thing[]>>();
  return defineView({
    name: "things",
    state: () => ({ key: 1 }),
    async mount(ctx) {
      watches.set(ctx, ctx.watch(source, Things, ctx.state.key));
      await watches.get(ctx)?.ready();
    },
    events: {
      async other(ctx) {
        watches.get(ctx)?.close();
        ctx.state.key = 2;
        watches.set(ctx, ctx.watch(source, Things, 2));
        await watches.get(ctx)?.ready();
      },
      boom() {
        throw new Error("boom");
      },
    },
    render: ({ ctx }) => {
      const { value = [], status } = watches.get(ctx)!.getSnapshot();
      return `${status}: ${value.map(({ title }) => title).join(" ")}`;
    },
  });
}

/** Both worlds go on until something is the case. */
async function until(at: LiveWorld, w: FakeWorld, holds: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !holds(); i++) {
    await w.settle();
    await at.clock.advance(5);
  }
  assert(holds(), String(holds));
}

async function opened(at: LiveWorld, w: FakeWorld, source: WatchSource<Sql>): Promise<Page> {
  await w.settle();
  return await Page.open(at, at.live([listView(source)]), "/things");
}

test("[LV43] a view shows rows as they are committed, with one render for each transaction", async () => {
  const at = liveWorld();
  const { w, source, open } = rows();
  w.database.seen.value = [{ org: 1, id: 1, title: "a" }];
  const page = await opened(at, w, source);
  assertEquals([page.root().html, open()], ["live: a", 1]);
  const before = page.of("patch").length;
  w.feed.commit(20, 100, insert("1", "2", "b"), insert("1", "3", "c"), insert("2", "4", "d"));
  await until(at, w, () => page.root().html === "live: a b c");
  assertEquals(page.of("patch").length - before, 1);
  w.feed.commit(21, 200, insert("2", "5", "of another"));
  w.feed.cut();
  await until(at, w, () => page.root().html === "stale: a b c");
});

test("[LV43] a watch ends with its view, with a crash, and with the answer to a GET", async () => {
  const at = liveWorld();
  const { w, source, open } = rows();
  const page = await opened(at, w, source);
  page.socket?.drop();
  await at.clock.advance(1000);
  assertEquals(open(), 0);
  await page.connect();
  await page.join();
  assertEquals(open(), 1);
  page.fire("boom");
  await until(at, w, () => open() === 0);
  w.database.seen.value = [{ org: 1, id: 1, title: "a" }];
  await w.clock.advance(5000);
  const html = await (await page.node.app.request("https://app.example/things")).text();
  assert(html.includes("live: a<"), html);
  assertEquals(open(), 0);
});

test("[LV43] with another key nothing of the one before is shown any more", async () => {
  const at = liveWorld();
  const { w, source, open } = rows();
  w.database.seen.value = [{ org: 1, id: 1, title: "mine" }];
  const page = await opened(at, w, source);
  w.database.seen.value = [{ org: 2, id: 2, title: "other" }];
  await page.event("other");
  assertEquals([page.root().html, open()], ["live: other", 1]);
  w.feed.commit(20, 100, insert("1", "3", "of before"));
  w.feed.commit(21, 200, insert("2", "4", "new"));
  await until(at, w, () => page.root().html === "live: other new");
});

interface Renders {
  count: number;
}

/** Two watches of one key, as its definition says. */
function watching(source: WatchSource<Sql>, renders: Renders = { count: 0 }) {
  return defineView({
    name: "watching",
    state: (): { key: number | null } => ({ key: 1 }),
    watch: (rows) => ({
      things: rows(source, { ...Things, key: ({ state }) => state.key }),
      first: rows(source, {
        ...Things,
        key: ({ state }) => state.key,
        onChange: (value) => value.slice(0, 1),
      }),
    }),
    events: {
      other(ctx) {
        ctx.state.key = 2;
      },
      none(ctx) {
        ctx.state.key = null;
      },
      async flush(ctx) {
        ctx.state.key = 2;
        await ctx.flush();
        return ctx.rows.things.value?.map(({ title }) => title) ?? [];
      },
      boom() {
        throw new Error("boom");
      },
    },
    render: ({ ctx: { rows } }) => {
      renders.count++;
      const titles = rows.things.value?.map(({ title }) => title).join(" ") ?? "nothing";
      return `${rows.things.status}: ${titles} (${rows.first.value?.[0]?.title})`;
    },
  });
}

test("[LV50] what a definition watches is in the first HTML, and is rendered once for each transaction", async () => {
  const at = liveWorld();
  const { w, source } = rows();
  const renders = { count: 0 };
  w.database.seen.value = [{ org: 1, id: 1, title: "a" }];
  await w.settle();
  const node = at.live([watching(source, renders)]);
  const html = await (await node.app.request("https://app.example/watching")).text();
  assert(html.includes("live: a (a)<"), html);
  const page = await Page.open(at, node, "/watching");
  assertEquals(page.root().html, "live: a (a)");
  await until(at, w, () => true);
  renders.count = 0;
  w.feed.commit(20, 100, insert("1", "2", "b"), insert("1", "0", "c"), insert("2", "4", "d"));
  await until(at, w, () => page.root().html === "live: c a b (c)");
  assertEquals(renders.count, 1);
  w.feed.commit(21, 200, insert("2", "5", "of another"));
  w.feed.cut();
  await until(at, w, () => page.root().html === "stale: c a b (c)");
  assertEquals(renders.count, 2);
});

test("[LV50] what a definition watches ends with its view, with a crash, and with the answer to a GET", async () => {
  const at = liveWorld();
  const { w, source, open } = rows();
  await w.settle();
  const node = at.live([watching(source)]);
  await node.app.request("https://app.example/watching");
  assertEquals(open(), 0);
  const page = await Page.open(at, node, "/watching");
  assertEquals(open(), 2);
  page.fire("boom");
  await until(at, w, () => open() === 0);
  await page.join();
  assertEquals(open(), 2);
  page.socket?.drop();
  await until(at, w, () => open() === 0);
});

test("[LV51] with another key the rows of the one before are left, and without one there are none", async () => {
  const at = liveWorld();
  const { w, source, open } = rows();
  w.database.seen.value = [{ org: 1, id: 1, title: "mine" }];
  await w.settle();
  const page = await Page.open(at, at.live([watching(source)]), "/watching");
  w.database.seen.value = [{ org: 2, id: 2, title: "other" }];
  await page.event("other");
  assertEquals([page.root().html, open()], ["live: other (other)", 2]);
  w.feed.commit(20, 100, insert("1", "3", "of before"));
  w.feed.commit(21, 200, insert("2", "4", "new"));
  await until(at, w, () => page.root().html === "live: other new (other)");
  await page.event("none");
  assertEquals([page.root().html, open()], ["loading: nothing (undefined)", 0]);
  assert(!page.frames.some((frame) => JSON.stringify(frame).includes("of before")));
});

test("[LV51] a handler that flushes has the rows of the key it has set", async () => {
  const at = liveWorld();
  const { w, source } = rows();
  await w.settle();
  const page = await Page.open(at, at.live([watching(source)]), "/watching");
  w.database.seen.value = [{ org: 2, id: 2, title: "other" }];
  assertEquals((await page.event("flush")).value, ["other"]);
});

test("[LV52] a view whose rows cannot be loaded is not shown, and joins once they can", async () => {
  const at = liveWorld();
  const { w, source, open } = rows();
  w.database.byHand = true;
  await w.settle();
  const node = at.live([watching(source)]);
  const answer = node.app.request("https://app.example/watching");
  await until(at, w, () => w.database.waiting.length === 2);
  for (const load of w.database.waiting.splice(0)) load.fail(new Error("The database is away"));
  assertEquals([(await answer).status, open()], [500, 0]);
  w.database.byHand = false;
  const page = await Page.open(at, node, "/watching");
  w.database.byHand = true;
  page.fire("other");
  await until(at, w, () => w.database.waiting.length === 2);
  for (const load of w.database.waiting.splice(0)) load.fail(new Error("The database is away"));
  await until(at, w, () => page.of("error").length === 1);
  assertEquals([page.of("error")[0]?.code, open()], ["crash", 0]);
  w.database.byHand = false;
  await page.join();
  assertEquals(page.root().html, "live:  (undefined)");
});

test("[LV52] views of one definition share what is loaded for a key", async () => {
  const at = liveWorld();
  const { w, source } = rows();
  await w.settle();
  const node = at.live([watching(source)]);
  await Page.open(at, node, "/watching");
  const before = w.database.loads;
  await Page.open(at, node, "/watching");
  // That of the page, which is over by then, was kept as well.
  assertEquals(w.database.loads, before);
});

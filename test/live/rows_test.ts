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

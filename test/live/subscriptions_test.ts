import { Subscriptions } from "../../src/live/shared.ts";
import type { OpenWatch, WatchSource } from "../../src/sync/watch.ts";
import { assertEquals, test } from "../harness/mod.ts";
import { listDocument } from "../document/list.ts";
import { world } from "../object_model/world.ts";

const rows = { table: "things", key: "id" };

/** Opens watches that tell how many of them there are, and whether anybody is called back. */
function countingSource() {
  const open = new Set<OpenWatch<never>>();
  const source: WatchSource<unknown> = {
    open: () => {
      const watch: OpenWatch<never> = {
        getSnapshot: () => ({ status: "live", version: 1, value: undefined as never }),
        subscribe: () => () => {},
        ready: () => Promise.resolve(watch.getSnapshot()),
        close: () => void open.delete(watch),
      };
      open.add(watch);
      return watch;
    },
  };
  return { open, source };
}

test("[LV44] a view that joins and leaves again and again holds nothing of it", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  const subscriptions = new Subscriptions(() => {});
  const sizes: number[] = [];
  for (let round = 0; round < 100; round++) {
    const { leave } = await w.finish(subscriptions.join(list, {}));
    sizes.push(subscriptions.size);
    leave();
    leave();
  }
  assertEquals(new Set(sizes), new Set([1]));
  assertEquals([subscriptions.size, (await w.finish(list.info())).subscribers], [0, 0]);
});

test("[LV44] nothing is held of a subscription that the document has ended", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  let told = 0;
  const subscriptions = new Subscriptions(() => void told++);
  const kept = await w.finish(subscriptions.join(w.node().document(listDocument(), "b"), {}));
  for (let round = 1; round <= 20; round++) {
    await w.finish(subscriptions.join(list, {}));
    await w.finish(list.stop());
    assertEquals([subscriptions.size, told], [1, round], "the view is rendered again");
  }
  kept.leave();
  assertEquals(subscriptions.size, 0);
});

test("[LV44] a view that opens and closes watches again and again holds nothing of them", () => {
  const { open, source } = countingSource();
  const subscriptions = new Subscriptions(() => {});
  for (let round = 0; round < 100; round++) {
    const watch = subscriptions.watch(source, rows as never, round);
    assertEquals([subscriptions.size, open.size], [1, 1]);
    watch.close();
    watch.close();
  }
  assertEquals([subscriptions.size, open.size], [0, 0]);
});

test("[LV44] what is still open ends with the view, and what comes later at once", async () => {
  const w = world();
  const { open, source } = countingSource();
  const list = w.node().document(listDocument(), "a");
  const subscriptions = new Subscriptions(() => {});
  const late = subscriptions.join(list, {});
  await w.finish(subscriptions.join(list, {}));
  await w.finish(late);
  subscriptions.watch(source, rows as never, 1);
  assertEquals((await w.finish(list.info())).subscribers, 2);
  subscriptions.end();
  subscriptions.watch(source, rows as never, 2);
  await w.finish(subscriptions.join(list, {}));
  assertEquals([subscriptions.size, open.size], [0, 0]);
  assertEquals((await w.finish(list.info())).subscribers, 0);
});

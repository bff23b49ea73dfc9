import { assert, assertEquals, test } from "../harness/mod.ts";
import { Cart, Settings } from "./views.ts";
import { Jar, liveWorld, Page } from "./world.ts";

test("[LV1] a page from its first GET to the end of its server", async () => {
  const at = liveWorld();
  const node = at.live([Settings, Cart]);
  const page = await Page.open(at, node, "/settings");
  assertEquals(page.root().html, "<p>light||0|0|new</p>");
  const reply = await page.event("add");
  assertEquals([reply.ok, reply.value], [true, 1]);
  assertEquals(page.root().html, "<p>light||1|0|new</p>");
  await page.event("theme", { value: { theme: "dark" } });
  await page.saved();
  await page.event("edit", { type: "change", form: { id: "f", data: [["draft", "half"]] } });
  await page.saved();
  await page.reconnect();
  assertEquals(page.root().html, "<p>dark|half|0|1|recovered</p>");
  const other = await Page.open(at, node, "/settings", page.jar);
  assertEquals(other.root().html, "<p>dark||0|0|recovered</p>");
  const drained = await at.finish(node.live.drain());
  assertEquals(drained, { views: 2, flushed: 2, timedOut: 0, failed: 0 });
  assertEquals([page.closedWith, other.closedWith], [1012, 1012]);
  const cart = await Page.load(at, at.live([Cart]), "/cart", new Jar());
  assert(cart.roots.size === 1);
});

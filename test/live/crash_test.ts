import { defineView } from "../../adapters/live/mod.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { Cart } from "./views.ts";
import { type LiveNode, type LiveWorld, liveWorld, Page, rootsOf } from "./world.ts";

/** A view that breaks where it is told to. */
const Boom = defineView({
  name: "boom",
  stored: ["kept", "poison"],
  state: () => ({ kept: 0, poison: false, count: 0, broken: false }),
  mount({ state, connected }) {
    if (state.poison && connected) throw new Error("poisoned");
  },
  events: {
    keep: ({ state }) => void state.kept++,
    count: ({ state }) => void state.count++,
    boom({ state }) {
      state.kept = 1000;
      throw new Error("boom");
    },
    reject: () => Promise.reject(new Error("boom")),
    unrenderable({ state }) {
      state.kept = 500;
      state.broken = true;
    },
    poison: ({ state }) => void (state.poison = true),
  },
  render: ({ state, ctx }) => {
    if (state.broken) throw new Error("cannot render");
    return `<p>${state.kept}|${state.count}|${ctx.recovery}</p>`;
  },
});

/** A page with two views on one socket. */
async function two(at: LiveWorld, node: LiveNode): Promise<Page> {
  const page = await Page.load(at, node, "/boom");
  const cart = await (await page.jar.request(node, "/cart")).text();
  for (const root of rootsOf(cart)) page.roots.set(root.id, root);
  await page.connect();
  await page.join();
  return page;
}

test("[LV7] scenario 15: a handler that throws ends its view alone; what was acknowledged is kept", async () => {
  for (const name of ["boom", "reject", "unrenderable"]) {
    const at = liveWorld();
    const page = await two(at, at.live([Boom, Cart]));
    await page.event("put", { id: "live-cart", value: "kelp" });
    await page.event("count");
    await page.event("keep");
    // At once: what was kept has not been stored yet.
    page.fire(name);
    await at.until(() => page.of("error").length > 0);
    assertEquals(page.of("error").map(({ id, code, retry }) => [id, code, retry]), [
      ["live-boom", "crash", true],
    ]);
    assertEquals(page.closedWith, undefined);
    assertEquals(page.root("live-cart").html, "<ul><li>kelp</li></ul>");
    await page.event("put", { id: "live-cart", value: "dulse" });
    page.roots.delete("live-cart");
    await page.join();
    assertEquals(page.root().html, "<p>1|0|recovered</p>", name);
  }
});

test("[LV9] scenario 17: state that cannot be rendered is never stored", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Boom]), "/boom");
  page.fire("unrenderable");
  await at.until(() => page.of("error").length > 0);
  await at.clock.advance(5000);
  assertEquals(at.memory.size, 0);
});

test("[LV8] state that views crash on is left out of the fourth mount, and set aside by its first write", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Boom]), "/boom");
  await page.event("keep");
  await page.event("poison");
  await page.saved();
  page.socket?.drop();
  await page.connect();
  for (let mounts = 0; mounts < 3; mounts++) {
    page.sendJoins();
    await at.until(() => page.of("error").length > mounts);
    assertEquals(page.of("error").at(-1)?.code, "mount_failed");
  }
  await page.join();
  assertEquals(page.root().html, "<p>0|0|discarded</p>");
  assertEquals((await at.theSession()).views["boom"]?.keys["poison"], true);
  await page.event("keep");
  await page.saved();
  const { views } = await at.theSession();
  assertEquals(views["boom"]?.keys, { kept: 1 });
  assertEquals(views["~boom"]?.keys["poison"], true);
});

test("[LV7] scenario 16: a mount that throws is answered, and joining again works once it is mended", async () => {
  const at = liveWorld();
  let broken = true;
  const Mended = defineView({
    name: "mended",
    state: () => ({}),
    mount({ connected }) {
      if (broken && connected) throw new Error("broken");
    },
    render: () => "fine",
  });
  const page = await Page.open(at, at.live([Mended]), "/mended").catch(() => undefined);
  assertEquals(page, undefined);
  const again = await Page.load(at, at.live([Mended]), "/mended");
  await again.connect();
  again.sendJoins();
  await at.until(() => again.of("error").length === 1);
  assertEquals([again.of("error")[0]?.code, again.of("error")[0]?.retry], ["mount_failed", true]);
  broken = false;
  await again.join();
  assertEquals(again.root().joined?.mounts, 0, "the failed one did not count");
});

test("[LV7] what crashes is told to telemetry, without what was stored", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Boom]), "/boom");
  page.fire("boom");
  await at.until(() => page.of("error").length > 0);
  const crash = at.events.find(({ name }) => name === "holdfast.live.crash");
  assert(crash?.name === "holdfast.live.crash");
  assertEquals([crash.view, crash.event], ["boom", "boom"]);
});

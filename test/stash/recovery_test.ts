import { assert, assertEquals, test } from "../harness/mod.ts";
import { defineStash } from "../../mod.ts";
import { Cart, Prefs } from "./definitions.ts";
import { browser, world } from "./world.ts";

test("[SH2] nothing is read before a stash is asked for, and nothing written before it is stashed", async () => {
  const { node, storage } = world();
  const one = node();
  const user = browser();
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.items.push("kelp");
    assertEquals(storage.calls, { get: 0, put: 0, delete: 0, list: 0 });
    await cart.stash();
  });
  const before = { ...storage.calls };
  await user.visit(one, (session) => assertEquals(session.ref, ""));
  assertEquals(storage.calls, before, "opening a session read something");
  const reads = storage.calls.get;
  await user.visit(one, async (session) => {
    await Promise.all([session.stash(Cart), session.stash(Prefs), session.stash(Cart)]);
  });
  assertEquals(storage.calls.get, reads + 1, "one look serves the request");
});

test("[SH3] stash() writes the changed keys only, and nothing if nothing has changed", async () => {
  const { node, storage, theSession } = world();
  const one = node();
  const user = browser();
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    assertEquals(await cart.stash(), false);
    assertEquals(storage.calls.put, 0);
    cart.state.count = 1;
    assertEquals(await cart.stash(), true);
    assertEquals((await theSession()).views["cart"]?.keys, { count: 1 });
    assertEquals(await cart.stash(), false);
    cart.state.count = 2;
    cart.state.count = 1;
    assertEquals(await cart.stash(), false, "changed and changed back");
    cart.state.items.push("kelp");
    assertEquals(await cart.stash(), true);
  });
  assertEquals((await theSession()).views["cart"], { vsn: 1, keys: { count: 1, items: ["kelp"] } });
});

test("[SH3] stash() resolves when the change is durable, not before", async () => {
  const { node, storage, clock, memory } = world();
  storage.plan = ({ operation }) => ({ kind: "none", latencyMs: operation === "put" ? 100 : 0 });
  const cart = await node().open(null).session.stash(Cart);
  cart.state.count = 1;
  let stored: boolean | undefined;
  const stashing = cart.stash().then(() => stored = memory.size === 1);
  await clock.advance(99);
  assertEquals([stored, memory.size], [undefined, 0]);
  await clock.advance(1);
  await stashing;
  assertEquals(stored, true);
});

test("[SH4] a stash with nothing stored is not_found and holds its defaults", async () => {
  const { node } = world();
  const one = node();
  const user = browser();
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    assertEquals([cart.status, cart.state], ["not_found", { items: [], count: 0, note: "" }]);
    await (await session.stash(Prefs)).update((prefs) => void (prefs.theme = "dark"));
  });
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    assertEquals([cart.status, cart.state], ["not_found", { items: [], count: 0, note: "" }]);
  });
});

test("[SH5] a stash whose keys were found is recovered, with defaults for the others", async () => {
  const { node } = world();
  const one = node();
  const user = browser();
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.items.push("kelp");
    await cart.stash();
  });
  // Another node, as after a restart: what it reads is what this one holds.
  for (const at of [one, node()]) {
    await user.visit(at, async (session) => {
      const cart = await session.stash(Cart);
      assertEquals([cart.status, cart.state], ["recovered", {
        items: ["kelp"],
        count: 0,
        note: "",
      }]);
      assertEquals([cart.cause, cart.invalid], [undefined, []]);
    });
  }
});

test("[SH6] only declared keys are stored, and only declared keys are recovered", async () => {
  const { node, theSession, edit } = world();
  const user = browser();
  const Some = defineStash({
    name: "cart",
    vsn: 1,
    stored: ["items"],
    state: () => ({ items: [] as string[], secret: "default" }),
  });
  await user.visit(node(), async (session) => {
    const some = await session.stash(Some);
    some.state.secret = "changed";
    assertEquals(await some.stash(), false);
    some.state.items.push("kelp");
    await some.stash();
  });
  assertEquals((await theSession()).views["cart"]?.keys, { items: ["kelp"] });
  await edit((record) => {
    const state = record["state"] as { views: { cart: { keys: Record<string, unknown> } } };
    Object.assign(state.views.cart.keys, { secret: "planted", toString: 1, other: true });
  });
  await user.visit(node(), async (session) => {
    const { state } = await session.stash(Some);
    assertEquals(state, { items: ["kelp"], secret: "default" });
    assert(!Object.hasOwn(state, "toString"));
  });
});

test("[SH7] a session key survives a navigation, a reconnect key its own page instance only", async () => {
  const { node } = world();
  const one = node();
  const user = browser();
  const page = await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.count = 1;
    cart.state.note = "half typ";
    await cart.stash();
    return cart.page;
  });
  const shown = (use?: { page: string }) =>
    user.visit(one, async (session) => {
      const { state: { count, note }, page } = await session.stash(Cart, use);
      return { count, note, page };
    });
  assertEquals(await shown({ page }), { count: 1, note: "half typ", page });
  const fresh = await shown();
  assertEquals([fresh.count, fresh.note], [1, ""]);
  assert(fresh.page !== page, "a navigation is a page instance of its own");
  assertEquals(await shown({ page }), { count: 1, note: "half typ", page }, "cleared by the other");
});

test("[SH7] a second tab neither reads nor changes the draft of the first", async () => {
  const { node, theSession } = world();
  const one = node();
  const user = browser();
  const type = (note: string, use?: { page: string }) =>
    user.visit(one, async (session) => {
      const cart = await session.stash(Cart, use);
      cart.state.note = note;
      await cart.stash();
      return cart.page;
    });
  const first = await type("one");
  const second = await type("two");
  await type("one more", { page: first });
  assertEquals((await theSession()).views["cart"]?.drafts?.[first]?.keys, { note: "one more" });
  assertEquals((await theSession()).views["cart"]?.drafts?.[second]?.keys, { note: "two" });
});

test("[SH7] a page that is not one, or of somebody else, is no page", async () => {
  const { node } = world();
  const one = node();
  const [user, other] = [browser(), browser()];
  const pages = [
    "",
    "a",
    "a".repeat(17),
    "../../../../../x",
    "a".repeat(15) + "/",
    "\0".repeat(16),
  ];
  for (const page of pages) {
    await user.visit(one, async (session) => {
      const cart = await session.stash(Cart, { page });
      assert(cart.page !== page && /^[\w-]{16}$/.test(cart.page), `took ${JSON.stringify(page)}`);
    });
  }
  const page = await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.note = "mine";
    await cart.stash();
    return cart.page;
  });
  await other.visit(one, async (session) => {
    const cart = await session.stash(Cart, { page });
    assertEquals(cart.state.note, "");
    cart.state.note = "theirs";
    await cart.stash();
  });
  await user.visit(one, async (session) => {
    assertEquals((await session.stash(Cart, { page })).state.note, "mine");
  });
});

test("[SH7] a page named like something that every object has is a page like any other", async () => {
  const { node } = world();
  const one = node();
  const user = browser();
  const use = { page: "__defineGetter__" };
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart, use);
    assertEquals([cart.state.note, cart.status], ["", "not_found"]);
    cart.state.note = "typed";
    await cart.stash();
  });
  await user.visit(node(), async (session) => {
    assertEquals((await session.stash(Cart, use)).state.note, "typed");
  });
});

test("[SH7] a key stored under another scope is recovered from where its scope says", async () => {
  const { node } = world();
  const one = node();
  const user = browser();
  const page = await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.note = "stale draft";
    await cart.stash();
    return cart.page;
  });
  const { name, vsn, state } = Cart;
  const Shared = defineStash({ name, vsn, stored: ["note"], state });
  await user.visit(one, async (session) => {
    const cart = await session.stash(Shared, { page });
    cart.state.note = "shared";
    await cart.stash();
  });
  await user.visit(one, async (session) => {
    assertEquals((await session.stash(Shared, { page })).state.note, "shared");
    assertEquals((await session.stash(Shared)).state.note, "shared");
  });
});

test("[SH17] a declared key set to undefined is deleted from storage", async () => {
  const { node, theSession } = world();
  const one = node();
  const user = browser();
  const set = (note: string | undefined, use?: { page: string }) =>
    user.visit(one, async (session) => {
      const cart = await session.stash(Cart, use);
      cart.state.note = note;
      cart.state.count = 1;
      await cart.stash();
      return cart.page;
    });
  const page = await set("typed");
  await set(undefined, { page });
  assertEquals((await theSession()).views["cart"], { vsn: 1, keys: { count: 1 } });
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart, { page });
    assertEquals(cart.state.note, "");
    await cart.update((state) => void (state.note = "again"));
    await cart.update((state) => void (state.note = undefined));
    assertEquals(cart.state.note, "", "what is not stored is the default");
    assertEquals(await cart.stash(), false, "a deleted key is no change of this request");
  });
  assertEquals((await theSession()).views["cart"], { vsn: 1, keys: { count: 1 } });
});

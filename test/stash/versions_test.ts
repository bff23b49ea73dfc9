import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { defineStash, type Holdfast, type StashDefinition } from "../../mod.ts";
import { Cart, Cart2, Cart2Bare, type CartState, Prefs } from "./definitions.ts";
import { type Browser, browser, type World, world } from "./world.ts";

/** A user whose cart of the first version has an item and a draft. */
async function shopper(at: World): Promise<{ user: Browser; one: Holdfast; page: string }> {
  const one = at.node();
  const user = browser();
  const page = await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    Object.assign(cart.state, { items: ["kelp"], count: 3, note: "half typ" });
    await cart.stash();
    return cart.page;
  });
  // The second visit confirms the session, so that later reads write nothing.
  await user.visit(one, (session) => session.stash(Cart));
  await at.finish(Promise.resolve());
  return { user, one, page };
}

const broken = (migrate: () => unknown): StashDefinition<CartState> =>
  defineStash<CartState>({
    name: "cart",
    vsn: 2,
    stored: ["items", "count"],
    state: Cart.state,
    migrate,
  });

test("[SH8] an older version is migrated for the request, and reading alone never writes", async () => {
  const at = world();
  const { user, one } = await shopper(at);
  const before = await at.theSession();
  const puts = at.storage.calls.put;
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart2);
    assertEquals([cart.status, cart.state], ["migrated", {
      lines: [{ name: "kelp", amount: 1 }],
      count: 3,
      note: "",
    }]);
  });
  await at.finish(Promise.resolve());
  assertEquals([at.storage.calls.put, await at.theSession()], [puts, before]);
});

test("[SH8] the next stash() writes what was migrated back, also if nothing else has changed", async () => {
  const at = world();
  const { user, one } = await shopper(at);
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart2);
    assertEquals(await cart.stash(), true);
    assertEquals(await cart.stash(), false);
  });
  const slice = (await at.theSession()).views["cart"];
  assertEquals([slice?.vsn, slice?.keys], [2, {
    count: 3,
    lines: [{ name: "kelp", amount: 1 }],
  }]);
  await user.visit(one, async (session) => {
    assertEquals((await session.stash(Cart2)).status, "recovered");
  });
});

test("[SH8] migrate gets the old version and a copy of the data, which it may change", async () => {
  const at = world();
  const { user, one } = await shopper(at);
  const before = await at.theSession();
  const calls: unknown[] = [];
  const Greedy = defineStash<CartState>({
    name: "cart",
    vsn: 7,
    stored: ["items"],
    state: Cart.state,
    migrate: (from, data) => {
      calls.push([from, structuredClone(data)]);
      (data["items"] as string[]).push("eel");
      return data;
    },
  });
  await user.visit(one, async (session) => {
    assertEquals((await session.stash(Greedy)).state.items, ["kelp", "eel"]);
    assertEquals((await session.stash(Greedy)).state.items, ["kelp", "eel"]);
    assertEquals((await session.stash(Cart)).state.items, ["kelp"]);
  });
  assertEquals(calls[0], [1, { count: 3, items: ["kelp"] }]);
  assertEquals(await at.theSession(), before);
});

test("[SH8] a value as deep as allowed and a slice larger than one value are migrated", async () => {
  const at = world();
  const one = at.node({ limits: { maxSessionBytes: 1_048_576 } });
  const user = browser();
  const deep = (levels: number): unknown => levels === 0 ? 1 : [deep(levels - 1)];
  const Deep = defineStash({
    name: "deep",
    vsn: 1,
    stored: ["tree", "a", "b"],
    state: () => ({ tree: [] as unknown, a: "", b: "" }),
  });
  const Deeper = defineStash({
    name: "deep",
    vsn: 2,
    stored: ["tree", "a", "b"],
    state: Deep.state,
    migrate: (_, data) => data,
  });
  await user.visit(one, async (session) => {
    const stash = await session.stash(Deep);
    Object.assign(stash.state, { tree: deep(32), a: "a".repeat(60_000), b: "b".repeat(60_000) });
    await stash.stash();
  });
  await user.visit(one, async (session) => {
    const stash = await session.stash(Deeper);
    assertEquals([stash.status, stash.state.tree], ["migrated", deep(32)]);
    assertEquals(await stash.stash(), true);
  });
});

test("[SH9] an older version without migrate is discarded, and the next write replaces it", async () => {
  const at = world();
  const { user, one } = await shopper(at);
  await user.visit(one, async (session) => {
    await (await session.stash(Prefs)).update((prefs) => void (prefs.theme = "dark"));
    const cart = await session.stash(Cart2Bare);
    assertEquals([cart.status, cart.state], ["discarded", { items: [], count: 0, note: "" }]);
    assertEquals(await cart.stash(), false);
    assertEquals((await at.theSession()).views["cart"]?.vsn, 1, "nothing changed, nothing written");
    cart.state.count = 1;
    await cart.stash();
  });
  const { cart, prefs } = (await at.theSession()).views;
  assertEquals(cart, { vsn: 2, keys: { count: 1 } });
  assertEquals(prefs?.keys, { theme: "dark" });
});

test("[SH10] a newer version is newer, with defaults", async () => {
  const at = world();
  const { user, one } = await shopper(at);
  await user.visit(one, async (session) => void await (await session.stash(Cart2)).stash());
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    assertEquals([cart.status, cart.state], ["newer", { items: [], count: 0, note: "" }]);
    assertEquals(await cart.stash(), false);
  });
});

test("[SH11] an older writer is refused by stash(), update() and reset(), and changes nothing (checklist 20)", async () => {
  const at = world();
  const { user, one } = await shopper(at);
  await user.visit(one, async (session) => void await (await session.stash(Cart2)).stash());
  const before = await at.theSession();
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.count = 99;
    await assertRejects(() => cart.stash(), "ERR_NEWER_VERSION");
    await assertRejects(() => cart.stash(), /stored it, with vsn 2, and this one has vsn 1$/);
    await assertRejects(() => cart.update((state) => void state.count++), "ERR_NEWER_VERSION");
    await assertRejects(() => cart.reset(), "ERR_NEWER_VERSION");
    assertEquals(cart.state.count, 99, "the request keeps working from memory");
  });
  assertEquals((await at.theSession()).views, before.views);
  assert(at.events.some((e) => e.name === "holdfast.stash.refuse" && e.status === "newer"));
});

test("[SH11] a writer that recovered before another migrated is refused", async () => {
  const at = world();
  const { user, one } = await shopper(at);
  const two = at.node();
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.count = 99;
    await user.visit(two, async (other) => void await (await other.stash(Cart2)).stash());
    await assertRejects(() => cart.stash(), "ERR_NEWER_VERSION");
  });
  assertEquals((await at.theSession()).views["cart"]?.keys["count"], 3);
});

test("[SH12] a migration takes the drafts of other pages along", async () => {
  const at = world();
  const { user, one, page } = await shopper(at);
  const other = await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.note = "another";
    await cart.stash();
    return cart.page;
  });
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart2);
    cart.state.count = 4;
    await cart.stash();
  });
  const notes = await Promise.all([page, other].map((page) =>
    user.visit(one, async (session) => {
      const { status, state: { note, count, lines } } = await session.stash(Cart2, { page });
      return [status, note, count, lines.length];
    })
  ));
  assertEquals(notes, [
    ["recovered", "half typ (moved)", 4, 1],
    ["recovered", "another (moved)", 4, 1],
  ]);
});

test("[SH12] a render on the new node between a tab's drop and its return leaves the draft", async () => {
  const at = world();
  const { user, one, page } = await shopper(at);
  await user.visit(
    one,
    async (session) => assertEquals((await session.stash(Cart2)).state.note, ""),
  );
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart2, { page });
    assertEquals([cart.status, cart.state.note], ["migrated", "half typ (moved)"]);
  });
});

const failures: readonly (readonly [string, () => unknown])[] = [
  ["throws", () => {
    throw new Error("no way");
  }],
  ["returns nothing", () => undefined],
  ["returns a list", () => []],
  ["returns what JSON cannot carry", () => ({ items: [new Date(0)] })],
];

for (const [how, migrate] of failures) {
  test(`[SH13] a migrate that ${how} is status error, and the stored bytes stay (checklist 20)`, async () => {
    const at = world();
    const { user, one } = await shopper(at);
    const [[, stored] = []] = [...await at.records()];
    await user.visit(one, async (session) => {
      const cart = await session.stash(broken(migrate));
      assertEquals([cart.status, cart.state], ["error", { items: [], count: 0, note: "" }]);
      assert(cart.cause instanceof Error);
      cart.state.count = 99;
      const error = await assertRejects(() => cart.stash(), "ERR_UNRECOVERED");
      assertEquals(error.cause, cart.cause);
      await assertRejects(() => cart.update((state) => void state.count++), "ERR_UNRECOVERED");
      await (await session.stash(Prefs)).stash();
    });
    assertEquals([...(await at.records()).values()], [stored]);
  });
}

const damages: readonly (readonly [string, unknown])[] = [
  ["text", "x"],
  ["null", null],
  ["no vsn", { keys: {} }],
  ["a vsn that is text", { vsn: "1", keys: {} }],
  ["a vsn of 0", { vsn: 0, keys: {} }],
  ["keys that are a list", { vsn: 1, keys: [] }],
  ["a draft that is text", { vsn: 1, keys: {}, drafts: { a: "x" } }],
  ["a draft without time", { vsn: 1, keys: {}, drafts: { a: { keys: {} } } }],
];

for (const [what, damaged] of damages) {
  test(`[SH13] a slice damaged to ${what} is status error, stays as it is, and can be reset (checklist 20)`, async () => {
    const at = world();
    const { user } = await shopper(at);
    await at.edit(({ state }) => {
      (state as { views: Record<string, unknown> }).views["cart"] = damaged;
    });
    const before = await at.theSession();
    const two = at.node();
    await user.visit(two, async (session) => {
      const cart = await session.stash(Cart);
      assertEquals([cart.status, cart.state.items], ["error", []]);
      cart.state.count = 99;
      await assertRejects(() => cart.stash(), "ERR_UNRECOVERED");
      await assertRejects(() => cart.update((state) => void state.count++), "ERR_UNRECOVERED");
      const prefs = await session.stash(Prefs);
      assertEquals(prefs.status, "not_found", "the other slices go on");
      assertEquals((await at.theSession()).views, before.views);
      await cart.reset();
      assertEquals((await at.theSession()).views, {});
      cart.state.count = 1;
      assertEquals(await cart.stash(), true);
    });
    assertEquals((await at.theSession()).views["cart"], { vsn: 1, keys: { count: 1 } });
  });
}

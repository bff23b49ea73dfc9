import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { defineStash, type Holdfast, type Session } from "../../mod.ts";
import { Cart, Prefs } from "./definitions.ts";
import { type Browser, browser, day, type World, world } from "./world.ts";

const setups: readonly (readonly [string, (at: World) => readonly Holdfast[]])[] = [
  ["one node", (at) => [at.node()]],
  ["two nodes", (at) => [at.node(), at.node()]],
];

/** A user with a session and two tabs that send the same cookie. */
async function twoTabs(node: Holdfast): Promise<readonly [Browser, Browser]> {
  const tab = browser();
  await tab.visit(node, async (session) => {
    await (await session.stash(Cart)).update((state) => void (state.count = 10));
  });
  return [tab, browser(tab.cookie)];
}

for (const [where, start] of setups) {
  test(`[SH18] two tabs that write different keys at the same instant both survive, on ${where} (checklist 33)`, async () => {
    const at = world();
    const [one, two = one] = start(at) as [Holdfast, Holdfast?];
    const [a, b] = await twoTabs(one);
    await a.visit(one, (left) =>
      b.visit(two, async (right) => {
        const [mine, theirs] = [await left.stash(Cart), await right.stash(Cart)];
        mine.state.items.push("kelp");
        theirs.state.count = 11;
        await at.finish(Promise.all([mine.stash(), theirs.stash()]));
        assertEquals([mine.state.count, theirs.state.items], [10, []], "a request sees its own");
      }));
    assertEquals((await at.theSession()).views["cart"]?.keys, { items: ["kelp"], count: 11 });
  });

  test(`[SH18] the same key from two tabs: the later write in commit order wins, on ${where} (checklist 33)`, async () => {
    const at = world();
    const [one, two = one] = start(at) as [Holdfast, Holdfast?];
    const [a, b] = await twoTabs(one);
    await a.visit(one, (left) =>
      b.visit(two, async (right) => {
        const [mine, theirs] = [await left.stash(Cart), await right.stash(Cart)];
        mine.state.items = ["mine", "mine"];
        theirs.state.items = ["theirs", "theirs"];
        await at.finish(mine.stash());
        await at.finish(theirs.stash());
      }));
    assertEquals((await at.theSession()).views["cart"]?.keys["items"], ["theirs", "theirs"]);
  });

  test(`[SH18] different stashes of one session do not touch each other, on ${where}`, async () => {
    const at = world();
    const [one, two = one] = start(at) as [Holdfast, Holdfast?];
    const [a, b] = await twoTabs(one);
    const write = (tab: Browser, node: Holdfast, count: number) =>
      tab.visit(node, async (session) => {
        await (await session.stash(Cart)).update((state) => void (state.count = count));
        await (await session.stash(Prefs)).update((state) => void (state.count = -count));
      });
    await at.finish(Promise.all([write(a, one, 20), write(b, two, 20)]));
    const { cart, prefs } = (await at.theSession()).views;
    assertEquals([cart?.keys["count"], prefs?.keys["count"]], [20, -20]);
  });

  test(`[SH19] a hundred concurrent increments make a hundred, on ${where} (checklist 33)`, async () => {
    const at = world();
    const nodes = start(at);
    const [one] = nodes as [Holdfast];
    const [tab] = await twoTabs(one);
    at.storage.plan = () => ({ kind: "none", latencyMs: 3 });
    const increments = Array.from(
      { length: 100 },
      (_, i) =>
        browser(tab.cookie).visit(nodes[i % nodes.length] ?? one, async (session) => {
          const cart = await session.stash(Cart);
          const { count } = await cart.update((state) => void state.count++);
          assertEquals(cart.state.count, count, "the handle is brought up to date");
          return count;
        }),
    );
    const answers = await at.finish(Promise.all(increments));
    assertEquals((await at.theSession()).views["cart"]?.keys["count"], 110);
    assertEquals(answers.sort((a, b) => a - b), Array.from({ length: 100 }, (_, i) => 11 + i));
  });
}

test("[SH19] update() keeps what the request has changed but not stashed", async () => {
  const at = world();
  const one = at.node();
  const [tab] = await twoTabs(one);
  await tab.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.items.push("kelp");
    await cart.update((state) => void state.count++);
    assertEquals(cart.state, { items: ["kelp"], count: 11, note: "" });
    assertEquals((await at.theSession()).views["cart"]?.keys, { count: 11 });
    assertEquals(await cart.stash(), true);
  });
  assertEquals((await at.theSession()).views["cart"]?.keys, { count: 11, items: ["kelp"] });
});

test("[SH19] update() whose write is durable answers, whatever else the request has in its state", async () => {
  const at = world();
  const one = at.node();
  const [tab] = await twoTabs(one);
  await tab.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    Object.assign(cart.state, { items: [10n] });
    const { count } = await cart.update((state) => void state.count++);
    assertEquals([count, cart.state.items], [11, [10n]]);
    await assertRejects(() => cart.stash(), "ERR_INVALID_VALUE");
  });
  assertEquals((await at.theSession()).views["cart"]?.keys, { count: 11 });
});

test("[SH19] update() takes a state that is returned, and refuses anything else", async () => {
  const at = world();
  const one = at.node();
  const [tab] = await twoTabs(one);
  await tab.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    await cart.update((state) => ({ ...state, count: 12 }));
    await cart.update((state) => Promise.resolve({ ...state, items: ["kelp"] }));
    // As in JavaScript: what push() returns is a number.
    const push = (state: { items: string[] }): never => state.items.push("eel") as never;
    const error = await assertRejects(() => cart.update(push), /the change returned a number$/);
    assert(error instanceof TypeError);
  });
  assertEquals((await at.theSession()).views["cart"]?.keys, { count: 12, items: ["kelp"] });
});

test("[SH19] an update that throws stores nothing, and one that changes nothing writes nothing", async () => {
  const at = world();
  const one = at.node();
  const [tab] = await twoTabs(one);
  await tab.visit(one, (session) => session.stash(Cart));
  await at.finish(Promise.resolve());
  const puts = at.storage.calls.put;
  await tab.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    await assertRejects(
      () =>
        cart.update((state) => {
          state.count = 99;
          throw new Error("changed my mind");
        }),
      /changed my mind/,
    );
    assertEquals((await cart.update((state) => void (state.count += 0))).count, 10);
    assertEquals(cart.state.count, 10);
  });
  assertEquals(at.storage.calls.put, puts);
});

test("[SH19] an update that changes nothing begins no session", async () => {
  const at = world();
  const user = browser();
  await user.visit(at.node(), async (session) => {
    const cart = await session.stash(Cart);
    await cart.update(() => {});
    assertEquals([session.ref, at.storage.calls.put], ["", 0]);
    cart.state.count = 1;
    assertEquals(await cart.stash(), true, "the session could not begin any more");
  });
  await user.visit(at.node(), async (session) => {
    await (await session.stash(Cart)).update(() => {});
  });
  assertEquals(user.got.length, 1);
  const other = browser();
  await other.visit(at.node(), async (session) => {
    await (await session.stash(Cart)).update(() => {});
  });
  assertEquals(other.got, [], "a cookie without a session");
});

/** What one node holds in memory is behind: another has stored since. */
async function behind(handler: (session: Session) => Promise<unknown>) {
  const at = world();
  const [one, two] = [at.node(), at.node()];
  const [tab, other] = await twoTabs(one);
  const changing = await tab.visit(one, async (session) => {
    await session.stash(Cart);
    await other.visit(two, async (session) => {
      await (await session.stash(Cart)).update((state) => void (state.count = 77));
      await (await session.stash(Prefs)).update((state) => void (state.theme = "dark"));
    });
    return await handler(session);
  });
  return { changing, views: (await at.theSession()).views };
}

test("[SH19] update() that changes nothing answers with what is stored now, by whichever node", async () => {
  const { changing } = await behind(async (session) => {
    const { count } = await (await session.stash(Cart)).update(() => {});
    return count;
  });
  assertEquals(changing, 77);
});

test("[SH20] reset() removes what another node has stored since", async () => {
  const { views } = await behind(async (session) => await (await session.stash(Prefs)).reset());
  assertEquals(Object.keys(views), ["cart"]);
});

test("[SH20] reset() removes one slice, drafts included, and leaves the others", async () => {
  const at = world();
  const one = at.node();
  const user = browser();
  const page = await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    Object.assign(cart.state, { count: 1, note: "typed" });
    await cart.stash();
    await (await session.stash(Prefs)).update((prefs) => void (prefs.theme = "dark"));
    return cart.page;
  });
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.items.push("not stashed");
    await cart.reset();
    assertEquals(cart.state, { items: [], count: 0, note: "" });
    assertEquals(await cart.stash(), false);
  });
  assertEquals((await at.theSession()).views, { prefs: { vsn: 1, keys: { theme: "dark" } } });
  await user.visit(at.node(), async (session) => {
    const cart = await session.stash(Cart, { page });
    assertEquals([cart.status, cart.state.note], ["not_found", ""]);
  });
});

test("[SH20] reset() of a stash that was never stored writes nothing", async () => {
  const at = world();
  const user = browser();
  await user.visit(at.node(), async (session) => {
    const cart = await session.stash(Cart);
    cart.state.count = 1;
    await cart.reset();
    assertEquals(cart.state.count, 0);
  });
  assertEquals([at.storage.calls.put, user.got], [0, []]);
});

/** Types into a page of its own, and tells which. */
async function typeInto(user: Browser, node: Holdfast, note: string): Promise<string> {
  return await user.visit(node, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.note = note;
    await cart.stash();
    return cart.page;
  });
}

const drafts = async (at: World): Promise<readonly string[]> =>
  Object.keys((await at.theSession()).views["cart"]?.drafts ?? {});

test("[SH23] of too many drafts the oldest go, however close together they were written", async () => {
  for (const stepMs of [0, 1000]) {
    const at = world();
    const one = at.node({ limits: { maxDrafts: 3 } });
    const user = browser();
    const pages: string[] = [];
    for (let i = 0; i < 6; i++) {
      pages.push(await typeInto(user, one, `note ${i}`));
      assert((await drafts(at)).includes(pages.at(-1) ?? ""), "the one just written was dropped");
      await at.clock.advance(stepMs);
    }
    assertEquals((await drafts(at)).length, 3);
    if (stepMs > 0) assertEquals([...await drafts(at)].sort(), pages.slice(3).sort());
  }
});

test("[SH23] the draft just written stays although the clocks of other nodes are ahead", async () => {
  const at = world();
  const ahead = { ...at.clock, now: () => at.clock.now() + 60_000, monotonic: () => 0 };
  const user = browser();
  const [fast, slow] = [
    at.node({ limits: { maxDrafts: 2 }, clock: { ...ahead, timer: () => () => {} } }),
    at.node({ limits: { maxDrafts: 2 } }),
  ];
  await typeInto(user, fast, "one");
  await typeInto(user, fast, "two");
  const page = await typeInto(user, slow, "three");
  assert((await drafts(at)).includes(page));
  assertEquals((await drafts(at)).length, 2);
});

test("[SH23] drafts that nobody writes to for long are dropped by the next one, session keys stay", async () => {
  const at = world();
  const one = at.node({ limits: { draftMs: day }, lifetime: { idleMs: 30 * day } });
  const user = browser();
  await typeInto(user, one, "old");
  await user.visit(one, async (session) => {
    await (await session.stash(Cart)).update((state) => void state.count++);
  });
  at.clock.jump(day);
  const page = await typeInto(user, one, "new");
  assertEquals(await drafts(at), [page]);
  assertEquals((await at.theSession()).views["cart"]?.keys, { count: 1 });
});

test("[SH3] what is put back while it is being stashed is stored as it was put back", async () => {
  const at = world();
  const node = at.node();
  const [tab] = await twoTabs(node);
  await tab.visit(node, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.count = 11;
    const away = cart.stash();
    cart.state.count = 10;
    const back = cart.stash();
    const nothing = cart.stash();
    assertEquals(await at.finish(Promise.all([away, back, nothing])), [true, true, false]);
  });
  assertEquals((await at.theSession()).views["cart"]?.keys["count"], 10);
});

test("[SH3] writes of one request reach the store in the order they were made", async () => {
  const at = world();
  at.storage.plan = () => ({ kind: "none", latencyMs: 5 });
  const Log = defineStash({ name: "log", vsn: 1, stored: ["last"], state: () => ({ last: 0 }) });
  const user = browser();
  await at.finish(user.visit(at.node(), async (session) => {
    const log = await session.stash(Log);
    const writes = Array.from({ length: 10 }, (_, i) => {
      log.state.last = i + 1;
      return log.stash();
    });
    await Promise.all(writes);
    assertEquals(await log.stash(), false);
  }));
  assertEquals((await at.theSession()).views["log"]?.keys, { last: 10 });
});

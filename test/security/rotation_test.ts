import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { faultyStorage } from "../../adapters/testing/mod.ts";
import type { Session } from "../../mod.ts";
import { Cart, Prefs } from "../stash/definitions.ts";
import { browser, minute, open, partsOf, world } from "../stash/world.ts";

const add = async (session: Session): Promise<number> =>
  (await (await session.stash(Cart)).update((state) => void state.count++)).count;

const count = async (session: Session): Promise<number> => (await session.stash(Cart)).state.count;

test("[SE8] rotate() gives a new id, keeps the state, and the old id is dead at once (checklist 11)", async () => {
  const at = world();
  const one = at.node();
  const user = browser();
  const page = await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    Object.assign(cart.state, { count: 1, note: "typed" });
    await cart.stash();
    return cart.page;
  });
  const old = browser(user.cookie);
  await user.visit(one, async (session) => {
    const before = session.ref;
    await session.rotate();
    assert(session.ref !== before);
  });
  assert(partsOf(user.cookie).sid !== partsOf(old.cookie).sid);
  for (const node of [one, at.node()]) {
    await user.visit(node, async (session) => {
      const cart = await session.stash(Cart, { page });
      assertEquals([cart.state.count, cart.state.note], [1, "typed"]);
    });
    const records = await at.records();
    assertEquals(await old.visit(node, count), 0);
    assertEquals([await at.records(), old.got], [records, []], "the old cookie wrote something");
  }
});

test("[SE8] handles of the request go on under the new id", async () => {
  const at = world();
  const one = at.node();
  const user = browser();
  await user.visit(one, add);
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.items.push("kelp");
    await session.rotate();
    await cart.stash();
    assertEquals(await add(session), 2);
  });
  assertEquals((await at.theSession()).views["cart"]?.keys, { count: 2, items: ["kelp"] });
  assertEquals(await user.visit(at.node(), count), 2);
});

test("[SE8] writes of the request that are under way when it rotates arrive under the new id", async () => {
  const at = world();
  const user = browser();
  const one = at.node();
  await user.visit(one, add);
  at.storage.plan = () => ({ kind: "none", latencyMs: 7 });
  await at.finish(user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.items.push("kelp");
    const early = cart.stash();
    const rotating = session.rotate();
    const late = (await session.stash(Prefs)).update((state) => void (state.theme = "dark"));
    await Promise.all([early, rotating, late]);
  }));
  const { cart, prefs } = (await at.theSession()).views;
  assertEquals([cart?.keys, prefs?.keys], [{ count: 1, items: ["kelp"] }, { theme: "dark" }]);
});

test("[SE8] a write that begins at any moment of a rotation arrives under the new id", async () => {
  for (let delayMs = 1; delayMs < 40; delayMs += 2) {
    const at = world();
    const user = browser();
    const one = at.node();
    await user.visit(one, add);
    at.storage.plan = () => ({ kind: "none", latencyMs: 5 });
    await at.finish(user.visit(one, async (session) => {
      const cart = await session.stash(Cart);
      const rotating = session.rotate();
      await new Promise<void>((resolve) => void at.clock.timer(delayMs, resolve));
      cart.state.items.push("kelp");
      await Promise.all([cart.stash(), rotating]);
    }));
    const { keys } = (await at.theSession()).views["cart"] ?? {};
    assertEquals(keys, { count: 1, items: ["kelp"] }, `after ${delayMs} ms`);
  }
});

test("[SE8] rotate() twice in a request leaves one session, of the last id", async () => {
  const at = world();
  const user = browser();
  const one = at.node();
  await user.visit(one, add);
  await user.visit(one, async (session) => {
    await Promise.all([session.rotate(), session.rotate(), session.rotate()]);
  });
  assertEquals(await user.visit(at.node(), count), 1);
  await at.theSession();
});

test("[SE8] two requests that rotate at once: one wins, the other is told, and no copy is left (checklist 11)", async () => {
  for (const nodes of [1, 2]) {
    const at = world();
    const one = at.node();
    const two = nodes === 1 ? one : at.node();
    const user = browser();
    await user.visit(one, add);
    const other = browser(user.cookie);
    at.storage.plan = () => ({ kind: "none", latencyMs: 3 });
    const tries = await at.finish(Promise.allSettled([
      user.visit(one, (session) => session.rotate()),
      other.visit(two, (session) => session.rotate()),
    ]));
    const lost = tries.flatMap((t) => t.status === "rejected" ? [t.reason.code] : []);
    assertEquals(lost, ["ERR_SESSION_ENDED"]);
    await at.theSession();
    const winner = tries[0]?.status === "fulfilled" ? user : other;
    assertEquals(await at.finish(winner.visit(one, count)), 1);
  }
});

test("[SE8] with keep: false the state is gone, and so is the old id (checklist 11)", async () => {
  const at = world();
  const one = at.node();
  const user = browser();
  await user.visit(one, add);
  const old = browser(user.cookie);
  await user.visit(one, async (session) => {
    await session.rotate({ keep: false });
    assertEquals(await count(session), 0);
    assertEquals(await add(session), 1);
  });
  assert(partsOf(user.cookie).sid !== partsOf(old.cookie).sid);
  assertEquals(await user.visit(one, count), 1);
  assertEquals(await old.visit(one, count), 0);
});

test("[SE8] rotate() of a session that has not begun changes nothing", async () => {
  const at = world();
  const user = browser();
  await user.visit(at.node(), async (session) => {
    await session.rotate();
    assertEquals(await add(session), 1);
  });
  assertEquals([user.got.length, at.memory.size], [1, 1]);
});

test("[SE8] if what became of the old id is unknown, rotate() rejects and the state is under the new one", async () => {
  const at = world();
  const one = at.node();
  const user = browser();
  await user.visit(one, add);
  await user.visit(one, count);
  await at.finish(Promise.resolve());
  const puts = at.storage.calls.put;
  await at.finish(user.visit(one, async (session) => {
    await session.stash(Cart);
    // The copy arrives; the end of the old one does too, and nobody hears of it.
    at.storage.plan = ({ operation, count }) => {
      if (operation === "get" && at.storage.calls.put > puts + 1) return "refuse";
      return operation === "put" && count > puts + 1 ? "lose-answer" : "none";
    };
    await assertRejects(() => session.rotate(), "ERR_STORAGE_UNAVAILABLE");
  }));
  at.storage.plan = () => "none";
  assertEquals(await user.visit(at.node(), count), 1, "the state was lost");
});

test("[SE8] a rotation that did not hear of the end of the old id finds out", async () => {
  for (const [kind, atEnd] of [["lose-answer", 0], ["lose-request", 1]] as const) {
    const at = world();
    const one = at.node();
    const user = browser();
    await user.visit(one, add);
    await user.visit(one, count);
    await at.finish(Promise.resolve());
    const old = browser(user.cookie);
    const puts = at.storage.calls.put;
    let unheard = 0;
    await at.finish(user.visit(one, async (session) => {
      await session.stash(Cart);
      at.storage.plan = ({ operation, count }) => {
        if (operation === "put" && count === puts + 2) return kind;
        // What the engine asks to find out about the write, three times.
        return at.storage.calls.put >= puts + 2 && operation === "get" && ++unheard <= 3
          ? "refuse"
          : "none";
      };
      await session.rotate();
    }));
    at.storage.plan = () => "none";
    assert(at.storage.calls.put >= puts + 2 + atEnd);
    assertEquals([await user.visit(at.node(), count), await old.visit(at.node(), count)], [1, 0]);
    await at.theSession();
  }
});

test("[SE11] a rotation does not take an unconfirmed client for a confirmed one (checklist 35)", async () => {
  const at = world();
  const one = at.node();
  const crawler = browser();
  await crawler.visit(one, async (session) => {
    await add(session);
    await session.rotate();
  });
  assertEquals((await at.theSession()).confirmed, false);
  at.clock.jump(10 * minute);
  assertEquals(await crawler.visit(one, count), 0);
  const user = browser();
  await user.visit(one, add);
  await user.visit(one, (session) => session.rotate());
  await at.finish(Promise.resolve());
  at.clock.jump(10 * minute);
  assertEquals(await user.visit(one, count), 1, "a client that has come back is confirmed");
});

test("[SE8] of two requests that rotate at once one gets the session, also when the other cannot tell who ended the old id", async () => {
  const w = world();
  const user = browser();
  await user.visit(w.node(), add);
  const { cookie } = user;
  // The write that ends the old id (the third) gets no answer, and neither do the looks at what became of it.
  let refusals = 3;
  const storage = faultyStorage(open(w.memory), {
    clock: w.clock,
    plan: ({ operation, count }) => {
      if (operation === "put") return count === 3 ? "hang" : "none";
      return storage.calls.put >= 3 && refusals-- > 0 ? "refuse" : "none";
    },
  });
  const rotate = (session: Session) => session.rotate();
  const slow = browser(cookie).visit(w.node({ storage }), rotate).then(
    () => "rotated",
    (e) => e.code,
  );
  await w.clock.advance(1000);
  await w.finish(browser(cookie).visit(w.node(), rotate));
  assertEquals(await w.finish(slow), "ERR_SESSION_ENDED");
  const living = [...(await w.records()).values()].filter(({ state }) => state !== undefined);
  assertEquals(living.length, 1);
});

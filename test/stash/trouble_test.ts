import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { type Holdfast, StorageUnavailableError } from "../../mod.ts";
import { Cart, Prefs } from "./definitions.ts";
import { type Browser, browser, type World, world } from "./world.ts";

/** A user with a count of 3, confirmed, and a node that has never seen the session. */
async function known(at: World): Promise<{ user: Browser; one: Holdfast }> {
  const user = browser();
  const first = at.node();
  await user.visit(first, async (session) => {
    await (await session.stash(Cart)).update((state) => void (state.count = 3));
  });
  await user.visit(first, (session) => session.stash(Cart));
  await at.finish(Promise.resolve());
  return { user, one: at.node() };
}

test("[SH21] a read error is status error and leaves the cookie alone; afterwards the state is back (checklist 36)", async () => {
  const at = world();
  const { user, one } = await known(at);
  at.storage.plan = () => "refuse";
  await at.finish(user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    assertEquals([cart.status, cart.state.count], ["error", 0]);
    assert(cart.cause instanceof StorageUnavailableError);
    cart.state.count = 99;
    const error = await assertRejects(() => cart.stash(), "ERR_UNRECOVERED");
    assertEquals(Reflect.get(error, "retryable"), true);
  }));
  at.storage.plan = () => "none";
  assertEquals(user.got.length, 1, "the cookie was touched");
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    assertEquals([cart.status, cart.state.count], ["recovered", 3]);
  });
});

test("[SH21] storage that is back before the request ends: no second session, and update() sees the first (checklist 36)", async () => {
  const at = world();
  const { user, one } = await known(at);
  at.storage.plan = () => "refuse";
  await at.finish(user.visit(one, async (session) => {
    const [cart, prefs] = [await session.stash(Cart), await session.stash(Prefs)];
    await assertRejects(
      () => cart.update((state) => void state.count++),
      "ERR_STORAGE_UNAVAILABLE",
    );
    await assertRejects(() => cart.reset(), "ERR_STORAGE_UNAVAILABLE");
    at.storage.plan = () => "none";
    assertEquals((await cart.update((state) => void state.count++)).count, 4);
    assertEquals(cart.state.count, 4);
    cart.state.count = 5;
    assertEquals(await cart.stash(), true);
    await prefs.update((state) => void (state.theme = "dark"));
  }));
  const { cart, prefs } = (await at.theSession()).views;
  assertEquals([cart?.keys, prefs?.keys], [{ count: 5 }, { theme: "dark" }]);
  assertEquals(user.got.length, 1, "the session was replaced by another one");
});

test("[SH21] a record of a newer format is newer, and no second session begins beside it (checklist 20)", async () => {
  const at = world();
  const { user, one } = await known(at);
  await at.edit((record) => ({ ...record, f: 2 }));
  const before = await at.records();
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    assertEquals([cart.status, cart.state.count], ["newer", 0]);
    cart.state.count = 99;
    await assertRejects(() => cart.stash(), "ERR_NEWER_VERSION");
    await assertRejects(() => cart.update((state) => void state.count++), "ERR_NEWER_VERSION");
    await assertRejects(() => cart.reset(), "ERR_NEWER_VERSION");
  });
  assertEquals([await at.records(), user.got.length], [before, 1]);
});

const garbage = [
  "",
  "null",
  "{",
  "[]",
  '"x"',
  "{}",
  '{"f":1,"rev":1}',
  '{"f":1,"rev":1,"state":[]}',
];

for (const text of [...garbage, '{"f":1,"rev":1,"state":{"created":1}}']) {
  test(`[SH13] a record that holds ${text || "nothing"} is status error, stays, and can be ended (checklist 20)`, async () => {
    const at = world();
    const { user, one } = await known(at);
    const [key = ""] = await at.memory.list("");
    await at.memory.put(key, text);
    await user.visit(one, async (session) => {
      const cart = await session.stash(Cart);
      assertEquals([cart.status, cart.state.count], ["error", 0]);
      cart.state.count = 99;
      await assertRejects(() => cart.stash(), "ERR_UNRECOVERED");
      await assertRejects(() => cart.update((state) => void state.count++), "ERR_CORRUPT_RECORD");
      await assertRejects(() => session.rotate(), "ERR_CORRUPT_RECORD");
    });
    assertEquals([(await at.memory.get(key))?.value, at.memory.size], [text, 1]);
    await user.visit(one, (session) => session.destroy());
    assertEquals(user.cookie, null);
    await user.visit(one, async (session) => {
      await (await session.stash(Cart)).update((state) => void state.count++);
    });
    assertEquals((await at.theSession()).views["cart"]?.keys, { count: 1 });
  });
}

test("[SH21] a write error is a rejection of stash() and an event, and the state is kept for another try (checklist 37)", async () => {
  const at = world();
  const { user, one } = await known(at);
  await at.finish(user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.count = 4;
    at.storage.plan = ({ operation }) => operation === "put" ? "refuse" : "none";
    const error = await assertRejects(() => cart.stash(), "ERR_STORAGE_UNAVAILABLE");
    assertEquals(Reflect.get(error, "outcome"), "none");
    assertEquals([cart.state.count, (await at.theSession()).views["cart"]?.keys], [4, {
      count: 3,
    }]);
    at.storage.plan = () => "none";
    assertEquals(await cart.stash(), true);
  }));
  assertEquals((await at.theSession()).views["cart"]?.keys, { count: 4 });
  assert(
    at.events.some((e) => e.name === "holdfast.storage.put" && e.phase === "exception"),
    "telemetry was not told",
  );
});

test("[SH21] a write whose answer was lost happened once, and stash() says so (checklist 37)", async () => {
  const at = world();
  const { user, one } = await known(at);
  await at.finish(user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    at.storage.plan = ({ operation }) => operation === "put" ? "lose-answer" : "none";
    assertEquals((await cart.update((state) => void state.count++)).count, 4);
  }));
  assertEquals((await at.theSession()).views["cart"]?.keys, { count: 4 });
});

test("[SH21] a first write that fails sets no cookie, and its session can begin later (checklist 37)", async () => {
  const at = world();
  const one = at.node();
  const user = browser();
  at.storage.plan = ({ operation }) => operation === "put" ? "refuse" : "none";
  await at.finish(user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.count = 1;
    await assertRejects(() => cart.stash(), "ERR_STORAGE_UNAVAILABLE");
  }));
  assertEquals([user.got, at.memory.size], [[], 0]);
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.count = 1;
    at.storage.plan = () => "refuse";
    await at.finish(assertRejects(() => cart.stash(), "ERR_STORAGE_UNAVAILABLE"));
    at.storage.plan = () => "none";
    assertEquals(await cart.stash(), true);
  });
  assertEquals(user.got.length, 1);
});

test("[SH21] storage that never answers: recovery and stash() answer at the deadline (checklist 38)", async () => {
  const at = world();
  const { user, one } = await known(at);
  const began = at.clock.monotonic();
  at.storage.plan = () => "hang";
  await at.finish(user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    assertEquals(cart.status, "error");
    const waited = at.clock.monotonic() - began;
    assert(waited >= 2000 && waited <= 2100, `answered after ${waited} ms`);
  }));
  at.storage.plan = () => "none";
  await at.finish(user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.count = 4;
    at.storage.plan = () => "hang";
    const asked = at.clock.monotonic();
    await assertRejects(() => cart.stash(), "ERR_STORAGE_UNAVAILABLE");
    // The write, and then the look at what became of it.
    const waited = at.clock.monotonic() - asked;
    assert(waited >= 2000 && waited <= 4100, `answered after ${waited} ms`);
  }));
});

test("[SH21] what the deadline abandons is aborted, and leaves no timer behind (checklist 38)", async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const at = world();
  const { user } = await known(at);
  const hanging = at.node({
    storage: {
      ...at.memory,
      get: (_, options) => {
        signals.push(options?.signal);
        return new Promise(() => {});
      },
      put: () => Promise.reject(new Error("not asked for")),
      delete: () => Promise.reject(new Error("not asked for")),
      list: () => Promise.resolve([]),
    },
  });
  await at.finish(user.visit(hanging, (session) => session.stash(Cart)));
  assert(signals.length > 0 && signals.every((signal) => signal?.aborted), "not aborted");
  await at.finish(hanging.close());
  // One timer of each engine looks for idle objects; the first node's is the other.
  assert(at.clock.pending <= 1, `${at.clock.pending} timers are left`);
});

test("[SH21] no trouble becomes an unhandled rejection (checklist 37)", async (t) => {
  const unhandled: unknown[] = [];
  const count = (event: Event): void => {
    event.preventDefault();
    unhandled.push(event);
  };
  const countNode = (reason: unknown): void => void unhandled.push(reason);
  const { process } = globalThis as {
    process?: {
      on(name: string, f: (reason: unknown) => void): void;
      off(name: string, f: (reason: unknown) => void): void;
    };
  };
  globalThis.addEventListener?.("unhandledrejection", count);
  process?.on("unhandledRejection", countNode);
  t.defer(() => {
    globalThis.removeEventListener?.("unhandledrejection", count);
    process?.off("unhandledRejection", countNode);
  });
  for (const kind of ["refuse", "lose-request", "hang"] as const) {
    const at = world();
    const { user, one } = await known(at);
    await user.visit(one, (session) => session.stash(Cart));
    at.clock.jump(7 * 60 * 60_000);
    // The background touch fails, the reads fail, the writes fail, nobody listens to some of them.
    at.storage.plan = ({ operation }) => operation === "put" ? kind : "none";
    await at.finish(user.visit(one, async (session) => {
      const cart = await session.stash(Cart);
      cart.state.count++;
      await Promise.allSettled([cart.stash(), cart.update((state) => void state.count++)]);
      await Promise.allSettled([session.rotate(), session.destroy()]);
    }));
    at.storage.plan = () => kind;
    await at.finish(user.visit(at.node(), (session) => session.stash(Cart)));
    await at.finish(Promise.allSettled([one.sweep(), one.close()]));
  }
  assertEquals(unhandled, []);
});

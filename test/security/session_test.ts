import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { handleSession, type Session } from "../../mod.ts";
import { Cart, Prefs } from "../stash/definitions.ts";
import { browser, partsOf, secretB, type World, world } from "../stash/world.ts";

const add = async (session: Session): Promise<number> =>
  (await (await session.stash(Cart)).update((state) => void state.count++)).count;

const count = async (session: Session): Promise<number> => (await session.stash(Cart)).state.count;

test("[SE1] a hundred requests without a cookie read nothing, write nothing and set nothing (checklist 34)", async () => {
  const at = world();
  const one = at.node();
  for (let i = 0; i < 100; i++) {
    const user = browser([null, "", "other=1; theme=dark"][i % 3]);
    await user.visit(one, async (session) => {
      assertEquals([await count(session), session.ref], [0, ""]);
      await (await session.stash(Cart)).reset();
      await session.rotate();
      await session.destroy();
    });
    assertEquals(user.got, []);
  }
  assertEquals(at.storage.calls, { get: 0, put: 0, delete: 0, list: 0 });
});

test("[SE2] the first stash sets the cookie, once, and no later response does (checklist 6)", async () => {
  const at = world();
  const one = at.node();
  const user = browser();
  await user.visit(one, async (session) => {
    await Promise.all([add(session), add(session), add(session)]);
    await (await session.stash(Prefs)).update((state) => void (state.theme = "dark"));
  });
  assertEquals([user.got.length, at.memory.size], [1, 1]);
  for (const node of [one, at.node()]) {
    assertEquals(await user.visit(node, count), 3);
    await user.visit(node, async (session) => {
      const cart = await session.stash(Cart);
      cart.state.items.push("kelp");
      await cart.stash();
    });
  }
  assertEquals(user.got.length, 1);
});

test("[SE2] the response with the cookie is kept out of caches, others are left alone (checklist 10)", async () => {
  const one = world().node();
  const page = (headers: Record<string, string>, change: boolean, cookie = "") =>
    handleSession(
      one,
      new Request("https://example.com/", { headers: { cookie } }),
      async (session) => {
        if (change) await add(session);
        return new Response("ok", { headers });
      },
    );
  const first = await page({ "cache-control": "public, max-age=60" }, true);
  assertEquals(first.headers.get("cache-control"), "no-store");
  assertEquals(first.headers.getSetCookie().length, 1);
  assertEquals((await page({}, true)).headers.get("cache-control"), "no-store");
  const strict = await page({ "cache-control": "private, max-age=60" }, true);
  assertEquals(strict.headers.get("cache-control"), "private, max-age=60");
  const cookie = first.headers.get("set-cookie")?.split(";")[0];
  const second = await page({ "cache-control": "public, max-age=60" }, true, cookie);
  assertEquals(second.headers.get("cache-control"), "public, max-age=60");
  assertEquals(second.headers.get("set-cookie"), null);
  const redirected = await handleSession(
    one,
    new Request("https://example.com/"),
    async (session) => {
      await add(session);
      return Response.redirect("https://example.com/cart", 303);
    },
  );
  assertEquals([redirected.status, redirected.headers.getSetCookie().length], [303, 1]);
});

test("[SE2] the cookie is opaque: short, without meaning, and without the state (checklist 8)", async () => {
  const user = browser();
  await user.visit(world().node(), async (session) => {
    const cart = await session.stash(Cart);
    cart.state.items.push("canary");
    await cart.stash();
  });
  const [setCookie = ""] = user.got;
  const value = setCookie.split(";")[0]?.split("=")[1] ?? "";
  assert(/^[A-Za-z0-9_.-]{1,128}$/.test(value), value);
  assert(!setCookie.includes("canary") && !setCookie.includes("cart"));
});

/** Cookies that look right, and are of no session of ours. */
async function forgeries(at: World): Promise<readonly string[]> {
  const [real, stranger] = [browser(), browser()];
  await real.visit(at.node(), add);
  await stranger.visit(world().node({ secrets: [secretB] }), add);
  const cookie = real.cookie ?? "";
  const { sid, tag } = partsOf(cookie);
  const name = cookie.slice(0, cookie.indexOf("=") + 1);
  const flipped = Array.from(cookie.slice(name.length), (character, i) => {
    const other = character === "A" ? "B" : "A";
    return name + cookie.slice(name.length, name.length + i) + other +
      cookie.slice(name.length + i + 1);
  });
  return [
    ...flipped,
    stranger.cookie ?? "",
    name,
    name + sid,
    name + "v1",
    name + cookie.slice(name.length).replace(tag, ""),
    name + cookie.slice(name.length) + "A",
    name + "x".repeat(8000),
    cookie.replace("__Host-", "__host-"),
    `${name}${sid}.${tag}`,
  ];
}

test("[SE3] a forged cookie is no cookie: no read, no error, and a new id at the next stash (checklist 2 3)", async () => {
  const at = world();
  const forged = await forgeries(at);
  assert(forged.length > 100);
  const one = at.node();
  const { calls } = at.storage;
  for (const cookie of forged) {
    const before = { ...calls };
    const user = browser(cookie);
    await user.visit(one, async (session) => {
      assertEquals([(await session.stash(Cart)).status, session.ref], ["not_found", ""]);
      await session.rotate();
      await session.destroy();
    });
    assertEquals([{ ...calls }, user.got], [before, []], cookie.slice(0, 40));
  }
  const sids = new Set(forged.flatMap((cookie) => /\.([\w-]{43})\./.exec(cookie)?.[1] ?? []));
  for (const cookie of forged.filter((_, i) => i % 10 === 0)) {
    const user = browser(cookie);
    await user.visit(one, add);
    assert(!sids.has(partsOf(user.cookie).sid), "a forged id was adopted");
  }
});

test("[SE3] the cookie of a record that is gone begins a new session under a new id (checklist 3)", async () => {
  const at = world();
  const user = browser();
  await user.visit(at.node(), add);
  const old = user.cookie;
  const [key = ""] = await at.memory.list("");
  await at.memory.delete(key);
  const one = at.node();
  assertEquals(await user.visit(one, count), 0);
  assertEquals([user.got.length, at.memory.size], [1, 0]);
  await user.visit(one, add);
  assert(partsOf(user.cookie).sid !== partsOf(old).sid);
  assertEquals(await at.memory.get(key), undefined);
});

test("[SE3] an id is taken from the cookie of its name only (checklist 9)", async () => {
  const at = world();
  const user = browser();
  await user.visit(at.node(), add);
  const value = user.cookie?.split("=")[1];
  const one = at.node();
  const { calls } = at.storage;
  const before = calls.get;
  for (const name of ["holdfast", "session", "__Host-holdfast2", "__Secure-holdfast", "sid"]) {
    assertEquals(await browser(`${name}=${value}`).visit(one, count), 0);
  }
  const headers = { authorization: `Bearer ${value}`, "x-session": value ?? "" };
  const url = `https://example.com/?__Host-holdfast=${value}&sid=${value}`;
  await handleSession(one, new Request(url, { headers }), async (session) => {
    assertEquals(await count(session), 0);
    return new Response("ok");
  });
  assertEquals(calls.get, before);
});

test("[SE4] cookies of several sessions in one request are refused, in any order, and told (checklist 7)", async () => {
  const at = world();
  const [a, b] = [browser(), browser()];
  const one = at.node();
  await a.visit(one, add);
  await b.visit(one, add);
  const records = await at.records();
  for (const cookie of [`${a.cookie}; ${b.cookie}`, `${b.cookie}; x=1; ${a.cookie}`]) {
    at.events.length = 0;
    const user = browser(cookie);
    await user.visit(one, async (session) => {
      const cart = await session.stash(Cart);
      assertEquals([cart.status, cart.state.count], ["not_found", 0]);
      await session.destroy();
    });
    assertEquals([await at.records(), user.got], [records, []]);
    assert(at.events.some(({ name }) => name === "holdfast.session.ambiguous_cookie"));
  }
});

test("[SE4] beside worthless values and copies of itself, one good cookie is taken (checklist 7)", async () => {
  const at = world();
  const user = browser();
  const one = at.node();
  await user.visit(one, add);
  const name = "__Host-holdfast";
  for (
    const cookie of [
      `${name}=bad; ${user.cookie}`,
      `${user.cookie}; ${name}=bad`,
      `${name}=; ${user.cookie}; ${name}=${"x".repeat(97)}; ${user.cookie}`,
    ]
  ) {
    assertEquals(await browser(cookie).visit(one, count), 1);
  }
});

test("[SE5] a session that would begin after its response was made is refused, and leaves nothing", async () => {
  const at = world();
  const open = at.node().open(null);
  const cart = await open.session.stash(Cart);
  assertEquals(open.seal(), undefined);
  cart.state.count = 1;
  await assertRejects(() => cart.stash(), "ERR_SESSION_SEALED");
  await assertRejects(() => cart.update((state) => void state.count++), "ERR_SESSION_SEALED");
  assertEquals(at.memory.size, 0);
});

test("[SE5] a rotation after the response was made is refused, and the session lives on", async () => {
  const at = world();
  const user = browser();
  const one = at.node();
  await user.visit(one, add);
  const open = one.open(user.cookie);
  const cart = await open.session.stash(Cart);
  open.seal();
  await assertRejects(() => open.session.rotate(), "ERR_SESSION_SEALED");
  cart.state.count = 2;
  assertEquals(await cart.stash(), true, "a session that exists can be written to");
  assertEquals(await user.visit(one, count), 2);
});

test("[SE6] destroy() ends the session, clears the cookie, and what the browser replays is worth nothing (checklist 14 15)", async () => {
  const at = world();
  const user = browser();
  const one = at.node();
  await user.visit(one, add);
  const [set = ""] = user.got;
  const old = user.cookie;
  await user.visit(one, (session) => session.destroy());
  const [, cleared = ""] = user.got;
  assertEquals(cleared.split("; ").filter((part) => part !== "Max-Age=0"), [
    "__Host-holdfast=",
    ...set.split("; ").slice(1),
  ]);
  assert(cleared.includes("Max-Age=0"));
  for (const node of [one, at.node()]) {
    const thief = browser(old);
    assertEquals(await thief.visit(node, count), 0);
    await thief.visit(node, add);
    assert(partsOf(thief.cookie).sid !== partsOf(old).sid);
    assertEquals(await thief.visit(node, count), 1);
  }
});

test("[SE6] an ended session leaves no state in the store (checklist 14)", async () => {
  const at = world();
  const user = browser();
  const one = at.node();
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.items.push("canary");
    await cart.stash();
  });
  await user.visit(one, (session) => session.destroy());
  for (const key of await at.memory.list("")) {
    assert(!(await at.memory.get(key))?.value.includes("canary"));
  }
});

test("[SE6] after destroy(), handles of the old session are refused and a stash begins a new one", async () => {
  const at = world();
  const user = browser();
  const one = at.node();
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    Object.assign(cart.state, { count: 1, items: ["of the old one"] });
    await cart.stash();
  });
  const old = partsOf(user.cookie).sid;
  await user.visit(one, async (session) => {
    const late = session.stash(Prefs);
    const cart = await session.stash(Cart);
    cart.state.count = 2;
    await session.destroy();
    for (const handle of [cart, await late]) {
      await assertRejects(() => handle.update(() => {}), "ERR_SESSION_ENDED");
    }
    await assertRejects(() => cart.stash(), "ERR_SESSION_ENDED");
    const fresh = await session.stash(Cart);
    assertEquals([fresh.status, fresh.state.items], ["not_found", []]);
    fresh.state.count = 7;
    await fresh.stash();
  });
  assert(partsOf(user.cookie).sid !== old);
  assertEquals((await at.theSession()).views["cart"]?.keys, { count: 7 });
});

test("[SE6] a stash asked for while the session is being ended belongs to the one that ends", async () => {
  const at = world();
  const user = browser();
  await user.visit(at.node(), add);
  at.storage.plan = () => ({ kind: "none", latencyMs: 5 });
  await at.finish(user.visit(at.node(), async (session) => {
    const [cart] = await Promise.all([session.stash(Cart), session.destroy()]);
    cart.state.items.push("kelp");
    await assertRejects(() => cart.stash(), "ERR_SESSION_ENDED");
    assertEquals(await add(session), 1);
  }));
  assertEquals((await at.theSession()).views["cart"]?.keys, { count: 1 });
});

test("[SE6] a destroy() that storage refuses can be tried again, also after the session got a new id", async () => {
  const at = world();
  const user = browser();
  const one = at.node();
  await user.visit(one, add);
  await user.visit(one, async (session) => {
    await session.rotate();
    at.storage.plan = () => "refuse";
    await at.finish(assertRejects(() => session.destroy(), "ERR_STORAGE_UNAVAILABLE"));
    at.storage.plan = () => "none";
    assertEquals(await add(session), 2, "what is still alive goes on");
    await session.destroy();
  });
  const living = [...(await at.records()).values()].filter(({ state }) => state !== undefined);
  assertEquals([living, user.cookie], [[], null]);
});

import { internalsOf } from "../../adapters/web/internals.ts";
import { readCookie } from "../../adapters/web/cookies.ts";
import type { Holdfast } from "../../mod.ts";
import type { LiveSession } from "../../src/stash/live_session.ts";
import type { SessionEnd } from "../../src/stash/notices.ts";
import type { PageSeat } from "../../src/stash/request_session.ts";
import type { Session } from "../../src/stash/session.ts";
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { Cart } from "./definitions.ts";
import { browser, hour, minute, partsOf, secretA, secretB, world } from "./world.ts";

/** What a page does for the session it is rendered with. */
function reserve(node: Holdfast, session: Session, reads = true): Promise<PageSeat> {
  const { sessions } = internalsOf(node, "a test");
  assert(sessions.owns(session));
  return session.reserve(reads);
}

/** Opens the session of a socket. */
async function connect(
  node: Holdfast,
  cookie: string | null,
  until = 0,
  admit?: () => boolean,
): Promise<LiveSession> {
  const { sessions, cookie: { name } } = internalsOf(node, "a test");
  const live = await sessions.openLive(
    readCookie(cookie, name),
    until,
    admit === undefined ? {} : { admit },
  );
  assert(live, "the cookie proves a session");
  return live;
}

const use = {
  page: "0123456789abcdef",
  begins: false,
  mounts: 0,
  skip: "nothing",
  blind: false,
  by: undefined,
} as const;

async function put(live: LiveSession, item: string): Promise<void> {
  const cart = await live.stash(Cart, use);
  cart.state.items.push(item);
  await cart.stash();
}

test("[SE23] a page reserves an id without a call to storage, and the cookie says so", async () => {
  const at = world();
  const node = at.node();
  const user = browser();
  const seat = await user.visit(node, (session) => reserve(node, session));
  assertEquals(seat.until, at.clock.now() + 50 * minute);
  assertEquals(at.storage.calls, { get: 0, put: 0, delete: 0, list: 0 });
  assertEquals(user.got.length, 1);
  assert(user.cookie?.includes(`=r1.`) && user.cookie.includes(seat.sid));
  // The next page has the same, and a socket.
  const again = await user.visit(node, (session) => reserve(node, session, false));
  assertEquals(again, { sid: seat.sid, until: Math.floor(seat.until / 1000) * 1000 });
  assertEquals(at.storage.calls, { get: 0, put: 0, delete: 0, list: 0 });
  assertEquals(user.got.length, 1);
});

test("[SE23] several roots of a page, at once, get one id and one cookie", async () => {
  const at = world();
  const node = at.node();
  const user = browser();
  const seats = await user.visit(
    node,
    (session) => Promise.all([1, 2, 3].map(() => reserve(node, session))),
  );
  assertEquals(new Set(seats.map(({ sid }) => sid)).size, 1);
  assert(user.cookie?.includes(seats[0]?.sid ?? "?"));
});

test("[SE24] a session begins under a reserved id, from a socket or a request", async () => {
  for (const from of ["socket", "request"]) {
    const at = world();
    const [one, two] = [at.node(), at.node()];
    const user = browser();
    const seat = await user.visit(one, (session) => reserve(one, session));
    if (from === "socket") {
      const live = await connect(two, user.cookie, seat.until);
      assertEquals(await live.look(), "unborn");
      await put(live, "kelp");
      assertEquals([await live.look(), live.until], ["begun", 0]);
    } else {
      await user.visit(two, async (session) => {
        const cart = await session.stash(Cart);
        cart.state.items.push("kelp");
        await cart.stash();
      });
    }
    assertEquals((await at.theSession()).confirmed, true);
    const seen = await user.visit(one, async (session) => {
      assertEquals((await reserve(one, session)).until, 0);
      return (await session.stash(Cart)).state.items;
    });
    assertEquals(seen, ["kelp"]);
  }
});

test("[SE24] after its time nothing begins under a reserved id", async () => {
  const at = world();
  const node = at.node();
  const user = browser();
  const seat = await user.visit(node, (session) => reserve(node, session));
  const live = await connect(node, user.cookie, seat.until);
  await at.clock.advance(50 * minute);
  assertEquals(await live.look(), "over");
  await assertRejects(() => put(live, "kelp"), "ERR_SESSION_ENDED");
  assertEquals(at.memory.size, 0);
  const other = await user.visit(node, (session) => reserve(node, session));
  assert(other.sid !== seat.sid, "a new id is reserved");
});

test("[SE24] who looks in time may begin later, and never after the session has ended", async () => {
  const at = world();
  const node = at.node();
  const user = browser();
  const seat = await user.visit(node, (session) => reserve(node, session));
  const live = await connect(node, user.cookie, seat.until);
  for (let looks = 0; looks < 5; looks++) {
    assert(live.lookAt > at.clock.now());
    await at.clock.advance(live.lookAt - at.clock.now());
    assertEquals(await live.look(), "unborn");
  }
  const elsewhere = at.node();
  const other = await connect(elsewhere, user.cookie, live.until);
  await put(other, "kelp");
  await at.clock.advance(10 * minute);
  await at.finish(user.visit(elsewhere, (session) => session.destroy()));
  await assertRejects(() => put(live, "revived"), "ERR_SESSION_ENDED");
  await at.clock.advance(live.lookAt - at.clock.now());
  assertEquals(await live.look(), "over");
  await at.clock.advance(2 * hour);
  await node.sweep();
  assertEquals(at.memory.size, 0);
  await assertRejects(() => put(live, "revived"), "ERR_SESSION_ENDED");
});

test("[SE24] a cookie that is no reservation lets nothing begin under its id", async () => {
  const at = world();
  const node = at.node();
  const user = browser();
  await user.visit(node, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.items.push("kelp");
    await cart.stash();
  });
  for (const key of await at.memory.list("")) await at.memory.delete(key);
  const fresh = at.node();
  const live = await connect(fresh, user.cookie);
  assertEquals(await live.look(), "over");
  await assertRejects(() => put(live, "kelp"), "ERR_SESSION_ENDED");
  const { sid } = partsOf(user.cookie);
  const seat = await user.visit(fresh, (session) => reserve(fresh, session));
  assert(seat.sid !== sid && seat.until > 0);
});

test("[SE24] with two secrets a reserved session begins once, whoever takes which for current", async () => {
  const at = world();
  const [before, after] = [
    at.node({ secrets: [secretA, secretB] }),
    at.node({ secrets: [secretB, secretA] }),
  ];
  const user = browser();
  const seat = await user.visit(before, (session) => reserve(before, session));
  await put(await connect(after, user.cookie, seat.until), "one");
  await put(await connect(before, user.cookie, seat.until), "two");
  await put(await connect(after, user.cookie, seat.until), "three");
  const items = await user.visit(after, async (session) => (await session.stash(Cart)).state.items);
  assertEquals(items, ["one", "two", "three"]);
});

test("[SE24] a session of a reserved id is admitted like any other", async () => {
  const at = world();
  const node = at.node();
  const user = browser();
  const seat = await user.visit(node, (session) => reserve(node, session));
  let asked = 0;
  const refused = await connect(node, user.cookie, seat.until, () => (asked++, false));
  await assertRejects(() => put(refused, "kelp"), "ERR_SESSION_REFUSED");
  assertEquals([asked, at.memory.size], [1, 0]);
  const open = node.open(user.cookie, { admit: () => (asked++, false) });
  const cart = await open.session.stash(Cart);
  cart.state.items.push("kelp");
  await assertRejects(() => cart.stash(), "ERR_SESSION_REFUSED");
  assertEquals([asked, at.memory.size], [2, 0]);
});

test("[SE24] a new id for who has nothing but a reserved one", async () => {
  const at = world();
  const node = at.node();
  const user = browser();
  const seat = await user.visit(node, (session) => reserve(node, session));
  await user.visit(node, (session) => session.rotate());
  const next = await user.visit(node, (session) => reserve(node, session));
  assert(next.sid !== seat.sid, "the old id is not the user's any more");
  assertEquals(at.memory.size, 0);
});

test("[SE27] a page that is asked for with the cookie of a session that has just ended sets no other", async () => {
  for (const end of ["rotate", "destroy"] as const) {
    const at = world();
    const node = at.node();
    const user = browser();
    await user.visit(node, (session) => reserve(node, session));
    await put(await connect(node, user.cookie), "kelp");
    const old = browser(user.cookie);
    await user.visit(node, (session) => session[end]());
    const elsewhere = at.node();
    const seat = await old.visit(elsewhere, (session) => reserve(elsewhere, session));
    assertEquals([seat.until, old.got], [0, []], end);
    assertEquals(await (await connect(elsewhere, old.cookie)).look(), "over");
    await at.clock.advance(10_000);
    await old.visit(elsewhere, (session) => reserve(elsewhere, session));
    assertEquals(old.got.length, 1, "a while later it does");
  }
});

test("[SE25] what becomes of a session is told to who watches it", async () => {
  const at = world();
  const node = at.node();
  const user = browser();
  const seat = await user.visit(node, (session) => reserve(node, session));
  const heard: unknown[] = [];
  const watched = await connect(node, user.cookie, seat.until);
  const watcher = {
    ended: (why: SessionEnd) => heard.push(why),
    changed: (stash: string | undefined, by: unknown) => heard.push([stash, by]),
  };
  const off = watched.watch(watcher);
  const me = {};
  const cart = await watched.stash(Cart, { ...use, by: me });
  cart.state.items.push("kelp");
  await cart.stash();
  await user.visit(node, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.count = 2;
    await cart.stash();
  });
  assertEquals(heard.length, 2);
  assert(Array.isArray(heard[0]) && heard[0][1] === me);
  assertEquals(heard[1], ["cart", undefined]);
  await user.visit(node, (session) => session.rotate());
  assertEquals(heard.slice(2), ["rotated"]);
  off();

  const next = await connect(node, user.cookie);
  next.watch(watcher);
  await user.visit(node, (session) => session.destroy());
  assertEquals(heard.slice(3), ["destroyed"]);
});

test("[SE25] a sweep tells who watches what has expired", async () => {
  const at = world();
  const node = at.node();
  const user = browser();
  const seat = await user.visit(node, (session) => reserve(node, session));
  const live = await connect(node, user.cookie, seat.until);
  const heard: string[] = [];
  live.watch({ ended: (why) => heard.push(why), changed: () => {} });
  await put(live, "kelp");
  assertEquals(live.lookAt, at.clock.now() + 24 * hour);
  await at.clock.advance(24 * hour);
  await node.sweep();
  assertEquals(heard, ["expired"]);
  assertEquals(await live.look(), "over");
});

test("[SE25] another node's write is noticed by the next one here", async () => {
  const at = world();
  const [one, two] = [at.node(), at.node()];
  const user = browser();
  const seat = await user.visit(one, (session) => reserve(one, session));
  const live = await connect(one, user.cookie, seat.until);
  await put(live, "kelp");
  const heard: unknown[] = [];
  live.watch({ ended: () => {}, changed: (stash) => heard.push(stash) });
  await put(await connect(two, user.cookie), "dulse");
  await at.finish(put(live, "wrack"));
  assertEquals(heard.at(-1), "cart");
  const items = await user.visit(two, async (session) => (await session.stash(Cart)).state.items);
  assertEquals(items.includes("wrack"), true);
});

test("[SE26] a page instance that begins gets another name if there is a draft of it", async () => {
  const at = world();
  const node = at.node();
  const user = browser();
  const seat = await user.visit(node, (session) => reserve(node, session));
  const live = await connect(node, user.cookie, seat.until);
  assertEquals((await live.stash(Cart, { ...use, begins: true })).page, use.page);
  const first = await live.stash(Cart, use);
  first.state.note = "half";
  assertEquals(await first.put(first.capture(), 3), true);
  const anew = await live.stash(Cart, { ...use, begins: true });
  assert(anew.page !== use.page);
  assertEquals([anew.state.note, anew.submitted], ["", 0]);
  assertEquals((await live.stash(Cart, use)).submitted, 3);
});

test("[SE26] the effect of a submit is stored once, whoever had heard of it", async () => {
  const at = world();
  const [one, two] = [at.node(), at.node()];
  const user = browser();
  const seat = await user.visit(one, (session) => reserve(one, session));
  const [here, there] = [
    await connect(one, user.cookie, seat.until),
    await connect(two, user.cookie, seat.until),
  ];
  const [first, second] = [await here.stash(Cart, use), await there.stash(Cart, use)];
  first.state.items.push("kelp");
  second.state.items.push("kelp");
  assertEquals(await first.put(first.capture(), 7), true);
  assertEquals(await at.finish(second.put(second.capture(), 7)), false);
  assertEquals((await at.theSession()).views["cart"]?.keys["items"], ["kelp"]);
  assertEquals((await there.stash(Cart, use)).submitted, 7);
});

test("[SE26] a draft that views crash on is left out, and written over", async () => {
  const at = world();
  const node = at.node();
  const user = browser();
  const seat = await user.visit(node, (session) => reserve(node, session));
  const live = await connect(node, user.cookie, seat.until);
  const first = await live.stash(Cart, use);
  first.state.note = "half";
  first.state.count = 1;
  await first.stash();
  const anew = await live.stash(Cart, { ...use, skip: "drafts" });
  assertEquals([anew.state.note, anew.state.count, anew.status], ["", 1, "recovered"]);
  assert(anew.changed(), "there is a draft to be written over");
  await anew.stash();
  assertEquals((await live.stash(Cart, use)).state.note, "");
});

test("[SE26] a slice that is set aside stays in the session, under a name no stash can have", async () => {
  const at = world();
  const node = at.node();
  const user = browser();
  const seat = await user.visit(node, (session) => reserve(node, session));
  const live = await connect(node, user.cookie, seat.until);
  await put(live, "poison");
  const anew = await live.stash(Cart, { ...use, skip: "all" });
  assertEquals([anew.state.items, anew.status], [[], "discarded"]);
  assertEquals(Object.keys((await at.theSession()).views), ["cart"]);
  anew.state.items.push("one");
  await anew.stash();
  anew.state.items.push("two");
  await anew.stash();
  const { views } = await at.theSession();
  assertEquals(views["cart"]?.keys["items"], ["one", "two"]);
  assertEquals(views["~cart"]?.keys["items"], ["poison"]);
});

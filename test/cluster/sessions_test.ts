import { type CarriedMessage, memoryCluster, memoryStorage } from "../../adapters/memory/mod.ts";
import { seededRandom } from "../../adapters/testing/mod.ts";
import { createHoldfast, type Holdfast } from "../../adapters/web/holdfast.ts";
import { internalsOf } from "../../adapters/web/internals.ts";
import { must } from "../../src/core/assert.ts";
import { defineView } from "../../src/live/definition.ts";
import { defineStash } from "../../src/stash/definition.ts";
import type { LiveSession } from "../../src/stash/live_session.ts";
import type { SessionEnd } from "../../src/stash/notices.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { liveWorld, Page } from "../live/world.ts";
import { open } from "../object_model/world.ts";
import { type Browser, browser, partsOf, secretA, secretB, world } from "../stash/world.ts";

const Cart = defineStash({
  name: "cart",
  vsn: 1,
  stored: ["items"],
  state: () => ({ items: [] as string[] }),
});

/** Microtasks carry the messages. */
async function carried(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

test("[CU11] a session that ends on one node ends for whoever watches it on another", async (t) => {
  const storage = memoryStorage();
  const cluster = memoryCluster();
  const make = (): Holdfast => {
    const secrets = ["3l5ZQ0sH1vXw8yTtR6pKc2NfJb7MdGaU-secret-a"];
    const made = createHoldfast({ storage: open(storage), secrets, cluster });
    t.defer(async () => void await made.close());
    return made;
  };
  const [a, b] = [make(), make()];
  await carried();
  const ends: [string, SessionEnd][] = [];
  for (const how of ["destroyed", "rotated"] as const) {
    const first = a.open(null);
    const cart = await first.session.stash(Cart);
    cart.state.items.push("kelp");
    await cart.stash();
    const cookie = first.seal()?.split(";")[0] ?? "";
    const token = cookie.slice(cookie.indexOf("=") + 1);
    for (const [name, node] of [["a", a], ["b", b]] as const) {
      const live = await internalsOf(node, "a test").sessions.openLive([token], 0, {});
      live?.watch({ ended: (why) => ends.push([name, why]), changed: () => {} });
    }
    const { session } = a.open(cookie);
    await session.stash(Cart);
    await (how === "destroyed" ? session.destroy() : session.rotate());
    await carried();
  }
  assertEquals(ends.sort(), [
    ["a", "destroyed"],
    ["a", "rotated"],
    ["b", "destroyed"],
    ["b", "rotated"],
  ]);
});

/** Nodes of one cluster, whose messages a test may hold. */
function several(count: number, carry?: (message: CarriedMessage, deliver: () => void) => void) {
  const at = world();
  const cluster = memoryCluster({
    timer: (delayMs, callback) => at.clock.timer(delayMs, callback),
    ...(carry === undefined ? {} : { carry }),
  });
  return { ...at, cluster, nodes: Array.from({ length: count }, () => at.node({ cluster })) };
}

async function put(node: Holdfast, user: Browser, item: string): Promise<void> {
  await user.visit(node, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.items.push(item);
    await cart.stash();
  });
}

/** Opens a session as a connection does. */
async function openLive(node: Holdfast, user: Browser): Promise<LiveSession> {
  const token = user.cookie?.slice(user.cookie.indexOf("=") + 1) ?? "";
  const live = await internalsOf(node, "a test").sessions.openLive([token], 0, {});
  return must(live, "the cookie proves a session");
}

/** Watches a session as a connection does; hears which stash is told of. */
async function watch(node: Holdfast, user: Browser): Promise<(string | undefined)[]> {
  const heard: (string | undefined)[] = [];
  const live = await openLive(node, user);
  live.watch({ ended: () => {}, changed: (stash) => heard.push(stash) });
  return heard;
}

const use = { page: "p", begins: false, mounts: 0, skip: "nothing", blind: false, by: 0 } as const;

const isNote = ({ kind, text }: CarriedMessage): boolean =>
  kind === "broadcast" && text.includes('"note"');

test("[CU15] a live view shows at once what is stored of its session on another node", async () => {
  const at = liveWorld();
  const cluster = memoryCluster({
    timer: (delayMs, callback) => at.clock.timer(delayMs, callback),
  });
  const heard: unknown[] = [];
  const Badge = defineView({
    name: "badge",
    state: () => ({ items: 0 }),
    async info(ctx, message) {
      heard.push(message);
      ctx.state.items = (await ctx.session.stash(Cart)).state.items.length;
    },
    render: ({ state }) => `${state.items}`,
  });
  const Shop = defineView({
    name: "shop",
    stored: ["last"],
    state: () => ({ last: "" }),
    events: { pick: ({ state }, input) => void (state.last = String(input)) },
    render: ({ state }) => state.last,
  });
  const [one, two] = [1, 2].map(() => at.live([Badge, Shop], {}, { cluster }));
  assert(one !== undefined && two !== undefined);
  const badge = await Page.open(at, one, "/badge");
  const shop = await Page.open(at, two, "/shop", badge.jar);
  await shop.event("pick", { value: "kelp" });
  await shop.saved();
  await at.until(() => heard.length === 1, "the view on the other node hears of it", 100);
  const { session } = two.holdfast.open(badge.jar.cookie ?? null);
  const cart = await at.finish(session.stash(Cart));
  cart.state.items.push("kelp");
  await at.finish(cart.stash());
  await at.until(() => badge.root().html === "1", "the page shows it", 100);
  assertEquals(heard, [
    { type: "stash-changed", stash: "shop" },
    { type: "stash-changed", stash: "cart" },
  ]);
});

test("[CU15] what is told has neither the id nor the state, and costs nobody a look at storage", async () => {
  const held: [CarriedMessage, () => void][] = [];
  const at = several(
    3,
    (message, deliver) => isNote(message) ? void held.push([message, deliver]) : deliver(),
  );
  const [a, b, c] = at.nodes;
  assert(a !== undefined && b !== undefined && c !== undefined);
  const [user, other] = [browser(), browser()];
  await at.finish(put(a, user, "kelp"));
  await at.finish(put(a, other, "dulse"));
  const mine = await watch(b, user);
  const others = await watch(b, other);
  held.length = 0;
  await at.finish(put(a, user, "secret wrack"));
  assertEquals(held.map(([{ to }]) => to).sort(), [b, c].map((n) => n.nodes?.address).sort());
  const before = { ...at.storage.calls };
  for (const [{ text }, deliver] of held) {
    assert(!text.includes(partsOf(user.cookie).sid) && !text.includes("wrack"), text);
    deliver();
  }
  await at.clock.advance(100);
  assertEquals({ ...at.storage.calls }, before);
  assertEquals([mine, others], [["cart"], []]);
});

test("[CU15] hints that are lost, doubled and late make nobody read what is not so", async () => {
  let read = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed);
    const dice = (sides: number): number => (random.bytes(1)[0] ?? 0) % sides;
    const late: (() => void)[] = [];
    const at = several(3, (message, deliver) => {
      if (!isNote(message)) return deliver();
      for (let copies = dice(3); copies > 0; copies--) {
        late.splice(dice(late.length + 1), 0, deliver);
      }
    });
    const user = browser();
    const [first] = at.nodes;
    assert(first !== undefined);
    await at.finish(put(first, user, "item"));
    let [stored, begun] = [1, 1];
    const reading: Promise<void>[] = [];
    for (const node of at.nodes) {
      const live = await openLive(node, user);
      let [seen, turn] = [0, Promise.resolve()];
      const look = async (atLeast: number): Promise<void> => {
        const { length } = (await live.stash(Cart, use)).state.items;
        assert(length >= Math.max(atLeast, seen), `seed ${seed}: ${length} after ${seen}`);
        assert(length <= begun, `seed ${seed}: ${length} of ${begun}`);
        seen = length;
        read++;
      };
      const changed = (): void => {
        const atLeast = stored;
        turn = turn.then(() => look(atLeast));
        reading.push(turn);
      };
      live.watch({ ended: () => {}, changed });
    }
    for (let i = 0; i < 6; i++) {
      begun++;
      const writing = put(at.nodes[dice(3)] ?? first, user, "item");
      while (dice(2) === 0) late.pop()?.();
      await at.finish(writing);
      stored++;
      while (dice(2) === 0) late.pop()?.();
    }
    for (const deliver of late) deliver();
    await at.finish(Promise.all(reading));
  }
  assert(read > 200, `only ${read} hints were heard`);
});

test("[CU15] a node that is alone tells nobody, and one that has company again does", async () => {
  const at = several(1);
  const heard: string[] = [];
  // Hears everything, and does not say that it is there.
  at.cluster.join("listener", {
    request: () => Promise.resolve(""),
    broadcast: (text) => void (text.includes('"note"') && heard.push(text)),
    linked: () => {},
  });
  const [alone] = at.nodes;
  assert(alone !== undefined);
  const user = browser();
  await at.finish(put(alone, user, "kelp"));
  await carried();
  assertEquals(heard.length, 1, "whoever has just come does not know who else is there");
  await at.clock.advance(3000);
  await at.finish(put(alone, user, "dulse"));
  await carried();
  assertEquals(heard.length, 1);
  const other = at.node({ cluster: at.cluster });
  await carried();
  const hints = await watch(other, user);
  await at.finish(put(alone, user, "wrack"));
  await carried();
  assertEquals([heard.length, hints], [2, ["cart"]]);
  await at.finish(other.close());
  await at.clock.advance(3000);
  await at.finish(put(alone, user, "laver"));
  await carried();
  assertEquals(heard.length, 2);
  await at.finish(user.visit(alone, (session) => session.destroy()));
  await carried();
  assertEquals(heard.length, 3, "that it is over is told whoever is there");
});

test("[CU15] nodes that disagree on which secret is current hear of each other", async () => {
  const at = world();
  const cluster = memoryCluster({
    timer: (delayMs, callback) => at.clock.timer(delayMs, callback),
  });
  const older = at.node({ cluster, secrets: [secretA, secretB] });
  const newer = at.node({ cluster, secrets: [secretB, secretA] });
  const user = browser();
  await at.finish(put(older, user, "kelp"));
  const heard = await watch(older, user);
  await at.finish(put(newer, user, "dulse"));
  await carried();
  assertEquals(heard, ["cart"]);
});

test("[CU15] a message about sessions that is none of ours is not heard", async () => {
  const held: CarriedMessage[] = [];
  const at = several(2, (message, deliver) => {
    if (isNote(message)) held.push(message);
    deliver();
  });
  const [a, b] = at.nodes;
  assert(a !== undefined && b !== undefined);
  const user = browser();
  await at.finish(put(a, user, "kelp"));
  const heard = await watch(b, user);
  const { body } = JSON.parse(held[0]?.text ?? "{}");
  const stranger = at.cluster.join("stranger", {
    request: () => Promise.resolve(""),
    broadcast: () => {},
    linked: () => {},
  });
  await at.clock.advance(100);
  const say = async (said: unknown): Promise<void> => {
    stranger.broadcast(JSON.stringify({ kind: "note", topic: "session", body: said }));
    await carried();
  };
  const bad = [
    null,
    [],
    "cart",
    { ...body, keys: "app" },
    { ...body, keys: [1] },
    { ...body, stash: 1 },
    { ...body, why: "bored" },
  ];
  for (const said of bad) await say(said);
  assertEquals(heard, []);
  await say(body);
  assertEquals(heard, ["cart"]);
});

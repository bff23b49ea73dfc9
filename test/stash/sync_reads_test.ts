import { assertEquals, assertRejects, test } from "../harness/mod.ts";
import {
  createHoldfast,
  defineStash,
  type Holdfast,
  type HoldfastOptions,
  type Session,
} from "../../mod.ts";
import { seededRandom } from "../../adapters/testing/mod.ts";
import { Cart, Prefs } from "./definitions.ts";
import { browser, day, open, secretA, secretB, type World, world } from "./world.ts";

const add = async (session: Session): Promise<number> =>
  (await (await session.stash(Cart)).update((state) => void state.count++)).count;

const count = async (session: Session): Promise<number> => (await session.stash(Cart)).state.count;

/**
 * A node as it is in production on a local store: it can read without waiting, and nobody listens, so
 * that reads take the short way.
 */
function local(at: World, seed: number, options: Partial<HoldfastOptions> = {}): Holdfast {
  const { memory, clock } = at;
  return createHoldfast({
    storage: { ...open(memory), getSync: (key) => memory.getSync?.(key) },
    secrets: [secretA],
    clock,
    random: seededRandom(seed),
    sweepEveryMs: Infinity,
    ...options,
  });
}

test("[SH5] [SH18] reading without waiting recovers what any node has stored last", async () => {
  const at = world();
  const nodes = [local(at, 1), local(at, 2), at.node()] as const;
  const user = browser();
  for (let i = 1; i <= 9; i++) {
    assertEquals(await user.visit(nodes[i % 3] ?? nodes[0], add), i);
    for (const node of nodes) assertEquals(await user.visit(node, count), i);
  }
  await user.visit(nodes[0], async (session) => {
    const [cart, prefs] = [await session.stash(Cart), await session.stash(Prefs)];
    assertEquals([cart.status, prefs.status], ["recovered", "not_found"]);
    await prefs.update((state) => void (state.theme = "dark"));
    assertEquals((await session.stash(Prefs)).state.theme, "dark");
  });
});

test("[SE7] [SE8] [SE9] reading without waiting finds a session ended, renewed or expired elsewhere", async () => {
  const at = world();
  const [one, two] = [local(at, 1), local(at, 2)];
  const user = browser();
  await user.visit(one, add);
  const old = browser(user.cookie);
  await user.visit(two, (session) => session.rotate());
  assertEquals([await old.visit(one, count), await user.visit(one, count)], [0, 1]);
  await at.finish(Promise.resolve());
  const copy = browser(user.cookie);
  await user.visit(two, (session) => session.destroy());
  assertEquals(await copy.visit(one, count), 0);
  const third = browser();
  await third.visit(one, add);
  await third.visit(two, count);
  await at.finish(Promise.resolve());
  at.clock.jump(day);
  assertEquals(await third.visit(one, count), 0);
});

test("[SE15] [SE17] reading without waiting follows a session between secrets", async () => {
  const at = world();
  const nodes = [
    local(at, 1, { secrets: [secretA, secretB] }),
    local(at, 2, { secrets: [secretB, secretA] }),
  ] as const;
  const user = browser();
  for (let i = 1; i <= 8; i++) {
    assertEquals(await user.visit(nodes[i % 2 === 0 ? 0 : 1], add), i);
    assertEquals(await user.visit(nodes[i % 3 === 0 ? 0 : 1], count), i);
  }
  await user.visit(nodes[0], async (session) => {
    const cart = await session.stash(Cart);
    await browser(user.cookie).visit(nodes[1], add);
    cart.state.items.push("kelp");
    assertEquals(await cart.stash(), true);
  });
  assertEquals(await user.visit(nodes[1], count), 9);
});

test("[SH13] [SH21] reading without waiting says error where there is trouble, and begins nothing", async () => {
  const at = world();
  const user = browser();
  await user.visit(local(at, 1), add);
  const [key = ""] = await at.memory.list("");
  const { value = "" } = await at.memory.get(key) ?? {};
  const failing = local(at, 2, {
    storage: {
      ...open(at.storage),
      getSync: () => {
        throw new Error("busy");
      },
    },
  });
  assertEquals(await user.visit(failing, count), 1, "the other way was not tried");
  at.storage.plan = () => "refuse";
  await at.finish(user.visit(failing, async (session) => {
    const cart = await session.stash(Cart);
    assertEquals(cart.status, "error");
    await assertRejects(
      () => cart.update((state) => void state.count++),
      "ERR_STORAGE_UNAVAILABLE",
    );
  }));
  await at.memory.put(key, `${value}x`);
  await user.visit(local(at, 3), async (session) => {
    const cart = await session.stash(Cart);
    assertEquals(cart.status, "error");
    await assertRejects(() => cart.update((state) => void state.count++), "ERR_CORRUPT_RECORD");
  });
  const closed = local(at, 4);
  await closed.close();
  await user.visit(closed, async (session) => {
    assertEquals((await session.stash(Cart)).status, "error");
  });
  assertEquals([user.got.length, at.memory.size], [1, 1]);
});

test("[SH3] [SH5] what one request makes of its state is not seen by another that reads the same record", async () => {
  const at = world();
  const node = local(at, 1);
  const user = browser();
  const Boxes = defineStash({
    name: "boxes",
    vsn: 1,
    stored: { boxes: "session", note: "reconnect" },
    state: () => ({ boxes: [] as { size: number }[], note: "" }),
  });
  // The same slice as another part of the application knows it.
  const Sizes = defineStash({
    name: "boxes",
    vsn: 1,
    stored: ["boxes", "label"],
    state: () => ({ boxes: [] as { size: number }[], label: "none" }),
  });
  const page = await user.visit(node, async (session) => {
    const stash = await session.stash(Boxes);
    stash.state = { boxes: [{ size: 1 }], note: "of this page" };
    await stash.stash();
    return stash.page;
  });
  for (let visit = 0; visit < 3; visit++) {
    await user.visit(node, async (session) => {
      const { state } = await session.stash(Boxes);
      assertEquals(state, { boxes: [{ size: 1 }], note: "" });
      state.boxes[0] = { size: 9 };
      state.boxes.push({ size: 10 });
      const { state: draft } = await session.stash(Boxes, { page });
      assertEquals(draft, { boxes: [{ size: 1 }], note: "of this page" });
      assertEquals((await session.stash(Boxes)).state.note, "");
      assertEquals((await session.stash(Sizes)).state, { boxes: [{ size: 1 }], label: "none" });
    });
  }
});

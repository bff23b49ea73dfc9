import { assert, assertEquals, test } from "../harness/mod.ts";
import type { Holdfast, Session } from "../../mod.ts";
import { Cart } from "../stash/definitions.ts";
import {
  type Browser,
  browser,
  day,
  hour,
  minute,
  open,
  partsOf,
  secretA,
  secretB,
  type World,
  world,
} from "../stash/world.ts";

const secretC = "Zt6Xq1RkV8nUw4JpCe2MgHy7LbSdAf3o-secret-c";

const add = async (session: Session): Promise<number> =>
  (await (await session.stash(Cart)).update((state) => void state.count++)).count;

const count = async (session: Session): Promise<number> => (await session.stash(Cart)).state.count;

const end = (session: Session): Promise<void> => session.destroy();

const living = async (at: World): Promise<number> =>
  [...(await at.records()).values()].filter(({ state }) =>
    state !== undefined && state.moved === undefined
  ).length;

/** Two nodes in the middle of a deployment that makes another secret the current one. */
function deploying(at: World): { older: Holdfast; newer: Holdfast; user: Browser } {
  return {
    older: at.node({ secrets: [secretA, secretB] }),
    newer: at.node({ secrets: [secretB, secretA] }),
    user: browser(),
  };
}

test("[SE15] a cookie of an older secret finds its session, and is issued anew once (checklist 23)", async () => {
  const at = world();
  const user = browser();
  await user.visit(at.node({ secrets: [secretA] }), add);
  const old = user.cookie;
  const one = at.node({ secrets: [secretB, secretA] });
  assertEquals(await user.visit(one, count), 1);
  assertEquals(user.got.length, 2);
  assertEquals(partsOf(user.cookie).sid, partsOf(old).sid);
  assert(user.cookie !== old);
  assertEquals(await user.visit(one, add), 2);
  assertEquals(user.got.length, 2);
  assertEquals(await user.visit(at.node({ secrets: [secretB] }), count), 2, "needs the old secret");
  assertEquals(await living(at), 1);
  // A response with the new cookie may have been lost: the old one is as good while it is listed.
  assertEquals(await browser(old).visit(one, add), 3);
});

test("[SE15] the cookie of a secret that is no longer listed is none (checklist 23)", async () => {
  const at = world();
  const user = browser();
  await user.visit(at.node({ secrets: [secretA] }), add);
  const { get } = at.storage.calls;
  assertEquals(await user.visit(at.node({ secrets: [secretB] }), count), 0);
  assertEquals(at.storage.calls.get, get);
});

test("[SE15] a session as large as allowed is moved too", async () => {
  const at = world();
  const limits = { maxSessionBytes: 1024 };
  const namespace = "n".repeat(63);
  const user = browser();
  const fill = (length: number) =>
    user.visit(at.node({ limits, namespace }), async (session) => {
      await (await session.stash(Cart)).update((state) =>
        void (state.items = ["x".repeat(length)])
      );
    });
  await fill(1);
  await fill(1024 - JSON.stringify(await at.theSession()).length + 2);
  assertEquals(JSON.stringify(await at.theSession()).length, 1024);
  for (const secrets of [[secretB, secretA], [secretA, secretB], [secretC, secretB, secretA]]) {
    await user.visit(at.node({ limits, namespace, secrets }), async (session) => {
      assertEquals((await session.stash(Cart)).status, "recovered");
    });
  }
});

test("[SE6] [SE15] a cookie that is being renewed stays cleared when its session ends meanwhile", async () => {
  let hold: ((answer: () => void) => void) | undefined;
  const at = world((storage) => ({
    ...open(storage),
    get: async (key, options) => {
      const holding = hold;
      hold = undefined;
      const answer = await storage.get(key, options);
      if (holding !== undefined) await new Promise<void>(holding);
      return answer;
    },
  }));
  const user = browser();
  await user.visit(at.node({ secrets: [secretA] }), add);
  await browser(user.cookie).visit(at.node({ secrets: [secretB, secretA] }), count);
  let release = (): void => {};
  await user.visit(at.node({ secrets: [secretB, secretA] }), async (session) => {
    hold = (answer) => void (release = answer);
    const late = session.stash(Cart);
    await at.clock.advance(0);
    await session.destroy();
    release();
    await late;
  });
  assertEquals([user.cookie, await living(at)], [null, 0]);
});

test("[SE16] a move that dies after any of its storage calls is completed by the next request", async () => {
  for (let dies = 1; dies <= 12; dies++) {
    for (const kind of ["refuse", "lose-answer"] as const) {
      const at = world();
      const user = browser();
      await user.visit(at.node({ secrets: [secretA] }), add);
      let calls = 0;
      at.storage.plan = ({ operation }) => {
        if (operation === "list" || ++calls < dies) return "none";
        return calls === dies ? kind : "refuse";
      };
      const dying = at.node({ secrets: [secretB, secretA] });
      await at.finish(user.visit(dying, count).catch(() => 0));
      at.storage.plan = () => "none";
      const next = at.node({ secrets: [secretB, secretA] });
      assertEquals(await at.finish(user.visit(next, add)), 2, `lost after call ${dies}`);
      assertEquals(await living(at), 1);
    }
  }
});

test("[SE17] two nodes that disagree on the secret move a session back and forth without losing a write", async () => {
  const at = world();
  const { older, newer, user } = deploying(at);
  for (let i = 1; i <= 20; i++) {
    assertEquals(await user.visit([older, newer][i % 2] ?? older, add), i);
    assertEquals(await living(at), 1);
  }
});

test("[SE17] a request goes on with a session that was moved away under it", async () => {
  const at = world();
  const { older, newer, user } = deploying(at);
  await user.visit(older, add);
  await user.visit(older, async (session) => {
    const cart = await session.stash(Cart);
    assertEquals(await browser(user.cookie).visit(newer, add), 2);
    cart.state.items.push("kelp");
    assertEquals(await cart.stash(), true);
    assertEquals(await browser(user.cookie).visit(newer, add), 3);
    assertEquals(await count(session), 3);
    assertEquals(await browser(user.cookie).visit(newer, add), 4);
    await session.rotate();
  });
  assertEquals(await user.visit(newer, add), 5);
  assertEquals(await living(at), 1);
});

test("[SE17] ending a session ends every copy, whichever node does it", async () => {
  for (const which of [0, 1]) {
    for (const moves of [1, 2, 3]) {
      const at = world();
      const { older, newer, user } = deploying(at);
      const cookies: (string | null)[] = [];
      for (let i = 0; i < moves; i++) {
        await user.visit([older, newer][i % 2] ?? older, add);
        cookies.push(user.cookie);
      }
      await user.visit([older, newer][which] ?? older, end);
      const states = [...(await at.records()).values()].filter(({ state }) => state !== undefined);
      assertEquals(states, []);
      for (const cookie of cookies) {
        for (const node of [older, newer]) {
          assertEquals(await browser(cookie).visit(node, count), 0);
        }
      }
    }
  }
});

test("[SE7] [SE17] a move that is about to write under the new key does not bring an ended session back (checklist 14)", async () => {
  let hold: ((put: () => void) => void) | undefined;
  const at = world((storage) => ({
    ...open(storage),
    put: async (key, value, options) => {
      if (hold !== undefined && options?.ifNoneMatch === "*") await new Promise<void>(hold);
      return await storage.put(key, value, options);
    },
  }));
  const { older, newer, user } = deploying(at);
  await user.visit(older, add);
  const { cookie } = user;
  let release = (): void => {};
  hold = (put) => void (release = put);
  const moving = browser(cookie).visit(newer, count);
  await at.clock.advance(0);
  hold = undefined;
  await browser(cookie).visit(at.node({ secrets: [secretB, secretA] }), end);
  release();
  await at.finish(moving);
  for (const node of [older, newer]) assertEquals(await browser(cookie).visit(node, count), 0);
  assertEquals(await living(at), 0);
});

test("[SE17] undoing the change of secrets later loses nobody, and no copy outlives its session", async () => {
  for (let visits = 1; visits <= 4; visits++) {
    const at = world();
    const user = browser();
    await user.visit(at.node({ secrets: [secretA, secretB] }), add);
    const second = at.node({ secrets: [secretB, secretA] });
    for (let i = 0; i < visits; i++) {
      await user.visit(second, count);
      await at.finish(Promise.resolve());
      at.clock.jump(20 * hour);
      await second.sweep();
    }
    assertEquals(await user.visit(at.node({ secrets: [secretA, secretB] }), add), 2);
    await at.finish(Promise.resolve());
    at.clock.jump(2 * day);
    // The live record ends first, then what moved away to it, whatever their order in the store.
    for (let i = 0; i < 4; i++) {
      await second.sweep();
      at.clock.jump(61 * minute);
    }
    assertEquals(at.memory.size, 0);
  }
});

test("[SE17] a session that expired where it lives does not come back from an older copy", async () => {
  const at = world();
  const user = browser();
  await user.visit(at.node({ secrets: [secretA] }), add);
  const old = user.cookie;
  const one = at.node({ secrets: [secretB, secretA] });
  await user.visit(one, count);
  await at.finish(Promise.resolve());
  at.clock.jump(25 * hour);
  for (const cookie of [old, user.cookie]) assertEquals(await browser(cookie).visit(one, count), 0);
  await one.sweep();
  at.clock.jump(61 * minute);
  await one.sweep();
  for (const cookie of [old, user.cookie]) assertEquals(await browser(cookie).visit(one, count), 0);
  assertEquals(await living(at), 0);
});

test("[SE16] a session that expired between the steps of a move stays where it is, and is gone", async () => {
  let found = 0;
  for (let dies = 1; dies <= 12; dies++) {
    const at = world();
    const user = browser();
    await user.visit(at.node({ secrets: [secretA] }), add);
    let calls = 0;
    at.storage.plan = () => ++calls < dies ? "none" : "refuse";
    const one = at.node({ secrets: [secretB, secretA] });
    await at.finish(user.visit(one, count).catch(() => 0));
    at.storage.plan = () => "none";
    const records = await at.records();
    const [first] = records.values();
    if (records.size > 1 || first?.state?.moved === undefined) continue;
    found++;
    at.clock.jump(25 * hour);
    assertEquals(await user.visit(one, count), 0);
    assertEquals(await at.records(), records);
    await one.sweep();
    at.clock.jump(61 * minute);
    await one.sweep();
    assertEquals(at.memory.size, 0);
  }
  assert(found > 0, "no move died between its steps");
});

test("[SE16] three secrets at once: the session is found wherever it is, by every cookie it ever had", async () => {
  const at = world();
  const user = browser();
  const orders = [
    [secretA, secretB, secretC],
    [secretC, secretA, secretB],
    [secretB, secretC, secretA],
  ];
  const nodes = orders.map((secrets) => at.node({ secrets }));
  const cookies: (string | null)[] = [];
  let expected = 0;
  for (let i = 0; i < 9; i++) {
    assertEquals(await user.visit(nodes[(i * 2) % 3] as Holdfast, add), ++expected);
    cookies.push(user.cookie);
    for (const cookie of cookies) {
      assertEquals(await browser(cookie).visit(nodes[i % 3] as Holdfast, add), ++expected);
    }
  }
  assertEquals(await living(at), 1);
});

import { assert, assertEquals, assertRejects, assertThrows, test } from "../harness/mod.ts";
import { createHoldfast, handleSession, type Session } from "../../mod.ts";
import { Cart } from "../stash/definitions.ts";
import { type Browser, browser, secretA, world } from "../stash/world.ts";

const add = async (session: Session): Promise<number> =>
  (await (await session.stash(Cart)).update((state) => void state.count++)).count;

const count = async (session: Session): Promise<number> => (await session.stash(Cart)).state.count;

const none = { get: 0, put: 0, delete: 0, list: 0 };

test("[SE12] admit is asked before a session is made, and can refuse it (checklist 35)", async () => {
  const at = world();
  const one = at.node();
  const asked: string[] = [];
  const post = (ip: string, cookie = "") =>
    handleSession(
      one,
      new Request("https://example.com/", { headers: { cookie, "x-ip": ip } }),
      async (session) => new Response(String(await add(session))),
      {
        admit: (request) => {
          asked.push(request.headers.get("x-ip") ?? "");
          return Promise.resolve(ip !== "bad");
        },
      },
    );
  await assertRejects(() => post("bad"), "ERR_SESSION_REFUSED");
  assertEquals([at.storage.calls, asked], [none, ["bad"]]);
  const first = await post("good");
  const cookie = first.headers.get("set-cookie")?.split(";")[0];
  assertEquals(
    await (await post("bad", cookie)).text(),
    "2",
    "a session that exists is not asked for",
  );
  assertEquals(asked, ["bad", "good"]);
});

test("[SE12] an admit that throws begins no session and is asked again", async () => {
  const at = world();
  let calls = 0;
  const open = at.node().open(null, {
    admit: () => {
      if (++calls === 1) throw new Error("no limiter");
      return true;
    },
  });
  await assertRejects(() => add(open.session), /no limiter/);
  assertEquals(at.storage.calls, none);
  assertEquals(await add(open.session), 1);
  // Anything but true, as a limiter in JavaScript may answer, refuses.
  const vague = at.node().open(null, { admit: () => undefined as never });
  await assertRejects(() => add(vague.session), "ERR_SESSION_REFUSED");
});

test("[SE14] applications with different namespaces on one storage never meet (checklist 44)", async () => {
  const at = world();
  const apps = [at.node({ namespace: "shop" }), at.node({ namespace: "blog" })] as const;
  const user = browser();
  await user.visit(apps[0], add);
  const guest = browser(user.cookie);
  assertEquals(await guest.visit(apps[1], count), 0);
  await guest.visit(apps[1], add);
  assert(guest.cookie !== user.cookie);
  await browser(user.cookie).visit(apps[1], (session) => session.destroy());
  assertEquals(await user.visit(apps[0], count), 1);
  at.clock.jump(365 * 24 * 60 * 60_000);
  assertEquals((await apps[1].sweep()).examined, 1);
  for (const namespace of ["", "a/b", "..", "a\0", "A"]) {
    assertThrows(() => at.node({ namespace }), /namespace/);
  }
});

test("[SE19] after close() nothing is accepted (checklist 37)", async () => {
  const at = world();
  const one = at.node();
  const user = browser();
  await user.visit(one, add);
  const held = one.open(user.cookie);
  const cart = await held.session.stash(Cart);
  assertEquals(await one.close(), { complete: true, unfinished: 0 });
  cart.state.count = 9;
  await assertRejects(() => cart.stash(), "ERR_CLOSED");
  await assertRejects(() => held.session.destroy(), "ERR_CLOSED");
  await assertRejects(() => one.sweep(), "ERR_CLOSED");
  await user.visit(one, async (session) => {
    const late = await session.stash(Cart);
    assertEquals([late.status, Reflect.get(late.cause as Error, "code")], ["error", "ERR_CLOSED"]);
  });
  assertEquals((await at.theSession()).views["cart"]?.keys, { count: 1 });
  assertEquals(await one.close(), { complete: true, unfinished: 0 }, "closing twice");
});

test("[SE19] close() waits until everything that was accepted is durable", async () => {
  const at = world();
  const one = at.node();
  const users: Browser[] = [];
  for (let i = 0; i < 20; i++) {
    const user = browser();
    await user.visit(one, add);
    users.push(user);
  }
  at.storage.plan = () => ({ kind: "none", latencyMs: 500 });
  const writes = users.map((user) => user.visit(one, add).then(() => true));
  await at.clock.advance(600);
  const report = await at.finish(one.close());
  assertEquals(report, { complete: true, unfinished: 0 });
  assertEquals(await Promise.all(writes), users.map(() => true));
  const counts = [...(await at.records()).values()].map(({ state }) => state?.views["cart"]?.keys);
  assertEquals(counts, users.map(() => ({ count: 2 })));
});

test("[SE19] close() says what it could not finish, within its limit", async () => {
  const at = world();
  const one = at.node();
  const user = browser();
  await user.visit(one, add);
  at.storage.plan = ({ operation }) => operation === "put" ? "hang" : "none";
  const write = user.visit(one, add).catch((error) => error.code);
  await at.clock.advance(10);
  const began = at.clock.monotonic();
  assertEquals(await at.finish(one.close({ withinMs: 100 })), { complete: false, unfinished: 1 });
  assert(at.clock.monotonic() - began <= 105);
  assertEquals(await at.finish(write), "ERR_STORAGE_UNAVAILABLE");
});

test("[SE21] options that make no sense are refused when the instance is made, before anything is stored", () => {
  const { memory } = world();
  const good = { storage: memory, secrets: [secretA], sweepEveryMs: Infinity };
  const bad: readonly (readonly [Record<string, unknown>, new () => Error])[] = [
    [{ storage: undefined }, TypeError],
    [{ storage: {} }, TypeError],
    [{ secrets: undefined }, TypeError],
    [{ secrets: [] }, RangeError],
    [{ secrets: ["short"] }, RangeError],
    [{ cookie: { secure: false } }, TypeError],
    [{ lifetime: { idleMs: 0 } }, RangeError],
    [{ lifetime: { unconfirmedMs: Infinity } }, RangeError],
    [{ lifetime: { idleMs: "1h" } }, TypeError],
    [{ sweepEveryMs: 0 }, RangeError],
    [{ sweepEveryMs: NaN }, RangeError],
    [{ limits: { maxSessionBytes: 1_048_577 } }, RangeError],
    [{ limits: { storageTimeoutMs: 60_001 } }, RangeError],
    [{ limits: { maxDrafts: 101 } }, RangeError],
    ...["maxSessionBytes", "maxDrafts", "draftMs", "storageTimeoutMs", "mailbox", "maxActive"]
      .flatMap((name): [Record<string, unknown>, new () => Error][] =>
        [0, -1, 1.5, NaN, Infinity, "10"].map((
          value,
        ) => [{ limits: { [name]: value } }, RangeError])
      ),
  ];
  for (const [change, kind] of bad) {
    // deno-lint-ignore no-explicit-any
    const error = assertThrows(() => createHoldfast({ ...good, ...change } as any), /^Cannot /);
    assertEquals(error.name, kind.name, JSON.stringify(change));
  }
});

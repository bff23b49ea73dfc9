import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import type { Session } from "../../mod.ts";
import { Cart, Prefs } from "../stash/definitions.ts";
import { browser, day, hour, minute, partsOf, type World, world } from "../stash/world.ts";

const add = async (session: Session): Promise<number> =>
  (await (await session.stash(Cart)).update((state) => void state.count++)).count;

const count = async (session: Session): Promise<number> => (await session.stash(Cart)).state.count;

const lifetime = { idleMs: hour, absoluteMs: day };

/** Turns time without anybody calling. */
async function pass(at: World, ms: number): Promise<void> {
  at.clock.jump(ms);
  await at.finish(Promise.resolve());
}

/** A confirmed session. */
async function confirmed(at: World) {
  const one = at.node({ lifetime });
  const user = browser();
  await user.visit(one, add);
  await user.visit(one, count);
  await pass(at, 0);
  return { one, user };
}

test("[SE9] a session nobody used for the idle limit is gone although its cookie is valid (checklist 16)", async () => {
  for (const [ms, expected] of [[hour - 1, 1], [hour, 0]] as const) {
    const at = world();
    const { one, user } = await confirmed(at);
    await pass(at, ms);
    for (const node of [one, at.node({ lifetime })]) {
      assertEquals(await browser(user.cookie).visit(node, count), expected, `after ${ms} ms`);
    }
  }
});

test("[SE9] use moves the idle limit, never the absolute one (checklist 16)", async () => {
  const at = world();
  const { one, user } = await confirmed(at);
  for (let passed = 0; passed + 50 * minute < day; passed += 50 * minute) {
    await pass(at, 50 * minute);
    assertEquals(await user.visit(one, passed === 0 ? add : count), 2);
    await pass(at, 0);
  }
  await pass(at, 50 * minute);
  assertEquals(await user.visit(one, count), 0);
});

test("[SE9] a session that expires during a request takes no more writes", async () => {
  const at = world();
  const { one, user } = await confirmed(at);
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    await pass(at, hour);
    cart.state.count = 9;
    await assertRejects(() => cart.stash(), "ERR_SESSION_ENDED");
  });
  const old = partsOf(user.cookie).sid;
  assertEquals(await user.visit(one, add), 1);
  assert(partsOf(user.cookie).sid !== old, "the new session has the id of the old one");
});

test("[SE9] a rotation begins the absolute limit anew, and an expired session cannot be rotated", async () => {
  const at = world();
  const { one, user } = await confirmed(at);
  for (let i = 0; i < 23; i++) {
    await pass(at, hour - 1);
    await user.visit(one, count);
  }
  await user.visit(one, (session) => session.rotate());
  await pass(at, hour - 1);
  assertEquals(await user.visit(one, count), 1);
  await pass(at, hour);
  await user.visit(one, (session) => session.rotate());
  assertEquals(await user.visit(one, count), 0);
});

test("[SE10] a thousand reads in a quarter of the idle limit note the user once at most (checklist 17)", async () => {
  const at = world();
  const { one, user } = await confirmed(at);
  const two = at.node({ lifetime });
  const puts = at.storage.calls.put;
  for (let i = 0; i < 1000; i++) {
    at.clock.jump(15 * minute / 1000);
    await user.visit(i % 2 === 0 ? one : two, count);
  }
  await pass(at, 0);
  assertEquals(at.storage.calls.put, puts);
  await pass(at, 1);
  await Promise.all(Array.from({ length: 100 }, () => user.visit(one, count)));
  await pass(at, 0);
  assertEquals(at.storage.calls.put, puts + 1);
});

test("[SE10] noting the user changes nothing else, and gives way to a write under way (checklist 17)", async () => {
  const at = world();
  const { one, user } = await confirmed(at);
  const { views, created } = await at.theSession();
  const two = at.node({ lifetime });
  await user.visit(two, count);
  await pass(at, 20 * minute);
  await user.visit(one, count);
  await pass(at, 0);
  const touched = await at.theSession();
  assertEquals([touched.views, touched.created], [views, created]);
  assertEquals(touched.seen, created + 20 * minute);
  await pass(at, 20 * minute);
  at.storage.plan = () => ({ kind: "none", latencyMs: 5 });
  const reading = user.visit(two, count);
  const writing = user.visit(one, add);
  await at.finish(Promise.all([reading, writing]));
  await at.clock.advance(100);
  const after = await at.theSession();
  assertEquals(after.views["cart"]?.keys, { count: 2 });
  assert(after.seen >= created + 40 * minute);
});

test("[SE10] a wall clock that is set back moves no limit", async () => {
  const at = world();
  const { one, user } = await confirmed(at);
  const { seen } = await at.theSession();
  await pass(at, -30 * minute);
  await user.visit(one, add);
  await pass(at, 0);
  assertEquals((await at.theSession()).seen, seen);
});

test("[SE11] a session whose client never sent the cookie back ends after the unconfirmed limit (checklist 35)", async () => {
  const at = world();
  const one = at.node();
  const crawler = browser();
  await crawler.visit(one, async (session) => {
    await add(session);
    await add(session);
    const prefs = await session.stash(Prefs);
    prefs.state.theme = "dark";
    await prefs.stash();
  });
  assertEquals(
    (await at.theSession()).confirmed,
    false,
    "writes of the first request confirm nothing",
  );
  await pass(at, 10 * minute);
  assertEquals((await one.sweep()).ended, 1);
  assertEquals(await crawler.visit(one, count), 0);
});

test("[SE11] one that came back within the limit has the idle limit (checklist 35)", async () => {
  for (const back of [count, add]) {
    const at = world();
    const one = at.node();
    const user = browser();
    await user.visit(one, add);
    await pass(at, 10 * minute - 1);
    await user.visit(one, back);
    await pass(at, 23 * hour);
    assert(await user.visit(one, count) > 0);
  }
});

test("[SE11] ten thousand requests without cookies leave a bounded store (checklist 35)", async () => {
  const at = world();
  const one = at.node({ limits: { maxActive: 100 } });
  for (let i = 0; i < 10_000; i++) {
    await add(one.open(null).session);
  }
  assertEquals(at.memory.size, 10_000);
  await pass(at, 10 * minute);
  const sweepAll = async () => {
    for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
      ({ next: after } = await at.finish(one.sweep(after === undefined ? {} : { after })));
    }
  };
  await sweepAll();
  await pass(at, hour);
  await sweepAll();
  assertEquals(at.memory.size, 0);
});

test("[SE13] a sweep ends what has expired, and removes what ended an hour ago (checklist 18)", async () => {
  const at = world();
  const { one, user } = await confirmed(at);
  const other = browser();
  await other.visit(one, add);
  await other.visit(one, count);
  await other.visit(one, (session) => session.destroy());
  const third = browser();
  await pass(at, hour - 1);
  await third.visit(one, add);
  assertEquals(await one.sweep(), {
    examined: 3,
    ended: 0,
    removed: 0,
    failed: 0,
    reasons: [],
    next: undefined,
  });
  await pass(at, 1);
  const { ended, removed } = await one.sweep();
  assertEquals([ended, removed, at.memory.size], [1, 1, 2]);
  for (const [, record] of await at.records()) {
    assert(record.ended === undefined || record.state === undefined, "state of an ended session");
  }
  assertEquals((await one.sweep()).ended, 0, "twice");
  assertEquals(await user.visit(one, count), 0);
  assertEquals(await third.visit(one, count), 1);
  await pass(at, hour);
  await one.sweep();
  await pass(at, hour);
  await at.node().sweep();
  assertEquals(at.memory.size, 0);
});

test("[SE13] a sweep looks at a bounded part, and the next one goes on after it (checklist 18)", async () => {
  const at = world();
  const one = at.node();
  for (let i = 0; i < 25; i++) await add(one.open(null).session);
  await pass(at, 10 * minute);
  let after: string | undefined;
  const examined: number[] = [];
  do {
    const report = await one.sweep({ limit: 10, ...(after === undefined ? {} : { after }) });
    examined.push(report.examined);
    after = report.next;
  } while (after !== undefined);
  assertEquals(examined, [10, 10, 5]);
  assertEquals([...(await at.records()).values()].every(({ ended }) => ended !== undefined), true);
});

test("[SE13] sweeps of two nodes at once do the work once, and disturb no write (checklist 18)", async () => {
  const at = world();
  const { one, user } = await confirmed(at);
  const two = at.node({ lifetime });
  for (let i = 0; i < 10; i++) await add(one.open(null).session);
  await pass(at, 10 * minute);
  await user.visit(two, count);
  at.storage.plan = () => ({ kind: "none", latencyMs: 2 });
  const [a, b, written] = await at.finish(
    Promise.all([one.sweep(), two.sweep(), user.visit(two, add)]),
  );
  assertEquals([a.failed + b.failed, written], [0, 2]);
  assert(a.ended + b.ended >= 10);
  assertEquals((await at.theSession()).views["cart"]?.keys, { count: 2 });
});

test("[SE28] a sweep says why records could not be used, each reason once, and tells nothing of them", async () => {
  const at = world();
  await confirmed(at);
  const one = at.node({ lifetime });
  await one.sweep();
  const texts = [
    '{"~holdfast-migrating":{"mark":"a1"}}',
    '{"~holdfast-migrating":{"mark":"b2"}}',
    '{"~holdfast-migrating":{"copy":"c3","from":"1"}}\n{"f":1,"rev":1,"by":"x","state":{}}',
    '{"f":9,"rev":1,"by":"x"}',
    "sheep",
    '{"f":1,"rev":1,"by":"x","state":{"secret":1}}',
  ];
  for (const [i, text] of texts.entries()) await at.memory.put(`app/session/s${i}`, text);
  at.storage.plan = ({ key }) => key === "app/session/s4" ? "refuse" : "none";
  const { failed, reasons } = await at.finish(one.sweep());
  const told = reasons.map(({ code, records }) => [code, records]);
  assertEquals([failed, told], [6, [
    ["ERR_CORRUPT_RECORD", 3],
    ["ERR_NEWER_VERSION", 1],
    ["ERR_STORAGE_UNAVAILABLE", 1],
    ["ERR_CORRUPT_RECORD", 1],
  ]]);
  assert(/moved to another storage/.test(reasons[0]!.message), reasons[0]!.message);
  assert(!/sheep|secret|a1|session\/s/.test(JSON.stringify(reasons)), JSON.stringify(reasons));
});

test("[SE13] a session that is used while the sweep looks at it lives on", async () => {
  const at = world();
  const { one, user } = await confirmed(at);
  const two = at.node({ lifetime: { ...lifetime, idleMs: 2 * hour } });
  await pass(at, hour);
  // Two nodes that were deployed with different limits: here the sweeper has the shorter one.
  at.storage.plan = ({ operation }) => ({ kind: "none", latencyMs: operation === "put" ? 9 : 1 });
  const [report, written] = await at.finish(Promise.all([one.sweep(), user.visit(two, add)]));
  const living = [...(await at.records()).values()].some(({ state }) => state !== undefined);
  assertEquals(
    [report.ended, living],
    written === 2 && report.ended === 0 ? [0, true] : [1, false],
  );
});

test("[SE13] records that cannot be read are counted and left alone (checklist 18)", async () => {
  const at = world();
  const { one } = await confirmed(at);
  const [key = ""] = await at.memory.list("");
  await at.memory.put(key, "garbage");
  await at.memory.put("app/session/unrelated", '{"f":1,"rev":1,"by":"x","state":{}}');
  await pass(at, 365 * day);
  const report = await one.sweep();
  assertEquals([report.examined, report.failed, at.memory.size], [2, 2, 2]);
});

test("[SE13] the sweeper runs by itself, goes on where it stopped, and ends with close() (checklist 18)", async () => {
  const at = world();
  const one = at.node({ sweepEveryMs: 5 * minute });
  await add(one.open(null).session);
  await at.clock.advance(9 * minute);
  await at.theSession();
  await at.clock.advance(6 * minute);
  assertEquals([...(await at.records()).values()].map(({ state }) => state), [undefined]);
  at.storage.plan = () => "refuse";
  await at.clock.advance(30 * minute);
  at.storage.plan = () => "none";
  await at.clock.advance(2 * hour);
  assertEquals(at.memory.size, 0, "trouble ended the sweeper");
  await at.finish(one.close());
  const lists = at.storage.calls.list;
  await at.clock.advance(day);
  assertEquals([at.storage.calls.list, at.clock.pending], [lists, 0]);
});

test("[SE13] the sweeper gets to every record, a part at a time", async () => {
  const at = world();
  const one = at.node({ sweepEveryMs: 5 * minute });
  for (let i = 0; i < 1200; i++) await add(one.open(null).session);
  await at.clock.advance(10 * minute);
  await at.clock.advance(10 * minute);
  const left = [...(await at.records()).values()].filter(({ state }) => state !== undefined);
  assertEquals(left.length, 0);
});

// Longer than 400 lines because the rules of one cluster are read together, on nodes made in one way.
import {
  type MemoryCluster,
  memoryCluster,
  type MemoryClusterOptions,
} from "../../adapters/memory/mod.ts";
import { seededRandom } from "../../adapters/testing/mod.ts";
import type { Holdfast } from "../../adapters/web/holdfast.ts";
import { ConflictError, HoldfastError, StorageUnavailableError } from "../../src/core/errors.ts";
import { defineObject } from "../../src/object/definition.ts";
import type { Cluster } from "../../src/ports/cluster.ts";
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { second, type World, world } from "../object_model/world.ts";

class TillError extends Error {
  override name = "TillError";
  readonly code = "E_TILL";
}

/** How often a handler was run that throws what a node that closes would say. */
const refusals: number[] = [];

/** A class of its own for each node, as in processes of their own. */
function counter(vsn = 1) {
  return defineObject({
    name: "counter",
    vsn,
    state: () => ({ count: 0, rung: 0, by: [] as string[] }),
    migrate: (_, data) => data as { count: number; rung: number; by: string[] },
    handlers: {
      add({ state }, by: number, who = "nobody") {
        state.by.push(who);
        return state.count += by;
      },
      get: { readOnly: true, run: ({ state }) => state.count },
      refuse({ state }) {
        refusals.push(state.count);
        throw new HoldfastError("ERR_CLOSED", "Cannot pour: the bar is closed");
      },
      fail() {
        throw new TillError("The till is empty");
      },
      ring({ schedule }) {
        schedule("bell", 3 * second);
      },
      echo: (_, value: unknown) => value,
      nothing: () => undefined,
    },
    alarms: {
      bell({ state }) {
        state.rung++;
      },
    },
  });
}

interface Node {
  readonly holdfast: Holdfast;
  readonly Counter: ReturnType<typeof counter>;
  readonly conflicts: () => number;
}

interface Nodes extends World {
  readonly cluster: MemoryCluster;
  add(vsn?: number): Node;
  settle(ms?: number): Promise<void>;
}

/** @param front What nodes are given of the cluster. */
function nodes(
  options: MemoryClusterOptions = {},
  front: (cluster: Cluster) => Cluster = (cluster) => cluster,
): Nodes {
  const made = world();
  const { clock } = made;
  const timer = (delayMs: number, callback: () => void) => clock.timer(delayMs, callback);
  const cluster = memoryCluster({ timer, ...options });
  const settle = async (ms = 3 * second): Promise<void> => {
    await made.finish(new Promise<void>((resolve) => void clock.timer(ms, resolve)), ms + 10);
  };
  return {
    ...made,
    cluster,
    settle,
    add: (vsn) => {
      const Counter = counter(vsn);
      let conflicts = 0;
      const holdfast = made.node({
        cluster: front(cluster),
        objects: [Counter],
        telemetry: ({ name }) => {
          if (name === "holdfast.object.conflict") conflicts++;
        },
      });
      return { holdfast, Counter, conflicts: () => conflicts };
    },
  };
}

const ids = Array.from({ length: 20 }, (_, i) => `id-${i}`);

async function addAll(on: readonly Node[], rounds = 3): Promise<void> {
  await Promise.all(
    on.flatMap(({ holdfast, Counter }) =>
      ids.flatMap((id) => Array.from({ length: rounds }, () => holdfast.object(Counter, id).add(1)))
    ),
  );
}

async function counts(world: World): Promise<readonly unknown[]> {
  return await Promise.all(ids.map(async (id) => {
    return (await world.state(`counter/${id}`) as { count: number } | undefined)?.count;
  }));
}

test("[CU2] calls from any node run on the one owner of their object, without a conflict", async (t) => {
  const w = nodes();
  const on = [w.add(), w.add(), w.add()];
  for (const { holdfast } of on) t.defer(() => void w.finish(holdfast.close()));
  await w.settle();
  const [first] = on;
  for (const { holdfast } of on) {
    assertEquals(holdfast.nodes?.members, first?.holdfast.nodes?.members);
    assertEquals([holdfast.nodes?.members.length, holdfast.nodes?.linked], [3, true]);
  }
  for (let round = 0; round < 5; round++) await w.finish(addAll(on));
  assertEquals(await counts(w), ids.map(() => 45));
  assertEquals(on.map(({ conflicts }) => conflicts()), [0, 0, 0]);
  const reads = on.map(({ holdfast, Counter }) => holdfast.object(Counter, "id-7").get());
  assertEquals(await w.finish(Promise.all(reads)), [45, 45, 45]);
});

test("[CU2] a class that only handlers call has one owner, too", async (t) => {
  const w = nodes();
  const on = [w.add(), w.add(), w.add()].map(({ holdfast, conflicts }) => {
    const Leaf = defineObject({
      name: "leaf",
      vsn: 1,
      state: () => ({ count: 0 }),
      handlers: { add: ({ state }) => ++state.count },
    });
    const Parent = defineObject({
      name: "parent",
      vsn: 1,
      state: () => ({}),
      handlers: { add: ({ call }, id: string) => call(Leaf, id, "add") },
    });
    holdfast.object(Parent, "p");
    return { holdfast, conflicts, Parent };
  });
  for (const { holdfast } of on) t.defer(() => void w.finish(holdfast.close()));
  await w.settle();
  for (const { holdfast, Parent } of on) {
    for (let n = 0; n < 20; n++) await w.finish(holdfast.object(Parent, `p${n}`).add(`l${n}`));
  }
  await w.settle();
  for (const { holdfast, Parent } of on) {
    for (let n = 0; n < 20; n++) await w.finish(holdfast.object(Parent, `p${n}`).add("all"));
  }
  assertEquals(await w.state("leaf/all"), { count: 60 });
  assertEquals(on.map(({ conflicts }) => conflicts()), [0, 0, 0]);
});

test("[CU3] what goes wrong on the owner is told as it was thrown", async (t) => {
  const w = nodes();
  const on = [w.add(), w.add()];
  for (const { holdfast } of on) t.defer(() => void w.finish(holdfast.close()));
  await w.settle();
  for (const { holdfast, Counter } of on) {
    for (const id of ids) {
      const fails = w.finish(holdfast.object(Counter, id).fail());
      const error = await assertRejects(() => fails, (thrown) => thrown.code === "E_TILL");
      assertEquals([error.name, error.message], ["TillError", "The till is empty"]);
      // What a handler throws is no refusal of its node: it is not run again elsewhere.
      refusals.length = 0;
      const refuses = w.finish(holdfast.object(Counter, id).refuse());
      await assertRejects(
        () => refuses,
        (thrown) => thrown instanceof HoldfastError && thrown.code === "ERR_CLOSED",
      );
      assertEquals(refusals.length, 1);
      const unknown = w.finish(holdfast.call("counter", id, "nope"));
      await assertRejects(
        () => unknown,
        (thrown) => thrown instanceof HoldfastError && thrown.code === "ERR_UNKNOWN_HANDLER",
      );
    }
  }
});

test("[CU9] undefined crosses, what JSON cannot carry is named with its path", async (t) => {
  const w = nodes({ maxBytes: 4096 });
  const on = [w.add(), w.add()];
  for (const { holdfast } of on) t.defer(() => void w.finish(holdfast.close()));
  await w.settle();
  const [{ holdfast, Counter }] = on as [Node];
  let refused = 0;
  for (const id of ids) {
    const object = holdfast.object(Counter, id);
    assertEquals(await w.finish(object.add(1, undefined)), 1);
    assertEquals(await w.finish(object.nothing()), undefined);
    await w.finish(object.echo({ at: { deep: 1n } })).catch((error) => {
      assertEquals(error.code, "ERR_INVALID_VALUE");
      assert(error.message.includes("at.deep"), error.message);
      refused++;
    });
    // Larger than the link carries: run where it was called.
    const long = "x".repeat(5000);
    assertEquals(await w.finish(object.echo(long)), long);
  }
  assert(refused > 0, "every object was owned by the node that called");
  assert(refused < ids.length, "no object was owned by the node that called");
});

test("[CU4] nodes are replaced one by one under load without a failure or a conflict", async (t) => {
  const w = nodes();
  const all = [w.add(), w.add(), w.add()];
  let on = [...all];
  t.defer(async () => {
    for (const { holdfast } of on) await w.finish(holdfast.close());
  });
  await w.settle();
  let expected = 0;
  for (let i = 0; i < 3; i++) {
    const [old, ...others] = on as [Node, ...Node[]];
    const fresh = w.add();
    all.push(fresh);
    await w.finish(addAll(on));
    expected += 9;
    const load = addAll(others, 5);
    const closing = old.holdfast.close();
    const later = addAll(others, 5);
    await w.finish(Promise.all([load, later, closing]));
    expected += 20;
    on = [...others, fresh];
    await w.settle();
    await w.finish(addAll(on));
    expected += 9;
  }
  assertEquals(await counts(w), ids.map(() => expected));
  assertEquals(all.map(({ conflicts }) => conflicts()), all.map(() => 0));
});

test("[CU5] a newer version of a class takes its objects over, and older nodes go on through it", async (t) => {
  const w = nodes();
  const old = w.add(1);
  await w.settle();
  await w.finish(addAll([old]));
  const fresh = w.add(2);
  for (const { holdfast } of [old, fresh]) t.defer(() => void w.finish(holdfast.close()));
  await w.settle();
  await w.finish(addAll([fresh]));
  await w.finish(addAll([old]));
  assertEquals(await counts(w), ids.map(() => 9));
  const record = await w.record("counter/id-0");
  assertEquals(record?.state?.vsn, 2);
});

test("[CU6] when the owner is killed its calls are told to be unknown, and the next go elsewhere", async (t) => {
  let hold = false;
  const w = nodes({
    carry: ({ kind }, deliver) => {
      if (!(hold && kind === "answer")) queueMicrotask(deliver);
    },
  });
  const [a, b] = [w.add(), w.add()];
  t.defer(() => void w.finish(a.holdfast.close()));
  await w.settle();
  const id = await owned(w, a, b);
  hold = true;
  const under = a.holdfast.object(a.Counter, id).add(1).then(() => "done", (error) => error);
  await w.settle(10);
  w.cluster.kill(b.holdfast.nodes?.address ?? "");
  hold = false;
  // New calls do not wait for the lapse.
  const startedAt = w.clock.monotonic();
  await w.finish(a.holdfast.object(a.Counter, id).add(1));
  assert(w.clock.monotonic() - startedAt <= 2000, "the next call waited too long");
  const outcome = await w.finish(under, 5 * second);
  assert(outcome instanceof StorageUnavailableError, String(outcome));
  assertEquals(outcome.outcome, "unknown");
  assertEquals(a.holdfast.nodes?.members.length, 1);
});

/** Finds an id whose owner is `b`. */
async function owned(w: Nodes, a: Node, b: Node): Promise<string> {
  for (const id of ids) {
    let asked = false;
    const stop = b.holdfast.subscribe("holdfast.object.call", () => void (asked = true));
    await w.finish(a.holdfast.object(a.Counter, id).get());
    stop();
    if (asked) return id;
  }
  throw new Error("The other node owns nothing");
}

test("[CU7] without a link each node works on what the store holds, and shares again later", async (t) => {
  const w = nodes();
  const on = [w.add(), w.add(), w.add()];
  for (const { holdfast } of on) t.defer(() => void w.finish(holdfast.close()));
  await w.settle();
  await w.finish(addAll(on));
  for (const { holdfast } of on) w.cluster.link(holdfast.nodes?.address ?? "", false);
  let expected = 9;
  for (const { holdfast, Counter } of on) {
    assertEquals([holdfast.nodes?.linked, holdfast.nodes?.members.length], [false, 1]);
    const [id = ""] = ids;
    // Each sees what the one before has done.
    assertEquals(await w.finish(holdfast.object(Counter, id).get()), expected);
    await w.finish(addAll([{ holdfast, Counter, conflicts: () => 0 }]));
    expected += 3;
  }
  for (const { holdfast } of on) w.cluster.link(holdfast.nodes?.address ?? "", true);
  await w.settle();
  const before = on.map(({ conflicts }) => conflicts());
  await w.finish(addAll(on));
  assertEquals(await counts(w), ids.map(() => expected + 9));
  assertEquals(on.map(({ conflicts }) => conflicts()), before);
  for (const { holdfast } of on) assertEquals(holdfast.nodes?.members.length, 3);
});

test("[CU8] an alarm rings once, on the owner, or on another node when that is gone", async (t) => {
  const w = nodes();
  const [a, b] = [w.add(), w.add()];
  t.defer(() => void w.finish(a.holdfast.close()));
  await w.settle();
  const rings = ids.map((id) => a.holdfast.object(a.Counter, id).ring());
  await w.finish(Promise.all(rings));
  w.cluster.kill(b.holdfast.nodes?.address ?? "");
  await w.settle(30 * second);
  for (const id of ids) {
    const state = await w.state(`counter/${id}`) as { rung: number };
    assertEquals(state.rung, 1, id);
  }
});

/** What a seed does to messages: lost, copied, late, out of order. */
function trouble(
  seed: number,
  clock: () => World["clock"],
): NonNullable<MemoryClusterOptions["carry"]> {
  const random = seededRandom(seed);
  return (_, deliver) => {
    const copies = random.number() < 0.1 ? 0 : random.number() < 0.1 ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const late = random.number() < 0.3 ? 400 * random.number() : 0;
      clock().timer(late, deliver);
    }
  };
}

test("[CU1] lost, copied and late messages, cut links and killed nodes lose and repeat nothing", async () => {
  let killed = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed + 1000);
    const w: Nodes = nodes({ carry: trouble(seed, () => w.clock) });
    const on = [w.add(), w.add(), w.add()];
    const all = [...on];
    const acknowledged = new Map<string, Set<string>>();
    const asked = new Map<string, Set<string>>();
    const note = (to: Map<string, Set<string>>, id: string, who: string): void => {
      to.set(id, (to.get(id) ?? new Set()).add(who));
    };
    const calls: Promise<void>[] = [];
    for (let i = 0; i < 150; i++) {
      const place = Math.floor(3 * random.number());
      const { holdfast, Counter } = on[place] as Node;
      const id = ids[Math.floor(4 * random.number())] ?? "";
      const who = `${seed}.${i}`;
      note(asked, id, who);
      calls.push(
        holdfast.object(Counter, id).add(1, who).then(
          () => note(acknowledged, id, who),
          (error) => {
            const fine = error instanceof StorageUnavailableError ||
              error instanceof ConflictError ||
              error.code === "ERR_DEADLINE";
            if (!fine) throw error;
          },
        ),
      );
      if (random.number() < 0.05) {
        w.cluster.link(holdfast.nodes?.address ?? "", random.number() < 0.3);
      }
      // To the others it is dead; what it has under way goes on, as in a process that was cut off.
      if (random.number() < 0.03) {
        w.cluster.kill(holdfast.nodes?.address ?? "");
        on[place] = w.add();
        all.push(on[place]);
        killed++;
      }
      await w.settle(Math.floor(200 * random.number()));
    }
    await w.finish(Promise.all(calls), 120 * second);
    for (const [id, wanted] of asked) {
      const { count, by } = await w.state(`counter/${id}`) as { count: number; by: string[] };
      assertEquals(new Set(by).size, by.length, `seed ${seed}: something was done twice`);
      assertEquals(count, by.length);
      for (const who of acknowledged.get(id) ?? []) {
        assert(by.includes(who), `seed ${seed}: ${who} was acknowledged and is lost`);
      }
      for (const who of by) assert(wanted.has(who), `seed ${seed}: nobody asked for ${who}`);
    }
    for (const { holdfast } of all) await w.finish(holdfast.close(), 60 * second);
  }
  assert(killed > 20, `only ${killed} were killed`);
});

test("[CU12] what is no message of ours runs nothing, and an answer that cannot be read is unknown", async (t) => {
  let spoil: string | undefined;
  const w = nodes({}, (cluster) => ({
    join(address, receiver) {
      const link = cluster.join(address, receiver);
      const request: typeof link.request = async (...asked) => {
        const reply = await link.request(...asked);
        return reply.ok ? { ok: true, text: spoil ?? reply.text } : reply;
      };
      return { ...link, request };
    },
  }));
  const on = [w.add(), w.add()] as const;
  for (const { holdfast } of on) t.defer(() => void w.finish(holdfast.close()));
  await w.settle();
  const [a, b] = on;
  const id = await owned(w, a, b);
  for (const text of ["", "{}", '{"kind":"maybe"}', '{"kind":"error","error":7}']) {
    spoil = text;
    const call = w.finish(a.holdfast.object(a.Counter, id).add(1));
    await assertRejects(
      () => call,
      (error) => error instanceof StorageUnavailableError && error.outcome === "unknown",
    );
  }
  spoil = undefined;
  // Each was run once, and not again elsewhere.
  assertEquals(await w.finish(a.holdfast.object(a.Counter, id).get()), 4);
  const heard: string[] = [];
  const link = w.cluster.join("stranger", {
    request: () => Promise.resolve(""),
    broadcast: (text) => void heard.push(text),
    linked: () => {},
  });
  await w.settle();
  const from = JSON.parse(heard[0] ?? "").beat;
  const to = from.incarnation;
  const call = { kind: "call", from: "x", number: 0, to, className: "counter" };
  const whole = { ...call, objectId: id, handler: "add", args: [1], fresh: false, existing: false };
  const astray = JSON.stringify({ ...whole, chain: [], absent: ["length"] });
  for (const text of ["", "7", "{}", '{"kind":"call"}', JSON.stringify(call), astray]) {
    const reply = await w.finish(link.request(b.holdfast.nodes?.address ?? "", text, 1000));
    assertEquals(reply, { ok: true, text: '{"kind":"refused"}' });
    link.broadcast(text);
  }
  await w.settle();
  assertEquals(await w.finish(a.holdfast.object(a.Counter, id).get()), 4);
});

test("[CU16] a copy of a call is not run, while the call is under way, when it has ended and long after", async (t) => {
  const w = nodes();
  const on = [w.add(), w.add()] as const;
  for (const { holdfast } of on) t.defer(() => void w.finish(holdfast.close()));
  await w.settle();
  const [a, b] = on;
  const id = await owned(w, a, b);
  const heard: string[] = [];
  const link = w.cluster.join("stranger", {
    request: () => Promise.resolve(""),
    broadcast: (text) => void heard.push(text),
    linked: () => {},
  });
  await w.settle();
  const beats = heard.map((text) => JSON.parse(text).beat);
  const owner = b.holdfast.nodes?.address ?? "";
  const { incarnation: to } = beats.find(({ address }) => address === owner);
  const call = (number: number, handler: string, ...args: readonly unknown[]): string =>
    JSON.stringify({
      kind: "call",
      from: "stranger",
      number,
      to,
      className: "counter",
      objectId: id,
      operation: "call",
      handler,
      args,
      absent: [],
      fresh: false,
      existing: false,
      chain: [],
    });
  const ask = (text: string) => w.finish(link.request(owner, text, 10_000));
  const add = call(0, "add", 1, "stranger");
  const done = { ok: true, text: '{"kind":"reply","value":1}' } as const;
  const known = { ok: true, text: '{"kind":"known"}' } as const;
  assertEquals(await Promise.all([ask(add), ask(add)]), [done, done]);
  assertEquals(await ask(add), known);
  for (let number = 1; number < 5000; number++) await ask(call(number, "nothing"));
  assertEquals(await ask(add), known);
  assertEquals(await ask(call(4999, "nothing")), known);
  assertEquals(await ask(call(5000, "get")), done);
});

test("[CU10] cluster options that make no sense are refused", () => {
  const w = nodes();
  const make = (options: object) => () => void w.node(options);
  for (
    const [options, type] of [
      [{ cluster: {} }, TypeError],
      [{ cluster: w.cluster, clusterTimes: { beatEveryMs: 1 } }, RangeError],
      [{ cluster: w.cluster, clusterTimes: { beatEveryMs: 1000, lapseMs: 2000 } }, RangeError],
    ] as const
  ) {
    let thrown: unknown;
    try {
      make(options)();
    } catch (error) {
      thrown = error;
    }
    assert(thrown instanceof type, String(thrown));
  }
});

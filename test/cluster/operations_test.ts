import { memoryCluster } from "../../adapters/memory/mod.ts";
import type { Holdfast } from "../../adapters/web/holdfast.ts";
import { StorageUnavailableError } from "../../src/core/errors.ts";
import { defineObject } from "../../src/object/definition.ts";
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { gate, open, second, type World, world } from "../object_model/world.ts";

const ids = Array.from({ length: 12 }, (_, i) => `id-${i}`);

/** A class of its own for each node, as in processes of their own. */
function jar() {
  return defineObject({
    name: "jar",
    vsn: 1,
    durability: "behind",
    state: () => ({ count: 0, rung: 0 }),
    handlers: {
      add: ({ state }, by: number) => state.count += by,
      get: { readOnly: true, run: ({ state }) => state.count },
      wind: ({ schedule }) => void schedule("bell", 3600 * second),
      jam: ({ schedule }) => void schedule("stuck", 3600 * second),
    },
    alarms: {
      bell: ({ state }) => void state.rung++,
      stuck: () => {
        throw new TypeError("The bell is stuck");
      },
    },
  });
}

interface Node {
  readonly holdfast: Holdfast;
  readonly Jar: ReturnType<typeof jar>;
  /** What objects have done here, by the ends of the names of events. */
  readonly told: string[];
}

interface Three extends World {
  readonly all: readonly [Node, Node, Node];
  kill(node: Node): void;
  settle(ms: number): Promise<void>;
  /** Opened, writes go on. */
  hold(): ReturnType<typeof gate>;
}

/** Three nodes of one mind, on one store whose writes can be held up. */
async function three(t: { defer(undo: () => Promise<void> | void): void }): Promise<Three> {
  const w = world();
  const cluster = memoryCluster({
    timer: (delayMs, callback) => w.clock.timer(delayMs, callback),
  });
  let held: Promise<void> | undefined;
  const settle = (ms: number): Promise<void> =>
    w.finish(new Promise<void>((resolve) => void w.clock.timer(ms, resolve)), ms + 10);
  const add = (): Node => {
    const Jar = jar();
    const told: string[] = [];
    const storage = open(w.memory);
    const put: typeof storage.put = async (...args) => {
      await held;
      return await storage.put(...args);
    };
    const telemetry = ({ name }: { readonly name: string }) => void told.push(name);
    const holdfast = w.node({
      storage: { ...storage, put },
      cluster,
      objects: [Jar],
      telemetry,
      limits: { storageTimeoutMs: 30 * second },
    });
    t.defer(async () => void await w.finish(holdfast.close()));
    return { holdfast, Jar, told };
  };
  const all = [add(), add(), add()] as const;
  await settle(3 * second);
  for (const { holdfast } of all) assertEquals(holdfast.nodes?.members.length, 3);
  return {
    ...w,
    all,
    settle,
    kill: ({ holdfast }) => cluster.kill(holdfast.nodes?.address ?? ""),
    hold: () => {
      const made = gate();
      held = made.opened;
      return made;
    },
  };
}

test("[CU13] an object that is deleted on any node is gone from the memory of its owner", async (t) => {
  const { all: [a, b, c], finish } = await three(t);
  for (const id of ids) {
    await finish(a.holdfast.object(a.Jar, id).add(1));
    assertEquals(await finish(c.holdfast.object(c.Jar, id).get()), 1);
    assertEquals(await finish(b.holdfast.objects.delete(b.Jar, id)), true);
    for (const { holdfast, Jar } of [a, b, c]) {
      const call = finish(holdfast.object(Jar, id).get());
      await assertRejects(() => call, (error) => error.code === "ERR_DELETED");
    }
    assertEquals(await finish(c.holdfast.objects.delete(c.Jar, id)), false);
  }
});

test("[CU13] flush() on any node waits for what the owner has answered early", async (t) => {
  const { all: [a, b], finish, hold, settle, state } = await three(t);
  const writes = hold();
  const done: string[] = [];
  const flushes = ids.map(async (id) => {
    assertEquals(await a.holdfast.object(a.Jar, id).add(1), 1);
    await b.holdfast.object(b.Jar, id).flush();
    done.push(id);
  });
  await settle(100);
  assertEquals(done, []);
  writes.open();
  await finish(Promise.all(flushes));
  for (const id of ids) assertEquals(await state(`jar/${id}`), { count: 1, rung: 0 });
});

test("[CU13] start() and stop() on any node are for the owner, and for no other", async (t) => {
  const { all, finish, settle } = await three(t);
  const [a, b] = all;
  for (const id of ids) {
    await finish(a.holdfast.object(a.Jar, id).add(1));
    await finish(a.holdfast.object(a.Jar, id).flush());
    const had = all.filter(({ told }) => told.includes("holdfast.object.activate"));
    assertEquals(had.length, 1);
    for (const { told } of all) told.length = 0;
    await finish(b.holdfast.objects.stop(b.Jar, id));
    const left = all.filter(({ told }) => told.includes("holdfast.object.shutdown"));
    assertEquals(left, had, "another node was stopped than had it");
    for (const { told } of all) told.length = 0;
    await finish(b.holdfast.objects.start(b.Jar, id));
    const came = all.filter(({ told }) => told.includes("holdfast.object.activate"));
    assertEquals(came, had, "another node was started than owns it");
    for (const { told } of all) told.length = 0;
  }
  await settle(second);
});

test("[CU13] fire() on any node fires on the owner, once, and tells what the handler throws", async (t) => {
  const { all: [a, b, c], finish, state } = await three(t);
  for (const id of ids) {
    await finish(a.holdfast.object(a.Jar, id).wind());
    await finish(a.holdfast.object(a.Jar, id).jam());
    const fires = [b, c, a].map(({ holdfast, Jar }) => holdfast.objects.fire(Jar, id, "bell"));
    const fired = await finish(Promise.all(fires));
    assertEquals(fired.filter((is) => is).length, 1);
    const stuck = finish(b.holdfast.objects.fire(b.Jar, id, "stuck"));
    await assertRejects(
      () => stuck,
      (error) => error instanceof TypeError && error.message === "The bell is stuck",
    );
    assertEquals(await state(`jar/${id}`), { count: 0, rung: 1 });
  }
  for (const { told } of [a, b, c]) {
    assert(!told.includes("holdfast.object.conflict"), "two nodes wrote one object");
  }
});

test("[CU13] what a node was asked for when it died is unknown, and goes elsewhere after that", async (t) => {
  const { all, finish, hold, kill, settle } = await three(t);
  const [a, b] = all;
  const writes = hold();
  const outcomes = ids.map(async (id) => {
    await a.holdfast.object(a.Jar, id).add(1);
    return await a.holdfast.object(a.Jar, id).flush().then(() => "done", (error) => error);
  });
  await settle(100);
  kill(b);
  await settle(3 * second);
  writes.open();
  const seen = await finish(Promise.all(outcomes));
  const lost = seen.filter((outcome) => outcome !== "done");
  assert(lost.length > 0 && lost.length < ids.length, `${lost.length} of ${ids.length}`);
  for (const outcome of lost) {
    assert(outcome instanceof StorageUnavailableError, String(outcome));
    assertEquals(outcome.outcome, "unknown");
  }
  for (const id of ids) await finish(a.holdfast.object(a.Jar, id).flush());
});

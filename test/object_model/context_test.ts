import { assert, assertEquals, assertRejects, assertThrows, test } from "../harness/mod.ts";
import { defineObject } from "../../src/object/definition.ts";
import type { ObjectContext } from "../../src/object/model.ts";
import { gate, second, world } from "./world.ts";

interface Counting {
  count: number;
}

/** A counter with one more handler. */
function counterWith<R>(run: (ctx: ObjectContext<Counting>, ...args: unknown[]) => R) {
  return defineObject({
    name: "counter",
    vsn: 1,
    state: (): Counting => ({ count: 0 }),
    handlers: {
      increment: ({ state }, by = 1) => state.count += by,
      count: { readOnly: true, run: ({ state }) => state.count },
      run: (ctx, ...args: unknown[]) => run(ctx, ...args),
    },
    alarms: { ring() {} },
  });
}

test("[OJ14] afterCommit runs once, when the state of its call is durable", async () => {
  const w = world();
  w.storage.plan = () => ({ kind: "none", latencyMs: 20 });
  const ran: unknown[] = [];
  const Counter = counterWith(({ state, afterCommit }, name) => {
    state.count++;
    afterCommit(async () => void ran.push([name, await w.state()]));
  });
  const [here, there] = [w.node(), w.node()];
  await w.finish(Promise.all([
    here.object(Counter, "a").run("here"),
    there.object(Counter, "a").run("there"),
  ]));
  assert(w.told("holdfast.object.conflict").length > 0, "nobody had to run again");
  assertEquals(ran.map((entry) => (entry as unknown[])[0]).sort(), ["here", "there"]);
});

test("[OJ14] afterCommit runs for a call that changes nothing, and not for one that throws", async () => {
  const w = world();
  const ran: unknown[] = [];
  const counter = w.node().object(
    counterWith(({ afterCommit }, name, fails) => {
      afterCommit(() => void ran.push(name));
      if (fails === true) throw new Error("no");
    }),
    "a",
  );
  await counter.run("keep");
  await assertRejects(() => counter.run("throw", true));
  assertEquals([ran, w.memory.size], [["keep"], 0]);
});

test("[OJ14] what an effect throws reaches telemetry and nobody else", async () => {
  const w = world();
  const counter = w.node().object(
    counterWith(({ state, afterCommit }) => {
      state.count++;
      afterCommit(() => {
        throw new Error("mail is down");
      });
      afterCommit(() => Promise.reject(new Error("mail is down")));
    }),
    "a",
  );
  await counter.run();
  await w.clock.advance(0);
  assertEquals(w.told("holdfast.object.effect_failed").length, 2);
});

test("[OJ15] a handler that takes too long is given up: nothing of it is stored, the object goes on", async () => {
  const w = world();
  const stuck = gate();
  let aborted: unknown;
  let late: unknown;
  const Counter = counterWith(async ({ state, signal, schedule }) => {
    state.count = 100;
    signal.addEventListener("abort", () => aborted = signal.reason);
    await stuck.opened;
    try {
      state.count = 200;
    } catch (error) {
      late = error;
    }
    schedule("ring", 0);
  });
  const counter = w.node().object(Counter, "a");
  const given = assertRejects(() => counter.run(), "ERR_DEADLINE");
  await w.clock.advance(20 * second);
  const next = counter.increment();
  await w.clock.advance(10 * second);
  const error = await given;
  assertEquals([aborted === error, await next], [true, 1]);
  stuck.open();
  await w.clock.advance(second);
  assert(late instanceof TypeError);
  assertEquals([await counter.count(), await w.state(), await w.index()], [1, { count: 1 }, []]);
});

test("[OJ15] a call whose time passes while it waits never runs", async () => {
  const w = world();
  const stuck = gate();
  const Slow = defineObject({
    name: "counter",
    vsn: 1,
    state: () => ({ count: 0 }),
    callTimeoutMs: 1000,
    handlers: { wait: () => stuck.opened, increment: ({ state }) => ++state.count },
  });
  const node = w.node();
  const slow = node.object(Slow, "a");
  const first = assertRejects(() => slow.wait(), "ERR_DEADLINE");
  await w.clock.advance(500);
  const second = assertRejects(() => slow.wait(), "ERR_DEADLINE");
  const third = assertRejects(() => slow.increment(), "ERR_DEADLINE");
  await w.clock.advance(1000);
  await Promise.all([first, second, third]);
  stuck.open();
  await w.clock.advance(0);
  assertEquals([await slow.increment(), w.memory.size], [1, 1]);
});

test("[OJ15] writing is no part of the time limit: a slow store does not make an answer a lie", async () => {
  const w = world();
  w.storage.plan = (call) => call.operation === "put" ? { kind: "none", latencyMs: 900 } : "none";
  const Quick = defineObject({
    name: "counter",
    vsn: 1,
    state: () => ({ count: 0 }),
    callTimeoutMs: 500,
    handlers: { increment: ({ state }) => ++state.count },
  });
  assertEquals(await w.finish(w.node().object(Quick, "a").increment()), 1);
});

test("[OJ16] a call chain that leads back is refused at once", async () => {
  const w = world();
  const Node = defineObject({
    name: "node",
    vsn: 1,
    state: () => ({ visits: 0 }),
    handlers: {
      visits: { readOnly: true, run: ({ state }) => state.visits },
      async visit({ state, call }, path: readonly string[]): Promise<string> {
        state.visits++;
        const [next, ...rest] = path;
        if (next === undefined) return "arrived";
        return await call("node", next, "visit", rest) as string;
      },
      look: ({ call }, id: string) => call("node", id, "visits"),
    },
  });
  const node = w.node({ objects: [Node] });
  assertEquals(await node.object(Node, "a").visit(["b", "c"]), "arrived");
  await assertRejects(() => node.object(Node, "a").visit(["b", "a"]), "ERR_REENTRANT");
  await assertRejects(() => node.object(Node, "a").visit(["a"]), "ERR_REENTRANT");
  // Nobody waits for a read-only handler, so it cannot wait in a circle.
  assertEquals(await node.object(Node, "a").look("a"), 1);
  assertEquals(await node.object(Node, "a").visits(), 1);
});

test("[OJ17] a read-only handler runs beside others, on the last durable state", async () => {
  const w = world();
  const stuck = gate();
  const Counter = counterWith(async ({ state }) => {
    state.count = 50;
    await stuck.opened;
  });
  const counter = w.node().object(Counter, "a");
  await counter.increment();
  const running = counter.run();
  assertEquals(await counter.count(), 1);
  w.storage.plan = (call) => call.operation === "put" ? { kind: "none", latencyMs: 50 } : "none";
  stuck.open();
  await w.clock.advance(0);
  assertEquals(await counter.count(), 1);
  await w.finish(running);
  assertEquals(await counter.count(), 50);
});

test("[OJ17] a read-only handler cannot change anything", async () => {
  const w = world();
  const wrong: readonly ((ctx: ObjectContext<{ list: { n: number }[] }>) => unknown)[] = [
    (ctx) => ctx.state.list.push({ n: 2 }),
    (ctx) => delete (ctx.state as { list?: unknown }).list,
    (ctx) => ctx.state = { list: [] },
    ({ state }) => (state.list[0] as { n: number }).n++,
    ({ state }) => Object.defineProperty(state, "list", { value: 1 }),
    ({ state }) => Object.setPrototypeOf(state, null),
    ({ state }) => Object.freeze(state),
    ({ schedule }) => schedule("ring", 0),
    ({ cancel }) => cancel("ring"),
    ({ afterCommit }) => afterCommit(() => {}),
  ];
  for (const run of wrong) {
    const Reader = defineObject({
      name: "reader",
      vsn: 1,
      state: () => ({ list: [{ n: 1 }] }),
      handlers: { read: { readOnly: true, run } },
      alarms: { ring() {} },
    });
    const reader = w.node().object(Reader, "a");
    await assertRejects(() => reader.read(), (error) => error instanceof TypeError);
  }
  assertEquals(w.memory.size, 0);
});

test("[OJ17] a read-only handler reads as any other does", async () => {
  const w = world();
  const Reader = defineObject({
    name: "reader",
    vsn: 1,
    state: () => ({ list: [{ n: 1 }, { n: 2 }], map: { a: 1 } as Record<string, number> }),
    handlers: {
      read: {
        readOnly: true,
        run: ({ state }) => ({
          sum: state.list.reduce((sum, { n }) => sum + n, 0),
          same: state.list[0] === state.list[0],
          text: JSON.stringify(state),
          odd: [state.map["constructor"], "a" in state.map, Object.keys(state.map)],
          part: state.list,
        }),
      },
    },
  });
  const read = await w.node().object(Reader, "a").read();
  assertEquals(read, {
    sum: 3,
    same: true,
    text: '{"list":[{"n":1},{"n":2}],"map":{"a":1}}',
    odd: [undefined, true, ["a"]],
    part: [{ n: 1 }, { n: 2 }],
  });
});

/** A text whose edits are answered before they are stored. */
const Notes = defineObject({
  name: "notes",
  vsn: 1,
  state: () => ({ text: "" }),
  durability: "behind",
  handlers: {
    type: ({ state }, key: string) => state.text += key,
    fail() {
      throw new Error("no");
    },
  },
});

test("[OJ18] behind: replies leave before the write, and flush() waits for it", async () => {
  const w = world();
  w.storage.plan = (call) => call.operation === "put" ? { kind: "none", latencyMs: 100 } : "none";
  const notes = w.node().object(Notes, "a");
  assertEquals([await notes.type("a"), await notes.type("b")], ["a", "ab"]);
  await assertRejects(() => notes.fail(), /^no$/);
  assertEquals(await w.record("notes/a"), undefined);
  await w.finish(notes.flush());
  assertEquals(await w.state("notes/a"), { text: "ab" });
  await notes.flush();
});

test("[OJ18] behind: what was answered and lost is told by flush()", async () => {
  const w = world();
  const notes = w.node().object(Notes, "a");
  await notes.type("a");
  await notes.flush();
  w.storage.plan = (call) => call.operation === "put" ? "refuse" : "none";
  assertEquals(await notes.type("b"), "ab");
  await w.clock.advance(5 * second);
  w.storage.plan = () => "none";
  await assertRejects(() => w.finish(notes.flush()), "ERR_STORAGE_UNAVAILABLE");
  assertEquals(await w.finish(notes.type("c")), "ac");
  await w.finish(notes.flush());
  assertEquals(await w.state("notes/a"), { text: "ac" });
});

test("[OJ18] behind: what was lost is told by flush() also when the object has left memory since", async () => {
  const w = world();
  const node = w.node();
  const notes = node.object(Notes, "a");
  w.storage.plan = (call) => call.operation === "put" ? "refuse" : "none";
  assertEquals(await notes.type("a"), "a");
  await w.clock.advance(5 * second);
  w.storage.plan = () => "none";
  await node.objects.stop(Notes, "a");
  await assertRejects(() => w.finish(notes.flush()), "ERR_STORAGE_UNAVAILABLE");
  await w.finish(notes.flush());
  assertEquals(await w.record("notes/a"), undefined);
});

test("[OJ18] behind: a conflict after the reply loses nothing of either node", async () => {
  const w = world();
  w.storage.plan = (call) => call.operation === "put" ? { kind: "none", latencyMs: 30 } : "none";
  const [here, there] = [w.node().object(Notes, "a"), w.node().object(Notes, "a")];
  await Promise.all([here.type("a"), there.type("b")]);
  await w.finish(Promise.all([here.flush(), there.flush()]));
  const { text } = await w.state("notes/a") as { text: string };
  assertEquals([...text].sort(), ["a", "b"]);
});

test("[OJ30] a context and its state end with the handler", async () => {
  const w = world();
  let kept: ObjectContext<Counting> | undefined;
  let state: Counting | undefined;
  const counter = w.node().object(
    counterWith((ctx) => {
      kept = ctx;
      state = ctx.state;
    }),
    "a",
  );
  await counter.run();
  assert(kept !== undefined && state !== undefined);
  const { schedule, cancel, afterCommit, call } = kept;
  const draft = state;
  const uses = [
    () => draft.count++,
    () => draft.count,
    () => schedule("ring", 0),
    () => cancel("ring"),
    () => afterCommit(() => {}),
    () => call("counter", "b", "increment"),
  ];
  for (const use of uses) assertThrows(use, (error) => error instanceof TypeError);
  assertEquals(w.memory.size, 0);
});

test("[OJ30] time and chance come from the ports", async () => {
  const w = world();
  const run = ({ now, random }: ObjectContext<Counting>) => [now(), random()];
  const half = { bytes: (n: number) => new Uint8Array(n), number: () => 0.5 };
  const counter = w.node({ random: half }).object(counterWith(run), "a");
  assertEquals(await counter.run(), [w.clock.now(), 0.5]);
});

import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { memoryCluster } from "../../adapters/memory/mod.ts";
import { pricesAt } from "../../adapters/s3/prices.ts";
import { faultyStorage } from "../../adapters/testing/mod.ts";
import { createHoldfast } from "../../adapters/web/holdfast.ts";
import { defineObject } from "../../src/object/definition.ts";
import type { Storage } from "../../src/ports/storage.ts";
import type { Session } from "../../src/stash/session.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import type { TestContext } from "../harness/types.ts";
import { Cart } from "../stash/definitions.ts";
import { browser, day, hour, open, secretA, world } from "../stash/world.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Calls {
  readonly get?: number;
  readonly put?: number;
  readonly delete?: number;
  readonly list?: number;
}

/** What `npm run capacity -- --json` prints, as far as it is looked at here. */
interface Model {
  readonly behaviour: Readonly<Record<"perRead" | "perWrite" | "perCall" | "perLife", Calls>> & {
    readonly recordBytes: number;
    readonly sweepRecords: number;
    readonly sweepEveryMs: number;
    readonly beatEveryMs: number;
    readonly perForwarded: number;
    readonly perEnd: number;
  };
  readonly prices: Readonly<Record<"aws" | "r2", { classA: number; classB: number }>>;
}

function run(...words: string[]): Promise<{ readonly code: unknown; readonly output: string }> {
  const args = [join(root, "scripts", "capacity.mjs"), ...words];
  return new Promise((resolve) => {
    execFile("node", args, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, output: stdout + stderr });
    });
  });
}

let made: Promise<Model> | undefined;

function model(): Promise<Model> {
  return made ??= run("--json").then(({ output }) => JSON.parse(output));
}

/** A world that counts the calls of its storage. */
function counting() {
  let counts: Record<string, number> = {};
  const front = (storage: Storage): Storage =>
    faultyStorage(storage, {
      plan: ({ operation }) => {
        counts[operation] = (counts[operation] ?? 0) + 1;
        return "none";
      },
    });
  const at = world(front);
  /** What was called since the last time this was asked. */
  const taken = (): Calls => {
    const all = counts;
    counts = {};
    return all;
  };
  return { ...at, taken };
}

const look = async (session: Session): Promise<void> => void await session.stash(Cart);

async function change(session: Session): Promise<void> {
  const cart = await session.stash(Cart);
  cart.state.count++;
  await cart.stash();
}

function sum(...all: readonly Calls[]): Calls {
  const total: Record<string, number> = {};
  for (const calls of all) {
    for (const [name, count] of Object.entries(calls)) total[name] = (total[name] ?? 0) + count;
  }
  return total;
}

test("[ME19] the page is what its assumptions and the benchmarks make", async () => {
  assertEquals(await run("--check"), { code: 0, output: "" });
});

test("[ME19] other assumptions make another page, and senseless ones none", async () => {
  const { code, output } = await run("activeShare=0.04", "readsPerMinute=9");
  assertEquals(code, 0);
  assert(output.includes("In the busiest minute 4 % of the stored sessions"), output);
  // 10⁴ sessions, 400 of them in use, 10 requests a minute each.
  assert(/\| requests\/s +\| +66\.7 \|/.test(output), output);
  for (const word of ["activeShare=0", "sessions=5", "--all"]) {
    assertEquals((await run(word)).code, 1, word);
  }
});

test("[ME19] the prices are those that the storage counts with", async () => {
  const { prices } = await model();
  for (
    const [name, endpoint] of [
      ["aws", undefined],
      ["r2", "https://a.r2.cloudflarestorage.com"],
    ] as const
  ) {
    const { classA, classB } = prices[name];
    assertEquals({ classA, classB }, { ...pricesAt(endpoint) }, name);
  }
});

test("[ME19] a session asks of its store what the page counts, in requests and beside them", async (t) => {
  const { behaviour } = await model();
  const at = counting();
  const node = at.node();
  t.defer(async () => void await node.close());
  const user = browser();
  const visit = async (what: (session: Session) => Promise<void>): Promise<Calls> => {
    await at.finish(user.visit(node, what));
    // A note that the user was here is written when the answer is made.
    await at.finish(Promise.resolve());
    return at.taken();
  };
  const begun = await visit(change);
  const second = await visit(look);
  assertEquals(await visit(look), behaviour.perRead);
  assertEquals(await visit(change), behaviour.perWrite);
  const sweep = async (ms: number): Promise<Calls> => {
    at.clock.jump(ms);
    await node.sweep();
    return at.taken();
  };
  const looked = { list: 1, get: 1 };
  assertEquals(await sweep(hour), looked);
  const [ended, removed] = [await sweep(2 * day), await sweep(hour)];
  assertEquals(
    sum(begun, second, ended, removed),
    sum(behaviour.perWrite, behaviour.perRead, behaviour.perLife, looked, looked),
  );
  assertEquals(at.memory.size, 0);
});

test("[ME19] a record has beside its state what the page counts", async () => {
  const { behaviour } = await model();
  const at = world();
  const node = at.node();
  await browser().visit(node, change);
  await node.close();
  const [key = ""] = await at.memory.list("");
  const { value = "" } = await at.memory.get(key) ?? {};
  const state = (await at.theSession()).views[Cart.name]?.keys ?? {};
  const beside = value.length - JSON.stringify(state).length;
  assert(Math.abs(beside - behaviour.recordBytes) <= 30, `${beside} bytes`);
});

test("[ME19] a process sweeps as many records as the page counts, as often", async (t) => {
  const { behaviour: { sweepRecords, sweepEveryMs } } = await model();
  const at = counting();
  // Without a time of the test's own: the default is what counts.
  const node = createHoldfast({ storage: open(at.storage), secrets: [secretA], clock: at.clock });
  t.defer(async () => void await node.close());
  for (let i = 0; i <= sweepRecords; i++) await at.memory.put(`app/session/${i}`, "no record");
  await at.clock.advance(sweepEveryMs - 1);
  assertEquals(at.taken(), {});
  await at.clock.advance(1);
  assertEquals(at.taken(), { list: 1, get: sweepRecords });
});

/** A class of its own for each node, as in processes of their own. */
const makeCounter = () =>
  defineObject({
    name: "counter",
    vsn: 1,
    state: () => ({ count: 0 }),
    handlers: { add: ({ state }) => ++state.count },
  });

/** Two nodes of one cluster that counts its messages. */
async function cluster(t: TestContext) {
  const at = counting();
  const carried = { request: 0, answer: 0, broadcast: 0 };
  const cluster = memoryCluster({
    carry: ({ kind }, deliver) => {
      carried[kind]++;
      deliver();
    },
    timer: (delayMs, callback) => at.clock.timer(delayMs, callback),
  });
  const Counter = makeCounter();
  const [node] = [Counter, makeCounter()].map((Each) => {
    const node = at.node({ cluster, objects: [Each] });
    t.defer(async () => void await at.finish(node.close()));
    return node;
  });
  assert(node !== undefined, "the first node");
  await at.clock.advance(5000);
  return { ...at, carried, node, Counter };
}

test("[ME19] nodes and ends of sessions are as many messages to all as the page counts", async (t) => {
  const { behaviour: { beatEveryMs, perEnd } } = await model();
  const { clock, carried, finish, node } = await cluster(t);
  const before = carried.broadcast;
  await clock.advance(100_000);
  // Each of the two tells the other; the time between heartbeats varies by a tenth.
  const expected = 2 * 100_000 / beatEveryMs;
  const beats = carried.broadcast - before;
  assert(Math.abs(beats - expected) < expected / 10, `${beats} heartbeats, not ${expected}`);
  const user = browser();
  await finish(user.visit(node, change));
  const living = carried.broadcast;
  await finish(user.visit(node, (session) => session.destroy()));
  assertEquals(carried.broadcast - living, perEnd);
});

test("[ME19] a call of an object is a write, and as many messages as the page counts", async (t) => {
  const { behaviour: { perCall, perForwarded } } = await model();
  const { taken, carried, finish, node, Counter } = await cluster(t);
  const ids = Array.from({ length: 20 }, (_, index) => `${index}`);
  const addAll = () => finish(Promise.all(ids.map((id) => node.object(Counter, id).add())));
  await addAll();
  taken();
  const { request, answer } = carried;
  await addAll();
  assertEquals(taken(), { put: ids.length * (perCall.put ?? 0) });
  const forwarded = carried.request - request;
  assert(forwarded > 0 && forwarded < ids.length, `${forwarded} of ${ids.length} went elsewhere`);
  assertEquals(forwarded + carried.answer - answer, forwarded * perForwarded);
});

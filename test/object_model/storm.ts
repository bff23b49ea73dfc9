import { memoryStorage } from "../../adapters/memory/storage.ts";
import { faultyStorage, seededPlan } from "../../adapters/testing/faults.ts";
import { seededRandom } from "../../adapters/testing/seeded_random.ts";
import { createVirtualClock, type VirtualClock } from "../../adapters/testing/virtual_clock.ts";
import { createHoldfast, type Holdfast } from "../../adapters/web/holdfast.ts";
import { HoldfastError } from "../../src/core/errors.ts";
import { defineObject } from "../../src/object/definition.ts";
import type { Random } from "../../src/ports/random.ts";
import type { Storage } from "../../src/ports/storage.ts";

/** What a storm has left behind that it should not have. */
export type Problems = readonly string[];

const hour = 3_600_000;

const ids = Array.from({ length: 30 }, (_, n) => `b${n}`);

/** Each alarm rings under a name that nothing else has, so that each effect can be counted. */
const Bell = defineObject({
  name: "bell",
  vsn: 1,
  state: () => ({ calls: [] as string[], rung: [] as string[] }),
  handlers: {
    async call({ state }, name: string) {
      state.calls.push(name);
      await Promise.resolve();
    },
    set({ state, schedule }, name: string, delayMs: number) {
      state.calls.push(name);
      schedule(name, delayMs);
    },
  },
  alarms: Object.fromEntries(
    Array.from({ length: 400 }, (_, n) => [`n${n}`, ring(`n${n}`)]),
  ),
  hibernateAfterMs: 10_000,
});

function ring(name: string) {
  return ({ state, random }: { state: { rung: string[] }; random: () => number }): void => {
    state.rung.push(name);
    if (random() < 0.2) throw new Error("the line is dead");
  };
}

/** A node that can die: from then on nothing of it reaches the store. */
interface Mortal {
  readonly node: Holdfast;
  die(): void;
}

/**
 * Lets several nodes call objects and set alarms on one store while calls to it fail, hang, get lost
 * and collide, nodes die and come back, and the wall clock is corrected. Then everything is well
 * again, and every promise must have been kept.
 */
export async function storm(seed: number): Promise<Problems> {
  const random = seededRandom(seed);
  const clock = createVirtualClock({ now: 1_000_000_000_000 });
  const memory = memoryStorage();
  const rates = {
    refuse: 0.03,
    "lose-request": 0.03,
    "lose-answer": 0.04,
    hang: 0.01,
    "hang-after": 0.01,
    conflict: 0.03,
  };
  const stormy = seededPlan(seededRandom(seed + 1_000_000), rates, 20);
  const storage = faultyStorage(memory, { clock, plan: stormy });
  const nodes = [mortal(storage, clock, random), mortal(storage, clock, random)];
  const acknowledged = new Set<string>();
  const asked = new Set<string>();
  const pending: Promise<void>[] = [];
  for (let step = 0; step < 120; step++) {
    pending.push(act(nodes, random, step, asked, acknowledged));
    await clock.advance(random.number() * 300);
    if (random.number() < 0.08) replaceOne(nodes, () => mortal(storage, clock, random), random);
    if (random.number() < 0.02) clock.jump((random.number() - 0.5) * 20_000);
  }
  storage.plan = () => "none";
  await clock.advance(60_000);
  await Promise.all(pending);
  await clock.advance(2 * hour);
  return await judge(memory, asked, acknowledged);
}

function mortal(storage: Storage, clock: VirtualClock, random: Random): Mortal {
  let alive = true;
  const cut = <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) => (...args: A) =>
    alive ? call(...args) : new Promise<R>(() => {});
  const node = createHoldfast({
    storage: {
      get: cut((key, options) => storage.get(key, options)),
      put: cut((key, value, options) => storage.put(key, value, options)),
      delete: cut((key, options) => storage.delete(key, options)),
      list: cut((prefix, options) => storage.list(prefix, options)),
    },
    secrets: ["3l5ZQ0sH1vXw8yTtR6pKc2NfJb7MdGaU-secret-a"],
    objects: [Bell],
    clock,
    random: seededRandom(Math.floor(random.number() * 2 ** 31)),
    alarms: { pollEveryMs: 5000, tries: 50 },
    sweepEveryMs: Infinity,
  });
  return { node, die: () => void (alive = false) };
}

function replaceOne(nodes: Mortal[], make: () => Mortal, random: Random): void {
  const at = Math.floor(random.number() * nodes.length);
  nodes[at]?.die();
  nodes[at] = make();
}

async function act(
  nodes: readonly Mortal[],
  random: Random,
  step: number,
  asked: Set<string>,
  acknowledged: Set<string>,
): Promise<void> {
  const { node } = nodes[Math.floor(random.number() * nodes.length)] ?? nodes[0] as Mortal;
  const id = ids[Math.floor(random.number() * ids.length)] ?? "b0";
  const name = random.number() < 0.7 ? `n${step}` : `c${step}`;
  const key = `${id} ${name}`;
  asked.add(key);
  const bell = node.object(Bell, id);
  const delayMs = random.number() * 60_000;
  try {
    await (name.startsWith("n") ? bell.set(name, delayMs) : bell.call(name));
    acknowledged.add(key);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
  }
}

async function judge(
  memory: Storage,
  asked: ReadonlySet<string>,
  acknowledged: ReadonlySet<string>,
): Promise<Problems> {
  const problems: string[] = [];
  for (const id of ids) {
    const stored = await memory.get(`app/object/bell/${id}`);
    const { state } = JSON.parse(stored?.value ?? '{"state":{"state":{"calls":[],"rung":[]}}}');
    const { calls, rung } = state.state as { calls: string[]; rung: string[] };
    const set = calls.filter((name) => name.startsWith("n"));
    problems.push(...twice(calls, `${id} called`), ...twice(rung, `${id} rang`));
    problems.push(
      ...set.filter((name) => !rung.includes(name)).map((n) => `${id} ${n} never rang`),
    );
    problems.push(
      ...rung.filter((name) => !set.includes(name)).map((n) => `${id} ${n} was not set`),
    );
    for (const name of calls) {
      if (!asked.has(`${id} ${name}`)) problems.push(`${id} ${name} was not asked for`);
    }
    for (const key of acknowledged) {
      const [of, name = ""] = key.split(" ");
      if (of === id && !calls.includes(name)) problems.push(`${key} was acknowledged and is lost`);
    }
    if (state.alarms !== undefined || state.parked !== undefined) problems.push(`${id} has alarms`);
  }
  const left = await memory.list("app/alarm/");
  return left.length === 0 ? problems : [...problems, `${left.length} entries are left`];
}

function twice(names: readonly string[], what: string): readonly string[] {
  return names.filter((name, at) => names.indexOf(name) !== at).map((name) =>
    `${what} ${name} twice`
  );
}

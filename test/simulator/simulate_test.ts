import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import {
  NodeLostError,
  simulate,
  type SimulatedClient,
  simulateSeeds,
  SimulationError,
  type SimulationOptions,
} from "../../adapters/testing/mod.ts";
import { defineObject } from "../../mod.ts";

const Counter = defineObject({
  name: "counter",
  vsn: 1,
  state: () => ({ count: 0 }),
  handlers: {
    increment: ({ state }) => ++state.count,
    when: ({ state, now }) => state.count = now(),
  },
});

const counting = {
  objects: [Counter],
  workload: async (client: SimulatedClient): Promise<void> =>
    void await client.object(Counter, "a").increment(),
};

test("[SM1] options that make no sense are refused before anything runs", async () => {
  const refused = (more: object) =>
    assertRejects(() => simulate({ ...counting, seed: 1, ...more }));
  for (const more of [{ seed: 0.5 }, { workload: undefined }, { faults: ["earthquake"] }]) {
    assertEquals((await refused(more)).name, "TypeError");
  }
  const numbers = [{ nodes: 0 }, { clients: 101 }, { steps: 1.5 }, { faults: { crash: 11 } }];
  for (const more of numbers) assertEquals((await refused(more)).name, "RangeError");
  const seeds = await assertRejects(() => simulateSeeds({ ...counting, seeds: 0 }));
  assertEquals(seeds.name, "RangeError");
});

test("[SM2] a list of faults means those and no others", async () => {
  for (const fault of ["crash", "refuse", "partition", "duplicate"] as const) {
    const { totals } = await simulateSeeds({ ...counting, seeds: 40, faults: [fault] });
    assert((totals[fault] ?? 0) > 5, `${fault}: ${totals[fault]}`);
    const others = ["crash", "refuse", "partition", "duplicate", "jump", "slow", "stray"]
      .filter((name) => name !== fault);
    assertEquals(others.map((name) => totals[name] ?? 0), others.map(() => 0));
  }
});

test("[SM2] a node that dies forgets, and its caller is told", async () => {
  const errors: unknown[] = [];
  await simulateSeeds({
    ...counting,
    seeds: 30,
    faults: ["crash"],
    workload: async (client) => {
      const counter = client.object(Counter, "a");
      await counter.increment().catch((error) => {
        errors.push(error);
        throw error;
      });
    },
  });
  assert(errors.length > 3, `${errors.length} calls were cut off`);
  assert(errors.every((error) => error instanceof NodeLostError), String(errors[0]));
});

test("[SM3] a handler that asks for the time cannot be foretold, and is not held against itself", async () => {
  const { problems, counts } = await simulate({
    ...counting,
    seed: 3,
    faults: [],
    workload: async (client) => {
      await client.object(Counter, "a").increment();
      await client.object(Counter, "b").when();
    },
  });
  assertEquals([problems, counts.checked, counts.unchecked], [[], 1, 1]);
});

test("[SM7] what hangs although the faults have stopped is a problem", async () => {
  const Stuck = defineObject({
    name: "stuck",
    vsn: 1,
    state: () => ({}),
    handlers: { wait: () => new Promise(() => {}) },
    callTimeoutMs: Infinity,
  });
  const { problems } = await simulate({
    seed: 1,
    objects: [Stuck],
    clients: 1,
    steps: 1,
    faults: [],
    workload: async (client) => void await client.object(Stuck, "a").wait(),
  });
  assert(problems[0]?.includes("stuck/a.wait() hangs"), problems[0]);
});

test("[SM10] an invariant is asked at every write, a check at the end, and both can fail", async () => {
  const { problems } = await simulate({
    ...counting,
    seed: 2,
    faults: [],
    notes: () => ({ asked: 0 }),
    invariant: ({ name, id, state }, notes) => {
      notes.asked++;
      assertEquals([name, id], ["counter", "a"]);
      if (state["count"] === 7) throw new Error("seven is not allowed");
    },
    check: async ({ stored, holdfast }, notes) => {
      const [first] = stored(Counter);
      assertEquals([first?.state, first?.alarms], [{ count: 36 }, []]);
      assertEquals(await holdfast.object(Counter, "a").increment(), 37);
      throw new Error(`asked ${notes.asked > 10} times`);
    },
  });
  assertEquals(problems, [
    "counter/a: Error: seven is not allowed",
    "Error: asked true times",
  ]);
});

test("[SM10] an error of the workload that is not a simulated one is a problem", async () => {
  const { problems } = await simulate({
    ...counting,
    seed: 1,
    clients: 1,
    steps: 1,
    workload: () => {
      throw new RangeError("out of kelp");
    },
  });
  assertEquals(problems, ["c1 at step 1: RangeError: out of kelp"]);
});

/** Remembers in the process what belongs into the state: another node does not know of it. */
function forgetful() {
  const seen = new Set<string>();
  const Once = defineObject({
    name: "once",
    vsn: 1,
    state: () => ({ count: 0 }),
    handlers: {
      add({ state }, key: string) {
        if (!seen.has(key)) state.count++;
        seen.add(key);
        return state.count;
      },
    },
  });
  return { Once, seen };
}

test("[SM9] [SM11] a bug of a user's object is found, made small, and told with the line that repeats it", async () => {
  const { Once, seen } = forgetful();
  const options: Omit<SimulationOptions, "seed"> = {
    objects: [Once],
    notes: () => seen.clear() as undefined,
    workload: async (client) => {
      const key = `${client.name}.${client.step}`;
      const add = () => client.object(Once, "a").add(key);
      await add().catch(() => add());
    },
  };
  const error = await assertRejects(() => simulateSeeds({ ...options, seeds: 300 }));
  assert(error instanceof SimulationError, String(error));
  const { seed, shrunk, message, history } = error;
  assert(message.includes(`simulate({ ...options, seed: ${seed} })`), message);
  assert(message.includes("no order of its calls explains it"), message);
  assert(shrunk.steps < 12 && shrunk.faults.length < 15, JSON.stringify(shrunk));
  // Both lines do what they say.
  assertEquals((await simulate({ ...options, seed })).problems, error.problems);
  const small = await simulate({ ...options, ...shrunk });
  assertEquals([small.problems.length > 0, small.history], [true, history]);
});

test("[SM9] another line can be given for a seed that fails", async () => {
  const failing = { ...counting, check: () => Promise.reject(new Error("no")) };
  const reproduce = (seed: number) => `npm test -- --seed=${seed}`;
  const error = await assertRejects(() =>
    simulateSeeds({ ...failing, seeds: 1, from: 9, reproduce })
  );
  assert(error.message.includes("npm test -- --seed=9"), error.message);
});

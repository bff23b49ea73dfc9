import fc from "fast-check";
import { assertEquals, test } from "../harness/mod.ts";
import { linearize, type Op, type Past } from "../../adapters/testing/simulator/linearizable.ts";

/** A call on a counter as fast-check makes it. */
interface Given {
  readonly from: number;
  readonly takes: number;
  readonly kind: "add" | "read";
  /** What it was answered, if it was. */
  readonly reply: number;
  readonly answered: boolean;
  readonly mayLag: boolean;
}

const given: fc.Arbitrary<Given> = fc.record({
  from: fc.nat({ max: 12 }),
  takes: fc.integer({ min: 1, max: 6 }),
  kind: fc.constantFrom("add", "read"),
  reply: fc.nat({ max: 4 }),
  answered: fc.boolean(),
  mayLag: fc.boolean(),
});

function opOf({ from, takes, kind, reply, answered, mayLag }: Given, index: number): Op {
  return {
    name: `${kind}#${index}`,
    from: from + index / 100,
    to: answered ? from + takes + index / 100 : Infinity,
    reply: answered ? String(reply) : undefined,
    after: [],
    mayLag,
    apply: (state) => {
      const next = kind === "add" ? String(Number(state) + 1) : state;
      return { reply: next, next };
    },
  };
}

function pastOf(ops: readonly Op[], seen: readonly [at: number, state: number][]): Past {
  const sightings = seen.map(([at, state], n) => ({
    at: at + 0.5 + n / 1000,
    state: String(state),
  }))
    .sort((a, b) => a.at - b.at);
  return { initial: "0", ops, sightings, happenings: () => [] };
}

/** Every order of every choice of the calls, tried one by one, as the definition has it. */
function isLinearizable({ ops, sightings, initial }: Past): boolean {
  const events = [...ops, ...sightings];
  const search = (left: readonly (Op | Past["sightings"][number])[], state: string): boolean => {
    if (left.every((event) => "apply" in event && event.to === Infinity)) return true;
    return left.some((event) => {
      const outcome = "apply" in event ? event.apply(state) : undefined;
      if (outcome instanceof Promise) throw new Error("a counter answers at once");
      if ("apply" in event) {
        if (event.reply !== undefined && outcome?.reply !== event.reply) return false;
      } else if (event.state !== state) return false;
      const next = outcome?.next ?? state;
      const lags = "apply" in event && event.mayLag && next === state;
      const begins = "apply" in event ? event.from : event.at;
      const overdue = left.some((other) => other !== event && endOf(other) < begins);
      if (overdue && !lags) return false;
      return search(left.filter((other) => other !== event), next);
    });
  };
  return search(events, initial);
}

function endOf(event: Op | Past["sightings"][number]): number {
  return "apply" in event ? event.to : event.at;
}

const seen = fc.array(fc.tuple(fc.nat({ max: 16 }), fc.nat({ max: 4 })), { maxLength: 3 });

test("[SM3] the search finds an order exactly where trying every order does", async () => {
  const kinds = { linearizable: 0, impossible: 0, undecided: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(given, { maxLength: 5 }), seen, async (calls, sightings) => {
      const past = pastOf(calls.map(opOf), sightings);
      const { kind } = await linearize(past);
      kinds[kind]++;
      assertEquals(kind, isLinearizable(past) ? "linearizable" : "impossible");
    }),
    { numRuns: 3000 },
  );
  assertEquals([kinds.linearizable > 300, kinds.impossible > 300, kinds.undecided], [
    true,
    true,
    0,
  ]);
});

test("[SM3] what came before a call in its own process is before it", async () => {
  const add = opOf({ from: 0, takes: 3, kind: "add", reply: 1, answered: true, mayLag: true }, 0);
  const read = opOf({ from: 4, takes: 2, kind: "read", reply: 0, answered: true, mayLag: true }, 1);
  assertEquals((await linearize(pastOf([add, read], []))).kind, "linearizable");
  const after = { ...read, after: [add] };
  assertEquals((await linearize(pastOf([add, after], []))).kind, "impossible");
});

test("[SM3] what cannot be explained says how far it can be", async () => {
  const add = opOf({ from: 0, takes: 1, kind: "add", reply: 1, answered: true, mayLag: false }, 0);
  const verdict = await linearize(pastOf([add], [[5, 3]]));
  assertEquals(verdict, {
    kind: "impossible",
    placed: ["add#0"],
    state: "1",
    stuck: "at step 5.5 3 was stored",
  });
});

import * as t from "../harness/mod.ts";
import { explore, type NodeKind, type Scenario } from "./fixtures/explore.ts";
import { type Event, isLinearizable } from "./fixtures/history.ts";

const SEEDS = 80;

const STARTS = ["absent", "there", "copied", "moved", "deleted"] as const;

/** Which nodes run side by side, in the order of a rollout. */
const ROLLOUT: readonly (readonly NodeKind[])[] = [
  ["old alone", "copying", "copying and a pass"],
  ["copying", "copying and a pass"],
  ["copying", "cutover"],
  ["copying", "cutover", "cutover"],
  ["cutover", "cutover", "cutover"],
  ["copying", "cutover and a pass", "cutover"],
  ["cutover and a pass", "cutover and a pass"],
];

async function problems(scenario: Scenario, seeds = SEEDS): Promise<readonly string[]> {
  const found: string[] = [];
  for (let seed = 1; seed <= seeds && found.length === 0; seed++) {
    const problem = await explore(scenario, seed);
    if (problem !== undefined) found.push(problem);
  }
  return found;
}

for (const nodes of ROLLOUT) {
  const kinds = nodes.join(", ");
  t.test(`[MV14] every answer fits one order of all calls: ${kinds}`, async () => {
    for (const start of STARTS) {
      // Nodes that do not migrate know no marks: none is there while they run.
      if (nodes.includes("old alone") && (start === "moved" || start === "deleted")) continue;
      t.assertEquals(await problems({ nodes, start, calls: 3 }), [], start);
    }
  }, { timeoutMs: 60_000 });

  t.test(`[MV15] a node may be killed anywhere: ${kinds}`, async () => {
    for (const start of ["absent", "copied"] as const) {
      t.assertEquals(await problems({ nodes, start, calls: 3, kill: true }), [], start);
    }
  }, { timeoutMs: 60_000 });
}

t.test(
  "[MV14] nodes that have the new storage alone may run beside the last that migrate",
  async () => {
    for (const start of ["absent", "moved"] as const) {
      const nodes = ["cutover", "new alone", "cutover and a pass"] as const;
      t.assertEquals(await problems({ nodes, start, calls: 3 }), [], start);
      t.assertEquals(await problems({ nodes, start, calls: 3, kill: true }), [], start);
    }
  },
  { timeoutMs: 60_000 },
);

t.test("[MV14] histories without an order are told from those with one", () => {
  const put = (value: string, called: number, answered: number): Event => ({
    name: `put ${value}`,
    called,
    answered,
    next: () => [value],
  });
  const get = (value: string | null, called: number, answered: number): Event => ({
    name: `get ${value}`,
    called,
    answered,
    next: (now) => now === value ? [now] : [],
  });
  t.assertEquals(isLinearizable([put("a", 1, 4), get("a", 2, 3), get("a", 5, 6)], null), true);
  t.assertEquals(isLinearizable([put("a", 1, 2), get(null, 3, 4)], null), false);
  t.assertEquals(isLinearizable([put("a", 1, Infinity), get(null, 3, 4)], null), true);
  t.assertEquals(isLinearizable([put("a", 1, Infinity), get("a", 3, 4)], null), true);
  t.assertEquals(
    isLinearizable([put("a", 1, Infinity), get("a", 3, 4), get(null, 5, 6)], null),
    false,
  );
});

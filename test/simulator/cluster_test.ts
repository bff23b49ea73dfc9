import { assert, assertEquals, runtime, test } from "../harness/mod.ts";
import { scenarios, Totals } from "./scenarios/mod.ts";

/** A seed has the same history everywhere (SPEC SM1), so one runtime goes through most of them. */
const share = runtime === "bun" ? 1 : 1 / 4;
/** Seeds that a test run has time for; `npm run prove -- simulate --only=cluster` takes any number. */
const seeds = 100 * share;

/** What must have happened, and how often at least: a simulation of nothing proves nothing. */
const least: Readonly<Record<string, number>> = {
  answered: 3000,
  writes: 1700,
  checked: 295,
  loseMessage: 150,
  duplicateMessage: 250,
  lateMessage: 150,
  disagree: 100,
  unlink: 35,
  crash: 90,
  deploy: 70,
  partition: 70,
};

test(
  "[SM13] [CU1] messages between nodes are lost, doubled and late, and nodes disagree about who is there",
  async () => {
    const totals = new Totals();
    for (let seed = 1; seed <= seeds; seed++) {
      const report = await scenarios.cluster(seed);
      assertEquals(report.problems, [], `npm run prove -- simulate --seed=${seed} --only=cluster`);
      totals.add(report);
    }
    for (const [name, count] of Object.entries(least)) {
      const enough = Math.floor(share === 1 ? count : count / 6);
      assert(totals.of(name) >= enough, `${name}: ${totals.of(name)}, not ${enough}`);
    }
    // A history can be too large to be judged.
    assert(totals.of("unchecked") <= 3, `${totals.of("unchecked")} objects could not be judged`);
  },
  { timeoutMs: 280_000 },
);

test("[SM13] nodes that are no cluster know nothing of its faults", async () => {
  const totals = new Totals();
  for (let seed = 1; seed <= 10; seed++) totals.add(await scenarios.journal(seed));
  const ofNodes = ["loseMessage", "duplicateMessage", "lateMessage", "disagree", "unlink"];
  assertEquals(ofNodes.map((name) => totals.of(name)), ofNodes.map(() => 0));
});

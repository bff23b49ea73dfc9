import { assert, assertEquals, runtime, test } from "../harness/mod.ts";
import { scenarios, Totals } from "./scenarios/mod.ts";

/** A seed has the same history everywhere (SPEC SM1), so one runtime goes through most of them. */
const share = runtime === "bun" ? 1 : 1 / 80;
/** Seeds that a test run has time for; `npm run prove -- simulate --only=cluster` takes any number. */
const seeds = 2000 * share;

/** What must have happened, and how often at least: a simulation of nothing proves nothing. */
const least: Readonly<Record<string, number>> = {
  answered: 60000,
  writes: 34000,
  checked: 5900,
  loseMessage: 3000,
  duplicateMessage: 5000,
  lateMessage: 3000,
  disagree: 2000,
  unlink: 700,
  crash: 1800,
  deploy: 1400,
  partition: 1400,
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
      const enough = Math.floor(share === 1 ? count : count / 120);
      assert(totals.of(name) >= enough, `${name}: ${totals.of(name)}, not ${enough}`);
    }
    // A history can be too large to be judged.
    assert(totals.of("unchecked") <= 20, `${totals.of("unchecked")} objects could not be judged`);
  },
  { timeoutMs: 280_000 },
);

test("[SM13] nodes that are no cluster know nothing of its faults", async () => {
  const totals = new Totals();
  for (let seed = 1; seed <= 10; seed++) totals.add(await scenarios.journal(seed));
  const ofNodes = ["loseMessage", "duplicateMessage", "lateMessage", "disagree", "unlink"];
  assertEquals(ofNodes.map((name) => totals.of(name)), ofNodes.map(() => 0));
});

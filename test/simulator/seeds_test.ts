import { assert, assertEquals, runtime, test } from "../harness/mod.ts";
import { type ScenarioName, scenarios, Totals } from "./scenarios/mod.ts";

/** What must have happened, and how often at least: a simulation of nothing proves nothing. */
const proofs: readonly {
  readonly title: string;
  readonly scenario: ScenarioName;
  readonly seeds: number;
  readonly least: Readonly<Record<string, number>>;
}[] = [
  {
    title:
      "[OB21] [AL19] [SM4] [SM5] [SM6] whatever storage, nodes and clocks do, calls, alarms and deletions hold",
    scenario: "journal",
    seeds: 800,
    least: { answered: 25_000, refused: 2000, unknown: 1000, writes: 15_000, checked: 2300 },
  },
  {
    title: "[OJ18] [SM8] what is answered early and flushed is kept, and nothing is half there",
    scenario: "drafts",
    seeds: 400,
    least: { answered: 15_000, writes: 10_000, checked: 790 },
  },
  {
    title: "[OJ10] [SM2] during a rolling deploy no version undoes what a newer one has stored",
    scenario: "deploy",
    seeds: 400,
    least: { answered: 9000, deploy: 1000, checked: 790 },
  },
  {
    title: "[SH11] [SE8] [SE18] [SM12] sessions keep what was acknowledged, their versions and ids",
    scenario: "sessions",
    seeds: 400,
    least: { crash: 500, deploy: 200 },
  },
];

/** Faults that each of the scenarios must have seen. */
const faults: readonly string[] = [
  "refuse",
  "loseRequest",
  "loseAnswer",
  "duplicate",
  "stray",
  "slow",
  "conflict",
  "conflictStorm",
  "partition",
  "outage",
  "crash",
  "deploy",
  "jump",
  "skew",
  "loseReply",
];

/** A seed has the same history everywhere (SPEC SM1), so one runtime goes through all of them. */
const goesThroughAll = runtime === "bun";
const share = goesThroughAll ? 1 : 1 / 10;
/** Of a share, somewhat less than its share has to have happened. */
const enough = (count: number): number => goesThroughAll ? count : Math.floor(count / 15);

for (const { title, scenario, seeds, least } of proofs) {
  test(title, async () => {
    const totals = new Totals();
    for (let seed = 1; seed <= seeds * share; seed++) {
      const report = await scenarios[scenario](seed);
      const line = `npm run prove -- simulate --seed=${seed} --only=${scenario}`;
      assertEquals(report.problems, [], line);
      totals.add(report);
    }
    for (const [name, count] of Object.entries(least)) {
      assert(totals.of(name) >= enough(count), `${name}: ${totals.of(name)}, not ${enough(count)}`);
    }
    for (const fault of faults) {
      assert(totals.of(fault) >= enough(40), `${fault}: ${totals.of(fault)}`);
    }
    assertEquals(totals.of("unchecked"), 0);
  }, { timeoutMs: 280_000 });
}

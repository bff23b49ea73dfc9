// Simulates objects and sessions on several nodes under faults, seed after seed (SPEC SM).
//
//   npm run prove -- simulate                              20,000 seeds
//   npm run prove -- simulate --from=1 --seeds=500         some of them
//   npm run prove -- simulate --only=journal --seeds=500   of one scenario
//   npm run prove -- simulate --seed=17                    one, with everything that happens in it
//   npm run prove -- simulate --until-failure --json       for scripts: the first seed that fails
import process from "node:process";
import { parseArgs } from "node:util";
import {
  type ScenarioName,
  scenarioOf,
  scenarios,
  Totals,
} from "../../test/simulator/scenarios/mod.ts";

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "1" },
    seeds: { type: "string", default: "20000" },
    seed: { type: "string" },
    only: { type: "string" },
    "until-failure": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  console.error(`Cannot simulate: --${name} is "${text}", not a whole number`);
  process.exit(2);
}

function scenarioNamed(name: string | undefined): ScenarioName | undefined {
  if (name === undefined || Object.hasOwn(scenarios, name)) return name as ScenarioName | undefined;
  const all = Object.keys(scenarios).join(", ");
  console.error(`Cannot simulate "${name}": choose from ${all}`);
  process.exit(2);
}

const only = scenarioNamed(values.only);
const lineOf = (seed: number) =>
  `npm run prove -- simulate --seed=${seed}${only === undefined ? "" : ` --only=${only}`}`;

async function one(seed: number): Promise<number> {
  const name = only ?? scenarioOf(seed);
  const { history, problems, counts } = await scenarios[name](seed);
  console.log(history);
  console.log(`\n${name}, seed ${seed}: ${JSON.stringify(counts)}`);
  for (const problem of problems) console.log(`  ${problem}`);
  return problems.length === 0 ? 0 : 1;
}

async function many(from: number, seeds: number): Promise<number> {
  const totals = new Totals();
  const begun = performance.now();
  const most = values["until-failure"] ? 1 : 10;
  let failed = 0;
  let done = 0;
  for (let seed = from; seed < from + seeds && failed < most; seed++, done++) {
    const name = only ?? scenarioOf(seed);
    const report = await scenarios[name](seed);
    totals.add(report);
    if (report.problems.length > 0) {
      failed++;
      if (values.json) console.log(JSON.stringify({ seed, name, problem: report.problems[0] }));
      else console.error(`${name}: ${report.problems.join("; ")}\n  ${lineOf(seed)}`);
    }
    if (!values.json && (done + 1) % 5000 === 0) console.log(`${done + 1} seeds …`);
  }
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  if (!values.json) {
    console.log(`${done} seeds from ${from} in ${seconds} s, ${failed} failed: ${totals}`);
  }
  return failed === 0 ? 0 : 1;
}

const code = values.seed === undefined
  ? await many(wholeNumber("from", values.from), wholeNumber("seeds", values.seeds))
  : await one(wholeNumber("seed", values.seed));
process.exit(code);

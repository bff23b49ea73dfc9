// Breaks every decision of the design on purpose, in a copy, and shows that the simulator alone
// notices (SPEC SM).
//
//   npm run prove -- mutants                     all of them, each with up to 3,000 seeds
//   npm run prove -- mutants --filter=alarm      some of them
//   npm run prove -- mutants --seeds=500         with fewer seeds for each
import process from "node:process";
import { parseArgs } from "node:util";
import { Laboratory, mutants } from "../../test/simulator/mutants/mod.ts";

const { values } = parseArgs({
  options: {
    filter: { type: "string", default: "" },
    seeds: { type: "string", default: "3000" },
  },
});
const seeds = Number(values.seeds);
if (!Number.isInteger(seeds) || seeds < 1) {
  console.error(
    `Cannot try mutants: --seeds is "${values.seeds}", not a whole number of 1 or more`,
  );
  process.exit(2);
}

const laboratory = new Laboratory();
const chosen = mutants.filter(({ name }) => name.includes(values.filter));
let failed = 0;
try {
  for (const scenario of new Set(chosen.map((mutant) => mutant.scenario))) {
    const found = await laboratory.try({ edits: [], scenario }, Math.min(seeds, 300));
    if (found.kind === "survived") continue;
    failed++;
    console.log(`the code as it is fails in ${scenario}: ${found.problem}`);
  }
  for (const mutant of [...chosen].sort((a, b) => a.decision - b.decision)) {
    const found = await laboratory.try(mutant, seeds);
    const what = `${String(mutant.decision).padStart(2)}  ${mutant.name}`;
    if (found.kind === "found") {
      console.log(`${what}\n      seed ${found.seed}: ${found.problem.slice(0, 160)}`);
    } else {
      failed++;
      console.log(
        `${what}\n      NOT FOUND: ${found.kind === "broken" ? found.problem : "survived"}`,
      );
    }
  }
} finally {
  laboratory.close();
}
console.log(`${chosen.length} mutants, ${failed} not found`);
process.exit(failed === 0 ? 0 : 1);

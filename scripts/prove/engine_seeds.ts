// Simulates the object engine under faults, seed after seed (SPEC OB21).
//
//   npm run prove -- engine_seeds                        20 000 seeds
//   npm run prove -- engine_seeds --from=1 --seeds=500   some of them
import process from "node:process";
import { parseArgs } from "node:util";
import { simulate } from "../../test/object/simulation/mod.ts";

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "1" },
    seeds: { type: "string", default: "20000" },
  },
});
const from = Number(values.from);
const seeds = Number(values.seeds);
if (!Number.isInteger(from) || !Number.isInteger(seeds) || seeds < 1) {
  console.error("Cannot simulate: --from and --seeds are whole numbers, --seeds at least 1");
  process.exit(2);
}

const begun = performance.now();
const totals: Record<string, number> = {};
let failed = 0;
for (let seed = from; seed < from + seeds && failed < 10; seed++) {
  const { problems, counts } = await simulate(seed);
  for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + count;
  if (problems.length > 0) {
    failed++;
    console.error(`seed ${seed}: ${problems.join("; ")}`);
    console.error(`  npm run prove -- engine_seeds --from=${seed} --seeds=1`);
  }
}

const seconds = ((performance.now() - begun) / 1000).toFixed(1);
const what = Object.entries(totals).map(([name, count]) => `${count} ${name}`).join(", ");
console.log(`${seeds} seeds from ${from} in ${seconds} s, ${failed} failed: ${what}`);
process.exit(failed === 0 ? 0 : 1);

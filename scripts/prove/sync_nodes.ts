/**
 * Nodes that share one stream of a simulated log, under whatever can befall messages, nodes and their
 * connections (SPEC SY35): `npm run prove -- sync_nodes [--runtime=node] [seeds] [first]`.
 */
import process from "node:process";
import { chaos } from "../../test/sync/fixtures/chaos.ts";

const [seeds, first] = [Number(process.argv[2] ?? 3000), Number(process.argv[3] ?? 1)];
const happened: Record<string, number> = {};
const problems: string[] = [];

for (let seed = first; seed < first + seeds && problems.length < 5; seed++) {
  const report = await chaos(seed);
  if (report.wrong.length > 0) problems.push(`seed ${seed}: ${report.wrong.join("; ")}`);
  for (const [what, times] of Object.entries(report.happened)) {
    happened[what] = (happened[what] ?? 0) + times;
  }
}
for (const problem of problems) console.log(problem);
for (const [what, times] of Object.entries(happened)) console.log(`${what}: ${times}`);
console.log(`${seeds} seeds, ${problems.length} with problems`);
process.exit(problems.length === 0 ? 0 : 1);

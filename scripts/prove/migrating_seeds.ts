/**
 * Runs nodes of every phase of a migration in many interleavings, with and without a node that is
 * killed (SPEC MV14, MV15): `npm run prove -- migrating_seeds [--runtime=node] [seeds]`.
 */
import process from "node:process";
import { explore, type NodeKind } from "../../test/migrating/fixtures/explore.ts";

const seeds = Number(process.argv[2] ?? 3000);
const starts = ["absent", "there", "copied", "moved", "deleted"] as const;
const rollout: readonly (readonly NodeKind[])[] = [
  ["old alone", "copying", "copying and a pass"],
  ["copying", "cutover", "cutover"],
  ["copying and a pass", "cutover and a pass", "cutover"],
  ["cutover and a pass", "cutover and a pass", "cutover"],
  ["cutover", "new alone", "cutover and a pass"],
];
let runs = 0;
const problems: string[] = [];

for (const nodes of rollout) {
  for (const start of starts) {
    // While some node knows no marks there are none.
    if (nodes.includes("old alone") && (start === "moved" || start === "deleted")) continue;
    for (let seed = 1; seed <= seeds && problems.length < 5; seed++) {
      const scenario = { nodes, start, calls: 3 + seed % 2, kill: seed % 3 === 0 };
      const problem = await explore(scenario, seed);
      runs++;
      if (problem !== undefined) problems.push(`${nodes.join(", ")}, ${start}: ${problem}`);
    }
  }
}
for (const problem of problems) console.log(problem);
console.log(`${runs} interleavings, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);

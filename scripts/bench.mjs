// npm run bench: every benchmark, beside what it is compared with, and the report of them. Hours.
//
//   npm run bench -- NAME        one of them, with its own arguments, and the report
//   npm run bench -- NAME --help what it does, and its arguments
//   npm run bench -- --list      what there is
//   npm run bench -- --report    only the report, bench/results.md and its charts, from what was measured
//   npm run bench -- --quick     whether all of them work; keeps nothing
import { join } from "node:path";
import { writeReport } from "./bench/report.mjs";
import { chosenFrom, runScript, scriptsIn } from "./lib/menu.mjs";
import { root } from "./lib/runtimes.mjs";

const args = process.argv.slice(2);
const place = args.find((arg) => arg.startsWith("--in="))?.slice("--in=".length);
const folder = place ?? join(root, "bench");

/** All of them, one after the other: one that fails does not stop the others. */
async function runAll(options) {
  const failed = [];
  for (const name of scriptsIn("bench")) {
    console.log(`\n== ${name}`);
    if (await runScript("bench", name, options) !== 0) failed.push(name);
  }
  if (failed.length > 0) console.error(`FAILED ${failed.join(", ")}`);
  return failed.length;
}

let code = 0;
if (args.includes("--report")) writeReport(folder);
else if (args.length > 0 && args[0] !== "--quick") {
  const { name, rest } = chosenFrom("bench", "bench", args);
  code = await runScript("bench", name, rest);
  if (code === 0) writeReport(folder);
} else {
  code = await runAll(args);
  if (args.length === 0) writeReport(folder);
}
process.exit(code);

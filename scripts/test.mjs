// npm test: every suite on every runtime found.
//
//   npm test -- --runtime=bun --filter=core    some of them
//   npm test -- --no-skip                      what is missing or skipped is a failure (also CI=true)
//   npm test -- --verbose                      shows what the suites print
//   npm test -- --in=FOLDER                    the suites of another folder
//   npm test -- --jobs=1                       so many files at once; as many as cores, up to 4, unless told
//
// One process per file and runtime: a file that does not load, registers no test, runs too long or
// leaves a process behind is a failure with a name.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { findRuntime, names, root } from "./lib/runtimes.mjs";
import { capture } from "./lib/run.mjs";
import { readJunit } from "./lib/junit.mjs";

const { values: options } = parseArgs({
  options: {
    runtime: { type: "string", multiple: true },
    filter: { type: "string", multiple: true },
    "no-skip": { type: "boolean", default: process.env.CI === "true" },
    verbose: { type: "boolean", default: false },
    in: { type: "string", default: "test" },
    jobs: { type: "string", default: String(Math.min(4, availableParallelism())) },
  },
});

/** A file has this long; tests have limits of their own. */
const timeoutMs = 5 * 60_000;

const reports = mkdtempSync(join(tmpdir(), "holdfast-test-"));
process.on("exit", () => rmSync(reports, { recursive: true, force: true }));
let started = 0;

/** How a runtime runs one test file and leaves a JUnit report. */
const commands = {
  bun: (file, report) => ["test", "--reporter=junit", `--reporter-outfile=${report}`, `./${file}`],
  // Types are checked once, by npm run check.
  deno: (file, report) => ["test", "-A", "--no-check", `--junit-path=${report}`, file],
  node: (file, report) => [
    "--test",
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=junit",
    `--test-reporter-destination=${report}`,
    file,
  ],
};

function testFiles() {
  const filters = options.filter ?? [];
  const folder = resolve(root, options.in);
  return readdirSync(folder, { recursive: true })
    .map((name) => relative(root, join(folder, name)).replaceAll("\\", "/"))
    // test/types is for the compiler, which reads it in npm run check.
    .filter((file) => file.endsWith("_test.ts") && !file.startsWith("test/types/"))
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .sort();
}

function readReport(report) {
  try {
    return readJunit(readFileSync(report, "utf8"));
  } catch {
    return [];
  } finally {
    rmSync(report, { force: true });
  }
}

/** What is wrong with a file beyond the tests that failed. */
function problemsOf(file, cases, { code, timedOut, left }) {
  const problems = [];
  if (timedOut) problems.push(`${file} took longer than ${timeoutMs / 1000} s`);
  else if (code !== 0 && !cases.some(({ status }) => status === "failed")) {
    problems.push(`${file} ended with code ${code}`);
  } else if (cases.length === 0) problems.push(`${file} registers no test`);
  if (left.length > 0) problems.push(`${file} left running: ${left.join(", ")}`);
  return problems;
}

async function runFile(runtime, file) {
  // Colours would end up in the middle of what we show; AGENT makes bun test leave things out.
  const env = {
    NO_COLOR: "1",
    FORCE_COLOR: undefined,
    AGENT: undefined,
    CLAUDECODE: undefined,
    // Set when a test runs us; node --test would take itself for a part of that run.
    NODE_TEST_CONTEXT: undefined,
    // Stripping the types of every module anew is half of what a server takes to start on Node.
    NODE_COMPILE_CACHE: join(reports, "compiled"),
  };
  const report = join(reports, `${++started}.xml`);
  const result = await capture(runtime.path, commands[runtime.name](file, report), {
    cwd: root,
    env,
    timeoutMs,
  });
  // Node reports a file that registers nothing, or does not load, as a test of that name.
  const cases = readReport(report).filter(({ name }) => name !== file);
  const problems = problemsOf(file, cases, result);
  const count = (status) => cases.filter((one) => one.status === status).length;
  const failures = [
    ...cases.filter(({ status }) => status === "failed").map(({ name }) => `${file}: ${name}`),
    ...problems,
  ];
  const skips = cases.filter(({ status }) => status === "skipped").map(({ name }) => name);
  if (failures.length > 0 || options.verbose) console.log(result.output);
  return { passed: count("passed"), failures, skips };
}

/** Prints a skip and tells whether it counts as a failure: a test of another runtime never does. */
function refused(skip) {
  const foreign = /\(skipped: only on /.test(skip);
  console.log(`  skipped: ${skip}`);
  return options["no-skip"] && !foreign;
}

async function runJob({ runtime, file, total }) {
  const began = performance.now();
  const { passed, failures, skips } = await runFile(runtime, file);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const failed = failures.length > 0 ? `, ${failures.length} FAILED` : "";
  console.log(`${runtime.name} ${file}: ${passed} passed${failed} (${seconds} s)`);
  total.passed += passed;
  total.failures.push(...failures);
  total.skipped += skips.length;
  total.failures.push(...skips.filter(refused).map((skip) => `${file}: ${skip}`));
}

/**
 * Runs everything, so many at once: one from the front, the next from the back, for neighbours are alike
 * and two that steer a browser at the same time slow each other down.
 */
async function runAll(jobs, atOnce) {
  const left = [...jobs];
  const lane = async (_, n) => {
    while (left.length > 0) await runJob(n % 2 === 0 ? left.shift() : left.pop());
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

const files = testFiles();
const wanted = options.runtime ?? names;
const atOnce = Number(options.jobs);
if (!Number.isInteger(atOnce) || atOnce < 1) {
  console.error(`Cannot run "${options.jobs}" files at once: choose a whole number from 1`);
  process.exit(2);
}
const lines = [];
const totals = [];
const sum = { passed: 0, failed: 0, skipped: 0 };
for (const name of wanted) {
  if (!names.includes(name)) {
    console.error(`Cannot run on "${name}": choose from ${names.join(", ")}`);
    process.exit(2);
  }
  const runtime = findRuntime(name);
  if ("missing" in runtime) {
    lines.push(`${name}: skipped: ${runtime.missing}`);
    if (options["no-skip"]) sum.failed++;
    else sum.skipped++;
    continue;
  }
  totals.push({ runtime, passed: 0, failures: [], skipped: 0 });
}
const jobs = totals.flatMap((total) =>
  files.map((file) => ({ runtime: total.runtime, total, file }))
);
await runAll(jobs, atOnce);
for (const { runtime: { name, version }, passed, failures, skipped } of totals) {
  lines.push(
    `${name} ${version}: ${passed} passed, ${failures.length} failed, ${skipped} skipped`,
    ...failures.sort().map((failure) => `  FAILED ${failure}`),
  );
  sum.passed += passed;
  sum.failed += failures.length;
  sum.skipped += skipped;
}
if (sum.passed + sum.failed === 0) {
  lines.push("no test ran");
  sum.failed = 1;
}
console.log(`\n${lines.join("\n")}\n`);
const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : "";
console.log(`${sum.passed} passed, ${sum.failed} failed${skipped}`);
process.exit(sum.failed > 0 ? 1 : 0);

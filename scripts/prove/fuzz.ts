// Feeds the parsers that read from the network or the store with millions of damaged inputs (SPEC FZ).
//
//   npm run prove -- fuzz                                    200,000 inputs for each parser
//   npm run prove -- fuzz --target=tokens --inputs=10000000  one of them
//   npm run prove -- fuzz --target=tokens --seed=17 --inputs=1   the one input of a failure
//
// More: `--limit-ms=1000`, which an input may take.
import { Buffer } from "node:buffer";
import process from "node:process";
import { parseArgs } from "node:util";
import { fuzz } from "../../test/fuzz/run.ts";
import { targets } from "../../test/fuzz/targets.ts";

const { values } = parseArgs({
  options: {
    target: { type: "string" },
    inputs: { type: "string", default: "200000" },
    seed: { type: "string", default: "1" },
    "limit-ms": { type: "string", default: "1000" },
  },
});

/** Heap that a parser may keep over all its inputs: none keeps anything but caches. */
const KEPT_BYTES = 64 * 2 ** 20;

function wholeNumber(name: "inputs" | "seed" | "limit-ms"): number {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`Cannot fuzz: --${name} is not a whole number of 0 or more`);
  process.exit(2);
}

function heapBytes(): number {
  (globalThis as { Bun?: { gc(force: boolean): void } }).Bun?.gc(true);
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed;
}

const names = values.target === undefined ? Object.keys(targets) : [values.target];
const [seed, inputs, limitMs] = [
  wholeNumber("seed"),
  wholeNumber("inputs"),
  wholeNumber("limit-ms"),
];
let failed = 0;
for (const name of names) {
  const target = Object.hasOwn(targets, name) ? targets[name] : undefined;
  if (target === undefined) {
    console.error(`Cannot fuzz "${name}": choose from ${Object.keys(targets).join(", ")}`);
    process.exit(2);
  }
  const before = heapBytes();
  const began = performance.now();
  const report = await fuzz(target, { seed, inputs, limitMs });
  const seconds = (performance.now() - began) / 1000;
  const kept = heapBytes() - before;
  const ends = Object.entries(report.ends).map(([end, count]) => `${count} ${end}`).join(", ");
  console.log(
    `${name}: ${report.inputs} inputs in ${seconds.toFixed(1)} s, slowest ${
      report.slowestMs.toFixed(1)
    } ms, ${(kept / 2 ** 20).toFixed(1)} MiB kept; ${ends}`,
  );
  if (report.failure !== undefined) {
    const { error, seed: its, input } = report.failure;
    console.error(`FAILED ${name}: --target=${name} --seed=${its} --inputs=1\n${error}`);
    console.error(`made small, as base64: ${Buffer.from(input).toString("base64")}`);
    failed++;
  } else if (kept > KEPT_BYTES) {
    console.error(`FAILED ${name}: it keeps ${kept} bytes`);
    failed++;
  }
}
process.exit(failed === 0 ? 0 : 1);

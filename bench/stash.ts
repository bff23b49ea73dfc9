/**
 * Sessions beside those of other libraries, in one Hono application:
 *
 *     npm run bench -- stash                    everything, about ten minutes; writes results/stash.md
 *     npm run bench -- stash --quick            does it work? A minute; writes nothing
 *     npm run bench -- stash --servers=bun      on one runtime; the client is always Bun
 *     npm run bench -- stash --only=floor,holdfast_memory
 *
 * More: `--rounds=25 --phase-ms=200 --connections=64 --state-bytes=0 --print`. Fails if an answer is
 * wrong or a durable write is lost, never because of time.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { disk, machine } from "./_lib/machine.ts";
import { flag, numberOption, option } from "./_lib/options.ts";
import { installPeers } from "./_lib/packages.ts";
import { chooseRuntimes, type Runtime } from "./_lib/runtimes.ts";
import { figure } from "./_lib/stats.ts";
import { measureAll, type Plan, type Results } from "./_stash/measure.ts";
import { runCore } from "./_stash/processes.ts";
import { asTable, bars, middle, timesFloor } from "./_stash/report.ts";
import { variants } from "./_stash/variants.ts";

const place = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const quick = flag("quick");
const only = option("only");
const servers = option("servers") ?? option("runtime");
const data = place("./.data/");

function makePlan(all: readonly string[]): Plan {
  return {
    variants: only?.split(",") ?? all,
    rounds: numberOption("rounds", quick ? 1 : 25),
    connections: numberOption("connections", 64),
    warmUpRequests: quick ? 200 : 20_000,
    phaseMs: numberOption("phase-ms", 200),
    stateBytes: numberOption("state-bytes", 0),
    folder: data,
  };
}

/** Under which circumstances: without them no figure means anything. */
function circumstances(plan: Plan, runtimes: readonly Runtime[], peers: readonly string[]): string {
  return [
    `${machine(runtimes)}.`,
    `Disk: ${disk(data)}.`,
    `Compared with ${peers.join(", ")}.`,
    `${plan.connections} connections, each with its session; ${plan.stateBytes} bytes beside the`,
    `counter. All servers stay alive; each answers ${
      figure(plan.warmUpRequests)
    } reads and as many`,
    `writes before anything counts; then they take turns, in ${plan.rounds} rounds, each with`,
    `${plan.phaseMs} ms of reads and of writes. Medians; "× floor" is the median of the ratios to the`,
    "floor's CPU in the same round.",
    "CPU is that of the server process, all its threads; \\* marks a client that was busy for more",
    "than 90 % of the time, so that it limited the requests per second, not the CPU per request.",
  ].join(" ");
}

function tell(results: Results): void {
  for (const name of results.keys()) {
    const figures = (["read", "write"] as const).map((ask) => {
      const cpuUs = figure(middle(results, name, ask, "cpuUs")).padStart(6);
      return `${ask} ${cpuUs} µs ${figure(timesFloor(results, name, ask)).padStart(5)} × floor`;
    });
    console.log(`  ${name.padEnd(24)} ${figures.join("   ")}`);
  }
}

/** Measures everything, printing as it goes; answers with the page to keep. */
async function run(): Promise<string> {
  const peers = Object.entries(installPeers()).map(([name, version]) => `${name} ${version}`);
  const plan = makePlan(Object.keys(variants));
  const runtimes = chooseRuntimes(servers);
  const page = ["# Sessions beside those of other libraries", circumstances(plan, runtimes, peers)];
  const promises: string[] = [];
  for (const runtime of runtimes) {
    console.log(`\n${runtime.name} ${runtime.version}`);
    const results = await measureAll(runtime, plan);
    tell(results);
    page.push(`## ${runtime.name} ${runtime.version}`);
    page.push(asTable(results, "read"), asTable(results, "write"));
    promises.push(...bars(runtime.name, results).map((line) => `- ${line}`));
  }
  if (!quick) page.push("## What was promised", promises.join("\n"));
  if (only === undefined) {
    page.push("## The core on its own");
    for (const runtime of runtimes) page.push((await runCore(runtime, quick)).trim());
  }
  return `${page.join("\n\n")}\n`;
}

mkdirSync(data, { recursive: true });
try {
  const page = await run();
  if (!quick || flag("print")) console.log(`\n${page}`);
  if (!quick && only === undefined && servers === undefined) {
    mkdirSync(place("./results/"), { recursive: true });
    writeFileSync(place("./results/stash.md"), page);
  }
  if (quick) console.log("so short a run says nothing about speed");
  console.log("every answer was right, and nothing acknowledged was lost");
} finally {
  rmSync(data, { recursive: true });
}

/**
 * Durable objects beside the least SQLite could do, and beside those of others:
 *
 *     npm run bench -- objects                    everything, about half an hour; writes results/objects.md
 *     npm run bench -- objects --quick            does it work? A minute or two; writes nothing
 *     npm run bench -- objects --servers=bun      on one runtime
 *     npm run bench -- objects --peers=workerd    one peer; `--peers=` for none
 *
 * More: `--rounds=3 --slices=10 --slice-ms=300 --idle=100000 --cold=2000 --print`, and `--data=FOLDER`
 * for another disk: on `/dev/shm` a flush costs nothing, so that only the code is compared. The rounds
 * take turns, and so do the slices within one: subject and limit meet the same moments of the machine.
 * Fails if an answer is wrong, never because of time.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { disk, machine } from "./_lib/machine.ts";
import { flag, numberOption, option } from "./_lib/options.ts";
import { installPeers } from "./_lib/packages.ts";
import { chooseRuntimes, type Runtime } from "./_lib/runtimes.ts";
import { figure } from "./_lib/stats.ts";
import type { Coalescing } from "./_objects/coalescing.ts";
import type { Cold } from "./_objects/cold.ts";
import type { Idle } from "./_objects/idle.ts";
import type { PeerOutcome } from "./_objects/peers_worker.ts";
import { bars, otherTable, peerTable, type Results, throughputTable } from "./_objects/report.ts";
import { run } from "./_objects/run.ts";
import type { Job, Series } from "./_objects/worker.ts";

const place = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** How busy the machine was with other things. */
const before = loadavg()[0] ?? 0;
const quick = flag("quick");
const servers = option("servers") ?? option("runtime");
const peerOption = option("peers");
const peers = (peerOption ?? "workerd,rivet,restate").split(",").filter(Boolean);
const data = join(option("data") ?? place("./.data/"), "objects");
const rounds = numberOption("rounds", quick ? 1 : 3);

const job: Omit<Job, "folder"> = {
  slices: numberOption("slices", quick ? 2 : 10),
  sliceMs: numberOption("slice-ms", quick ? 100 : 300),
  idle: numberOption("idle", quick ? 2000 : 100_000),
  cold: numberOption("cold", quick ? 100 : 2000),
};
/** Peers take milliseconds where others take microseconds. */
const peerJob = { ...job, cold: Math.min(job.cold, 500) };

/** Mutable while it is gathered. */
type Gathered = { -readonly [K in keyof Results]: Results[K] extends string ? string : unknown[] };

/** Measures on all runtimes, in rounds. */
async function measureOurs(runtimes: readonly Runtime[]): Promise<readonly Results[]> {
  const all = runtimes.map(({ name, version }): Gathered => ({
    runtime: `${name} ${version}`,
    throughput: [],
    cold: [],
    idle: [],
    coalescing: [],
  }));
  for (let round = 1; round <= rounds; round++) {
    for (const [at, runtime] of runtimes.entries()) {
      const into = all[at];
      if (into === undefined) continue;
      into.throughput.push(await run<Series>(runtime, "worker.ts", "throughput", data, job));
      into.cold.push(await run<Cold>(runtime, "worker.ts", "cold", data, job));
      into.coalescing.push(await run<Coalescing>(runtime, "worker.ts", "coalescing", data, job));
      // Memory is no matter of luck: once is enough.
      if (round === 1) into.idle.push(await run<Idle>(runtime, "worker.ts", "idle", data, job));
      console.log(`  ${into.runtime}, round ${round} of ${rounds}`);
    }
  }
  return all as readonly Results[];
}

/** Measures the peers; one that fails is named, and why. */
async function measurePeers(node: Runtime): Promise<{
  readonly outcomes: readonly (readonly PeerOutcome[])[];
  readonly failures: readonly string[];
}> {
  const outcomes = peers.map((): PeerOutcome[] => []);
  const failures: string[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const [at, peer] of peers.entries()) {
      try {
        const outcome = await run<PeerOutcome>(node, "peers_worker.ts", peer, data, peerJob);
        outcomes[at]?.push(outcome);
        console.log(`  ${peer}, round ${round} of ${rounds}`);
      } catch (error) {
        failures.push(`- ${peer}, round ${round}: ${String(error).split("\n")[0]}`);
        console.log(failures.at(-1));
      }
    }
  }
  return { outcomes, failures };
}

/** Under which circumstances: without them no figure means anything. */
function circumstances(runtimes: readonly Runtime[], versions: readonly string[]): string {
  return [
    `${machine(runtimes)}.`,
    `Disk: ${disk(data)}; load average ${figure(before)} when it began.`,
    versions.length === 0 ? "" : `Compared with ${versions.join(", ")}.`,
    `Medians of ${rounds} rounds of ${job.slices} slices of ${
      figure(job.sliceMs)
    } ms, the subjects`,
    "taking turns slice by slice, after six that do not count; a share of the limit is the median of the shares of neighbouring",
    "slices. CPU is that of the process with all its threads; for peers, of all their processes.",
    "The limit is a table of names and numbers, committed before the answer, with neither",
    "compare-and-set nor versions nor state: one transaction per call where calls are sequential,",
    "else one per turn of the event loop. Where the disk is what takes the time, as here, a share of",
    "the limit says little about the code: compare the CPU.",
    `Memory: ${figure(job.idle)} objects; \`npm run bench -- objects --rounds=${rounds}`,
    `--slices=${job.slices} --slice-ms=${job.sliceMs}\`.`,
  ].filter(Boolean).join(" ");
}

/** Measures everything, printing as it goes; answers with the page to keep. */
async function measure(): Promise<string> {
  const installed = peers.length === 0 ? {} : installPeers(place("./_objects/peers/"));
  const versions = Object.entries(installed).map(([name, version]) => `${name} ${version}`);
  const runtimes = chooseRuntimes(servers);
  const page = ["# Durable objects beside the limit and beside others"];
  page.push(circumstances(runtimes, versions));
  const results = await measureOurs(runtimes);
  for (const result of results) page.push(`## ${result.runtime}`, throughputTable(result));
  page.push("## Cold, idle, slow", otherTable(results));
  const [node] = peers.length === 0 ? [] : chooseRuntimes("node");
  if (node !== undefined) {
    const { outcomes, failures } = await measurePeers(node);
    page.push("## Peers", peerTable(outcomes), failures.join("\n"), PEERS);
  }
  if (!quick) page.push("## What was promised", bars(results).join("\n"));
  return `${page.filter(Boolean).join("\n\n")}\n`;
}

const PEERS = [
  "The peers are called from Node; workerd also from inside itself. Its answers wait for its SQLite.",
  "Rivet runs in the calling process, and its file driver does not sync what it writes; it cannot be",
  "restarted there, so its cold start is missing. Restate's log is synced as its server does by",
  "default. Their memory is resident memory of all processes, over the objects called once, and",
  "includes what grows once; ours above is the heap.",
].join(" ");

mkdirSync(data, { recursive: true });
try {
  const page = await measure();
  if (!quick || flag("print")) console.log(`\n${page}`);
  if (!quick && [servers, peerOption, option("data")].every((given) => given === undefined)) {
    mkdirSync(place("./results/"), { recursive: true });
    writeFileSync(place("./results/objects.md"), page);
  }
  if (quick) console.log("so short a run says nothing about speed");
  console.log("every answer was right");
} finally {
  rmSync(data, { recursive: true, force: true });
}

/**
 * Several nodes over NATS: what a call to another node costs beside a bare request on the same
 * connection, what one, two and three processes carry, and how long the objects of a killed one do not
 * answer:
 *
 *     npm run bench -- cluster                    everything, about five minutes; writes results/cluster.md
 *     npm run bench -- cluster --quick            does it work? Writes nothing
 *     npm run bench -- cluster --servers=node     on one runtime
 *
 * More: `--slices=15 --slice-ms=200 --load-ms=2000 --kills=20 --print`. Needs nats-server. Fails if an
 * answer is wrong, never because of time.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { noNats, startNats } from "../test/nats/fixtures/server.ts";
import type { FailOver } from "./_cluster/fail_over.ts";
import type { Slices } from "./_cluster/latency.ts";
import type { Done } from "./_cluster/load.ts";
import { NodeProcess } from "./_cluster/process.ts";
import {
  bars,
  failOverTable,
  latencyTable,
  type Results,
  type Throughput,
  throughputTable,
} from "./_cluster/report.ts";
import { machine } from "./_lib/machine.ts";
import { flag, numberOption, option } from "./_lib/options.ts";
import { chooseRuntimes, type Runtime } from "./_lib/runtimes.ts";
import { figure } from "./_lib/stats.ts";

const quick = flag("quick");
const servers = option("servers");
const slices = numberOption("slices", quick ? 2 : 15);
const sliceMs = numberOption("slice-ms", quick ? 50 : 200);
const loadMs = numberOption("load-ms", quick ? 300 : 2000);
const kills = numberOption("kills", quick ? 1 : 20);
const load = { callers: 32, objects: 1000 } as const;
/** Of a node that is to be killed. */
const watched = 20;
/** How busy the machine was with other things. */
const before = loadavg()[0] ?? 0;

if (noNats !== undefined) {
  console.error(`Cannot measure: ${noNats}`);
  process.exit(2);
}

/** Runs something with a server and so many nodes. */
async function withNodes<T>(
  runtime: Runtime,
  count: number,
  run: (nodes: NodeProcess[], url: string) => Promise<T>,
): Promise<T> {
  const nats = await startNats();
  const nodes: NodeProcess[] = [];
  try {
    const names = ["a", "b", "c", "d"].slice(0, count);
    const started = names.map((name) => NodeProcess.start(runtime, nats.url, name, count));
    nodes.push(...await Promise.all(started));
    return await run(nodes, nats.url);
  } finally {
    for (const node of nodes) await node.end();
    await nats.dispose();
  }
}

/** What the nodes carry together, read from memory and stored. */
async function throughputOf(nodes: readonly NodeProcess[]): Promise<readonly Throughput[]> {
  const results: Throughput[] = [];
  for (const write of [false, true]) {
    const job = { what: "load", write, ...load } as const;
    const all = (ms: number) => Promise.all(nodes.map((node) => node.obey<Done>({ ...job, ms })));
    await all(loadMs / 4);
    results.push({ nodes: nodes.length, write, ms: loadMs, done: await all(loadMs) });
  }
  return results;
}

/** Kills the others in turn; each is replaced while the next is killed. */
async function killsOf(
  runtime: Runtime,
  nodes: NodeProcess[],
  url: string,
): Promise<readonly FailOver[]> {
  const results: FailOver[] = [];
  const [first] = nodes;
  const others = nodes.slice(1).map((node) => Promise.resolve(node));
  for (let i = 0; i < kills; i++) {
    const victim = await others.shift();
    if (first === undefined || victim === undefined) break;
    const about = { victim: victim.name, pid: victim.pid, objects: watched };
    results.push(await first.obey<FailOver>({ what: "fail over", ...about }));
    others.push(
      NodeProcess.start(runtime, url, `v${i}`, 2).then((node) => {
        nodes.push(node);
        return node;
      }),
    );
  }
  await Promise.allSettled(others);
  return results;
}

async function measure(runtime: Runtime): Promise<Results> {
  const throughput: Throughput[] = [];
  for (const count of [1, 2, 3]) {
    throughput.push(...await withNodes(runtime, count, throughputOf));
  }
  const latency = await withNodes(runtime, 2, async ([a, b]) => {
    if (a === undefined || b === undefined) return [];
    return await a.obey<readonly Slices[]>({ what: "latency", other: b.name, slices, sliceMs });
  });
  const failOvers = await withNodes(runtime, 4, (nodes, url) => killsOf(runtime, nodes, url));
  const result = { runtime: `${runtime.name} ${runtime.version}`, latency, throughput, failOvers };
  console.log(
    `${
      [latencyTable([result]), throughputTable([result]), failOverTable([result])].join("\n\n")
    }\n`,
  );
  return result;
}

/** Under which circumstances: without them no figure means anything. */
function circumstances(runtimes: readonly Runtime[]): string {
  return [
    `${machine(runtimes)}; load average ${figure(before)} when it began.`,
    "All node processes, the callers in them and nats-server share these cores: what is measured at",
    "two and three nodes is what sharing costs, not what more machines carry.",
    `Calls near and far: medians of ${slices} slices of ${
      figure(sliceMs)
    } ms, taking turns; a ratio is`,
    "the median of the ratios of neighbouring slices. The bare request carries the same characters",
    "there and back on the connection that the node uses, to a process that answers with what it got.",
    "Where other work keeps the cores busy, both wait for the scheduler more than for anything else,",
    "which brings them closer together than they are on an idle machine.",
    `Throughput: ${load.callers} callers in each node, ${figure(load.objects)} objects by lot,`,
    `${
      figure(loadMs)
    } ms; stored is acknowledged by JetStream. Fail-over: ${watched} objects of one of`,
    "four nodes are called without pause from another when it gets SIGKILL, and by as many new callers",
    "just then; heartbeats as by default; the time is that of the last object to answer. A call that",
    "was under way is told to be unknown once the node is taken for dead.",
    `\`npm run bench -- cluster --slices=${slices} --slice-ms=${sliceMs} --load-ms=${loadMs}`,
    `--kills=${kills}\`.`,
  ].join(" ");
}

const runtimes = chooseRuntimes(servers);
const results: Results[] = [];
for (const runtime of runtimes) results.push(await measure(runtime));
const page = [
  "# Several nodes over NATS",
  circumstances(runtimes),
  "## A call, near and far",
  latencyTable(results),
  "## Throughput",
  throughputTable(results),
  "## When a node is killed",
  failOverTable(results),
  "## What was promised",
  bars(results).join("\n"),
].join("\n\n");
if (flag("print")) console.log(page);
if (!quick && servers === undefined) {
  const place = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  mkdirSync(place("./results/"), { recursive: true });
  writeFileSync(place("./results/cluster.md"), `${page}\n`);
}
if (quick) console.log("so short a run says nothing about speed");
console.log("every answer was right");

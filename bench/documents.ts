/**
 * Documents of this library beside those of others:
 *
 *     npm run bench -- documents                     everything, about ten minutes; writes results/documents.md
 *     npm run bench -- documents --quick             does it work? A minute; writes nothing
 *     npm run bench -- documents --servers=bun       ours on one runtime
 *     npm run bench -- documents --peers=sharedb     one peer; `--peers=` for none
 *     npm run bench -- documents --parts=fast,fan    only these of memory, fast, fan, joins and behind; writes nothing
 *
 * More: `--rounds=2 --connections=50 --seconds=3 --joins=20 --missed=10000 --documents=200 --print`. All servers
 * have the same clients, which speak the protocols without the libraries of clients. Fails if a change did
 * not arrive, never because of time.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ServerProcess } from "./_documents/process.ts";
import { bars, outcomeTable, type Results } from "./_documents/report.ts";
import {
  catchUp,
  fanOut,
  joins,
  memory,
  nothing,
  type Outcome,
  type Sizes,
  type Subject,
  throughput,
} from "./_documents/scenarios.ts";
import { protocols } from "./_documents/wires.ts";
import { disk, machine } from "./_lib/machine.ts";
import { flag, numberOption, option } from "./_lib/options.ts";
import { installPeers } from "./_lib/packages.ts";
import { chooseRuntimes, type Runtime } from "./_lib/runtimes.ts";
import { figure } from "./_lib/stats.ts";

const place = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** How busy the machine was with other things. */
const before = loadavg()[0] ?? 0;
const quick = flag("quick");
const servers = option("servers");
const peerOption = option("peers");
const peers = (peerOption ?? "hocuspocus,sharedb,tldraw").split(",").filter(Boolean);
const data = join(place("./.data/"), "documents");
const rounds = numberOption("rounds", quick ? 1 : 2);

const sizes: Sizes = {
  connections: numberOption("connections", quick ? 10 : 50),
  seconds: numberOption("seconds", quick ? 1 : 3),
  joins: numberOption("joins", quick ? 3 : 20),
  missed: numberOption("missed", quick ? 1000 : 10_000),
  documents: numberOption("documents", quick ? 20 : 200),
};

/** What is measured, in this order: of memory first, while the heap has nothing else in it. */
const parts: Readonly<
  Record<string, (subject: Subject, sizes: Sizes) => Promise<Partial<Outcome>>>
> = {
  memory: async (subject) => ({ memoryKiB: await memory(subject, sizes) }),
  fast: async (subject) => ({
    one: await throughput(subject, 1, sizes),
    ten: await throughput(subject, 10, sizes),
  }),
  fan: fanOut,
  joins,
  behind: catchUp,
};
const chosen = option("parts")?.split(",");
for (const name of chosen ?? []) {
  if (!Object.hasOwn(parts, name)) {
    throw new Error(`Cannot measure "${name}": choose from ${Object.keys(parts)}`);
  }
}

/** What CPU time is told of has a server of its own: the others leave it something to do. */
const alone = ["fan"];

/** Has two servers go through everything. */
async function measure(runtime: Runtime, subject: string): Promise<Outcome> {
  const names = Object.keys(parts).filter((name) => chosen?.includes(name) ?? true);
  const outcome = { ...nothing };
  for (const isAlone of [false, true]) {
    const ofThis = names.filter((name) => alone.includes(name) === isAlone);
    if (ofThis.length > 0) Object.assign(outcome, await measureParts(runtime, subject, ofThis));
  }
  return outcome;
}

async function measureParts(
  runtime: Runtime,
  subject: string,
  names: readonly string[],
): Promise<Partial<Outcome>> {
  const protocol = protocols[subject];
  if (protocol === undefined) {
    throw new Error(`Cannot compare with "${subject}": choose from ${Object.keys(protocols)}`);
  }
  const server = await ServerProcess.start(runtime, subject, data);
  try {
    const outcome: Partial<Outcome> = {};
    for (const name of names) {
      Object.assign(outcome, await parts[name]?.({ server, protocol }, sizes));
    }
    return outcome;
  } finally {
    await server.stop();
  }
}

const names: Readonly<Record<string, string>> = { holdfast: "**Holdfast**", floor: "floor" };

async function measureAll(): Promise<readonly Results[]> {
  const [node] = chooseRuntimes("node");
  const all = [
    ...chooseRuntimes(servers).flatMap((runtime) => [
      { runtime, subject: "holdfast" },
      { runtime, subject: "floor" },
    ]),
    ...node === undefined ? [] : peers.map((subject) => ({ runtime: node, subject })),
  ].map((one) => ({ ...one, outcomes: [] as Outcome[] }));
  for (let round = 1; round <= rounds; round++) {
    for (const { runtime, subject, outcomes } of all) {
      outcomes.push(await measure(runtime, subject));
      console.log(`  ${subject} on ${runtime.name}, round ${round} of ${rounds}`);
    }
  }
  return all.map(({ runtime, subject, outcomes }) => ({
    name: peers.includes(subject) ? subject : `${names[subject]}, ${runtime.name}`,
    subject,
    runtime: runtime.name,
    outcomes,
  }));
}

const EXPLAINED = [
  "Ours appends every change to its log in SQLite, synced to disk, before anybody hears of it; the others",
  "keep everything in memory and have lost it when the process ends. The floor numbers operations and tells",
  "everybody, with the sockets of the runtime and nothing else. 20 changes a second, on a server that has told",
  "such changes one after the other before, then had its garbage collected, and is at rest otherwise; and, on another one, as many",
  "as fit with 500 on their way (10 with ShareDB, which transforms each against all it was not made on);",
  "tldraw tells changes at most 60 times a second, of several of one record only the last. A join is over when the last byte",
  "of the document has come. The neighbour is another document that is changed every 10 ms while all",
  "connections join the document of a megabyte at once. Memory: heap per document of 10 KiB.",
].join(" ");

mkdirSync(data, { recursive: true });
try {
  const installed = peers.length === 0 ? {} : installPeers(place("./_documents/peers/"));
  const versions = Object.entries(installed).map(([name, version]) => `${name} ${version}`);
  const results = await measureAll();
  const { connections, joins, missed } = sizes;
  const page = [
    "# Documents beside those of others",
    `${machine(chooseRuntimes(servers))}. Disk: ${disk(data)}; load average ${
      figure(before)
    } when it began. ` +
    `Peers on Node: ${versions.join(", ")}. ${connections} connections, ${joins} joins, ${
      figure(missed)
    } missed changes, medians of ${rounds} rounds; \`npm run bench -- documents\`.`,
    outcomeTable(results),
    EXPLAINED,
    ...quick ? [] : ["## What was promised", bars(results).join("\n")],
  ].join("\n\n") + "\n";
  if (!quick || flag("print")) console.log(`\n${page}`);
  if (!quick && [servers, peerOption, chosen].every((each) => each === undefined)) {
    writeFileSync(place("./results/documents.md"), page);
  }
  console.log("every change has arrived");
} finally {
  rmSync(data, { recursive: true, force: true });
}
process.exit(0);

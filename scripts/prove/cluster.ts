/**
 * npm run prove -- cluster [--kills=5] [--stopS=30] [--apartS=10] [--restarts=1] [--rollS=900]
 *     [--everyS=15] [--quietS=20]
 *
 * Three nodes of one application over a real NATS server, which also stores, under mixed load: nodes are
 * killed, one is stopped and goes on, one loses its way to the others or to the store, NATS is killed and
 * started again, and all are replaced one by one. Every single number that was acknowledged must be there
 * in the end, once. Needs nats-server. A few seconds of everything:
 * --kills=1 --stopS=3 --apartS=1 --rollS=6 --everyS=2 --quietS=3. While nothing happens each object is
 * activated once, on one node, and no write meets another.
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { natsStorage } from "../../adapters/nats/mod.ts";
import { runtime } from "../../test/e2e/process.ts";
import { noNats, startNats } from "../../test/nats/fixtures/server.ts";
import { type Lane, openLane } from "./_cluster_lane.ts";
import type { Counted } from "./_cluster_tally.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "5" },
    stopS: { type: "string", default: "30" },
    apartS: { type: "string", default: "10" },
    restarts: { type: "string", default: "1" },
    rollS: { type: "string", default: "900" },
    everyS: { type: "string", default: "15" },
    quietS: { type: "string", default: "20" },
  },
});
const objects = 12;
const workers = 3;
const seconds = (s: string): Promise<void> => pause(1000 * Number(s));
const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

if (noNats !== undefined) {
  console.error(`Cannot prove anything here: ${noNats}`);
  process.exit(2);
}

/** What has happened in one part. */
interface Part {
  readonly name: string;
  readonly took: number[];
  readonly errors: Map<string, number>;
  /** What engines have told of activations, writes and conflicts. */
  readonly told: Map<string, number>;
}

interface Ack {
  readonly at: number;
  readonly id: string;
}

let part: Part;
const parts: Part[] = [];
/** Numbers that were acknowledged, by object and worker. */
const acknowledged: Map<string, number[]> = new Map();
let recent: Ack[] = [];
const failOvers: number[] = [];
const bad: string[] = [];

function begin(name: string): Part {
  report();
  part = { name, took: [], errors: new Map(), told: new Map() };
  parts.push(part);
  return part;
}

function report(): void {
  const last = parts.at(-1);
  if (last === undefined) return;
  const { name, took, errors, told: engines } = last;
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number) => `${sorted[Math.floor(share * sorted.length)] ?? "-"} ms`;
  const failed = [...errors.values()].reduce((sum, count) => sum + count, 0);
  const told = [...errors].map(([code, count]) => `${count} ${code}`).join(", ");
  console.log(
    `${name}: ${took.length} calls, p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(0.999999)}, ` +
      `${failed} errors (${(100 * failed / (took.length + failed || 1)).toFixed(2)} %)` +
      (told === "" ? "" : `: ${told}`),
  );
  const [activated, puts, conflicts] = ["activate", "put", "conflict"]
    .map((what) => engines.get(what) ?? 0) as [number, number, number];
  console.log(
    `  ${activated} activations, ${puts} writes, ${conflicts} conflicts ` +
      `(${(1000 * conflicts / (puts || 1)).toFixed(2)} per 1,000 writes)`,
  );
}

/** While nothing happens each object is in one place, and nobody meets anybody. */
function judgeQuiet({ told }: Part): void {
  const activated = told.get("activate");
  if (activated !== objects) bad.push(`in quiet: ${activated} activations of ${objects} objects`);
  const conflicts = told.get("conflict") ?? 0;
  if (conflicts > 0) bad.push(`in quiet: ${conflicts} conflicts`);
}

function read(line: string): void {
  const [kind, at = "", ms = "", ...rest] = line.split(" ");
  if (kind === "told") return void part.told.set(at, (part.told.get(at) ?? 0) + 1);
  if (kind === "error") {
    const what = rest.join(" ").trim();
    part.errors.set(what, (part.errors.get(what) ?? 0) + 1);
    // Whatever else went wrong is for a person to look at.
    const fine = /^(ERR_STORAGE_UNAVAILABLE|ERR_CONFLICT|ERR_DEADLINE|ERR_CLOSED)\b/.test(what);
    if (!fine) bad.push(`an error that is none of those promised: ${what}`);
  } else if (kind === "read" || kind === "done") part.took.push(Number(ms));
  if (kind !== "done") return;
  const [id = "", worker = "", seq = ""] = rest;
  const key = `${id} ${worker}`;
  const numbers = acknowledged.get(key) ?? [];
  acknowledged.set(key, numbers);
  numbers.push(Number(seq));
  recent.push({ at: Number(at), id });
}

const nats = await startNats();
let started = 0;

/** A place for a process, with its own ways to the others and to the store. */
class Slot {
  readonly #cluster: Lane;
  readonly #store: Lane;
  #child: ChildProcess | undefined;

  constructor(cluster: Lane, store: Lane) {
    this.#cluster = cluster;
    this.#store = store;
  }

  /** Its ways to the others and to the store. */
  get ways(): { readonly cluster: Lane; readonly store: Lane } {
    return { cluster: this.#cluster, store: this.#store };
  }

  /** Starts a process; resolves once it works, and knows of so many. */
  async start(all = 1): Promise<void> {
    const script = fileURLToPath(new URL("./_cluster_node.ts", import.meta.url));
    const before = runtime === "deno" ? ["run", "-A", "--no-check", "--quiet"] : [];
    const to = [this.#cluster.url, this.#store.url];
    const args = [script, ...to, `${++started}`, `${workers}`, `${objects}`, `${all}`];
    const child = this.#child = spawn(process.execPath, [...before, ...args]);
    child.stderr.on("data", (chunk: Uint8Array) => bad.push(`stderr of a node: ${chunk}`));
    let partial = "";
    await new Promise<void>((resolve) => {
      child.stdout.on("data", (chunk: Uint8Array) => {
        const lines = (partial + chunk).split("\n");
        partial = lines.pop() ?? "";
        for (const line of lines) line === "ready" ? resolve() : read(line);
      });
      child.on("exit", () => resolve());
    });
  }

  /** By its id: on Deno a child that was sent one signal gets no other. */
  signal(name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    if (this.#child?.pid !== undefined) process.kill(this.#child.pid, name);
  }

  /** Ends the process, at once or in order. */
  async end(name: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null) return;
    const ended = new Promise<number | null>((resolve) => void child.on("close", resolve));
    process.kill(child.pid, name);
    const code = await ended;
    if (name === "SIGTERM" && code !== 0) bad.push(`a node that was to end ended with ${code}`);
  }

  async close(): Promise<void> {
    await this.end("SIGKILL");
    await Promise.all([this.#cluster.close(), this.#store.close()]);
  }
}

const slot = async () => new Slot(await openLane(nats.port), await openLane(nats.port));
const slots = [await slot(), await slot(), await slot()] as const;
const [first, second, third] = slots;

/** The longest any object was without an acknowledged call, beginning with a moment. */
function longestGap(since: number): number {
  let longest = 0;
  for (let id = 0; id < objects; id++) {
    const times = recent.filter((ack) => ack.id === `${id}`).map(({ at }) => at);
    let before = since;
    for (const at of times.filter((time) => time >= since).sort((a, b) => a - b)) {
      longest = Math.max(longest, at - before);
      before = at;
    }
  }
  return longest;
}

async function kills(): Promise<void> {
  begin("killed and started again");
  for (let i = 0; i < Number(values.kills); i++) {
    const one = slots[i % 3] ?? first;
    recent = [];
    const at = Date.now();
    await one.end("SIGKILL");
    await pause(5000);
    failOvers.push(longestGap(at));
    await one.start();
    await pause(3000);
  }
}

async function stopped(): Promise<void> {
  begin(`one stopped for ${values.stopS} s`);
  second.signal("SIGSTOP");
  await seconds(values.stopS);
  second.signal("SIGCONT");
  await pause(3000);
}

async function apart(what: "cluster" | "store", how: "cut" | "silence"): Promise<void> {
  begin(`one without a way to the ${what === "cluster" ? "others" : "store"}, ${how}`);
  const way = third.ways[what];
  way[how]();
  await seconds(values.apartS);
  way.mend();
  await pause(3000);
}

async function restarted(): Promise<void> {
  begin("NATS killed and started again");
  for (let i = 0; i < Number(values.restarts); i++) {
    await nats.stop();
    await pause(2000);
    await nats.start();
    await pause(4000);
  }
}

async function rolling(): Promise<void> {
  begin(`replaced one by one, one every ${values.everyS} s`);
  const until = performance.now() + 1000 * Number(values.rollS);
  for (let i = 0; performance.now() < until; i++) {
    const one = slots[i % 3] ?? first;
    const next = seconds(values.everyS);
    await one.end("SIGTERM");
    await one.start();
    await next;
  }
}

/** Compares what was acknowledged with what is stored. */
async function judge(): Promise<void> {
  const storage = natsStorage({ servers: nats.url });
  let numbers = 0;
  for (let id = 0; id < objects; id++) {
    const record = JSON.parse((await storage.get(`app/object/tally/${id}`))?.value ?? "{}");
    const by: Record<string, Counted> = record.state?.state.by ?? {};
    for (const [worker, { twice }] of Object.entries(by)) {
      for (const seq of twice) bad.push(`done twice: ${seq} of ${worker} in ${id}`);
    }
    for (const [key, acked] of acknowledged) {
      const [of, worker = ""] = key.split(" ");
      if (of !== `${id}`) continue;
      const { last = 0, missing = [] } = by[worker] ?? {};
      const lost = acked.filter((seq) => seq > last || missing.includes(seq));
      for (const seq of lost) bad.push(`acknowledged and lost: ${seq} of ${worker} in ${id}`);
      numbers += acked.length;
    }
  }
  await storage.close();
  console.log(`${started} processes, ${numbers} numbers acknowledged, fail-over after a kill:`);
  console.log(`  ${failOvers.toSorted((a, b) => a - b).map((ms) => `${ms} ms`).join(", ") || "-"}`);
}

try {
  const quiet = begin("undisturbed");
  await Promise.all(slots.map((one) => one.start(slots.length)));
  await seconds(values.quietS);
  judgeQuiet(quiet);
  await kills();
  await stopped();
  for (const how of ["cut", "silence"] as const) {
    await apart("cluster", how);
    await apart("store", how);
  }
  await restarted();
  await rolling();
  await Promise.all(slots.map((one) => one.end("SIGTERM")));
  report();
  await judge();
} finally {
  for (const one of slots) await one.close();
  await nats.dispose();
}
const what = new Map<string, number>();
for (const one of bad) {
  const kind = one.split(":")[0] ?? one;
  what.set(kind, (what.get(kind) ?? 0) + 1);
}
console.log(
  [...what].map(([kind, count]) => `${count} × ${kind}`).join(", ") ||
    "nothing lost, nothing twice",
);
for (const one of bad.slice(0, 20)) console.error(`  ${one}`);
process.exit(bad.length === 0 ? 0 : 1);

/**
 * npm run prove -- soak [--minutes=120] [--every=60] [--pages=30] [--documents=10] [--tills=50]
 *
 * Everything together on one machine: live views with synced rows and a document, documents written to
 * from two nodes, objects with alarms, rows of Postgres; a cluster over NATS where there is one. One server
 * stays, on Bun; beside it others are replaced one after the other, each on the next runtime, by a drain
 * or by SIGKILL. NATS is started again and streams of rows are cut. Counts what was acknowledged and is not
 * there, or is there twice, what nobody handled, and the memory of the server that stays.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import postgres from "postgres";
import { syncUp } from "../../adapters/postgres/mod.ts";
import { TcpProxy } from "../../test/e2e/live/proxy.ts";
import { findRuntime, type ServerProcess, startServer } from "../../test/e2e/process.ts";
import { noNats, startNats } from "../../test/nats/fixtures/server.ts";
import { startPostgres } from "../../test/postgres/fixtures/server.ts";
import { Tally } from "./_load_pages.ts";
import { Counters, jsonOf, Pages, pause, Rows, Writers } from "./_soak_load.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "120" },
    every: { type: "string", default: "60" },
    pages: { type: "string", default: "30" },
    documents: { type: "string", default: "10" },
    tills: { type: "string", default: "50" },
  },
});
const [minutes, every, pageCount, documents, tills] = [
  values.minutes,
  values.every,
  values.pages,
  values.documents,
  values.tills,
].map(Number) as [number, number, number, number, number];
if (!("Bun" in globalThis)) throw new Error("The load comes from Bun: its sockets send headers");

const folder = mkdtempSync(join(tmpdir(), "holdfast-soak-"));
const database = await startPostgres({
  wal_level: "logical",
  max_wal_senders: "20",
  max_replication_slots: "20",
});
const nats = noNats === undefined ? await startNats() : undefined;
const sql = postgres(database.url, { onnotice: () => {}, max: 4 });
const rows = new Rows(sql);
await rows.make();
await sql.unsafe(syncUp({ tables: { soak: { key: "tenant" } } }));

const runtimes = await Promise.all(["bun", "node", "deno"].map((name) => findRuntime(name)));
const problems: string[] = [];
const secret = randomBytes(32).toString("base64");
let started = 0;

function start(): Promise<ServerProcess> {
  return startServer("scripts/prove/_soak_app.ts", {
    STORE: join(folder, "soak.db"),
    DATABASE: database.url,
    NATS: nats?.url ?? "",
    SECRET: secret,
  }, runtimes[started++ % runtimes.length]);
}

/** What a server has said that none should say. */
function look(server: ServerProcess, name: string): void {
  const said = server.output().split("\n").filter((line) =>
    /UNHANDLED|INCOMPLETE|[Ee]rror/.test(line)
  );
  for (const line of said.slice(0, 3)) problems.push(`${name} said: ${line}`);
}

const stays = await start();
let beside = await start();
const front = await new TcpProxy().listen();
front.lead(beside);
const where = [() => stays.url, () => front.url];
const drains: number[] = [];
let kills = 0;

/** Puts the next server in the place of the one that is beside the one that stays. */
async function replace(): Promise<void> {
  const old = beside;
  const name = `server ${started - 1}`;
  if (started % 5 === 0) {
    old.kill("SIGKILL");
    kills++;
    beside = await start();
    front.lead(beside);
    return look(old, name);
  }
  beside = await start();
  front.lead(beside);
  const began = performance.now();
  old.kill("SIGTERM");
  const { code, signal } = await old.exited;
  drains.push(performance.now() - began);
  if (code !== 0) problems.push(`${name} ended with ${code ?? signal}`);
  look(old, name);
}

interface Memory {
  readonly minute: number;
  readonly heap: number;
  readonly rss: number;
}

const memory: Memory[] = [];
const begun = performance.now();
const minute = () => (performance.now() - begun) / 60_000;

async function measure(): Promise<void> {
  const { heapUsed } = await jsonOf<{ heapUsed: number }>(`${stays.url}/memory`);
  const status = readFileSync(`/proc/${stays.pid}/status`, "utf8");
  const rss = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  memory.push({ minute: minute(), heap: heapUsed / 1024 / 1024, rss });
}

const tally = new Tally();
const pages = new Pages(tally, where);
const writers = new Writers(documents, [stays.url, front.url]);
const counters = new Counters(tills, where);

function report(): string {
  const { heap = 0, rss = 0 } = memory.at(-1) ?? {};
  const sorted = (all: readonly number[]) => all.toSorted((a, b) => a - b);
  const at = (all: readonly number[], part: number) =>
    (sorted(all)[Math.floor(all.length * part)] ?? NaN).toFixed(1);
  return `${minute().toFixed(1)} min, ${started - 2} replaced, ${kills} of them killed ` +
    `(drained in ${at(drains, 0.999)} ms at most): ${tally.latencies.length} clicks answered ` +
    `(p50 ${at(tally.latencies, 0.5)} ms, p99 ${
      at(tally.latencies, 0.99)
    }), ${pages.visits} visits; ` +
    `${writers.accepted} operations; ${counters.taken} numbers taken ` +
    `(p50 ${at(counters.latencies, 0.5)} ms, p99 ${at(counters.latencies, 0.99)}), ` +
    `${counters.failed} not answered; ${rows.transactions} transactions, ${rows.checks} times the same; ` +
    `${heap.toFixed(1)} MiB heap, ${rss.toFixed(0)} MiB resident`;
}

let stopped = false;
const going = () => !stopped;
const work = Promise.all([
  pages.stay(pageCount, going),
  pages.visit(going),
  pages.visit(going),
  writers.work(going),
  ...Array.from({ length: 8 }, (_, i) => counters.work(`worker-${i}`, going)),
  rows.work(going),
]);
work.catch((error) => problems.push(String(error)));
for (let round = 1; minute() < minutes; round++) {
  await pause(every * 1000);
  await replace();
  if (nats !== undefined && round % 7 === 0) {
    await nats.stop();
    await nats.start();
  }
  if (round % 3 === 0) await rows.cut();
  await rows.check(where);
  await measure();
  console.log(report());
}
stopped = true;
await work;
// Alarms are a second late.
await pause(5000);
await writers.check(where[0] as () => string);
await counters.check(where[0] as () => string);
await rows.check(where);
await measure();
console.log(report());
console.log(`${pages.stored} of ${pages.clicks} clicks were said to be stored, and are`);
look(stays, "the server that stays");
look(beside, "the last server");

/** Of the middle of a part of the time. */
function middle(from: number, to: number, name: "heap" | "rss"): number {
  const part = memory.slice(Math.floor(memory.length * from), Math.ceil(memory.length * to));
  const sorted = part.map((one) => one[name]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

for (const name of ["heap", "rss"] as const) {
  const [early, late] = [middle(1 / 2, 3 / 4, name), middle(3 / 4, 1, name)];
  console.log(
    `${name}: ${early.toFixed(1)} MiB in the third quarter, ${late.toFixed(1)} in the last`,
  );
  // Before, what is kept of logs and sessions grows up to its limits; and a short run says nothing.
  if (minutes >= 90 && late > early * 1.1 + 4) problems.push(`${name} grows`);
}
await Promise.all([stays.stop(), beside.stop()]);
await front.close();
await sql.end({ timeout: 1 });
await Promise.all([database.stop(), nats?.dispose()]);
rmSync(folder, { recursive: true, force: true });
const all = [...problems, ...tally.errors, ...writers.errors, ...counters.errors, ...rows.errors];
for (const problem of all.slice(0, 50)) console.error(`  ${problem}`);
if (all.length > 0) console.error(`${all.length} problems`);
process.exit(all.length === 0 ? 0 : 1);

/**
 * npm run prove -- load_live [--server=bun|deno|node] [--sockets=10000] [--events=500] [--seconds=30]
 *
 * Many idle pages and some events on one process of the fixture app, which stores on SQLite: memory
 * per socket, latency, a drain of all of them, and how their reconnects to the next process spread.
 * The pages are this process, on Bun; each has a session and a view of its own. Fails if a page is
 * not joined again, a socket closed with another code than 1012, or the drained process ended badly.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { findRuntime, type ServerProcess, startServer } from "../../test/e2e/process.ts";
import { LoadPage, Tally } from "./_load_pages.ts";

const { values } = parseArgs({
  options: {
    server: { type: "string", default: "bun" },
    sockets: { type: "string", default: "10000" },
    events: { type: "string", default: "500" },
    seconds: { type: "string", default: "30" },
  },
});
const [sockets, events, seconds] = [values.sockets, values.events, values.seconds].map(Number) as [
  number,
  number,
  number,
];
if (!("Bun" in globalThis)) throw new Error("The load comes from Bun: its sockets send headers");

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const folder = mkdtempSync(join(tmpdir(), "holdfast-load-"));
const on = await findRuntime(values.server);
const drainMs = 60_000;

function start(name: string): Promise<ServerProcess> {
  return startServer("test/e2e/app/main.ts", {
    NODE_NAME: name,
    STORAGE: `sqlite:${join(folder, "load.db")}`,
    DRAIN_MS: String(drainMs),
  }, on);
}

/** Resident memory in MiB, and CPU seconds so far. */
function usage({ pid }: ServerProcess): { mib: number; cpu: number } {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return { mib: Number(kib) / 1024, cpu: (Number(fields[11]) + Number(fields[12])) / 100 };
}

function quantile(sorted: readonly number[], part: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN).toFixed(1);
}

/** The most of some moments that fall within 100 ms. */
function peak(moments: readonly number[]): number {
  const sorted = [...moments].sort((a, b) => a - b);
  let most = 0;
  for (let from = 0, to = 0; to < sorted.length; to++) {
    while ((sorted[to] ?? 0) - (sorted[from] ?? 0) > 100) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

const tally = new Tally();
let current = await start("a");
const first = current;
const pages = Array.from({ length: sockets }, () => new LoadPage(tally, () => current.url));

async function openAll(): Promise<void> {
  // A few to begin with: what the first ones cost is not theirs.
  for (const page of pages.slice(0, 100)) await page.load();
  await pause(1000);
  const before = usage(first);
  const since = performance.now();
  let next = 100;
  const worker = async () => {
    for (let page = pages[next++]; page !== undefined; page = pages[next++]) await page.load();
  };
  await Promise.all(Array.from({ length: 32 }, worker));
  const tookMs = performance.now() - since;
  await pause(5000);
  const after = usage(first);
  const rest = sockets - 100;
  console.log(
    `${values.server}: ${sockets} pages joined, ${(rest / tookMs * 1000).toFixed(0)} a second, ` +
      `${((after.cpu - before.cpu) / rest * 1e6).toFixed(0)} CPU µs each; ` +
      `${before.mib.toFixed(0)} MiB with 100, ${after.mib.toFixed(0)} MiB with all: ` +
      `${((after.mib - before.mib) * 1024 / rest).toFixed(1)} KiB a page`,
  );
}

async function sendEvents(): Promise<void> {
  const before = usage(first);
  const since = performance.now();
  let sent = 0;
  while (performance.now() - since < seconds * 1000) {
    const due = Math.floor((performance.now() - since) / 1000 * events);
    for (; sent < due; sent++) pages[Math.floor(Math.random() * pages.length)]?.click();
    await pause(2);
  }
  await pause(1000);
  const after = usage(first);
  const sorted = tally.latencies.sort((a, b) => a - b);
  console.log(
    `${sent} events at ${events} a second, ${sorted.length} answered: ` +
      `p50 ${quantile(sorted, 0.5)} ms, p99 ${quantile(sorted, 0.99)} ms, ` +
      `max ${quantile(sorted, 1)} ms; ${
        ((after.cpu - before.cpu) / sent * 1e6).toFixed(0)
      } CPU µs ` +
      `each, ${((after.cpu - before.cpu) / seconds * 100).toFixed(0)} % of a core; ` +
      `${after.mib.toFixed(0)} MiB`,
  );
  if (sorted.length < sent) tally.errors.push(`${sent - sorted.length} events were not answered`);
}

async function drain(): Promise<void> {
  current = await start("b");
  const since = performance.now();
  first.kill("SIGTERM");
  const { code } = await first.exited;
  const exitMs = performance.now() - since;
  while (tally.rejoins.length < sockets && performance.now() - since < drainMs) await pause(50);
  const lastMs = Math.max(...tally.rejoins) - since;
  const codes = [...tally.codes].map(([code, count]) => `${code}: ${count}`).join(", ");
  console.log(
    `drained in ${exitMs.toFixed(0)} ms with code ${code}, sockets closed with ${codes}; ` +
      `${tally.rejoins.length} joined again, the last after ${lastMs.toFixed(0)} ms; ` +
      `at most ${peak(tally.tries)} tries and ${peak(tally.rejoins)} joins within 100 ms`,
  );
  if (code !== 0) tally.errors.push(`ended with code ${code}: ${first.output()}`);
  if (tally.rejoins.length < sockets) tally.errors.push("not all were joined again");
  for (const [code, count] of tally.codes) {
    if (code !== 1012) tally.errors.push(`${count} closed with ${code}`);
  }
}

try {
  await openAll();
  await sendEvents();
  await drain();
} finally {
  for (const page of pages) page.close();
  await Promise.all([first.stop(), current.stop()]);
  rmSync(folder, { recursive: true, force: true });
}
for (const error of tally.errors.slice(0, 10)) console.error(`  ${error}`);
process.exit(tally.errors.length === 0 ? 0 : 1);

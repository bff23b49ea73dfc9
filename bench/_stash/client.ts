/**
 * One client process: reads a {@linkcode Job} from standard input, writes an {@linkcode Outcome} to
 * standard output. A process of its own, so that it costs the server nothing.
 */
import { text } from "node:stream/consumers";
import process from "node:process";
import { type Ask, Browser, type Kept } from "./browser.ts";
import type { Listening } from "./server.ts";

/** What a client is to do. */
export interface Job extends Listening {
  /** How many browsers, each with a session of its own. */
  readonly connections: number;
  /** Answers can be checked: there is a session. */
  readonly checked: boolean;
  /** What the browsers of an earlier client kept; they only look whether it is still there. */
  readonly kept?: readonly Kept[];
  /** What to measure, in this order. */
  readonly phases: readonly Phase[];
}

/** One measurement. */
export interface Phase {
  readonly ask: Ask;
  /** Before anything counts, in ms. */
  readonly warmUpMs: number;
  /** How long it counts, in ms. */
  readonly measureMs: number;
}

/** What one measurement found. */
export interface Measured {
  readonly ask: Ask;
  readonly requestsPerSecond: number;
  /** CPU time of the server process per request, in µs. */
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Part of the time in which the client itself was busy, 0 to 1. */
  readonly clientBusy: number;
}

/** What a client did. */
export interface Outcome {
  readonly measured: readonly Measured[];
  readonly kept: readonly Kept[];
}

/** Latencies by tens of µs; what takes longer than a second counts as one. */
const BUCKET_US = 10;
const BUCKETS = 100_000;

/**
 * On a busy machine the time for warming up is over before a server is warm, and what is measured is
 * its compiler: then it gets up to twice that time, until it has answered so many.
 */
const WARM_UP_REQUESTS = 20_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function serverCpuUs({ controlPort }: Job): Promise<number> {
  return Number(
    await (await fetch(`http://127.0.0.1:${controlPort}/cpu`)).text(),
  );
}

function percentile(buckets: Uint32Array, total: number, part: number): number {
  let left = total * part;
  const at = buckets.findIndex((count) => (left -= count) <= 0);
  return (at + 0.5) * BUCKET_US / 1000;
}

async function measure(job: Job, browsers: readonly Browser[], phase: Phase): Promise<Measured> {
  const { ask, warmUpMs, measureMs } = phase;
  const latencies = new Uint32Array(BUCKETS);
  let requests = 0;
  let running = true;
  const drive = async (browser: Browser): Promise<void> => {
    while (running) {
      const start = performance.now();
      await browser.ask(ask);
      const bucket = Math.floor((performance.now() - start) * 1000 / BUCKET_US);
      latencies[Math.min(bucket, BUCKETS - 1)]!++;
      requests++;
    }
  };
  const driving = Promise.all(browsers.map(drive));
  // A wrong answer ends the measurement at once.
  const warmUp = async (): Promise<void> => {
    await sleep(warmUpMs);
    for (let n = 0; n < 20 && requests < WARM_UP_REQUESTS; n++) await sleep(warmUpMs / 20);
  };
  await Promise.race([driving, warmUp()]);
  const before = await serverCpuUs(job);
  const start = { at: performance.now(), cpu: process.cpuUsage() };
  latencies.fill(0);
  requests = 0;
  await Promise.race([driving, sleep(measureMs)]);
  const cpuUs = await serverCpuUs(job) - before;
  const seconds = (performance.now() - start.at) / 1000;
  const own = process.cpuUsage(start.cpu);
  const total = requests;
  const counted = latencies.slice();
  running = false;
  await driving;
  if (total === 0) {
    throw new Error("Cannot measure: not one request was answered");
  }
  return {
    ask,
    requestsPerSecond: total / seconds,
    cpuUs: cpuUs / total,
    p50Ms: percentile(counted, total, 0.5),
    p99Ms: percentile(counted, total, 0.99),
    clientBusy: (own.user + own.system) / 1e6 / seconds,
  };
}

/** Makes sure that it works before anything is said about how fast. */
async function check(job: Job, browsers: readonly Browser[]): Promise<void> {
  if (job.kept === undefined) {
    const each = async (browser: Browser): Promise<void> => {
      for (const ask of ["write", "write", "read", "write"] as const) {
        await browser.ask(ask);
      }
    };
    await Promise.all(browsers.map(each));
  }
  await Promise.all(browsers.map((browser) => browser.ask("read")));
  const different = new Set(browsers.map(({ kept }) => JSON.stringify(kept.cookies)));
  if (job.checked && different.size !== browsers.length) {
    throw new Error("Cannot measure: two browsers have the same session");
  }
}

const job: Job = JSON.parse(await text(process.stdin));
const browsers = await Promise.all(
  Array.from(
    { length: job.connections },
    (_, n) => Browser.open(job.port, job.kept?.[n], job.checked),
  ),
);
await check(job, browsers);
const measured: Measured[] = [];
for (const phase of job.phases) {
  measured.push(await measure(job, browsers, phase));
}
// What the last phase wrote is there for the next request, too.
await Promise.all(browsers.map((browser) => browser.ask("read")));
const kept = browsers.map((browser) => browser.kept);
for (const browser of browsers) browser.close();
console.log(JSON.stringify({ measured, kept } satisfies Outcome));

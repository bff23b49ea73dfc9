/**
 * One client process: reads a {@linkcode Job} from standard input, writes what it {@linkcode Found} of
 * each server to standard output. A process of its own, so that it costs the servers nothing.
 */
import { text } from "node:stream/consumers";
import process from "node:process";
import { type Ask, Browser, type Kept } from "./browser.ts";
import type { Listening } from "./server.ts";

/** What a client is to do. */
export interface Job {
  /** How many browsers for each server, each with a session of its own. */
  readonly connections: number;
  /** Every server answers so many reads and so many writes before anything counts. */
  readonly warmUpRequests: number;
  /** How often the servers take turns, each with a phase of reads and one of writes. */
  readonly rounds: number;
  /** How long a phase counts, in ms. */
  readonly phaseMs: number;
  readonly targets: readonly Target[];
}

/** A server to ask. */
export interface Target extends Listening {
  /** Answers can be checked: there is a session. */
  readonly checked: boolean;
  /** What the browsers of an earlier client kept: then they only look whether it is still there. */
  readonly kept?: readonly Kept[];
}

/** What one phase found. */
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

/** What a client found out about one server. */
export interface Found {
  /** In order of the rounds, so that those of two servers can be paired. */
  readonly measured: readonly Measured[];
  readonly kept: readonly Kept[];
}

/** Latencies by tens of µs; what takes longer than a second counts as one. */
const BUCKET_US = 10;
const BUCKETS = 100_000;

/** Before a phase counts, so that its connections are open and the server is in the caches again. */
const SETTLE_MS = 50;

const asks = ["read", "write"] as const;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function serverCpuUs({ controlPort }: Target): Promise<number> {
  const url = `http://127.0.0.1:${controlPort}/cpu`;
  return Number(await (await fetch(url, { headers: { connection: "close" } })).text());
}

function percentile(buckets: Uint32Array, total: number, part: number): number {
  let left = total * part;
  const at = buckets.findIndex((count) => (left -= count) <= 0);
  return (at + 0.5) * BUCKET_US / 1000;
}

/** One server and its browsers, which keep their sessions while they are not connected. */
class Runner {
  readonly #target: Target;
  readonly #measured: Measured[] = [];
  #kept: readonly (Kept | undefined)[];
  #browsers: readonly Browser[] = [];
  #latencies = new Uint32Array(BUCKETS);
  #requests = 0;

  constructor(target: Target, connections: number) {
    this.#target = target;
    this.#kept = target.kept ?? new Array<undefined>(connections).fill(undefined);
  }

  get found(): Found {
    return { measured: this.#measured, kept: this.#kept.filter((kept) => kept !== undefined) };
  }

  /** Makes sure that it works before anything is said about how fast. */
  check(): Promise<void> {
    return this.#connected(async () => {
      if (this.#target.kept === undefined) {
        for (const ask of ["write", "write", "read", "write"] as const) await this.#askAll(ask);
      }
      await this.#askAll("read");
      const different = new Set(this.#browsers.map(({ kept }) => JSON.stringify(kept.cookies)));
      if (this.#target.checked && different.size !== this.#browsers.length) {
        throw new Error("Cannot measure: two browsers have the same session");
      }
    });
  }

  /** Has a server answer so many reads and writes that its compiler is through with it. */
  warmUp(requests: number): Promise<void> {
    return this.#connected(async () => {
      for (const ask of asks) {
        this.#requests = 0;
        await this.#drive(ask, () => this.#requests >= requests);
      }
    });
  }

  /** Measures for a while; a wrong answer ends it at once. */
  measure(ask: Ask, phaseMs: number): Promise<void> {
    return this.#connected(async () => {
      let isOver = false;
      const driving = this.#drive(ask, () => isOver);
      await Promise.race([driving, sleep(SETTLE_MS)]);
      this.#latencies.fill(0);
      const before = await serverCpuUs(this.#target);
      this.#requests = 0;
      const start = { at: performance.now(), cpu: process.cpuUsage() };
      await Promise.race([driving, sleep(phaseMs)]);
      const cpuUs = await serverCpuUs(this.#target) - before;
      const seconds = (performance.now() - start.at) / 1000;
      const own = process.cpuUsage(start.cpu);
      const total = this.#requests;
      isOver = true;
      await driving;
      if (total === 0) throw new Error("Cannot measure: not one request was answered");
      this.#measured.push({
        ask,
        requestsPerSecond: total / seconds,
        cpuUs: cpuUs / total,
        p50Ms: percentile(this.#latencies, total, 0.5),
        p99Ms: percentile(this.#latencies, total, 0.99),
        clientBusy: (own.user + own.system) / 1e6 / seconds,
      });
    });
  }

  /** Each browser asks again and again, one request at a time. */
  async #drive(ask: Ask, isOver: () => boolean): Promise<void> {
    await Promise.all(this.#browsers.map(async (browser) => {
      while (!isOver()) {
        const start = performance.now();
        await browser.ask(ask);
        const bucket = Math.floor((performance.now() - start) * 1000 / BUCKET_US);
        this.#latencies[Math.min(bucket, BUCKETS - 1)]!++;
        this.#requests++;
      }
    }));
  }

  async #askAll(ask: Ask): Promise<void> {
    await Promise.all(this.#browsers.map((browser) => browser.ask(ask)));
  }

  /** Connections last for one piece of work: a server hangs up on those that wait for their turn. */
  async #connected(work: () => Promise<void>): Promise<void> {
    const { port, checked } = this.#target;
    this.#browsers = await Promise.all(
      this.#kept.map((kept) => Browser.open(port, kept, checked)),
    );
    try {
      await work();
    } finally {
      this.#kept = this.#browsers.map(({ kept }) => kept);
      for (const browser of this.#browsers) browser.close();
    }
  }
}

const job: Job = JSON.parse(await text(process.stdin));
const runners = job.targets.map((target) => new Runner(target, job.connections));
for (const runner of runners) await runner.check();
for (const runner of runners) await runner.warmUp(job.warmUpRequests);
for (let round = 0; round < job.rounds; round++) {
  for (const ask of asks) for (const runner of runners) await runner.measure(ask, job.phaseMs);
}
// What the last phase wrote is there for the next request, too.
for (const runner of runners) await runner.check();
console.log(JSON.stringify(runners.map(({ found }) => found)));

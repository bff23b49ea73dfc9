import { setImmediate } from "node:timers";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import type { Storage } from "../../mod.ts";
import { counter, holdfastOn } from "./ours.ts";
import { percentile } from "./percentile.ts";

/** What 10,000 calls a second on one object cost a store that takes its time. */
export interface Coalescing {
  readonly callsPerSecond: number;
  readonly writesPerSecond: number;
  /** From the moment a call was due, in ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const CALLS_PER_MS = 10;
const LATENCY_MS = 30;

/** A store that answers a write after 30 ms. */
function slow(): { readonly storage: Storage; readonly writes: () => number } {
  const memory = memoryStorage();
  let writes = 0;
  const storage: Storage = {
    get: (key, options) => memory.get(key, options),
    put: async (key, value, options) => {
      writes++;
      await new Promise<void>((resolve) => void setTimeout(resolve, LATENCY_MS));
      return await memory.put(key, value, options);
    },
    delete: (key, options) => memory.delete(key, options),
    list: (prefix, options) => memory.list(prefix, options),
  };
  return { storage, writes: () => writes };
}

/**
 * Calls when a call is due, whether those before were answered or not, and measures from then on: a
 * caller who waits for its answer would hide how late the next one is.
 */
export async function measureCoalescing(ms: number): Promise<Coalescing> {
  const { storage, writes } = slow();
  // More may wait than by default: a machine that stands still for a moment shall show in the times.
  const holdfast = holdfastOn(storage, { limits: { mailbox: 100_000 } });
  const one = counter(holdfast, "one");
  await one.increment();
  const times: number[] = [];
  const calls: Promise<void>[] = [];
  const warmUpMs = 300;
  let before = { writes: 0, at: 0 };
  const startedAt = performance.now();
  const call = async (dueAt: number): Promise<void> => {
    await one.increment();
    if (dueAt >= startedAt + warmUpMs) times.push(performance.now() - dueAt);
  };
  for (let made = 0; performance.now() < startedAt + warmUpMs + ms;) {
    const passedMs = performance.now() - startedAt;
    if (before.at === 0 && passedMs >= warmUpMs) before = { writes: writes(), at: passedMs };
    for (; made < passedMs * CALLS_PER_MS; made++) {
      calls.push(call(startedAt + made / CALLS_PER_MS));
    }
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
  const seconds = (performance.now() - startedAt - before.at) / 1000;
  const writesPerSecond = (writes() - before.writes) / seconds;
  await Promise.all(calls);
  await holdfast.close();
  return {
    callsPerSecond: times.length / seconds,
    writesPerSecond,
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
  };
}

import { type MemoryStorage, memoryStorage } from "../../adapters/memory/storage.ts";
import { type FaultyStorage, faultyStorage } from "../../adapters/testing/faults.ts";
import { seededRandom } from "../../adapters/testing/seeded_random.ts";
import { createVirtualClock, type VirtualClock } from "../../adapters/testing/virtual_clock.ts";
import {
  createHoldfast,
  type Holdfast,
  type HoldfastOptions,
} from "../../adapters/web/holdfast.ts";
import type { Storage } from "../../src/ports/storage.ts";
import type { TelemetryEvent } from "../../src/ports/telemetry.ts";

export const second = 1000;
export const minute: number = 60 * second;
export const hour: number = 60 * minute;

/** When every world begins, in ms since the epoch. */
export const begin = 1_000_000_000_000;

/** A record of an object as it is stored. */
export interface StoredRecord {
  readonly rev: number;
  readonly ended?: number;
  readonly state?: {
    readonly vsn: number;
    readonly state: unknown;
    readonly alarms?: Readonly<Record<string, unknown>>;
    readonly parked?: Readonly<Record<string, unknown>>;
  };
}

/** Nodes on one store, in time that the test turns. */
export interface World {
  readonly clock: VirtualClock;
  /** What is stored, without faults. */
  readonly memory: MemoryStorage;
  /** The storage of every node; without faults until the test gives it a plan. */
  readonly storage: FaultyStorage;
  readonly events: TelemetryEvent[];
  /** Starts another node. */
  node(options?: Partial<HoldfastOptions>): Holdfast;
  /** Turns time until the promise is settled, and answers as it does. */
  finish<T>(promise: Promise<T>, withinMs?: number): Promise<T>;
  /** The record under `counter/a`, or another place. */
  record(place?: string): Promise<StoredRecord | undefined>;
  /** The state under `counter/a`, or another place. */
  state(place?: string): Promise<unknown>;
  /** Stores the record of an object behind the library's back. */
  put(place: string, state: unknown): Promise<void>;
  /** The entries of the alarm index. */
  index(): Promise<readonly string[]>;
  /** The names of the events of one kind, in order. */
  told(beginning: string): readonly string[];
}

/** Makes a world. */
export function world(): World {
  const clock = createVirtualClock({ now: begin });
  const memory = memoryStorage();
  const storage = faultyStorage(memory, { clock, plan: () => "none" });
  const events: TelemetryEvent[] = [];
  let nodes = 0;
  const record = async (place = "counter/a"): Promise<StoredRecord | undefined> => {
    const stored = await memory.get(`app/object/${place}`);
    return stored === undefined ? undefined : JSON.parse(stored.value);
  };
  return {
    clock,
    memory,
    storage,
    events,
    record,
    node: (options = {}) =>
      createHoldfast({
        storage: open(storage),
        secrets: ["3l5ZQ0sH1vXw8yTtR6pKc2NfJb7MdGaU-secret-a"],
        clock,
        random: seededRandom(++nodes),
        telemetry: (event) => events.push(event),
        sweepEveryMs: Infinity,
        ...options,
      }),
    finish: (promise, withinMs = minute) => finish(clock, promise, withinMs),
    state: async (place) => (await record(place))?.state?.state,
    put: async (place, state) => {
      const text = JSON.stringify({ f: 1, rev: 1, by: "somebody.1", state });
      await memory.put(`app/object/${place}`, text);
    },
    index: () => memory.list("app/alarm/"),
    told: (beginning) =>
      events.filter(({ name }) => name.startsWith(beginning)).map(({ name }) => name),
  };
}

/** The same storage, which survives the node that closes it. */
export function open(storage: Storage): Storage {
  return {
    get: (key, options) => storage.get(key, options),
    put: (key, value, options) => storage.put(key, value, options),
    delete: (key, options) => storage.delete(key, options),
    list: (prefix, options) => storage.list(prefix, options),
  };
}

async function finish<T>(clock: VirtualClock, promise: Promise<T>, withinMs: number): Promise<T> {
  let settled = false;
  const done = (): void => void (settled = true);
  promise.then(done, done);
  for (let passed = 0; passed <= withinMs; passed += 5) {
    await clock.advance(passed === 0 ? 0 : 5);
    if (settled) return promise;
  }
  throw new Error(`Not settled within ${withinMs} ms`);
}

/** A promise that is settled by hand. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

/** Makes a gate. */
export function gate(): Gate {
  let opens = (): void => {};
  const opened = new Promise<void>((resolve) => opens = resolve);
  return { opened, open: () => opens() };
}

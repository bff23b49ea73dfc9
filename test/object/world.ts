import {
  type FaultPlan,
  type FaultyStorage,
  faultyStorage,
} from "../../adapters/testing/faults.ts";
import { seededRandom } from "../../adapters/testing/seeded_random.ts";
import { createVirtualClock, type VirtualClock } from "../../adapters/testing/virtual_clock.ts";
import { type MemoryStorage, memoryStorage } from "../../adapters/memory/storage.ts";
import { Engine } from "../../src/object/engine.ts";
import type { Current, Decision, EngineLimits, Turn } from "../../src/object/types.ts";
import type { Storage } from "../../src/ports/storage.ts";
import type { TelemetryEvent } from "../../src/ports/telemetry.ts";

/** A key of the shape the library uses. */
export const key = "app/s/qOzW3vE1kM2bX9fLr0TnYc7HdUaJp4sIgZe6R8wKQxA";

/** Engines on one store, in time that the test turns. */
export interface World {
  readonly clock: VirtualClock;
  /** What is stored, without faults. */
  readonly memory: MemoryStorage;
  /** The storage of engines that are given none. */
  readonly storage: FaultyStorage;
  readonly events: TelemetryEvent[];
  /** Makes another engine. */
  engine(limits?: Partial<EngineLimits>, storage?: Storage): Engine;
  /** Turns time until the promise is settled, and answers as it does. */
  finish<T>(promise: Promise<T>, withinMs?: number): Promise<T>;
  /** The ids the store holds. */
  stored(): Promise<readonly string[]>;
}

/** Makes a world whose storage does what the plan says, in no time unless it says otherwise. */
export function world(plan: FaultPlan = () => "none"): World {
  const clock = createVirtualClock({ now: 1_000_000 });
  const memory = memoryStorage();
  const storage = faultyStorage(memory, { clock, plan });
  const events: TelemetryEvent[] = [];
  let engines = 0;
  return {
    clock,
    memory,
    storage,
    events,
    engine: (limits = {}, over = storage) => {
      const random = seededRandom(++engines);
      return new Engine({ storage: over, clock, random, emit: (e) => events.push(e) }, limits);
    },
    finish: (promise, withinMs = 60_000) => finish(clock, promise, withinMs),
    stored: async () => idsIn((await memory.get(key))?.value),
  };
}

async function finish<T>(clock: VirtualClock, promise: Promise<T>, withinMs: number): Promise<T> {
  let settled = false;
  const done = () => void (settled = true);
  promise.then(done, done);
  for (let passed = 0; passed <= withinMs; passed += 5) {
    await clock.advance(passed === 0 ? 0 : 5);
    if (settled) return promise;
  }
  throw new Error(`Expected an answer within ${withinMs} ms`);
}

/** The ids in a stored record; none if there is no record. */
export function idsIn(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const { state } = JSON.parse(text) as { state?: { ids?: string[] } };
  return state?.ids ?? [];
}

/** The ids a turn sees. */
export function idsOf(current: Current): readonly string[] {
  return (current.state?.["ids"] ?? []) as string[];
}

/** Decides to write one more id; replies with all of them. */
export function adding(current: Current, id: string): Decision<readonly string[]> {
  const ids = [...idsOf(current), id];
  return { kind: "write", state: { ids }, reply: ids };
}

/** A turn that appends an id and replies with all of them. */
export function append(id: string): Turn<readonly string[]> {
  return (current) => adding(current, id);
}

/** A turn that replies with the ids and writes nothing. */
export const look: Turn<readonly string[]> = (current) => ({ kind: "keep", reply: idsOf(current) });

/** A turn that ends the object. */
export const end: Turn<string> = () => ({ kind: "end", reply: "ended" });

/** A promise that is settled by hand. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

/** Makes a gate. */
export function gate(): Gate {
  let open = () => {};
  const opened = new Promise<void>((resolve) => open = resolve);
  return { opened, open: () => open() };
}

/** A storage with some of its calls replaced. */
export function replacing(inner: Storage, calls: Partial<Storage>): Storage {
  return {
    get: (...args) => inner.get(...args),
    put: (...args) => inner.put(...args),
    delete: (...args) => inner.delete(...args),
    list: (...args) => inner.list(...args),
    ...calls,
  };
}

import { randomBytes } from "node:crypto";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import { sqliteStorage } from "../../adapters/sqlite/mod.ts";
import {
  createHoldfast,
  defineObject,
  type Holdfast,
  type HoldfastOptions,
  type Storage,
} from "../../mod.ts";
import { OBJECTS, type Subject } from "./subject.ts";

/** What is measured of this library: as in its guide, nothing turned off. */
const Counter = defineObject({
  name: "counter",
  vsn: 1,
  state: () => ({ count: 0 }),
  handlers: {
    increment({ state }) {
      return ++state.count;
    },
  },
});

/** An instance on a storage. */
export function holdfastOn(storage: Storage, options: Partial<HoldfastOptions> = {}): Holdfast {
  return createHoldfast({ storage, secrets: [randomBytes(32)], ...options });
}

/** One counter of an instance. */
export function counter(holdfast: Holdfast, id: string): { increment(): Promise<number> } {
  return holdfast.object(Counter, id);
}

/** Counters of this library on a storage. */
export function counters(storage: Storage): Subject {
  const holdfast = holdfastOn(storage);
  const clients = Array.from({ length: OBJECTS }, (_, n) => counter(holdfast, `user-${n}`));
  return {
    increment: (n) => clients[n]?.increment() ?? Promise.reject(new RangeError()),
    close: async () => {
      await holdfast.close();
      await storage.close?.();
    },
  };
}

/** In memory: nothing to wait for. */
export function inMemory(): Subject {
  return counters(memoryStorage());
}

/** In an SQLite file: durable. */
export function inSqlite(path: string): Subject {
  return counters(sqliteStorage(path));
}

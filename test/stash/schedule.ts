import fc from "fast-check";
import { StorageUnavailableError } from "../../src/core/errors.ts";
import { runtime } from "../harness/mod.ts";
import type { Storage } from "../../src/ports/storage.ts";
import type { VirtualClock } from "../../adapters/testing/mod.ts";

/** Numbers that say, step by step, which of the waiting steps goes on. */
export type Choices = readonly number[];

/** Schedules from first-come-first-served (no numbers) to anything. */
export const anySchedule: fc.Arbitrary<number[]> = fc.array(fc.nat({ max: 999 }), {
  maxLength: 120,
  size: "max",
});

/** One step that waits for its turn. */
interface Parked {
  readonly goOn: () => void;
  /** Goes on as if the answer had been lost; only once the call has happened. */
  readonly lose: (() => void) | undefined;
}

/** Runs several actors in an order that is chosen step by step. */
export interface Schedule {
  /** Parks every call before it happens, and again before it is answered. */
  front(storage: Storage): Storage;
  /** Starts each actor at some point, and answers what became of them when nothing is left to do. */
  run<T>(
    clock: VirtualClock,
    actors: readonly (() => Promise<T>)[],
  ): Promise<readonly PromiseSettledResult<T>[]>;
  /** From now on nothing is parked. */
  end(): void;
}

/**
 * Makes a schedule.
 *
 * @param loses About one answer in so many is lost; 0 for none.
 */
export function schedule(choices: Choices, loses = 0): Schedule {
  const parked: Parked[] = [];
  const next = choices[Symbol.iterator]();
  let parking = false;
  const park = (mayLose: boolean): Promise<void> => {
    if (!parking) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const lose = () => reject(new StorageUnavailableError("Cannot hear the answer", "unknown"));
      parked.push({ goOn: resolve, lose: mayLose ? lose : undefined });
    });
  };
  const step = (): void => {
    const choice = next.next().value ?? 0;
    const [one] = parked.splice(choice % parked.length, 1);
    const isLost = loses > 0 && Math.floor(choice / 7) % loses === loses - 1;
    if (isLost && one?.lose !== undefined) one.lose();
    else one?.goOn();
  };
  const parkedCall = async <T>(call: () => Promise<T>): Promise<T> => {
    await park(false);
    const answer = await call();
    await park(true);
    return answer;
  };
  return {
    front: (storage) => ({
      get: (key, options) => parkedCall(() => storage.get(key, options)),
      put: (key, value, options) => parkedCall(() => storage.put(key, value, options)),
      delete: (key, options) => parkedCall(() => storage.delete(key, options)),
      list: (prefix, options) => parkedCall(() => storage.list(prefix, options)),
    }),
    run: async (clock, actors) => {
      parking = true;
      const results = settled(actors.map(async (actor) => {
        await park(false);
        return await actor();
      }));
      for (let idle = 0; !results.done || parked.length > 0;) {
        await clock.advance(0);
        if (parked.length > 0) step();
        else if (!results.done && ++idle > 10_000) throw new Error("Nothing goes on any more");
        else await clock.advance(5);
      }
      parking = false;
      return await results.all;
    },
    end: () => void (parking = false),
  };
}

function settled<T>(promises: readonly Promise<T>[]): {
  done: boolean;
  all: Promise<readonly PromiseSettledResult<T>[]>;
} {
  const results = { done: false, all: Promise.allSettled(promises) };
  void results.all.then(() => results.done = true);
  return results;
}

/** How many schedules a property is tried on: on one runtime most, as nothing in it is the runtime's. */
export const tries: { numRuns: number } = { numRuns: runtime === "bun" ? 150 : 50 };

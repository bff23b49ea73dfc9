import {
  type FaultPlan,
  type FaultRates,
  faultyStorage,
  seededPlan,
} from "../../../adapters/testing/faults.ts";
import { seededRandom } from "../../../adapters/testing/seeded_random.ts";
import { Engine } from "../../../src/object/engine.ts";
import type { EngineLimits } from "../../../src/object/types.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Random } from "../../../src/ports/random.ts";
import type { Storage } from "../../../src/ports/storage.ts";
import { lateStorage } from "../late_storage.ts";
import { gate, replacing } from "../world.ts";

/** How bad the network is. */
export interface Weather {
  readonly rates: FaultRates;
  readonly latencyMs: number;
  /** Answers that take up to five times `latencyMs` after it happened, in [0, 1]. */
  readonly slowAnswers: number;
  /** Requests that happen long after the caller has given up, in [0, 1]. */
  readonly strays: number;
}

/** What all nodes of a simulation share. */
export interface Site {
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: Storage;
  readonly weather: Weather;
  readonly limits: Partial<EngineLimits>;
  /** Whether there are faults now. */
  stormy: boolean;
}

/** One server process. */
export interface Node {
  readonly engine: Engine;
  /** Settles when it is killed. */
  readonly killed: Promise<void>;
  /** Ends it on the spot: it hears nothing more and sends nothing more; what it sent may arrive. */
  kill(): void;
}

/** Starts a node. */
export function startNode(site: Site): Node {
  const { clock, random, limits } = site;
  const death = gate();
  const cut = { alive: true };
  const storage = mortal(network(site), cut);
  const own = seededRandom(Math.floor(random.number() * 2 ** 32));
  const engine = new Engine({ storage, clock, random: own, emit: undefined }, limits);
  return {
    engine,
    killed: death.opened,
    kill: () => {
      cut.alive = false;
      death.open();
    },
  };
}

function network(site: Site): Storage {
  const { clock, random, weather, storage } = site;
  const faults = seededPlan(random, weather.rates, weather.latencyMs);
  const late = lateStorage(storage, clock, () => {
    if (!site.stormy) return {};
    const [lot, much] = [random.number(), random.number()];
    if (lot < weather.strays) return { strayMs: much * 1000 };
    if (lot < weather.strays + weather.slowAnswers) {
      return { answerMs: much * 5 * weather.latencyMs };
    }
    return {};
  });
  const plan: FaultPlan = (call) => site.stormy ? faults(call) : { kind: "none", latencyMs: 1 };
  return faultyStorage(late, { clock, plan });
}

/** Lets nothing through once the node is dead. */
function mortal(inner: Storage, cut: { readonly alive: boolean }): Storage {
  const never = new Promise<never>(() => {});
  const pass = <T>(run: () => Promise<T>): Promise<T> => {
    if (!cut.alive) return never;
    return run().then(
      (value) => cut.alive ? value : never,
      (error) => cut.alive ? Promise.reject(error) : never,
    );
  };
  return replacing(inner, {
    get: (...args) => pass(() => inner.get(...args)),
    put: (...args) => pass(() => inner.put(...args)),
  });
}

import type { Clock } from "../../src/ports/clock.ts";
import type { Holdfast } from "./holdfast.ts";
import { type Internals, internalsOf } from "./internals.ts";
import { checkKnown, type OptionNames, outOfRange } from "../../src/core/options.ts";

/** What a process may lack. */
export type Lack = "storage" | "cluster" | "sync";

/** How a process is. */
export interface HealthReport {
  /** `"draining"`: it takes leave. `"unready"`: storage has failed for too long. */
  readonly status: "ready" | "draining" | "unready";
  /** What fails at this moment, by name alone. */
  readonly failing: readonly Lack[];
}

/** Options of {@linkcode health}. */
export interface HealthOptions {
  /** What `createLive()` made: it takes leave before anything else is closed. */
  readonly live?: { readonly draining: boolean };
  /** What `createSync()` made. Values it keeps go on to be shown while it fails, so it is named only. */
  readonly sync?: { readonly status: { readonly state: string } };
  /** Milliseconds a look at storage may take, above 0. One is made at most once a second. @default {2000} */
  readonly probeMs?: number;
  /**
   * Milliseconds after which failing storage makes the process unready, 0 or more; `Infinity` for
   * never. When every process loses the store at once, all become unready: that answers nobody, instead
   * of pages that cannot store.
   * @default {30000}
   */
  readonly storageDownMs?: number;
}

/** Answers those who decide whether a process gets requests, and whether it is started again. */
export interface Health {
  /** Answers 200 for as long as the process can answer at all: a restart would mend nothing else. */
  readonly alive: () => Response;
  /** Answers 200, or 503 while the process should get no new requests, with a {@linkcode HealthReport}. */
  readonly ready: () => Promise<Response>;
  /** How the process is. */
  report(): Promise<HealthReport>;
}

const optionNames: OptionNames<HealthOptions> = {
  live: "an object",
  sync: "an object",
  probeMs: true,
  storageDownMs: true,
};

/** A look at storage serves for so many milliseconds. */
const probeEveryMs = 1000;

/**
 * Makes the answers for probes of a load balancer or Kubernetes. They tell no more than names, so they
 * may be public; they set no cookie and read no session.
 *
 * Not ready is a process from the moment it takes leave, and one whose storage has failed for longer than
 * `storageDownMs`. Without a link to the other nodes of a cluster it works on alone, a little slower:
 * that is named and no reason to be unready.
 *
 * @param holdfast The composition root.
 * @param options What else to look at, and how patiently.
 * @returns The answers, as handlers of any router.
 * @throws {TypeError} If the root was not made by `createHoldfast()`.
 * @throws {RangeError} If a number is out of range.
 *
 * @example Two routes, before any middleware
 * ```ts
 * import { createHoldfast } from "@holdfast/holdfast";
 * import { health } from "@holdfast/holdfast/hono";
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { assertEquals } from "@std/assert";
 * import { Hono } from "hono";
 *
 * const secret = crypto.getRandomValues(new Uint8Array(32));
 * await using holdfast = createHoldfast({ storage: memoryStorage(), secrets: [secret] });
 * const { alive, ready } = health(holdfast);
 * const app = new Hono();
 * app.get("/livez", alive);
 * app.get("/readyz", ready);
 *
 * const response = await app.request("/readyz");
 * assertEquals(await response.json(), { status: "ready", failing: [] });
 * ```
 */
export function health(holdfast: Holdfast, options: HealthOptions = {}): Health {
  const internals = internalsOf(holdfast, "health");
  checkKnown(options, optionNames, "make health");
  const { probeMs = 2000, storageDownMs = 30_000 } = options;
  if (!(probeMs > 0)) {
    throw outOfRange(`Cannot make health: probeMs is ${probeMs}, not above 0`);
  }
  if (!(storageDownMs >= 0)) {
    throw outOfRange(`Cannot make health: storageDownMs is ${storageDownMs}, not 0 or more`);
  }
  const probe = new Probe(internals, probeMs);
  const report = async (): Promise<HealthReport> => {
    const failedMs = await probe.failedMs();
    const failing: Lack[] = [];
    if (failedMs > 0) failing.push("storage");
    if (holdfast.nodes?.linked === false) failing.push("cluster");
    if (options.sync !== undefined && options.sync.status.state !== "live") failing.push("sync");
    // Asked last: what began while storage was looked at counts.
    const draining = internals.closing || options.live?.draining === true;
    if (draining) return { status: "draining", failing };
    return { status: failedMs > storageDownMs ? "unready" : "ready", failing };
  };
  return {
    alive: () => answer(200, { status: "alive" }),
    ready: async () => {
      const told = await report();
      return answer(told.status === "ready" ? 200 : 503, told);
    },
    report,
  };
}

function answer(status: number, body: object): Response {
  return Response.json(body, { status, headers: { "cache-control": "no-store" } });
}

/** Looks at storage, for all who ask within a second. */
class Probe {
  readonly #internals: Internals;
  readonly #clock: Clock;
  readonly #withinMs: number;
  #looking: Promise<boolean> | undefined;
  #at = -Infinity;
  #works = true;
  /** When the last look began that showed that it works. */
  #workedAt: number;

  constructor(internals: Internals, withinMs: number) {
    this.#internals = internals;
    this.#clock = internals.clock;
    this.#withinMs = withinMs;
    this.#workedAt = this.#clock.monotonic();
  }

  /** For how long storage has failed, in ms; 0 if it does not, or is closed. */
  async failedMs(): Promise<number> {
    if (this.#internals.closing) return 0;
    const began = this.#clock.monotonic();
    if (began - this.#at >= probeEveryMs) {
      this.#looking ??= this.#try().finally(() => this.#looking = undefined);
      this.#works = await this.#looking;
      this.#at = Math.max(this.#at, began);
      if (this.#works) this.#workedAt = Math.max(this.#workedAt, began);
    }
    return this.#works ? 0 : Math.max(1, this.#clock.monotonic() - this.#workedAt);
  }

  async #try(): Promise<boolean> {
    let cancel = () => {};
    const late = new Promise<boolean>((resolve) => {
      cancel = this.#clock.timer(this.#withinMs, () => resolve(false), { background: true });
    });
    const looked = this.#internals.probe().then(() => true, () => false);
    try {
      return await Promise.race([looked, late]);
    } finally {
      cancel();
    }
  }
}

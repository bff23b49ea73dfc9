import { StorageUnavailableError } from "../../src/core/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Random } from "../../src/ports/random.ts";
import type {
  DeleteOptions,
  DeleteResult,
  ListOptions,
  PutOptions,
  PutResult,
  Storage,
  StorageCallOptions,
  Stored,
} from "../../src/ports/storage.ts";
import { webClock } from "../web/clock.ts";
import {
  checkKnown,
  nearestName,
  type OptionNames,
  outOfRange,
  shown,
  wrongArgument,
} from "../../src/core/options.ts";

/** The calls of a storage that can fail. */
export type StorageOperation = "get" | "put" | "delete" | "list";

/** A call that a plan decides about. */
export interface StorageCall {
  /** Which call. */
  readonly operation: StorageOperation;
  /** Its key, or the prefix of a listing. */
  readonly key: string;
  /** The how-manieth call of this operation it is, from 1. */
  readonly count: number;
}

/** What happens to a call. */
export interface Fault {
  /**
   * - `"none"`: it goes through.
   * - `"refuse"`: nothing happens, and the caller is told so (outcome `"none"`).
   * - `"lose-request"`: nothing happens, and the caller cannot know (outcome `"unknown"`).
   * - `"lose-answer"`: it happens, and the caller cannot know (outcome `"unknown"`).
   * - `"hang"`: nothing happens, and there is no answer until the caller's signal aborts.
   * - `"hang-after"`: it happens, and there is no answer until the caller's signal aborts.
   * - `"conflict"`: a write with a condition reports a lost race although nobody wrote; any other
   *   call goes through.
   */
  readonly kind:
    | "none"
    | "refuse"
    | "lose-request"
    | "lose-answer"
    | "hang"
    | "hang-after"
    | "conflict";
  /** Milliseconds before it happens, or fails. @default {0} */
  readonly latencyMs?: number;
}

/** Decides what happens to a call; `undefined` lets it through. */
export type FaultPlan = (call: StorageCall) => Fault | Fault["kind"] | undefined;

const kinds: Readonly<Record<Fault["kind"], true>> = {
  none: true,
  refuse: true,
  "lose-request": true,
  "lose-answer": true,
  hang: true,
  "hang-after": true,
  conflict: true,
};

/** One that is misspelt would be none, and the test that plans it would prove nothing. */
function checkFault(kind: unknown): void {
  if (typeof kind === "string" && Object.hasOwn(kinds, kind)) return;
  const known = Object.keys(kinds);
  const nearest = typeof kind === "string" ? nearestName(kind, known) : undefined;
  const hint = nearest === undefined
    ? `there are ${known.map((one) => `"${one}"`).join(", ")}`
    : `the nearest is "${nearest}"`;
  throw wrongArgument(`Cannot plan faults: there is no fault ${shown(kind)}; ${hint}`);
}

/** Options of {@linkcode faultyStorage}. */
export interface FaultyStorageOptions {
  /** Decides about each call. */
  readonly plan: FaultPlan;
  /** Where latency passes. @default the runtime's clock */
  readonly clock?: Clock;
}

const optionNames: OptionNames<FaultyStorageOptions> = { plan: "a function", clock: ".now" };

/** A storage with faults, and what went through it. */
export interface FaultyStorage extends Storage {
  /** How many calls there were, whatever became of them. */
  readonly calls: Readonly<Record<StorageOperation, number>>;
  /** Decides from now on. */
  plan: FaultPlan;
  /** Closes the inner storage; has no faults. */
  close(): Promise<void>;
}

/**
 * Puts faults in front of any storage: latency, failures before and after the write, answers that
 * are lost or never come, races that nobody was in.
 *
 * @param inner The storage that does the work.
 * @param options The plan, and where latency passes.
 * @returns A storage with the faults.
 * @throws {TypeError} If there is no storage or no plan; a call, if its plan names no fault there is.
 *
 * @example The write happened, the answer was lost
 * ```ts
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { faultyStorage } from "@holdfast/holdfast/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = faultyStorage(memoryStorage(), {
 *   plan: ({ operation, count }) => operation === "put" && count === 1 ? "lose-answer" : "none",
 * });
 * const outcome = await storage.put("k", "1").catch((error) => error.outcome);
 * assertEquals(outcome, "unknown");
 * assertEquals((await storage.get("k"))?.value, "1");
 * ```
 */
export function faultyStorage(inner: Storage, options: FaultyStorageOptions): FaultyStorage {
  checkKnown(options, optionNames, "make a faulty storage");
  if (typeof inner?.get !== "function" || typeof options.plan !== "function") {
    const what = typeof inner?.get === "function"
      ? '"plan" is not a function'
      : "there is no storage";
    throw wrongArgument(`Cannot make a faulty storage: ${what}`);
  }
  return new Faulty(inner, options);
}

/** How often each kind of fault happens, each in [0, 1], together at most 1. */
export type FaultRates = Readonly<Partial<Record<Exclude<Fault["kind"], "none">, number>>>;

/**
 * Makes a plan that draws lots: with the same source and the same calls in the same order it
 * decides the same.
 *
 * @param random Where the lots come from, usually a seeded source.
 * @param rates How often each kind happens.
 * @param latencyMs Each call takes between 0 and this long, in milliseconds. @default {0}
 * @returns The plan.
 * @throws {RangeError} If a rate is not in [0, 1], or all together are more than 1.
 */
export function seededPlan(random: Random, rates: FaultRates, latencyMs = 0): FaultPlan {
  checkKnown(rates, kinds, "plan faults", "rates");
  const entries = Object.entries(rates) as [Fault["kind"], number][];
  const total = entries.reduce((sum, [, rate]) => sum + Number(rate), 0);
  if (!entries.every(([, rate]) => typeof rate === "number" && rate >= 0) || !(total <= 1 + 1e-9)) {
    throw outOfRange(
      "Cannot plan faults: the rates are not in [0, 1], or are more than 1 together",
    );
  }
  return () => {
    // Both lots are drawn for every call, so that a changed rate does not shift the later ones.
    let lot = random.number();
    const delay = random.number() * latencyMs;
    const hit = entries.find(([, rate]) => (lot -= rate) < 0);
    return { kind: hit?.[0] ?? "none", latencyMs: delay };
  };
}

class Faulty implements FaultyStorage {
  readonly calls: Record<StorageOperation, number> = { get: 0, put: 0, delete: 0, list: 0 };
  plan: FaultPlan;
  readonly #inner: Storage;
  readonly #clock: Clock;

  constructor(inner: Storage, options: FaultyStorageOptions) {
    this.#inner = inner;
    this.#clock = options.clock ?? webClock();
    this.plan = options.plan;
  }

  get(key: string, options: StorageCallOptions = {}): Promise<Stored | undefined> {
    return this.#meddle("get", key, options, () => this.#inner.get(key, options));
  }

  put(key: string, value: string, options: PutOptions = {}): Promise<PutResult> {
    return this.#meddle("put", key, options, () => this.#inner.put(key, value, options));
  }

  delete(key: string, options: DeleteOptions = {}): Promise<DeleteResult> {
    return this.#meddle("delete", key, options, () => this.#inner.delete(key, options));
  }

  list(prefix: string, options: ListOptions = {}): Promise<readonly string[]> {
    return this.#meddle("list", prefix, options, () => this.#inner.list(prefix, options));
  }

  async close(): Promise<void> {
    await this.#inner.close?.();
  }

  async #meddle<T>(
    operation: StorageOperation,
    key: string,
    options: PutOptions,
    run: () => Promise<T>,
  ): Promise<T> {
    const planned = this.plan({ operation, key, count: ++this.calls[operation] }) ?? "none";
    const { kind, latencyMs = 0 } = typeof planned === "string" ? { kind: planned } : planned;
    checkFault(kind);
    if (latencyMs > 0) await pause(this.#clock, latencyMs, options.signal);
    if (kind === "refuse") throw failure(operation, "none");
    if (kind === "lose-request") throw failure(operation, "unknown");
    if (kind === "hang") return await aborted(options.signal);
    if (kind === "conflict" && isConditional(options)) return await this.#conflict(key) as T;
    const answer = await run();
    if (kind === "lose-answer") throw failure(operation, "unknown");
    if (kind === "hang-after") return await aborted(options.signal);
    return answer;
  }

  /** As some stores do when two requests collide: it lost, and a look finds what was there before. */
  async #conflict(key: string): Promise<PutResult & DeleteResult> {
    return { ok: false, found: (await this.#inner.get(key))?.etag ?? null };
  }
}

function isConditional({ ifMatch, ifNoneMatch }: PutOptions): boolean {
  return ifMatch !== undefined || ifNoneMatch !== undefined;
}

function failure(operation: StorageOperation, outcome: "none" | "unknown"): Error {
  return new StorageUnavailableError(`Cannot ${operation}: an injected fault`, outcome);
}

/** Never answers, unless the caller gives up. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function pause(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.timer(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
  });
}

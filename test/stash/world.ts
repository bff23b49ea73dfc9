import { memoryStorage } from "../../adapters/memory/mod.ts";
import type { MemoryStorage } from "../../adapters/memory/mod.ts";
import { createVirtualClock, faultyStorage, seededRandom } from "../../adapters/testing/mod.ts";
import type { FaultyStorage, VirtualClock } from "../../adapters/testing/mod.ts";
import {
  createHoldfast,
  type Holdfast,
  type HoldfastOptions,
} from "../../adapters/web/holdfast.ts";
import type { Storage } from "../../src/ports/storage.ts";
import type { TelemetryEvent } from "../../src/ports/telemetry.ts";
import type { Session } from "../../src/stash/session.ts";

export const secretA = "3l5ZQ0sH1vXw8yTtR6pKc2NfJb7MdGaU-secret-a";
export const secretB = "9kPz4WmYqV2oLx0EiB5nHrC8sDgTjF7A-secret-b";

export const minute = 60_000;
export const hour: number = 60 * minute;
export const day: number = 24 * hour;

/** Nodes on one store, in time that the test turns. */
export interface World {
  readonly clock: VirtualClock;
  /** What is stored, without faults. */
  readonly memory: MemoryStorage;
  /** The storage of nodes that are given none; without faults until the test gives it a plan. */
  readonly storage: FaultyStorage;
  readonly events: TelemetryEvent[];
  /** Starts another node. */
  node(options?: Partial<HoldfastOptions>): Holdfast;
  /** Turns time until the promise is settled, and answers as it does. */
  finish<T>(promise: Promise<T>, withinMs?: number): Promise<T>;
  /** What is under each key, in key order. */
  records(): Promise<ReadonlyMap<string, StoredRecord>>;
  /** The one living session in the store. */
  theSession(): Promise<StoredSession>;
  /** Changes the one record behind the library's back. */
  edit(change: (record: Record<string, unknown>) => unknown): Promise<void>;
}

/** A record as it is stored, as far as the tests look at it. */
export interface StoredRecord {
  readonly rev: number;
  readonly ended?: number;
  readonly state?: StoredSession;
}

/** A session as it is stored. */
export interface StoredSession {
  readonly created: number;
  readonly seen: number;
  readonly confirmed: boolean;
  readonly moved?: string;
  readonly views: Readonly<Record<string, StoredSlice>>;
}

/** A slice as it is stored. */
export interface StoredSlice {
  readonly vsn: number;
  readonly keys: Readonly<Record<string, unknown>>;
  readonly drafts?: Readonly<Record<string, { readonly keys: Record<string, unknown> }>>;
}

/** Makes a world, with a storage in front of its memory if one is given. */
export function world(front: (storage: Storage) => Storage = (storage) => storage): World {
  const clock = createVirtualClock({ now: 1_000_000_000_000 });
  const memory = memoryStorage();
  const storage = faultyStorage(front(memory), { clock, plan: () => "none" });
  const events: TelemetryEvent[] = [];
  let nodes = 0;
  const records = () => readAll(memory);
  return {
    clock,
    memory,
    storage,
    events,
    records,
    node: (options = {}) =>
      createHoldfast({
        storage: open(storage),
        secrets: [secretA],
        clock,
        random: seededRandom(++nodes),
        telemetry: (event) => events.push(event),
        sweepEveryMs: Infinity,
        ...options,
      }),
    finish: (promise, withinMs = 60_000) => finish(clock, promise, withinMs),
    theSession: async () => {
      const living = [...(await records()).values()].filter(({ state }) => state !== undefined);
      const [first] = living;
      if (living.length !== 1 || first?.state === undefined) {
        throw new Error(`Expected one living session, found ${living.length}`);
      }
      return first.state;
    },
    edit: (change) => edit(memory, change),
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

async function readAll(memory: MemoryStorage): Promise<ReadonlyMap<string, StoredRecord>> {
  const records = new Map<string, StoredRecord>();
  // A list has a thousand keys at most.
  for (let after = ""; records.size < memory.size;) {
    for (const key of await memory.list("", { after })) {
      records.set(key, JSON.parse((await memory.get(key))?.value ?? "null"));
      after = key;
    }
  }
  return records;
}

async function edit(
  memory: MemoryStorage,
  change: (record: Record<string, unknown>) => unknown,
): Promise<void> {
  const [key, more] = await memory.list("");
  if (key === undefined || more !== undefined) throw new Error("Expected one record");
  const record: Record<string, unknown> = JSON.parse((await memory.get(key))?.value ?? "{}");
  const changed = change(record) ?? record;
  await memory.put(key, typeof changed === "string" ? changed : JSON.stringify(changed));
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

/** A browser: keeps the session cookie, and sends it with each request. */
export interface Browser {
  /** The Cookie header it would send; `null` for none. */
  cookie: string | null;
  /** The Set-Cookie headers it got. */
  readonly got: string[];
  /** Makes a request: opens the session, runs the handler, and takes the cookie. */
  visit<T>(node: Holdfast, handler: (session: Session) => T | Promise<T>): Promise<T>;
}

/** Opens a browser, with a cookie if one is given. */
export function browser(cookie: string | null = null): Browser {
  const got: string[] = [];
  const jar: Browser = {
    cookie,
    got,
    async visit(node, handler) {
      const open = node.open(jar.cookie);
      try {
        return await handler(open.session);
      } finally {
        const setCookie = open.seal();
        if (setCookie !== undefined) {
          got.push(setCookie);
          jar.cookie = setCookie.includes("Max-Age=0") ? null : setCookie.split(";")[0] ?? null;
        }
      }
    },
  };
  return jar;
}

/** The session id and the tag in a Cookie or Set-Cookie header. */
export function partsOf(cookie: string | null | undefined): { sid: string; tag: string } {
  const [, , sid = "", tag = ""] = /=([^;]*)/.exec(cookie ?? "")?.[1]?.split(".") ?? [];
  if (sid.length !== 43 || tag.length !== 43) throw new Error("Expected a session cookie");
  return { sid, tag };
}

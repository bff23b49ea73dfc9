import type { ListOptions } from "../ports/storage.ts";
import type { AlarmIndex, IndexEntry } from "./alarm_index.ts";
import { DueQueue } from "./due_queue.ts";
import type { EnginePorts } from "./types.ts";

/** Settings of the poller. */
export interface PollerSettings {
  /** Milliseconds between two looks at the index. */
  readonly pollEveryMs: number;
  /** Objects looked at at the same time. */
  readonly parallel: number;
}

/** What a look at an object has found. */
export interface Visit {
  /**
   * What to do about an entry that has led there: `"orphan"`, to be removed; `"later"`, of use or may
   * be yet; `"done"`, its alarm has fired and it is being removed.
   */
  readonly judge: (entry: IndexEntry) => "orphan" | "later" | "done";
  /** When its first alarm is due; `undefined` if none is set. */
  readonly next: number | undefined;
}

/** What the poller stands on. */
export interface PollerPorts {
  readonly ports: Pick<EnginePorts, "clock" | "random" | "emit">;
  readonly index: AlarmIndex;
  readonly list: (prefix: string, options: ListOptions) => Promise<readonly string[]>;
  /** Fires what is due; `undefined` if this node does not know the class. */
  readonly visit: (place: string) => Promise<Visit | undefined>;
}

const pageSize = 1000;

/** Pages read in one round: beyond it the next round goes on where this one stopped. */
const maxPages = 10;

/** Objects remembered for their exact time, and entries set aside for a while. */
const maxRemembered = 100_000;

/** An alarm that sets itself for now again and again is left to the rounds to come. */
const maxDrainRounds = 100;

/** Longest time that an entry is set aside. */
const maxAsideMs = 5 * 60_000;

/**
 * Finds what is due, in two ways: at the exact time if this process has set or loaded the alarm, and
 * by looking at the index now and then for everything else: what another process has set, what fell
 * due while none was running. Nothing depends on the first.
 */
export class Poller {
  readonly #on: PollerPorts;
  readonly #settings: PollerSettings;
  readonly #exact: DueQueue<string> = new DueQueue();
  /** When an object is looked at next, by place. */
  readonly #expected: Map<string, number> = new Map();
  /** Objects to look at, with the entries that led there. */
  readonly #waiting: Map<string, Set<IndexEntry>> = new Map();
  readonly #visiting: Set<string> = new Set();
  /** Entries that led to nothing: when to look again, on the monotonic clock. */
  readonly #aside: Map<string, { readonly until: number; readonly delayMs: number }> = new Map();
  #after: string | undefined;
  #cancelPoll: (() => void) | undefined;
  #cancelExact: (() => void) | undefined;
  #exactAt = Infinity;
  #stopped = false;
  /** Objects that the last round has led to. */
  #found = 0;
  #idleWaiters: (() => void)[] = [];

  constructor(on: PollerPorts, settings: PollerSettings) {
    this.#on = on;
    this.#settings = settings;
  }

  /** Begins to look, at once; harmless if it has begun. */
  start(): void {
    if (this.#cancelPoll === undefined) this.#pollIn(0);
  }

  /** Stops looking; what is being looked at comes to its end. */
  stop(): void {
    this.#stopped = true;
    this.#cancelPoll?.();
    this.#cancelExact?.();
    this.#waiting.clear();
  }

  /**
   * Looks at once, and again until nothing is due. What another process holds up, or what cannot be
   * looked at, is left for later.
   *
   * @throws What the listing fails with.
   */
  async drain(): Promise<void> {
    for (let round = 0; round < maxDrainRounds; round++) {
      this.#after = undefined;
      this.#found = 0;
      await this.#round();
      while (this.#visiting.size > 0) {
        await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
      }
      if (this.#found === 0 || this.#stopped) return;
    }
  }

  /** Tells when an object has an alarm next. */
  expect(place: string, at: number): void {
    const known = this.#expected.get(place);
    if (this.#stopped || (known !== undefined && known <= at)) return;
    if (known === undefined && this.#expected.size >= maxRemembered) return;
    this.#expected.set(place, at);
    this.#exact.push({ at, item: place });
    this.#armExact();
  }

  /** Looks again at what was set aside, with the next look at the index. */
  reconsider(): void {
    this.#aside.clear();
  }

  /** When an object has its next alarm, as far as this process knows. */
  expected(place: string): number | undefined {
    return this.#expected.get(place);
  }

  #armExact(): void {
    const at = this.#exact.peek()?.at ?? Infinity;
    if (at === this.#exactAt || this.#stopped) return;
    this.#cancelExact?.();
    this.#cancelExact = undefined;
    this.#exactAt = at;
    if (at === Infinity) return;
    const { clock } = this.#on.ports;
    const delayMs = Math.max(0, at - clock.now());
    this.#cancelExact = clock.timer(delayMs, () => this.#fireExact(), { background: true });
  }

  #fireExact(): void {
    this.#exactAt = Infinity;
    const now = this.#on.ports.clock.now();
    for (let due = this.#exact.peek(); due && due.at <= now; due = this.#exact.peek()) {
      this.#exact.shift();
      // Expected at another time by now: that one is in the queue, too.
      if (this.#expected.get(due.item) !== due.at) continue;
      this.#expected.delete(due.item);
      this.#look(due.item);
    }
    this.#armExact();
  }

  #pollIn(delayMs: number): void {
    if (this.#stopped) return;
    const poll = () => void this.#poll();
    this.#cancelPoll = this.#on.ports.clock.timer(delayMs, poll, { background: true });
  }

  async #poll(): Promise<void> {
    const { ports } = this.#on;
    try {
      await this.#round();
    } catch (error) {
      if (!this.#stopped) ports.emit?.({ name: "holdfast.alarm.poll_failed", ref: "", error });
    }
    // Nodes that were started together do not stay in step.
    this.#pollIn(this.#settings.pollEveryMs * (0.9 + 0.2 * ports.random.number()));
  }

  async #round(): Promise<void> {
    const { ports: { clock }, index, list } = this.#on;
    for (let page = 0; page < maxPages && !this.#stopped; page++) {
      const after = this.#after === undefined ? {} : { after: this.#after };
      const keys = await list(index.prefix, { limit: pageSize, ...after });
      const now = clock.now();
      this.#after = keys.length < pageSize ? undefined : keys.at(-1);
      for (const key of keys) {
        const entry = index.read(key);
        if (entry === undefined) continue;
        if (entry.due > now) {
          this.#after = undefined;
          return;
        }
        if (!this.#isAside(key)) this.#look(entry.place, entry);
      }
      if (this.#after === undefined) return;
    }
  }

  #look(place: string, entry?: IndexEntry): void {
    if (this.#stopped) return;
    this.#found++;
    let entries = this.#waiting.get(place);
    if (entries === undefined) this.#waiting.set(place, entries = new Set());
    if (entry !== undefined) entries.add(entry);
    this.#pump();
  }

  #pump(): void {
    for (const [place, entries] of this.#waiting) {
      if (this.#visiting.size >= this.#settings.parallel) return;
      if (this.#visiting.has(place)) continue;
      this.#waiting.delete(place);
      this.#visiting.add(place);
      void this.#visit(place, entries).then(() => {
        this.#visiting.delete(place);
        this.#pump();
        if (this.#visiting.size === 0) { for (const tell of this.#idleWaiters.splice(0)) tell(); }
      });
    }
  }

  async #visit(place: string, entries: ReadonlySet<IndexEntry>): Promise<void> {
    const { visit, index, ports } = this.#on;
    try {
      const found = await visit(place);
      if (found?.next !== undefined) this.expect(place, found.next);
      for (const entry of entries) {
        const judged = found?.judge(entry) ?? "later";
        if (judged === "orphan") index.remove(entry.key);
        else if (judged === "later") this.#putAside(entry.key);
      }
    } catch (error) {
      for (const entry of entries) this.#putAside(entry.key);
      if (!this.#stopped) ports.emit?.({ name: "holdfast.alarm.visit_failed", ref: "", error });
    }
  }

  #isAside(key: string): boolean {
    const aside = this.#aside.get(key);
    return aside !== undefined && aside.until > this.#on.ports.clock.monotonic();
  }

  /** It may be of use yet (its record is on its way, another node knows its class): later, then. */
  #putAside(key: string): void {
    const before = this.#aside.get(key)?.delayMs ?? this.#settings.pollEveryMs / 2;
    this.#aside.delete(key);
    if (this.#aside.size >= maxRemembered) {
      for (const oldest of this.#aside.keys()) {
        this.#aside.delete(oldest);
        break;
      }
    }
    const delayMs = Math.min(maxAsideMs, 2 * before);
    this.#aside.set(key, { until: this.#on.ports.clock.monotonic() + delayMs, delayMs });
  }
}

import { indexPrefix, readEntry } from "../../src/object/alarm_index.ts";
import type { HostStorageLike } from "./platform.ts";

/** What is used of the storage whose index tells when to wake up. */
export interface WakePorts {
  readonly alarm: Pick<HostStorageLike, "getAlarm" | "setAlarm" | "deleteAlarm">;
  /** Lists keys in order. */
  readonly list: (prefix: string, limit: number) => readonly string[];
  readonly now: () => number;
}

/** An entry that led to nothing is looked at again after as long as it is overdue, within these. */
const shortestMs = 60_000;
const longestMs = 60 * 60_000;

/** Entries looked at after an alarm: whatever is beyond them is looked at when these are done. */
const pageSize = 1000;

/**
 * Keeps the one alarm that a Durable Object has at the first entry of the index of alarms, so that it
 * is woken up for it when it has left memory. The runtime takes the alarm off before it runs
 * `alarm()`, and runs that again if the object dies on the way.
 */
export class Wake {
  readonly #on: WakePorts;
  readonly #prefix: string;
  /** What the alarm is set to, `Infinity` for none; `undefined` if that is not known. */
  #at: number | undefined;
  /** `alarm()` is running: what comes next is decided at its end. */
  #firing = false;
  /** Entries that led to nothing, and when to look at them again. */
  #aside: ReadonlyMap<string, number> = new Map();

  constructor(namespace: string, on: WakePorts) {
    this.#on = on;
    this.#prefix = indexPrefix(namespace);
  }

  /** Whether a key belongs to the index. */
  watches(key: string): boolean {
    return key.startsWith(this.#prefix);
  }

  /** Sets the alarm that is missing, if one is: the runtime gives up one that dies too often. */
  async begin(): Promise<void> {
    if (this.#first() === Infinity) return;
    const at = await this.#on.alarm.getAlarm();
    if (this.#at !== undefined || this.#firing) return;
    if (at === null) await this.arm();
    else this.#at = at;
  }

  /** Told that the index has changed; what has changed and the alarm are one write. */
  async arm(): Promise<void> {
    if (this.#firing) return;
    const at = this.#first();
    if (at === this.#at) return;
    this.#at = at;
    try {
      await (at === Infinity ? this.#on.alarm.deleteAlarm() : this.#on.alarm.setAlarm(at));
    } catch (error) {
      this.#at = undefined;
      throw error;
    }
  }

  /** Does what the alarm is there for, and sets the next one. */
  async run(fire: () => Promise<unknown>): Promise<void> {
    const startedAt = this.#on.now();
    this.#firing = true;
    this.#at = undefined;
    try {
      await fire();
    } finally {
      this.#firing = false;
    }
    this.#setAside(startedAt);
    await this.arm();
  }

  /** When to be woken up. */
  #first(): number {
    let first = Infinity;
    for (const key of this.#on.list(this.#prefix, this.#aside.size + 1)) {
      const later = this.#aside.get(key);
      // The runtime refuses the epoch and what was before it.
      const at = later ?? Math.max(1, readEntry(this.#prefix, key)?.due ?? Infinity);
      first = Math.min(first, at);
      if (later === undefined) break;
    }
    return first;
  }

  /** What was due when all that was due was looked at, and is there all the same, comes later. */
  #setAside(startedAt: number): void {
    const aside = new Map<string, number>();
    const now = this.#on.now();
    for (const key of this.#on.list(this.#prefix, pageSize)) {
      const due = readEntry(this.#prefix, key)?.due ?? -Infinity;
      if (due > startedAt) break;
      aside.set(key, now + Math.min(longestMs, Math.max(shortestMs, now - due)));
    }
    this.#aside = aside;
  }
}

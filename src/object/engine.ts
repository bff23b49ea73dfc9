import { HoldfastError } from "../core/errors.ts";
import type { DeleteResult, ListOptions } from "../ports/storage.ts";
import { Activation } from "./activation.ts";
import type { Task } from "./message.ts";
import { RecordStore } from "./store.ts";
import {
  aboutObject,
  type Current,
  type DrainReport,
  type EngineLimits,
  type EnginePorts,
  logReference,
  type Turn,
} from "./types.ts";

/** Limits used where nothing else is said. */
export const defaultEngineLimits: EngineLimits = {
  maxStateBytes: 1024 * 1024,
  mailbox: 1000,
  storageTimeoutMs: 2000,
  storageRetry: { tries: 3, firstDelayMs: 50, maxDelayMs: 500 },
  replays: 40,
  idleMs: 5 * 60_000,
  maxActive: 10_000,
};

/**
 * Uses are told apart by eras, because to ask a clock for each costs as much as to find the object.
 * One ends with each sweep, and when a 64th of what memory may hold has come in.
 */
const erasPerMemory = 64;

/** Losses remembered of objects that have left memory. */
const maxLosses = 10_000;

/** Options of {@linkcode Engine.run}. */
export interface RunOptions {
  /** The turn must see what the store holds now. @default {false} */
  readonly fresh?: boolean;
  /** Answer as soon as the turn has run, without waiting for a write. @default {false} */
  readonly early?: boolean;
}

/**
 * Runs durable objects, one per storage key: a directory of activations, with idle ones leaving
 * memory. It keeps nothing that the store does not have, so any of it may be dropped at any time.
 */
export class Engine {
  readonly #ports: EnginePorts;
  readonly #limits: EngineLimits;
  readonly #store: RecordStore;
  /** In order of last use, so that the first are the ones to evict. */
  readonly #active: Map<string, { activation: Activation; usedIn: number }> = new Map();
  #era = 0;
  /** How many may come in before the next era. */
  #room = 0;
  /** The eras that began with the sweep before the last, and with the last. */
  #swept: readonly [number, number] = [0, 0];
  /** Objects leave memory by themselves: somebody has to know who was used last. */
  readonly #leave: boolean;
  /** What objects had lost when they left memory, until it is told. */
  readonly #lost: Map<string, { readonly error: unknown }> = new Map();
  #cancelSweep: (() => void) | undefined;
  #closing = false;

  constructor(ports: EnginePorts, limits: Partial<EngineLimits> = {}) {
    this.#ports = ports;
    this.#limits = { ...defaultEngineLimits, ...limits };
    this.#store = new RecordStore(ports, this.#limits);
    const { idleMs, maxActive } = this.#limits;
    this.#leave = idleMs !== Infinity || maxActive !== Infinity;
  }

  /** Names this engine among all. */
  get incarnation(): string {
    return this.#store.incarnation;
  }

  /** It accepts nothing any more. */
  get closing(): boolean {
    return this.#closing;
  }

  /** Objects in memory. */
  get size(): number {
    return this.#active.size;
  }

  /** What an object in memory has to do; `undefined` if it is not there. Does not count as a use. */
  load(key: string): Activation["load"] | undefined {
    return this.#active.get(key)?.activation.load;
  }

  /** Log references of the objects in memory that came in last, at most so many. */
  recent(limit: number): readonly string[] {
    return [...this.#active.keys()].slice(-limit).reverse().map(logReference);
  }

  /**
   * Reads an object as the store has it now, beside its mailbox.
   *
   * @throws {StorageUnavailableError} If storage fails or does not answer in time.
   */
  async read(key: string): Promise<Current> {
    return await this.readNow(key);
  }

  /** Reads like {@linkcode Engine.read}, at once if the storage can: a promise costs as much again. */
  readNow(key: string): Current | Promise<Current> {
    return this.#closing ? this.#refuse() : this.#activation(key).readNow();
  }

  /**
   * Runs a turn on an object, activating it first if needed.
   *
   * @returns The turn's reply, once everything it has seen is durable.
   * @throws {StorageUnavailableError} If what became of the turn's write could not be found out.
   * @throws {ConflictError} If other writers were first more often than turns are run again.
   */
  run<R>(key: string, turn: Turn<R>, options: RunOptions = {}): Promise<R> {
    return new Promise((resolve, reject) => {
      const { fresh = false, early = false } = options;
      this.submit(key, { turn, resolve, reject }, fresh, early);
    });
  }

  /** Does what {@linkcode Engine.run} does, for those who have a promise of their own. */
  submit<R>(key: string, task: Task<R>, fresh: boolean, early: boolean): void {
    if (this.#closing) task.reject(closed());
    else this.#activation(key).submit(task, fresh, early);
  }

  /**
   * Settles when what the turn under way of an object has seen is durable; `undefined` if it is by now.
   *
   * @throws {ConflictError} If it will not be; the turn is then run again.
   */
  seen(key: string): Promise<void> | undefined {
    return this.#active.get(key)?.activation.seen();
  }

  /** What is durable of an object as far as memory knows; `undefined` if it is not in memory. */
  durable(key: string): Current | undefined {
    return this.#active.get(key)?.activation.durable;
  }

  /**
   * Resolves when everything that was answered early is durable.
   *
   * @throws What a write failed with whose turns had been answered.
   */
  async flush(key: string): Promise<void> {
    const lost = this.#lost.get(key);
    if (lost !== undefined) {
      this.#lost.delete(key);
      throw lost.error;
    }
    await this.#active.get(key)?.activation.flush();
  }

  /** Lets an object leave memory, unless it has something to do; tells whether it is gone. */
  evict(key: string): boolean {
    const entry = this.#active.get(key);
    if (entry?.activation.idle === true) this.#evict(key);
    return !this.#active.has(key);
  }

  /** Resolves once an object has nothing to do. */
  async whenIdle(key: string): Promise<void> {
    await this.#active.get(key)?.activation.whenIdle();
  }

  /** Writes a key that is no record and has nothing in it but its name. */
  note(key: string): Promise<void> {
    return this.#store.note(key);
  }

  /** Deletes a key that is no record. */
  erase(key: string): Promise<void> {
    return this.#store.erase(key);
  }

  /** Reads an object without keeping it in memory. */
  peek(key: string): Promise<Current> {
    return this.#closing ? this.#refuse() : this.#store.read(key);
  }

  /** Lists keys in order. */
  list(prefix: string, options: ListOptions): Promise<readonly string[]> {
    return this.#closing ? this.#refuse() : this.#store.list(prefix, options);
  }

  /** Deletes the record of an ended object, if it still is the one that was ended. */
  async purge(key: string): Promise<DeleteResult> {
    if (this.#closing) return await this.#refuse();
    const loaded = await this.#store.read(key);
    if (loaded.etag === null) return { ok: true };
    if (loaded.ended === undefined) return { ok: false, found: loaded.etag };
    const result = await this.#store.delete(key, loaded.etag);
    if (this.#active.get(key)?.activation.idle === true) this.#active.delete(key);
    // Nothing found: an earlier try has deleted it, or another engine has.
    return result.ok || result.found === null ? { ok: true } : result;
  }

  /**
   * Accepts nothing more and waits until everything accepted is durable and answered.
   *
   * @param withinMs Longest wait in milliseconds.
   * @param open Accept what comes until then: whoever calls sees to it that it is part of what was
   * accepted before.
   */
  async drain(withinMs: number, open = false): Promise<DrainReport> {
    this.#closing = !open;
    this.#cancelSweep?.();
    let cancel = () => {};
    let ends = false;
    const late = new Promise<void>((resolve) => {
      cancel = this.#ports.clock.timer(withinMs, () => resolve(void (ends = true)));
    });
    for (let busy = this.#busy(); busy.length > 0 && !ends; busy = this.#busy()) {
      await Promise.race([Promise.all(busy.map((activation) => activation.whenIdle())), late]);
    }
    this.#closing = true;
    cancel();
    const unfinished = this.#busy().length;
    return { complete: unfinished === 0, unfinished };
  }

  #busy(): readonly Activation[] {
    return Array.from(this.#active.values(), ({ activation }) => activation)
      .filter(({ idle }) => !idle);
  }

  #refuse(): Promise<never> {
    return Promise.reject(closed());
  }

  #activation(key: string): Activation {
    let entry = this.#active.get(key);
    if (entry !== undefined && !this.#leave) return entry.activation;
    if (entry === undefined) {
      const activation = new Activation(key, this.#store, this.#ports, this.#limits);
      this.#evictBeyond(this.#limits.maxActive - 1);
      this.#scheduleSweep();
      if (--this.#room < 0) this.#beginEra();
      entry = { activation, usedIn: this.#era };
    } else {
      // Moving an entry costs more than a read of it.
      if (entry.usedIn === this.#era) return entry.activation;
      entry.usedIn = this.#era;
      this.#active.delete(key);
    }
    this.#active.set(key, entry);
    return entry.activation;
  }

  #beginEra(): void {
    this.#era++;
    this.#room = Math.floor(this.#limits.maxActive / erasPerMemory);
  }

  #evictBeyond(count: number): void {
    if (this.#active.size <= count) return;
    for (const [key, { activation }] of this.#active) {
      if (activation.idle) this.#evict(key);
      if (this.#active.size <= count) return;
    }
  }

  #evict(key: string): void {
    const lost = this.#active.get(key)?.activation.lost;
    if (lost !== undefined) this.#remember(key, lost);
    this.#active.delete(key);
    this.#ports.emit?.({ name: "holdfast.object.evict", ...aboutObject(this.#ports, key) });
  }

  /** A loss is told by the next `flush()`, also when the object has left memory before. */
  #remember(key: string, lost: { readonly error: unknown }): void {
    this.#lost.set(key, lost);
    if (this.#lost.size <= maxLosses) return;
    for (const oldest of this.#lost.keys()) {
      this.#lost.delete(oldest);
      break;
    }
  }

  #scheduleSweep(): void {
    if (this.#cancelSweep !== undefined || this.#limits.idleMs === Infinity) return;
    const every = Math.max(1, this.#limits.idleMs / 2);
    this.#cancelSweep = this.#ports.clock.timer(every, () => this.#sweep(), { background: true });
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    // Two sweeps ago was the idle time ago.
    const [before, last] = this.#swept;
    for (const [key, { activation, usedIn }] of this.#active) {
      if (usedIn >= before) break;
      if (activation.idle) this.#evict(key);
    }
    this.#beginEra();
    this.#swept = [last, this.#era];
    if (this.#active.size > 0) this.#scheduleSweep();
  }
}

function closed(): HoldfastError {
  const message = "Cannot accept a call: the instance is closed";
  return new HoldfastError("ERR_CLOSED", message, { retryable: true });
}

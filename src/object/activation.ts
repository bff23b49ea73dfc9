// Longer than 400 lines because turns, answers and the write under way are one state machine.
import { ConflictError, HoldfastError } from "../core/errors.ts";
import { must } from "../core/assert.ts";
import { nextDelay, type RetryPolicy } from "../core/retry.ts";
import { runEffects } from "./effects.ts";
import { type Message, type Task, Thrown, within } from "./message.ts";
import { Queue } from "./queue.ts";
import type { Content, Loaded } from "./record.ts";
import type { RecordStore, WriteOutcome, Writer } from "./store.ts";
import {
  aboutObject,
  type Current,
  type Decision,
  type Effect,
  type EngineLimits,
  type EnginePorts,
  type Turn,
} from "./types.ts";

/** Pause before writing again after repeated conflicts, so that rivals do not collide in step. */
const conflictPause: RetryPolicy = { tries: Infinity, firstDelayMs: 4, maxDelayMs: 200 };

/** No such pause is longer than so many reads take: who tries less often waits longer for a moment that fits. */
const longestInReads = 2;

/**
 * Writes after which a writer looks at the store before the next one. While it looks another one can
 * get in that needs a read and a write for what this one needs a write for: it would always be late.
 */
const looksAfter = 128;

/** As long as others have been first lately it looks much more often. */
const looksAfterLoss = 4;

/** How many writes a lost one counts as lately. */
const rememberedLoss = 256;

/** A turn that waits until a version is durable. */
interface Gate {
  readonly version: number;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * One object in memory: a mailbox, the state as the next turn sees it, and at most one write on its
 * way. Turns run one at a time against memory; their answers are held until the write that contains
 * what they have seen is durable. When another writer was first, everything held is run again on the
 * fresh state: nobody has seen those answers (SPEC OB2 to OB6).
 */
export class Activation implements Writer {
  readonly key: string;
  readonly #store: RecordStore;
  readonly #ports: EnginePorts;
  readonly #limits: EngineLimits;

  readonly #mailbox: Queue<Message> = new Queue();
  /** In the order they have run. */
  #held: Message[] = [];
  /** What is durable as far as we know; `undefined` before the first load. */
  #base: Loaded | undefined;
  /** What the next turn sees; ahead of `#base` while changes are not durable. */
  #now: Current | undefined;
  #nowText: string | undefined;
  /** Counts changes in memory, and those of them that are durable. */
  #version = 0;
  #durable = 0;
  /** What the write under way contains. */
  #sent = 0;
  /** The state that held and running turns have seen is no longer the one to build on. */
  #overtaken = false;
  #conflicts = 0;
  /** As long as suits how fast the store is. */
  #pausing: RetryPolicy = conflictPause;
  /** Writes until it looks at the store before one, and until it takes itself for the only writer. */
  #looksIn = looksAfter;
  #rivalFor = 0;
  #refreshes = 0;
  #running = false;
  #writing = false;
  /** A write begins as soon as the calls of this moment have run. */
  #writesSoon = false;
  /** The next turn waits for the end of the write under way. */
  #stalled = false;
  /** Reads beside the mailbox that are under way. */
  #reading = 0;
  #idleWaiters: (() => void)[] = [];
  /** Turns that wait until what they have seen is durable. */
  #gates: Gate[] = [];
  /** Why changes were lost whose calls had been answered early; told by the next `flush()`. */
  #lost: { readonly error: unknown } | undefined;

  constructor(key: string, store: RecordStore, ports: EnginePorts, limits: EngineLimits) {
    this.key = key;
    this.#store = store;
    this.#ports = ports;
    this.#limits = limits;
  }

  /** Nothing waits, runs, is held, is being written or is being read. */
  get idle(): boolean {
    return this.#reading === 0 && this.#settled;
  }

  /** No turn waits or runs, and everything is durable. */
  get #settled(): boolean {
    return !this.#running && !this.#writing && this.#held.length === 0 && this.#mailbox.size === 0;
  }

  /** Calls that wait for their turn, and calls whose answer waits until it is durable. */
  get load(): { readonly waiting: number; readonly held: number } {
    return { waiting: this.#mailbox.size + (this.#running ? 1 : 0), held: this.#held.length };
  }

  /** Resolves once the object is idle. */
  whenIdle(): Promise<void> {
    if (this.idle) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Does what {@linkcode Activation.submit} does, for those who want a promise. */
  run<R>(turn: Turn<R>, fresh: boolean, early = false): Promise<R> {
    return new Promise((resolve, reject) => this.submit({ turn, resolve, reject }, fresh, early));
  }

  /**
   * Puts a task into the mailbox. It is answered once all it has seen is durable.
   *
   * @param fresh The turn must see what the store holds now, not only what memory remembers.
   * @param early Answer as soon as the turn has run.
   */
  submit<R>(task: Task<R>, fresh: boolean, early: boolean): void {
    if (this.#mailbox.size + this.#held.length >= this.#limits.mailbox) {
      return task.reject(mailboxFull(this.#limits.mailbox));
    }
    this.#mailbox.push({
      // The mailbox holds tasks of all reply types; each gets its own reply back.
      task: task as Task<unknown>,
      freshAfter: fresh ? this.#refreshes + 1 : 0,
      early,
      told: false,
      around: this.#ports.carry?.(),
      runs: 0,
      outcome: undefined,
      version: 0,
    });
    this.#pump();
  }

  /** Why something was lost that had been answered early, if nobody was told yet. */
  get lost(): { readonly error: unknown } | undefined {
    return this.#lost;
  }

  /** Resolves when everything answered is durable, and rejects if something answered was lost. */
  async flush(): Promise<void> {
    const lost = this.#lost;
    this.#lost = undefined;
    if (lost === undefined) await this.run(() => ({ kind: "keep", reply: undefined }), false);
    // What was lost while it waited the next one tells, too: it may be of whoever has lost it.
    const failure = lost ?? this.#lost;
    if (failure !== undefined) throw failure.error;
  }

  /**
   * Settles when what the turn under way has seen is durable, so that it may tell others of it;
   * `undefined` if it is by now. Rejects if it will not be: the turn is then run again.
   */
  seen(): Promise<void> | undefined {
    if (this.#overtaken) return Promise.reject(overtaken());
    if (this.#version === this.#durable) return undefined;
    const version = this.#version;
    return new Promise((resolve, reject) => void this.#gates.push({ version, resolve, reject }));
  }

  /** What is durable as far as memory knows; `undefined` if nothing was loaded. */
  get durable(): Current | undefined {
    return this.#base;
  }

  /**
   * Reads what the store holds now, beside the mailbox; never what is not durable yet. At once if the
   * storage can.
   */
  readNow(): Current | Promise<Current> {
    const before = this.#base;
    const reading = this.#store.readNow(this.key, before);
    if (!(reading instanceof Promise)) {
      if (reading !== before && this.#settled) this.#install(reading);
      return reading;
    }
    this.#reading++;
    return reading.then((loaded) => {
      this.#reading--;
      // A write that ended meanwhile knows better than this answer.
      if (loaded !== before && this.#settled && this.#base === before) this.#install(loaded);
      this.#tellIdle();
      return loaded;
    }, (error) => {
      this.#reading--;
      this.#tellIdle();
      throw error;
    });
  }

  #install(loaded: Loaded): void {
    this.#base = loaded;
    this.#now = loaded;
    this.#nowText = undefined;
    this.#version++;
    this.#durable = this.#version;
  }

  #pump(): void {
    if (this.#running && !this.#stalled) return;
    this.#running = true;
    this.#stalled = false;
    this.#loop();
  }

  /**
   * Runs turns until there are no more, or one has to be waited for: whoever is waited for calls it
   * again. Most calls are through before it returns, which no promise could be.
   */
  #loop(): void {
    for (;;) {
      if (this.#overtaken) this.#requeueHeld();
      const message = this.#mailbox.shift();
      if (message === undefined) break;
      if (this.#mustWait(message)) {
        this.#mailbox.unshift(message);
        this.#stalled = true;
        return;
      }
      if (this.#mustLoad(message)) {
        const loading = this.#load(message);
        if (loading instanceof Promise) return void loading.then(() => this.#loop());
      }
      const deciding = this.#begin(message);
      if (deciding !== undefined) {
        this.#flush();
        return void deciding.then(() => this.#loop());
      }
    }
    this.#running = false;
    this.#flush();
    this.#tellIdle();
  }

  /**
   * The write under way may have been done before the message came, and another writer after it: its
   * answer says nothing about what the store holds now (SPEC OB20).
   */
  #mustWait({ freshAfter }: Message): boolean {
    return freshAfter > this.#refreshes && this.#writing && this.#version === this.#sent;
  }

  #mustLoad({ freshAfter }: Message): boolean {
    if (this.#base === undefined) return true;
    // Changes that no write contains yet: the compare-and-set of the next one is the check.
    return freshAfter > this.#refreshes && this.#version === this.#durable && !this.#writing;
  }

  /** Loads what the store holds; a promise if that takes time: the message then comes again. */
  #load(message: Message): Promise<void> | undefined {
    this.#refreshes++;
    const reading = within(message, () => this.#store.readNow(this.key, this.#base));
    if (!(reading instanceof Promise)) return void this.#loaded(reading);
    return reading.then((loaded) => {
      this.#loaded(loaded);
      this.#mailbox.unshift(message);
    }, (error) => {
      // One failure answers everybody who waits; trying again for each would add up their delays.
      this.#fail(message, error);
      for (let next = this.#mailbox.shift(); next; next = this.#mailbox.shift()) {
        this.#fail(next, error);
      }
    });
  }

  #loaded(loaded: Loaded): void {
    const first = this.#base === undefined;
    if (loaded !== this.#base) this.#install(loaded);
    if (first) this.#ports.emit?.({ name: "holdfast.object.activate", ...this.#about });
  }

  /** Runs a turn; a promise only if the turn itself is asynchronous. */
  #begin(message: Message): Promise<void> | undefined {
    message.runs++;
    try {
      const { task, around } = message;
      const now = must(this.#now, "a turn runs on a loaded state");
      const decision = around === undefined ? task.turn(now) : around(() => task.turn(now));
      if (!(decision instanceof Promise)) {
        this.#decided(message, decision);
        return undefined;
      }
      return decision.then(
        (value) => this.#decided(message, value),
        (error) => this.#threw(message, error),
      );
    } catch (error) {
      this.#threw(message, error);
      return undefined;
    }
  }

  #decided(message: Message, decision: Decision<unknown>): void {
    if (this.#overtaken) return this.#hold(message, undefined);
    const refusal = decision.kind === "write" ? this.#refusal() : undefined;
    if (refusal !== undefined) return this.#threw(message, refusal);
    const endsAgain = decision.kind === "end" && this.#now?.ended !== undefined;
    if (decision.kind !== "keep" && !endsAgain) this.#change(decision);
    if (message.early && !message.told) {
      message.told = true;
      message.task.resolve(decision.reply);
    }
    this.#hold(message, decision);
  }

  /** Why nothing may be written over what there is, if that is the case (SPEC OB10, OB18). */
  #refusal(): HoldfastError | undefined {
    const { problem, ended } = must(this.#now, "a decision has a state before it");
    if (ended === undefined) return problem;
    return new HoldfastError("ERR_SESSION_ENDED", "Cannot write: the object has ended");
  }

  #change(decision: Exclude<Decision<unknown>, { kind: "keep" }>): void {
    // Not one more per turn: it is the `rev` of the record that will contain the change.
    const { rev } = must(this.#base, "a decision has something loaded before it");
    const written = decision.kind === "write";
    this.#now = {
      state: written ? decision.state : undefined,
      ended: written ? undefined : this.#ports.clock.now(),
      mark: written ? undefined : decision.mark,
      problem: undefined,
      rev: rev + (this.#writing ? 2 : 1),
      view: undefined,
    };
    this.#nowText = written ? decision.text : undefined;
    this.#version++;
  }

  #threw(message: Message, error: unknown): void {
    if (this.#overtaken) return this.#hold(message, undefined);
    // Not run again after a conflict: that could do what its caller was told has failed.
    if (message.early) return this.#fail(message, error);
    this.#hold(message, new Thrown(error));
  }

  /** Keeps an answer until what it tells of is durable; none if the turn has to be run again. */
  #hold(message: Message, outcome: Message["outcome"]): void {
    message.outcome = outcome;
    message.version = this.#version;
    if (!this.#overtaken && this.#version === this.#durable) this.#answer(message);
    else this.#held.push(message);
  }

  #answer(message: Message): void {
    const { task, outcome } = message;
    if (outcome instanceof Thrown) return task.reject(outcome.error);
    const { effects, reply } = must(outcome, "an answer has an outcome");
    if (effects !== undefined && effects.length > 0) {
      within(message, () => this.#runEffects(effects));
    }
    task.resolve(reply);
  }

  /** Puts what nobody has seen back to the front of the mailbox, in the order it came. */
  #requeueHeld(): void {
    this.#overtaken = false;
    const held = this.#held;
    this.#held = [];
    for (const message of held.reverse()) {
      if (message.runs <= this.#limits.replays) this.#mailbox.unshift(message);
      else {
        const error = new ConflictError("Cannot apply a call: other writers were always first");
        this.#fail(message, error);
      }
    }
  }

  /** Sees to it that what has changed is written. */
  #flush(): void {
    if (this.#writing || this.#overtaken || this.#version === this.#durable) return;
    // It is made for all of those that are held; the first one stands for them.
    if (!this.#store.writesAtOnce) return within(this.#held[0], () => this.#write());
    // Nothing to wait for, so nothing that the calls of this moment would gather behind by themselves.
    if (this.#writesSoon) return;
    this.#writesSoon = true;
    this.#store.soon(this);
  }

  /** Called by the store when the calls of this moment have run. */
  writeNow(): void {
    this.#writesSoon = false;
    if (!this.#writing && !this.#overtaken && this.#version !== this.#durable) this.#write();
  }

  #write(): void {
    this.#writing = true;
    this.#sent = this.#version;
    try {
      const now = must(this.#now, "a change has a state");
      const base = must(this.#base, "a change was made on something loaded");
      const content: Content = {
        stateText: now.state === undefined ? undefined : this.#nowText ?? JSON.stringify(now.state),
        ended: now.ended,
        mark: now.mark,
      };
      if (--this.#looksIn >= 0) this.#send(base, now, content);
      else this.#look(base, now, content);
    } catch (error) {
      this.unwritten(error);
    }
  }

  #send(base: Loaded, { state }: Current, content: Content): void {
    const beside = this.#ports.hooks?.before(this.key, base.state, state);
    if (beside === undefined) return this.#store.write(this.key, base, state, content, this);
    beside.then(() => this.#store.write(this.key, base, state, content, this))
      .catch((error) => this.unwritten(error));
  }

  /** Looks at the store before a write, so that whoever else writes there gets in (SPEC OB26). */
  #look(base: Loaded, now: Current, content: Content): void {
    this.#looksIn = this.#rivalFor > 0 ? looksAfterLoss : looksAfter;
    this.#rivalFor -= this.#looksIn;
    const looked = (found: Loaded): void => {
      if (found === base) this.#send(base, now, content);
      else this.written({ committed: false, loaded: found });
    };
    const found = this.#store.readNow(this.key, base);
    if (!(found instanceof Promise)) return looked(found);
    // What a failed look has not found out the write will.
    found.catch(() => base).then(looked).catch((error) => this.unwritten(error));
  }

  /** Called by the store when a write has come to an end. */
  written({ committed, loaded }: WriteOutcome): void {
    this.#writing = false;
    if (!committed) return void this.#conflicted(loaded);
    const before = must(this.#base, "a write was made over something");
    this.#ports.hooks?.after(this.key, before.state, loaded.state);
    this.#base = loaded;
    this.#durable = this.#sent;
    this.#conflicts = 0;
    this.#openGates();
    const free = this.#held;
    let count = 0;
    while (count < free.length && (free[count]?.version ?? 0) <= this.#sent) count++;
    this.#held = count === free.length ? [] : free.splice(count);
    for (const message of free) this.#answer(message);
    this.#flush();
    this.#wrote();
  }

  /** Called by the store when what became of a write is unknown. */
  unwritten(error: unknown): void {
    this.#writing = false;
    this.#discard(error);
    this.#wrote();
  }

  #wrote(): void {
    if (this.#stalled) this.#pump();
    this.#tellIdle();
  }

  async #conflicted(loaded: Loaded): Promise<void> {
    const calls = this.#held.length;
    this.#ports.emit?.({ name: "holdfast.object.conflict", ...this.#about, calls });
    this.#overtaken = true;
    this.#looksIn = looksAfterLoss;
    this.#rivalFor = rememberedLoss;
    this.#shutGates();
    this.#install(loaded);
    if (++this.#conflicts > 1) await this.#pause(loaded);
    this.#pump();
  }

  /** Waits a little, and looks again: whoever writes without pause has changed what was read before. */
  async #pause(loaded: Loaded): Promise<void> {
    const { clock, random } = this.#ports;
    const delayMs = nextDelay(this.#pausing, this.#conflicts, random.number()) ?? 0;
    await new Promise<void>((done) => void clock.timer(delayMs, done));
    const startedAt = clock.monotonic();
    try {
      const fresh = await this.#store.readNow(this.key, loaded);
      this.#pausing = pausesFor(clock.monotonic() - startedAt);
      if (this.#overtaken && this.#base === loaded && fresh !== loaded) this.#install(fresh);
    } catch {
      // The write that follows finds out.
    }
  }

  /** Storage failed and what it holds is unknown: fail who waits, forget, load again when called. */
  #discard(error: unknown): void {
    const held = this.#held;
    this.#held = [];
    this.#ports.emit?.({
      name: "holdfast.object.discard",
      ...this.#about,
      calls: held.length,
      error,
    });
    this.#base = undefined;
    this.#now = undefined;
    this.#durable = this.#version;
    this.#overtaken = this.#running;
    this.#shutGates();
    for (const message of held) this.#fail(message, error);
    this.#pump();
  }

  #openGates(): void {
    if (this.#gates.length === 0) return;
    const open = this.#gates.filter(({ version }) => version <= this.#durable);
    this.#gates = this.#gates.filter(({ version }) => version > this.#durable);
    for (const { resolve } of open) resolve();
  }

  #shutGates(): void {
    for (const { reject } of this.#gates.splice(0)) reject(overtaken());
  }

  #fail(message: Message, error: unknown): void {
    const { told, outcome } = message;
    const looked = outcome !== undefined && "kind" in outcome && outcome.kind === "keep";
    if (told && !looked) this.#lost = { error };
    message.task.reject(error);
  }

  #runEffects(effects: readonly Effect[]): void {
    runEffects(
      effects,
      (error) =>
        this.#ports.emit?.({ name: "holdfast.object.effect_failed", ...this.#about, error }),
    );
  }

  get #about(): ReturnType<typeof aboutObject> {
    return aboutObject(this.#ports, this.key);
  }

  #tellIdle(): void {
    if (this.#idleWaiters.length === 0 || !this.idle) return;
    for (const tell of this.#idleWaiters.splice(0)) tell();
  }
}

/** How long to pause after conflicts over a store that takes so long to read. */
function pausesFor(readMs: number): RetryPolicy {
  const { firstDelayMs, maxDelayMs } = conflictPause;
  const longestMs = Math.min(maxDelayMs, Math.max(firstDelayMs, longestInReads * readMs));
  return { ...conflictPause, maxDelayMs: longestMs };
}

function mailboxFull(size: number): HoldfastError {
  const message = `Cannot accept a call: ${size} wait`;
  return new HoldfastError("ERR_MAILBOX_FULL", message, { retryable: true });
}

function overtaken(): ConflictError {
  return new ConflictError("Cannot call: another writer was first, and the turn is run again");
}

import { HoldfastError, TooLargeError } from "../core/errors.ts";
import { utf8Length } from "../core/json.ts";
import { nextDelay, type RetryPolicy } from "../core/retry.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { DocumentEvent } from "../ports/telemetry.ts";
import { publish } from "./catch_up.ts";
import type { JoinOptions } from "./client.ts";
import { Outgoing } from "./frame.ts";
import { type Item, Journal } from "./journal.ts";
import { Line } from "./line.ts";
import type { LoadedLog, LogStore } from "./log_store.ts";
import type { Members } from "./members.ts";
import { Memory } from "./memory.ts";
import type { CatchUp } from "./model.ts";
import { Snapshots } from "./snapshots.ts";
import { type ClientMark, type Entry, entryBytes, type Segment } from "./stored.ts";
import type { Submission } from "./submission.ts";
import type { UndoLog } from "./undo.ts";
import { type AnySpec, type Outcome, storable, type Version } from "./version.ts";

// Longer than 400 lines because all of it decides on the private state of one document.

/** How long reading what another node has written is tried. */
const followRetry: RetryPolicy = { tries: Infinity, firstDelayMs: 100, maxDelayMs: 5000 };

/** Pause after repeated conflicts, so that rivals do not collide in step. */
const conflictPause: RetryPolicy = { tries: Infinity, firstDelayMs: 4, maxDelayMs: 200 };

/** What a document stands on. */
export interface DocumentEnv {
  readonly spec: AnySpec;
  readonly id: string;
  readonly key: string;
  readonly log: LogStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly members: Members;
  /** Operations that may wait. */
  readonly mailbox: number;
  readonly newEpoch: () => string;
  tell(event: Omit<DocumentEvent, "ref" | "class">): void;
  /** The log goes up to a number from now on. */
  wrote(seq: number): void;
  /** It cannot go on and must leave memory. */
  over(error: unknown): void;
}

/**
 * A document in memory. Operations run one by one against memory; they are answered, and told to the
 * subscribers, once the log has them. When another node was first, everything that nobody has heard
 * of is run again after what that node has written (SPEC DO2 to DO5).
 */
export class OpenDocument {
  readonly #env: DocumentEnv;
  readonly #journal: Journal;
  readonly #snapshots: Snapshots;
  readonly #memory: Memory;
  readonly #line: Line = new Line();
  #running = false;
  #overtaken = false;
  #following: Promise<void> | undefined;
  #conflicts = 0;
  #over: { readonly error: unknown } | undefined;
  #idleWaiters: (() => void)[] = [];

  /** Use {@linkcode OpenDocument.open}. */
  constructor(env: DocumentEnv, loaded: LoadedLog) {
    this.#env = env;
    this.#memory = new Memory(env.spec, env.log, env.key, loaded);
    const { head, snapshot, segments } = loaded;
    this.#journal = this.#makeJournal(snapshot?.epoch ?? segments[0]?.epoch ?? env.newEpoch());
    const { state } = this.durable;
    const bytes = snapshot === undefined
      ? storable(env.spec, state).bytes
      : utf8Length(JSON.stringify(state));
    this.#snapshots = this.#makeSnapshots(head, snapshot, bytes);
    for (const { entries } of segments) this.#snapshots.wrote(entryBytes(entries));
    if (snapshot !== undefined && snapshot.vsn < env.spec.vsn) void this.#snapshots.take();
  }

  #makeJournal(epoch: string): Journal {
    const { spec, log, clock, random, key, tell } = this.#env;
    return new Journal({
      log,
      clock,
      random,
      key,
      vsn: spec.vsn,
      committed: (items) => this.#committed(items),
      overtaken: (segment) => this.#lostRace(segment),
      failed: (error) => tell({ name: "holdfast.document.store_failed", error }),
      over: (error) => this.end(error),
    }, epoch);
  }

  #makeSnapshots(
    head: LoadedLog["head"],
    snapshot: LoadedLog["snapshot"],
    bytes: number,
  ): Snapshots {
    const { spec, log, clock, key, tell } = this.#env;
    return new Snapshots(
      {
        log,
        clock,
        key,
        spec,
        durable: () => ({ version: this.durable, epoch: this.#journal.epoch }),
        stored: (operations, durationMs) =>
          tell({ name: "holdfast.document.snapshot", operations, durationMs }),
        trimmed: (operations) => tell({ name: "holdfast.document.trim", operations }),
        failed: (error) => tell({ name: "holdfast.document.snapshot_failed", error }),
        over: (error) => this.end(error),
      },
      head,
      snapshot,
      bytes,
    );
  }

  /**
   * Loads a document.
   *
   * @throws {HoldfastError} If it was deleted, cannot be read, or a newer version has written it.
   * @throws {StorageUnavailableError} If storage fails.
   */
  static async open(env: DocumentEnv): Promise<OpenDocument> {
    return new OpenDocument(env, await env.log.load(env.key));
  }

  /** What is durable. */
  get durable(): Version {
    return this.#memory.durable;
  }

  /** Names the log. */
  get epoch(): string {
    return this.#journal.epoch;
  }

  /** The latest snapshot, and how large the document is. */
  get snapshots(): Pick<Snapshots, "seq" | "bytes" | "trimmed"> {
    return this.#snapshots;
  }

  /** Bytes of operations that are not durable. */
  get unsavedBytes(): number {
    return this.#journal.unsavedBytes;
  }

  /** Nothing waits, runs, is held or being written. */
  get idle(): boolean {
    return !this.#running && this.#line.size === 0 && this.#journal.idle &&
      this.#following === undefined;
  }

  /** Resolves once it is idle. */
  whenIdle(): Promise<void> {
    if (this.idle) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Why it is over, if it is. */
  get error(): unknown {
    return this.#over?.error;
  }

  /** Puts something to do into its place. */
  submit(submission: Submission): void {
    const { spec, mailbox } = this.#env;
    if (this.#over !== undefined) return submission.reject(this.#over.error);
    const full = this.#line.size >= mailbox;
    if (full || this.#journal.unsavedBytes > spec.maxUnsavedBytes) {
      const why = full ? `${mailbox} wait` : "storage does not keep up";
      return submission.reject(
        new HoldfastError("ERR_MAILBOX_FULL", `Cannot accept an operation: ${why}`, {
          retryable: true,
        }),
      );
    }
    this.#line.push(submission);
    if (this.#running) return;
    // What is submitted in one turn of the event loop goes into one write, and one frame.
    this.#running = true;
    void Promise.resolve().then(() => this.#loop());
  }

  /** The entry of a client's operation, durable or on its way; a promise if the log has to be read. */
  find(
    client: NonNullable<Entry["client"]>,
    latest: ClientMark,
  ): Entry | Promise<Entry | undefined> {
    return this.#memory.recent.of(client, latest);
  }

  /** Entries between two numbers, the latter included; `undefined` if memory lacks some. */
  between(seq: number, last: number): readonly Entry[] | undefined {
    return this.#memory.recent.between(seq, last);
  }

  /** The steps of actors. */
  undoLog(): Promise<UndoLog> {
    return this.#memory.recent.undoLog(this.#snapshots.trimmed);
  }

  /** Has at hand what somebody who comes back has missed, if that may be less than everything. */
  async reach(since: JoinOptions["since"]): Promise<void> {
    if (since?.epoch === this.epoch) await this.#memory.reach(since.seq, this.#snapshots.bytes);
  }

  /** How somebody at a number of a log gets to what is durable. */
  catchUp(since?: JoinOptions["since"]): CatchUp {
    const seq = since?.epoch === this.epoch ? since.seq : undefined;
    return this.#memory.catchUp(seq, this.#snapshots.bytes);
  }

  /** Reads what other nodes have written, unless a write of our own will find out. */
  async refresh(): Promise<void> {
    if (this.#over !== undefined) throw this.#over.error;
    if (!this.#journal.idle || this.#running) return;
    await (this.#following ??= this.#follow(undefined, false));
  }

  /** Makes a snapshot now if there is anything new. */
  snapshot(): Promise<void> {
    return this.#snapshots.take();
  }

  /** Ends it: whoever waits gets the error, the subscribers are told. */
  end(error: unknown): void {
    if (this.#over !== undefined) return;
    this.#over = { error };
    this.#journal.stop();
    this.#line.fail(error);
    const known = error instanceof HoldfastError;
    this.#env.members.end(known ? error.code : "ERR_CLOSED", known && error.retryable);
    this.#env.over(error);
    this.#tellIdle();
  }

  /** Ends the timers, and waits for a snapshot under way. */
  close(): Promise<void> {
    return this.#snapshots.close();
  }

  /** Runs what is queued; whoever begins it has said that it runs. */
  async #loop(): Promise<void> {
    for (;;) {
      if (this.#following !== undefined) await this.#following;
      if (this.#overtaken) {
        this.#overtaken = false;
        this.#line.again();
      }
      const submission = this.#line.next();
      if (submission === undefined) break;
      const deciding = this.#begin(submission);
      if (deciding !== undefined) {
        this.#journal.flush();
        await deciding;
      }
    }
    this.#running = false;
    this.#journal.flush();
    this.#tellIdle();
  }

  #begin(submission: Submission): Promise<void> | undefined {
    submission.runs++;
    const threw = (error: unknown) => this.#hold(submission, () => submission.reject(error));
    try {
      const outcome = submission.run(this.#memory.version);
      if (!(outcome instanceof Promise)) {
        this.#decided(submission, outcome);
        return undefined;
      }
      return outcome.then((value) => this.#decided(submission, value)).catch(threw);
    } catch (error) {
      threw(error);
      return undefined;
    }
  }

  #decided(submission: Submission, outcome: Outcome): void {
    if (this.#overtaken || this.#over !== undefined) return this.#hold(submission, () => {});
    if ("answer" in outcome) {
      return this.#hold(submission, () => submission.resolve(outcome.answer));
    }
    const { entry, next } = outcome;
    const bytes = utf8Length(JSON.stringify(entry));
    this.#checkSize(bytes, next);
    const item = { entry, after: next, bytes };
    this.#journal.add(item);
    this.#memory.add(item);
    const { seq, op, rectified } = entry;
    this.#hold(submission, () => {
      if (rectified !== undefined && op !== undefined) {
        submission.resolve({ status: "rectified", seq, op });
      } else submission.resolve({ status: "commit", seq });
    });
  }

  /** An upper bound is kept, so that the state is measured only now and then. */
  #checkSize(bytes: number, next: Version): void {
    const { spec } = this.#env;
    if (this.#snapshots.bytes + this.#journal.unsavedBytes + bytes <= spec.maxDocumentBytes) return;
    const exact = storable(spec, next.state).bytes;
    if (exact > spec.maxDocumentBytes) {
      throw new TooLargeError(
        `Cannot apply an operation: document "${spec.name}" would take ${exact} bytes, ` +
          `and at most ${spec.maxDocumentBytes} are allowed`,
      );
    }
    this.#snapshots.measured(exact);
  }

  #hold(submission: Submission, answer: () => void): void {
    if (this.#over !== undefined) return submission.reject(this.#over.error);
    if (!this.#overtaken && this.#memory.settled) return answer();
    this.#line.hold(submission, this.#memory.version.seq, answer);
  }

  #committed(items: readonly Item[]): void {
    const last = items.at(-1);
    if (last === undefined) return;
    const before = this.durable.seq;
    this.#memory.commit(last.after);
    this.#conflicts = 0;
    const entries = items.map(({ entry }) => publish(entry));
    this.#env.members.operations(new Outgoing({ t: "ops", entries }), before);
    this.#line.release(last.after.seq);
    this.#env.wrote(last.after.seq);
    this.#env.tell({ name: "holdfast.document.commit", operations: items.length });
    this.#snapshots.wrote(items.reduce((sum, { bytes }) => sum + bytes, 0));
    this.#tellIdle();
  }

  #lostRace(segment: Segment | undefined): void {
    const operations = this.#line.held;
    this.#env.tell({ name: "holdfast.document.conflict", operations });
    this.#overtaken = true;
    this.#following = this.#follow(segment, true);
    if (this.#running) return;
    this.#running = true;
    void this.#loop();
  }

  /**
   * Takes in what other nodes have written. Never rejects.
   *
   * @param segment What is known of it already.
   * @param raced A write of ours has lost, so there is something.
   */
  async #follow(segment: Segment | undefined, raced: boolean): Promise<void> {
    for (let failed = 1; this.#over === undefined; failed++) {
      try {
        if (raced && segment === undefined) await this.#reload();
        else await this.#readOn(segment);
        break;
      } catch (error) {
        if (error instanceof HoldfastError && !error.retryable) this.end(error);
        else if (raced) await this.#pause(followRetry, failed);
        else break;
      }
    }
    if (raced && this.#over === undefined) await this.#pause(conflictPause, ++this.#conflicts);
    this.#following = undefined;
    this.#tellIdle();
  }

  async #readOn(first: Segment | undefined): Promise<void> {
    const { log, key, members } = this.#env;
    this.#memory.back();
    const next = () => log.segment(key, this.durable.seq + 1);
    // When reading on has failed before, the first is taken in already.
    const known = first?.entries[0]?.seq === this.durable.seq + 1 ? first : undefined;
    for (let segment = known ?? await next(); segment !== undefined; segment = await next()) {
      const before = this.durable.seq;
      // Another log has begun under the same name.
      if (segment.epoch !== this.epoch && before > 0) return await this.#reload();
      this.#journal.epoch = segment.epoch;
      const entries = this.#memory.follow(segment);
      members.operations(new Outgoing({ t: "ops", entries: entries.map(publish) }), before);
      this.#snapshots.wrote(entryBytes(segment.entries));
    }
    this.#journal.confirm();
  }

  /** Begins anew with what storage has. */
  async #reload(): Promise<void> {
    const { log, key, members } = this.#env;
    const loaded = await log.load(key);
    this.#memory.load(loaded);
    this.#journal.epoch = loaded.snapshot?.epoch ?? loaded.segments[0]?.epoch ?? this.epoch;
    this.#journal.confirm();
    members.reset(this.epoch, this.catchUp());
  }

  #pause(policy: RetryPolicy, failed: number): Promise<void> {
    const { clock, random } = this.#env;
    const delayMs = failed === 1 && policy === conflictPause
      ? 0
      : nextDelay(policy, failed, random.number()) ?? 0;
    return delayMs === 0
      ? Promise.resolve()
      : new Promise((resolve) => void clock.timer(delayMs, resolve));
  }

  #tellIdle(): void {
    if (this.idle) { for (const tell of this.#idleWaiters.splice(0)) tell(); }
  }
}

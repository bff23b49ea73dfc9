import { nextDelay } from "../core/retry.ts";
import type { Clock } from "../ports/clock.ts";
import type { Feed, FeedConnection } from "../ports/feed.ts";
import type { Random } from "../ports/random.ts";
import type { SyncStreamEvent } from "../ports/telemetry.ts";
import { Assembler } from "./assemble.ts";
import type { Transaction } from "./change.ts";
import { readFrame, writeStatus } from "./frames.ts";
import { Pgoutput } from "./pgoutput.ts";
import type { Relation } from "./relation.ts";
import { parseSnapshot } from "./snapshot.ts";
import type { Source, SourceHandlers } from "./source.ts";
import type { Table } from "./table.ts";
import type { ReadText } from "./tuple.ts";

/** What a {@linkcode LogStream} stands on. */
export interface LogStreamOptions {
  readonly feed: Feed;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: (event: SyncStreamEvent) => void;
  readonly readText?: ReadText;
  readonly tables: () => Iterable<Table>;
  readonly tableOf: (relation: Relation) => Table | undefined;
  /** Is told when the log says that a table is set up otherwise than it was, for certain or perhaps. */
  readonly suspect?: (table: Table, certain: boolean) => void;
  readonly maxChanges: number;
  /** Milliseconds between two reports to the server. */
  readonly statusEveryMs: number;
}

const RETRY = { tries: Infinity, firstDelayMs: 100, maxDelayMs: 5000 };

/** Silence of so many milliseconds, in which answers were asked for, is the end of a connection. */
const SILENCE_MS = 30_000;

/**
 * So long after the server has sent something it gets a report: now and then (seen on Postgres 17 and
 * 18, a few times in thousands of commits) one arrived only when the server heard from us; why is not
 * known for certain.
 */
const NUDGE_MS = 50;

/**
 * The log of the database as transactions: opens the stream, reads it, tells the server how far it
 * has come, and opens it again when it ends.
 */
export class LogStream implements Source {
  readonly #options: LogStreamOptions;
  readonly #handlers: SourceHandlers;
  readonly #decoder: Pgoutput;
  readonly #abort = new AbortController();
  #assembler: Assembler;
  #connection: FeedConnection | undefined;
  /** The history as the feed calls it. */
  #history = "";
  /** What others know it by. */
  #epoch = "";
  /** Grows when something of a history was lost on our side. */
  #losses = 0;
  #seq = 0;
  /** Everything up to here was handed out. */
  #done = 0n;
  #lastCommit = 0n;
  #lagMs: number | undefined;
  #failures = 0;
  #silentMs = 0;
  #nudge: (() => void) | undefined;
  #paused = false;
  #cancel: (() => void) | undefined;

  constructor(options: LogStreamOptions, handlers: SourceHandlers) {
    [this.#options, this.#handlers] = [options, handlers];
    this.#decoder = new Pgoutput(options.readText);
    this.#assembler = this.#newAssembler();
  }

  /**
   * Milliseconds from the last commit until it was dealt with, by two clocks; 0 when nothing was left
   * to deal with; `undefined` as long as neither was the case.
   */
  get lagMs(): number | undefined {
    return this.#lagMs;
  }

  /** Opens the stream, now and whenever it ends. */
  start(): void {
    void this.#open();
  }

  /** Holds the stream back, and with it the server. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#connection?.pause();
    this.#options.emit({ name: "holdfast.sync.stream", status: "paused" });
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#silentMs = 0;
    this.#connection?.resume();
    this.#options.emit({ name: "holdfast.sync.stream", status: "resumed" });
  }

  /** The log has the rows of every key. */
  cover(): void {}

  uncover(): void {}

  covered(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.#cancel?.();
    this.#nudge?.();
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    // What was handed out need not be sent again.
    this.#report(connection, false);
    await connection.close();
  }

  async #open(): Promise<void> {
    const { feed, emit } = this.#options;
    const { signal } = this.#abort;
    const after = this.#history === "" ? undefined : { epoch: this.#history, lsn: this.#done };
    // What arrives while it is being opened belongs to the stream that is.
    const early: Uint8Array[] = [];
    let connection: FeedConnection | undefined;
    let ended: { readonly error: unknown } | undefined;
    const handlers = {
      message: (bytes: Uint8Array): void => {
        if (connection === undefined) early.push(new Uint8Array(bytes));
        else if (connection === this.#connection) this.#message(bytes);
      },
      ended: (error: unknown): void => {
        ended = { error };
        if (connection !== undefined && connection === this.#connection) this.#ended(error);
      },
    };
    try {
      connection = await feed.open(handlers, after, signal);
    } catch (error) {
      if (!signal.aborted) this.#ended(error);
      return;
    }
    if (signal.aborted) return await connection.close();
    this.#connection = connection;
    emit({ name: "holdfast.sync.stream", status: "opened" });
    this.#begin(connection);
    for (const bytes of early) this.#message(bytes);
    if (ended !== undefined) this.#ended(ended.error);
  }

  #begin(connection: FeedConnection): void {
    this.#assembler = this.#newAssembler();
    this.#silentMs = 0;
    if (this.#paused) connection.pause();
    this.#tick(connection);
    if (connection.epoch === this.#history) return this.#handlers.resumed();
    this.#history = connection.epoch;
    this.#done = connection.from;
    this.#lastCommit = 0n;
    this.#newEpoch(connection.underway);
  }

  #newEpoch(underway?: string): void {
    this.#seq = 0;
    this.#epoch = `${this.#history}#${this.#losses}`;
    const xids = underway === undefined ? [] : [...parseSnapshot(underway).underway];
    const suspects = { each: xids.map((xid) => xid % 2 ** 32) };
    this.#handlers.began({ epoch: this.#epoch, suspects });
  }

  #newAssembler(): Assembler {
    const { tableOf, tables, maxChanges, suspect } = this.#options;
    return new Assembler({ tableOf, tables, maxChanges, ...(suspect && { suspect }) });
  }

  #message(bytes: Uint8Array): void {
    this.#silentMs = 0;
    this.#failures = 0;
    try {
      const frame = readFrame(bytes);
      if (frame.kind === "keepalive") {
        // Idle: everything before is of no interest to us, and need not be kept.
        if (!this.#assembler.within && frame.sentLsn > this.#done) {
          this.#done = frame.sentLsn;
          this.#lagMs = 0;
          this.#soon();
        }
        if (frame.reply && this.#connection !== undefined) this.#report(this.#connection, false);
        return;
      }
      this.#soon();
      const message = this.#decoder.read(bytes, frame.start);
      const transaction = this.#assembler.take(message, bytes);
      if (transaction !== undefined) this.#hand(transaction);
      if (message.kind === "commit") {
        this.#lagMs = Math.max(0, this.#options.clock.now() - message.committedAt);
      }
    } catch (error) {
      this.#damaged(error);
    }
  }

  #hand(transaction: Omit<Transaction, "epoch" | "seq">): void {
    // After a reconnect the server may send again what was dealt with.
    if (transaction.commitLsn <= this.#lastCommit) return;
    this.#lastCommit = transaction.commitLsn;
    this.#handlers.transaction({ ...transaction, epoch: this.#epoch, seq: ++this.#seq });
    this.#done = transaction.endLsn;
  }

  /** A message that cannot be read costs a reload of what it may be about, and not the stream. */
  #damaged(error: unknown): void {
    this.#options.emit({ name: "holdfast.sync.stream", status: "damaged", error });
    if (this.#assembler.damage()) return;
    this.#losses++;
    this.#newEpoch();
  }

  #report(connection: FeedConnection, ask: boolean): void {
    connection.send(writeStatus(this.#done, this.#options.clock.now(), ask));
  }

  /** Lets the server hear of us in a moment. */
  #soon(): void {
    this.#nudge ??= this.#options.clock.timer(NUDGE_MS, () => {
      this.#nudge = undefined;
      if (this.#connection !== undefined) this.#report(this.#connection, false);
    }, { background: true });
  }

  #tick(connection: FeedConnection): void {
    const { clock, statusEveryMs } = this.#options;
    this.#cancel?.();
    this.#cancel = clock.timer(statusEveryMs, () => {
      if (connection !== this.#connection) return;
      if (!this.#paused && (this.#silentMs += statusEveryMs) > SILENCE_MS) {
        void connection.close();
        return this.#ended(new Error("The server has not answered for a while"));
      }
      this.#report(connection, true);
      this.#tick(connection);
    }, { background: true });
  }

  #ended(error: unknown): void {
    const { clock, random, emit } = this.#options;
    this.#connection = undefined;
    this.#cancel?.();
    this.#nudge?.();
    this.#nudge = undefined;
    if (this.#abort.signal.aborted) return;
    emit({ name: "holdfast.sync.stream", status: "ended", error });
    this.#handlers.ended(error);
    // Whoever hears of it may have had enough.
    if (this.#abort.signal.aborted) return;
    const delayMs = nextDelay(RETRY, ++this.#failures, random.number()) ?? RETRY.maxDelayMs;
    this.#cancel = clock.timer(delayMs, () => void this.#open());
  }
}

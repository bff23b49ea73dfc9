import { nextDelay } from "../core/retry.ts";
import type { Clock } from "../ports/clock.ts";
import type { Feed } from "../ports/feed.ts";
import type { TelemetryEvent } from "../ports/telemetry.ts";
import type { Transaction } from "./change.ts";
import type { Channel } from "./channel.ts";
import { Channels } from "./channels.ts";
import type { Host, Loaded, LoadRequest } from "./host.ts";
import type { HubOptions, HubPorts, SyncStatus } from "./hub_ports.ts";
import type { Key } from "./key.ts";
import { LoadQueue } from "./load_queue.ts";
import { LogStream } from "./log_stream.ts";
import { parseLsn } from "./lsn.ts";
import { type AnyWatchOptions, checkKey, type Plan, type PlanContext, planFor } from "./plan.ts";
import { closedError, isSetup, Readiness } from "./readiness.ts";
import type { Receiver } from "./receiver.ts";
import { Ring } from "./ring.ts";
import { invisible, Routes } from "./routes.ts";
import type { Codec } from "./row.ts";
import { ChangeReader } from "./rows.ts";
import { SharedSource } from "./shared_source.ts";
import { parseSnapshot } from "./snapshot.ts";
import { SetupCheck } from "./setup_check.ts";
import type { Beginning, Source, SourceHandlers } from "./source.ts";
import type { Table } from "./table.ts";
import { Tables } from "./tables.ts";
import { Visibility } from "./visibility.ts";
import type { OpenWatch } from "./watch.ts";
import { Xids } from "./xids.ts";

/** So long all are held back for loads that do not end; then nothing is kept for these. */
const PATIENCE_MS = 5000;

const LOAD_RETRY = { tries: Infinity, firstDelayMs: 200, maxDelayMs: 30_000 };

/** Keeps watched values current: one stream of the log, and a channel for each watch and key. */
export class Hub implements Host {
  readonly clock: Clock;
  readonly reader: ChangeReader;
  readonly ring: Ring;
  readonly suspects: Xids = new Xids();
  readonly limits: HubOptions;
  readonly #ports: HubPorts;
  readonly #source: Source;
  readonly #shared: SharedSource | undefined;
  readonly #visibility: Visibility;
  readonly #queue: LoadQueue;
  readonly #routes = new Routes();
  readonly #channels: Channels;
  readonly #setup: SetupCheck;
  readonly #readiness = new Readiness();
  readonly #tables = new Tables();
  readonly #named = new Xids();
  #context: Promise<PlanContext> | undefined;
  #epoch: string | undefined;
  #cancel: (() => void) | undefined;
  #started = false;
  #held = 0;
  #patience: (() => void) | undefined;
  #closed = false;

  constructor(ports: HubPorts, options: HubOptions) {
    const { clock, database } = ports;
    [this.clock, this.limits, this.#ports] = [clock, options, ports];
    this.reader = new ChangeReader(() => database.codec);
    this.ring = new Ring({ transactions: options.ringTransactions, changes: options.ringChanges });
    this.#channels = new Channels(this, clock, options.lingerMs);
    this.#queue = new LoadQueue(options.concurrentLoads);
    this.#visibility = new Visibility({
      snapshot: () => database.snapshot(),
      clock,
      seen: (snapshot) => {
        this.ring.prune(snapshot);
        this.suspects.prune(snapshot);
        this.#named.prune(snapshot);
      },
    });
    this.#setup = new SetupCheck({
      clock,
      everyMs: options.checkEveryMs,
      setup: () => database.setup(),
      changed: (tables) => this.#changed(tables),
    });
    const handlers: SourceHandlers = {
      began: (beginning) => this.#began(beginning),
      resumed: () => this.#resumed(),
      transaction: (transaction) => this.#deliver(transaction),
      ended: (error) => this.#ended(error),
    };
    this.#shared = this.#share(handlers);
    this.#source = this.#shared ?? this.#read(ports.feed, handlers);
  }

  /** Begins to look at the database and to follow its log. */
  start(): void {
    void this.context().catch(() => {});
  }

  /** Looks at the tables again at once. */
  async retry(): Promise<void> {
    await this.#context?.catch(() => {});
    if (this.#started) return await this.#setup.now();
    if (this.#closed) return;
    this.#cancel?.();
    this.#cancel = undefined;
    await this.context().then(() => this.#startAll(), () => {});
  }

  get codec(): Codec {
    return this.#ports.database.codec;
  }

  get epoch(): string | undefined {
    return this.#epoch;
  }

  get live(): boolean {
    return this.#readiness.live;
  }

  get status(): SyncStatus {
    const role = this.#shared?.role;
    const { status } = this.#readiness;
    return role === undefined ? status : { ...status, role };
  }

  /** How far behind the last commit it was, in milliseconds; `undefined` before there was one. */
  get lagMs(): number | undefined {
    return this.#source.lagMs;
  }

  /** Settles when changes are followed; rejects if something has to be set up first. */
  ready(): Promise<void> {
    return this.#readiness.wait();
  }

  /**
   * Opens a watch for one key.
   *
   * @throws {TypeError} If there is no key.
   */
  open(options: AnyWatchOptions, key: Key): OpenWatch<never> {
    if (this.#closed) throw closedError();
    checkKey(key, options.table);
    return this.#channels.open(options, key);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#readiness.close();
    this.#cancel?.();
    this.#visibility.close();
    this.#setup.close();
    this.#channels.close();
    this.#patience?.();
    await this.#source.close();
  }

  context(): Promise<PlanContext> {
    return this.#context ??= this.#describe().catch((error) => {
      this.#context = undefined;
      this.#fail(error);
      throw error;
    });
  }

  plan(options: AnyWatchOptions): Plan {
    return planFor(options, { tables: this.#tables.byAlias, codec: this.codec });
  }

  route(receiver: Receiver, tables: ReadonlySet<Table>, key: string): void {
    this.#routes.add(receiver, tables, key);
    this.#source.cover(tables, key);
  }

  unroute(receiver: Receiver, tables: ReadonlySet<Table>, key: string): void {
    this.#routes.remove(receiver, tables, key);
    this.#source.uncover(tables, key);
  }

  async load({ plan, options, key, urgency, begun }: LoadRequest): Promise<Loaded | undefined> {
    // What it finds has the value loaded: once, not now and then again.
    const tables = [...plan.tables].map(({ info }) => info.alias);
    if (this.#setup.due(tables)) await this.#setup.settled(tables);
    return await this.#queue.run(async () => {
      // From now on whatever happens to the rows of the key arrives here.
      await this.#source.covered();
      // Whoever waited may have gone, or waits with a later one.
      if (!begun()) return undefined;
      const [{ alias: table }, start] = [plan.table.info, this.clock.monotonic()];
      const took = (): number => this.clock.monotonic() - start;
      try {
        const raw = await this.#ports.database.load(plan, options, key);
        const snapshot = parseSnapshot(raw.snapshot);
        this.#visibility.observe(snapshot);
        this.emit({ name: "holdfast.sync.load", table, durationMs: took() });
        const { value, generated } = raw;
        return { value, generated, snapshot, lsn: parseLsn(raw.lsn) };
      } catch (error) {
        this.emit({ name: "holdfast.sync.load", table, durationMs: took(), error });
        throw error;
      }
    }, urgency);
  }

  visible(xids: Xids, which: "all" | "first"): Promise<void> {
    return this.#visibility.until(xids, which);
  }

  held(changes: number): void {
    this.#held += changes;
    const { pauseAtChanges } = this.limits;
    // The server waits with what it has to send, and the socket's buffers with what it has sent.
    if (this.#held >= pauseAtChanges) {
      this.#source.pause();
      this.#patience ??= this.clock.timer(PATIENCE_MS, () => {
        for (const channel of this.#channels) channel.forget();
      }, { background: true });
    } else if (this.#held <= pauseAtChanges / 2) {
      this.#patience?.();
      this.#patience = undefined;
      this.#source.resume();
    }
  }

  retryDelayMs(failures: number): number {
    const chance = this.#ports.random.number();
    return nextDelay(LOAD_RETRY, failures, chance) ?? LOAD_RETRY.maxDelayMs;
  }

  emit(event: TelemetryEvent): void {
    try {
      this.#ports.telemetry?.(event);
    } catch {
      // What telemetry throws is its own affair.
    }
  }

  report(error: unknown): void {
    this.emit({ name: "holdfast.sync.failed", error });
  }

  #read(feed: Feed, handlers: SourceHandlers): LogStream {
    const { clock, random, readText } = this.#ports;
    return new LogStream({
      feed,
      clock,
      random,
      emit: (event) => this.emit(event),
      ...(readText !== undefined && { readText }),
      tables: () => this.#tables,
      tableOf: (relation) => this.#tables.of(relation),
      suspect: ({ info }, certain) => this.#setup.hurry(info.alias, certain),
      maxChanges: this.limits.transactionChanges,
      statusEveryMs: this.limits.statusEveryMs,
    }, handlers);
  }

  #share(handlers: SourceHandlers): SharedSource | undefined {
    const { clock, random, feed, shared } = this.#ports;
    if (shared === undefined) return undefined;
    return new SharedSource({
      ...shared,
      feed,
      clock,
      random,
      emit: (event) => this.emit(event),
      tables: () => this.#tables,
      routes: {
        route: (receiver, tables, key) => this.#routes.add(receiver, tables, key),
        unroute: (receiver, tables, key) => this.#routes.remove(receiver, tables, key),
        invisible: (keys) => invisible(keys, this.ring, this.suspects),
      },
      suspect: (xids) => this.suspects.addAll(xids),
      named: this.#named,
      maxQueued: this.limits.pauseAtChanges,
      read: (feed, handlers) => this.#read(feed, handlers),
    }, handlers);
  }

  async #describe(): Promise<PlanContext> {
    // Asked for first, so that what changes meanwhile is noticed by the next look.
    const setup = await this.#ports.database.setup().catch(() => new Map<string, string>());
    this.#tables.describe(await this.#ports.database.describe());
    if (!this.#started && !this.#closed) {
      this.#started = true;
      // What was the matter so far is put right, but for some tables perhaps.
      this.#readiness.connecting();
      this.#lack();
      this.#source.start();
      this.#setup.start(setup, this.#tables.unready);
    }
    return { tables: this.#tables.byAlias, codec: this.codec };
  }

  /** The tables could not be looked up: now and then it is tried again, and everybody with it. */
  #fail(error: unknown): void {
    if (this.#closed) return;
    this.#readiness.connecting(error);
    this.#cancel ??= this.clock.timer(this.retryDelayMs(5), () => {
      this.#cancel = undefined;
      this.context().then(() => this.#startAll(), () => {});
    });
  }

  /**
   * Tables are set up otherwise than they were: what was not in the log meanwhile is unknown, so their
   * watches load, or are stale until somebody has put it right (SPEC SY38).
   */
  async #changed(changed: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const infos = await this.#ports.database.describe().catch((error) => {
      if (isSetup(error) && !this.#closed) this.#break(error);
      throw error;
    });
    const { ready, lost } = this.#tables.renew(infos, changed);
    if (this.#closed) return new Set();
    this.#lack(lost.size > 0);
    this.#lost([...this.#channels].filter((channel) => channel.uses(lost)));
    if (ready.size > 0) this.#renew([...this.#channels].filter((channel) => channel.uses(ready)));
    return this.#tables.unready;
  }

  /** Says what some tables lack; those of the rest are followed. */
  #lack(news = true): void {
    const { wrong } = this.#tables;
    this.#readiness.mended(wrong);
    if (wrong !== undefined && news) this.report(wrong);
  }

  #break(error: unknown): void {
    this.report(error);
    this.#readiness.broken(error);
    this.#lost([...this.#channels]);
  }

  #lost(channels: readonly Channel[]): void {
    for (const channel of channels) channel.lost();
    this.#flush(channels);
  }

  #startAll(): void {
    for (const channel of this.#channels) void channel.start();
  }

  #began({ epoch, suspects }: Beginning): void {
    this.#epoch = epoch;
    this.ring.clear();
    this.suspects.clear();
    this.suspects.addAll(suspects);
    this.#live("began");
    this.#renew([...this.#channels]);
  }

  /** Has them load. */
  #renew(channels: readonly Channel[]): void {
    // A few load at once; a thousand are spread out.
    const spreadMs = Math.min(this.limits.reloadJitterMs, channels.length * 2);
    for (const channel of channels) channel.renew(this.#ports.random.number() * spreadMs);
  }

  #resumed(): void {
    this.#live("followed");
    if (!this.live) return;
    for (const channel of this.#channels) channel.resumed();
    this.#flush(this.#channels);
  }

  #live(status: "began" | "followed"): void {
    this.emit({ name: "holdfast.sync.stream", status });
    this.#readiness.followed();
  }

  #ended(error: unknown): void {
    if (this.#closed) return;
    this.#readiness.connecting(error);
    this.#lost([...this.#channels]);
  }

  #deliver(transaction: Transaction): void {
    const { changes, overflowed } = transaction;
    if (changes.length === 0 && overflowed.size === 0) return;
    for (const { kind, table } of changes) {
      if (kind === "schema") this.#setup.hurry(table.info.alias);
    }
    this.ring.add(transaction);
    const affected = this.#routes.affected(transaction);
    for (const [receiver, pieces] of affected) receiver.deliver(transaction, pieces);
    // All values first, so that a listener that looks at another one sees the same transaction.
    this.#flush(affected.keys());
    if (this.ring.filling) this.#visibility.probe();
  }

  #flush(receivers: Iterable<Receiver>): void {
    // A listener may open and close others.
    for (const receiver of [...receivers]) receiver.flush();
  }
}

import { encodeBase64url } from "../core/base64url.ts";
import type { Clock } from "../ports/clock.ts";
import type { Cluster, ClusterLink } from "../ports/cluster.ts";
import type { Feed } from "../ports/feed.ts";
import type { Random } from "../ports/random.ts";
import type { SyncRole, SyncRoleEvent } from "../ports/telemetry.ts";
import { Follower } from "./follower.ts";
import { Interest } from "./interest.ts";
import { Leader, type LeaderRoutes } from "./leader.ts";
import { LeaseTaken } from "./lease.ts";
import { type Notice, readNotice, readRequest } from "./shared_wire.ts";
import type { Beginning, Source, SourceHandlers } from "./source.ts";
import type { Table } from "./table.ts";
import type { XidList, Xids } from "./xids.ts";

/** How nodes share one stream of the log. */
export interface SharedPorts {
  readonly cluster: Cluster;
  /** Opens the log for all nodes; fails with {@linkcode LeaseTaken} while another one has it. */
  readonly leaderFeed: Feed;
  /** Names the log: the same on all nodes that read the same, and on no other. */
  readonly log: () => Promise<string>;
}

/** What a {@linkcode SharedSource} stands on. */
export interface SharedOptions extends SharedPorts {
  /** Opens the log for this node alone. */
  readonly feed: Feed;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: (event: SyncRoleEvent) => void;
  readonly tables: () => Iterable<Table>;
  readonly routes: LeaderRoutes;
  readonly suspect: (xids: XidList) => void;
  /** Those that a leader has named with keys it was asked for, as long as queries may not see them. */
  readonly named: Xids;
  readonly maxQueued: number;
  /** Makes a source that reads the log itself. */
  readonly read: (feed: Feed, handlers: SourceHandlers) => Source;
}

/** Between two signs of life of a leader. */
const BEAT_MS = 500;

/** Who has heard or been answered nothing for so long takes the other for gone. */
const SILENCE_MS = 2500;

/** How long who looks for a leader waits for one to answer. */
const ANSWER_MS = 200;

/** How long a leader that cannot be reached is looked for, before a node reads the log for itself. */
const PATIENCE_MS = 5000;

/**
 * One stream of the log for all nodes: the one that has the lease reads it and hands each of the others
 * what it has asked for. A node that can reach no leader reads the log for itself.
 *
 * The lease is the database's to give, and ends with the connection that has it. So there is nothing
 * to agree upon, and who is mistaken about the others only reads the log once more.
 */
export class SharedSource implements Source {
  readonly #options: SharedOptions;
  readonly #handlers: SourceHandlers;
  readonly #address: string;
  #interest: Interest | undefined;
  #log = "";
  #link: ClusterLink | undefined;
  #linked = false;
  #wasLinked = false;
  #role: SyncRole | undefined;
  /** The log as this node reads it for itself. */
  #own: Source | undefined;
  /** The log as it reads it for all, or would like to. */
  #candidate: Source | undefined;
  #leader: Leader | undefined;
  #follower: Follower | undefined;
  #attaching: Follower | undefined;
  #sessions = 0;
  /** Whether a leader has answered who looked around last. */
  #answered = false;
  /** A leader that has other tables: there is no use in asking it again. */
  #refusedBy: string | undefined;
  /** Since when nobody is heard. */
  #seekingSince: number | undefined;
  #paused = false;
  #cancel: (() => void) | undefined;
  readonly #closing = new Set<Promise<void>>();
  #closed = false;

  constructor(options: SharedOptions, handlers: SourceHandlers) {
    [this.#options, this.#handlers] = [options, handlers];
    this.#address = encodeBase64url(options.random.bytes(12));
  }

  /** What this node is at the moment; `undefined` while it looks for its place. */
  get role(): SyncRole | undefined {
    return this.#role;
  }

  get lagMs(): number | undefined {
    return (this.#follower ?? this.#own ?? this.#candidate)?.lagMs;
  }

  start(): void {
    void this.#join();
  }

  pause(): void {
    this.#paused = true;
    for (const source of [this.#own, this.#candidate, this.#follower]) source?.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const source of [this.#own, this.#candidate, this.#follower]) source?.resume();
  }

  cover(tables: Iterable<Table>, key: string): void {
    this.#needed().add(tables, key);
  }

  uncover(tables: Iterable<Table>, key: string): void {
    this.#needed().remove(tables, key);
    void this.#follower?.covered();
  }

  covered(): Promise<void> {
    return this.#follower?.covered() ?? Promise.resolve();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancel?.();
    this.#follower?.leave();
    this.#attaching?.leave();
    this.#release();
    // The lease is given back before others are told that it is to be had.
    await Promise.all(this.#closing);
    await this.#link?.close();
  }

  #needed(): Interest {
    return this.#interest ??= new Interest([...this.#options.tables()]);
  }

  async #join(): Promise<void> {
    const { cluster, log } = this.#options;
    try {
      this.#log = await log();
    } catch (error) {
      if (this.#closed) return;
      this.#handlers.ended(error);
      return this.#after(PATIENCE_MS, () => void this.#join());
    }
    if (this.#closed) return;
    this.#link = cluster.join(this.#address, {
      request: (text) => Promise.resolve(JSON.stringify(this.#answer(text))),
      broadcast: (text) => this.#heard(text),
      linked: (up) => this.#onLinked(up),
    });
    this.#seek();
  }

  #tell(kind: Notice["kind"]): void {
    this.#link?.broadcast(JSON.stringify({ kind, log: this.#log, from: this.#address }));
  }

  #onLinked(up: boolean): void {
    this.#linked = up;
    this.#wasLinked ||= up;
    if (this.#closed) return;
    if (up) this.#tell(this.#leader?.live === true ? "sync.lead" : "sync.seek");
    else this.#follower?.lost(new Error("The link to the other nodes is lost"));
  }

  #answer(text: string): unknown {
    const request = readRequest(text);
    switch (request?.kind) {
      case "sync.attach":
        if (request.log !== this.#log) return { ok: false, why: "not leading" };
        return this.#leader?.attach(request) ?? { ok: false, why: "not leading" };
      case "sync.cover":
        return this.#leader?.cover(request) ?? { ok: false, why: "not leading" };
      case "sync.leave":
        this.#leader?.leave(request.session);
        return { ok: true };
      case "sync.rows": {
        const answer = this.#follower?.take(request);
        return answer?.ok === true ? answer : this.#attaching?.take(request) ?? { ok: false };
      }
      case undefined:
        return { ok: false };
    }
  }

  #heard(text: string): void {
    const notice = readNotice(text);
    if (notice === undefined || notice.log !== this.#log || this.#closed) return;
    const { kind, from } = notice;
    if (kind === "sync.seek") {
      if (this.#leader?.live === true) this.#tell("sync.lead");
    } else if (kind === "sync.lead") {
      this.#answered = true;
      if (this.#role !== "leader" && this.#follower?.leader !== from) void this.#attach(from);
    } else if (this.#follower?.leader === from) {
      this.#follower.lost(new Error("The node that reads the log has stopped"));
    }
  }

  /** Looks for a leader, and for the lease if there is none. */
  #seek(): void {
    this.#seekingSince ??= this.#options.clock.monotonic();
    this.#tell("sync.seek");
    this.#after(ANSWER_MS, () => {
      if (this.#attaching === undefined) this.#apply();
    });
  }

  /** Tries to get the lease. A node that reads the log for itself goes on doing so until it has it. */
  #apply(): void {
    if (this.#closed || this.#candidate !== undefined || this.#follower !== undefined) return;
    const candidate = this.#options.read(this.#options.leaderFeed, {
      began: (beginning) => this.#lead(beginning),
      resumed: () => {
        this.#handlers.resumed();
        this.#leader?.resumed();
        this.#tell("sync.lead");
      },
      transaction: (transaction) => this.#handlers.transaction(transaction),
      ended: (error) => {
        if (error instanceof LeaseTaken) return this.#taken(error);
        this.#leader?.ended();
        if (this.#role !== "alone") this.#handlers.ended(error);
      },
    });
    this.#candidate = candidate;
    if (this.#paused) candidate.pause();
    candidate.start();
  }

  #lead(beginning: Beginning): void {
    const { clock, tables, routes, maxQueued } = this.#options;
    this.#cancel?.();
    this.#end(this.#own);
    this.#own = undefined;
    this.#become("leader");
    this.#handlers.began(beginning);
    this.#leader ??= new Leader({
      link: this.#link!,
      clock,
      tables,
      routes,
      maxQueued,
      lagMs: () => this.#candidate?.lagMs,
      beatEveryMs: BEAT_MS,
      silenceMs: SILENCE_MS,
    });
    this.#leader.began(beginning.epoch);
    this.#tell("sync.lead");
  }

  /** Another node has the lease: it will be heard, or this one goes on by itself. */
  #taken(error: LeaseTaken): void {
    const { clock, random } = this.#options;
    if (this.#role === "leader") this.#handlers.ended(error);
    this.#stepDown();
    if (this.#own !== undefined) return;
    this.#become(undefined);
    const waited = clock.monotonic() - (this.#seekingSince ??= clock.monotonic());
    const cutOff = this.#wasLinked && !this.#linked;
    if (cutOff || waited >= PATIENCE_MS) return this.#goAlone();
    this.#after(ANSWER_MS * (1 + random.number()), () => this.#seek());
  }

  #goAlone(): void {
    const own = this.#options.read(this.#options.feed, {
      ...this.#handlers,
      began: (beginning) => {
        this.#become("alone");
        this.#handlers.began(beginning);
      },
    });
    this.#own = own;
    if (this.#paused) own.pause();
    own.start();
    this.#lookAround();
  }

  /** A leader may be there again, or be another one; or there is none, and the lease is to be had. */
  #lookAround(): void {
    this.#after(PATIENCE_MS, () => {
      this.#answered = false;
      this.#tell("sync.seek");
      this.#after(ANSWER_MS, () => {
        this.#lookAround();
        if (this.#linked && !this.#answered) this.#apply();
      });
    });
  }

  async #attach(leader: string): Promise<void> {
    if (this.#attaching !== undefined || this.#refusedBy === leader) return;
    const { clock, tables, suspect, named } = this.#options;
    const follower: Follower = new Follower(
      {
        link: this.#link!,
        clock,
        address: this.#address,
        log: this.#log,
        tables: [...tables()],
        interest: this.#needed(),
        silenceMs: SILENCE_MS,
        suspect,
        named,
        handlers: this.#handlers,
        admitted: () => this.#admitted(follower),
        over: (error) => this.#lost(follower, error),
      },
      leader,
      `${this.#address}.${++this.#sessions}`,
    );
    this.#attaching = follower;
    const attached = await follower.attach();
    if (this.#attaching === follower) this.#attaching = undefined;
    if (this.#closed || attached === "followed") return;
    // Whoever leads will refuse this one until it is another one.
    if (attached === "refused") this.#refusedBy = leader;
    if (this.#own !== undefined || this.#candidate !== undefined || this.#follower !== undefined) {
      return;
    }
    if (attached === "refused") this.#goAlone();
    else this.#seek();
  }

  /** From now on it is followed, and nothing else. */
  #admitted(follower: Follower): void {
    this.#cancel?.();
    this.#refusedBy = undefined;
    this.#follower?.leave();
    this.#release();
    this.#attaching = undefined;
    this.#follower = follower;
    if (this.#paused) follower.pause();
    this.#become("follower");
  }

  #lost(follower: Follower, error: unknown): void {
    if (this.#follower !== follower) return;
    this.#follower = undefined;
    this.#become(undefined);
    if (this.#closed) return;
    this.#handlers.ended(error);
    this.#seek();
  }

  /** Reads the log no more. */
  #release(): void {
    this.#end(this.#own);
    this.#own = undefined;
    this.#stepDown();
  }

  /** Reads it for others no more; they are told once the lease is to be had. */
  #stepDown(): void {
    const [candidate, leader] = [this.#candidate, this.#leader];
    [this.#candidate, this.#leader] = [undefined, undefined];
    leader?.close();
    this.#end(candidate, leader === undefined ? undefined : () => this.#tell("sync.left"));
  }

  #end(source: Source | undefined, ended?: () => void): void {
    if (source === undefined) return;
    const closing = source.close().catch(() => {}).then(() => {
      ended?.();
      this.#closing.delete(closing);
    });
    this.#closing.add(closing);
  }

  #after(delayMs: number, callback: () => void): void {
    this.#cancel?.();
    this.#cancel = this.#options.clock.timer(delayMs, callback, { background: true });
  }

  #become(role: SyncRole | undefined): void {
    if (this.#role === role) return;
    this.#role = role;
    if (role === undefined) return;
    this.#seekingSince = undefined;
    this.#options.emit({ name: "holdfast.sync.role", role });
  }
}

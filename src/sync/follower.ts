import type { Clock } from "../ports/clock.ts";
import type { ClusterLink, ClusterReply } from "../ports/cluster.ts";
import { type Change, weightOf } from "./change.ts";
import type { Interest } from "./interest.ts";
import {
  type Batch,
  type BatchAnswer,
  ChangeUnpacker,
  type Item,
  type LeaderAnswer,
  readLeaderAnswer,
  type Request,
  unpackPosition,
} from "./shared_wire.ts";
import type { SourceHandlers } from "./source.ts";
import type { Table } from "./table.ts";
import type { XidList, Xids } from "./xids.ts";

/** What a {@linkcode Follower} stands on. */
export interface FollowerPorts {
  readonly link: ClusterLink;
  readonly clock: Clock;
  /** Where this node is. */
  readonly address: string;
  readonly log: string;
  readonly tables: readonly Table[];
  readonly interest: Interest;
  /** Nothing was heard for so long: the leader is gone. */
  readonly silenceMs: number;
  /** Adds transactions that a query which begins now may not see. */
  readonly suspect: (xids: XidList) => void;
  /** Those of them that the leader has named with the keys it was asked for; what queries see leaves them. */
  readonly named: Xids;
  readonly handlers: SourceHandlers;
  /** The leader has let it in; what it reads is told from now on. */
  readonly admitted: () => void;
  /** It follows no more, and is of no use any more. */
  readonly over: (error: unknown) => void;
}

/** How an attempt to follow came out. */
export type Attached = "followed" | "refused" | "failed";

/**
 * Follows what another node reads of the log: asks for the keys that are needed, and hands on what
 * comes, in order and without a gap. Of use once.
 */
export class Follower {
  readonly leader: string;
  readonly #ports: FollowerPorts;
  readonly #prefix: string;
  readonly #unpack: ChangeUnpacker;
  #session: string | undefined;
  #epoch = "";
  /** The history in which the leader has named transactions with keys. */
  #namedIn: string | undefined;
  #next = 0;
  #begun = 0;
  /** Changes of a transaction of which more follows. */
  #partial: Change[] = [];
  #paused = false;
  #lagMs: number | undefined;
  #covers = 0;
  #covering: Promise<void> | undefined;
  #over = false;
  #cancel: (() => void) | undefined;
  #cancelWait: (() => void) | undefined;

  /**
   * @param leader Whom it follows.
   * @param prefix What its session is called: never used before.
   */
  constructor(ports: FollowerPorts, leader: string, prefix: string) {
    [this.#ports, this.leader, this.#prefix] = [ports, leader, prefix];
    this.#unpack = new ChangeUnpacker(ports.tables);
  }

  get lagMs(): number | undefined {
    return this.#lagMs;
  }

  /** Asks to be let in. What is needed by now is asked for as soon as it is. */
  async attach(): Promise<Attached> {
    const { address, log, tables } = this.#ports;
    const wire = tables.map(({ info }) => [info.schema, info.name, info.key] as const);
    const answer = await this.#ask(
      { kind: "sync.attach", log, from: address, session: this.#prefix, tables: wire },
    );
    if (this.#over || answer === undefined) return "failed";
    if (!answer.ok) return answer.why === "other tables" ? "refused" : "failed";
    this.#session = answer.session;
    this.#hear();
    this.#ports.interest.renew();
    this.#ports.admitted();
    this.#begin(answer.epoch, answer.suspects);
    return "followed";
  }

  /** Takes what the leader sends. */
  take(batch: Batch): BatchAnswer {
    const { session, first, items } = batch;
    if (this.#over) return { ok: false };
    if (this.#session === undefined && session.startsWith(`${this.#prefix}.`)) {
      // It is faster than its own answer.
      return { ok: true, next: this.#next, busy: true };
    }
    if (session !== this.#session) return { ok: false };
    this.#hear();
    if (this.#paused) return { ok: true, next: this.#next, busy: true };
    this.#lagMs = batch.lagMs;
    try {
      for (const [i, item] of items.entries()) this.#item(first + i, item);
    } catch (error) {
      this.#end(error);
      return { ok: false };
    }
    return { ok: true, next: this.#next, busy: false };
  }

  /** Settles when what is needed by now has been asked for, or there is nobody to ask any more. */
  async covered(): Promise<void> {
    // What is needed since the one under way began is asked for by the one after it.
    while (!this.#over && this.#ports.interest.changed) {
      await (this.#covering ??= this.#cover().finally(() => this.#covering = undefined));
    }
    await this.#covering;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  /** Goes, without waiting for an answer. */
  leave(): void {
    const { link, silenceMs } = this.#ports;
    const session = this.#session;
    this.#stop();
    if (session === undefined) return;
    void link.request(this.leader, JSON.stringify({ kind: "sync.leave", session }), silenceMs);
  }

  /** The leader has gone. */
  lost(error: unknown): void {
    this.#end(error);
  }

  async #cover(): Promise<void> {
    const { interest, suspect, named } = this.#ports;
    const { add, drop } = interest.take();
    const session = this.#session;
    if (session === undefined) return;
    const answer = await this.#ask(
      { kind: "sync.cover", session, number: ++this.#covers, add, drop },
    );
    if (this.#over) return;
    if (answer?.ok !== true) return this.#end(new Error("The node that reads the log is gone"));
    if (answer.epoch !== this.#namedIn) named.clear();
    this.#namedIn = answer.epoch;
    named.addAll(answer.suspects);
    suspect(answer.suspects);
  }

  async #ask(request: Request): Promise<LeaderAnswer | undefined> {
    const { link, silenceMs } = this.#ports;
    const reply: ClusterReply = await link.request(this.leader, JSON.stringify(request), silenceMs);
    return reply.ok ? readLeaderAnswer(reply.text) : undefined;
  }

  #item(number: number, item: Item): void {
    if (number < this.#next) return;
    // What was dropped for us is before a new beginning.
    if (number > this.#next && item.kind !== "began") {
      throw new Error("Something of what the leader has sent is missing");
    }
    this.#next = number + 1;
    const { handlers } = this.#ports;
    if (item.kind !== "rows") this.#cancelWait?.();
    if (item.kind === "resumed") handlers.resumed();
    else if (item.kind === "ended") this.#wait(new Error("The node that reads the log cannot"));
    else if (item.kind === "began") {
      const { epoch, suspects } = item;
      const { named } = this.#ports;
      // It may have been on its way when keys were asked for: then it does not know of them, and their answer was first.
      if (epoch === this.#namedIn) named.addAll(suspects);
      this.#begin(epoch, epoch === this.#namedIn ? named.list() : suspects);
    } else this.#rows(item);
  }

  #begin(epoch: string, suspects: XidList): void {
    this.#epoch = `${epoch}@${this.#session}#${++this.#begun}`;
    this.#partial = [];
    this.#ports.handlers.began({ epoch: this.#epoch, suspects });
  }

  #rows({ at, changes, overflowed, more }: Extract<Item, { readonly kind: "rows" }>): void {
    for (const wire of changes) {
      const change = this.#unpack.read(wire);
      if (change !== undefined) this.#partial.push(change);
    }
    if (more) return;
    const whole = this.#partial;
    this.#partial = [];
    this.#ports.handlers.transaction({
      ...unpackPosition(at, this.#epoch),
      changes: whole,
      overflowed: new Set(overflowed.map((place) => this.#unpack.table(place))),
      weight: whole.reduce((sum, change) => sum + weightOf(change), 0),
    });
  }

  /** The leader has lost the database; another one may not have. */
  #wait(error: Error): void {
    this.#ports.handlers.ended(error);
    this.#cancelWait = this.#after(error);
  }

  /** The leader is there. */
  #hear(): void {
    this.#cancel?.();
    this.#cancel = this.#after(new Error("The node that reads the log is silent"));
  }

  #after(error: Error): () => void {
    const { clock, silenceMs } = this.#ports;
    return clock.timer(silenceMs, () => this.#end(error), { background: true });
  }

  #end(error: unknown): void {
    if (this.#over) return;
    this.#stop();
    this.#ports.over(error);
  }

  #stop(): void {
    this.#over = true;
    this.#cancel?.();
    this.#cancelWait?.();
  }
}

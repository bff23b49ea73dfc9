import { utf8Length } from "../core/json.ts";
import type { Clock } from "../ports/clock.ts";
import type { ClusterLink } from "../ports/cluster.ts";
import type { Change, Transaction } from "./change.ts";
import type { Receiver } from "./receiver.ts";
import type { Relation } from "./relation.ts";
import {
  type Attach,
  type Cover,
  type Item,
  type LeaderAnswer,
  packChange,
  packColumns,
  packPosition,
  readBatchAnswer,
  type WireKey,
  type WireTable,
} from "./shared_wire.ts";
import type { Table } from "./table.ts";
import type { XidList } from "./xids.ts";

/** What a {@linkcode Leader} stands on. */
export interface LeaderPorts {
  readonly link: ClusterLink;
  readonly clock: Clock;
  /** All watched tables. */
  readonly tables: () => Iterable<Table>;
  readonly routes: LeaderRoutes;
  readonly lagMs: () => number | undefined;
  /** Changes kept for one follower, beyond which it has to load instead. */
  readonly maxQueued: number;
  readonly beatEveryMs: number;
  /** A follower that has not answered for so long is given up. */
  readonly silenceMs: number;
}

/** How followers come by the changes of their keys. */
export interface LeaderRoutes {
  /** Hands changes of these tables and this key to a receiver from now on. */
  route(receiver: Receiver, tables: ReadonlySet<Table>, key: string): void;
  unroute(receiver: Receiver, tables: ReadonlySet<Table>, key: string): void;
  /** Transactions that were handed out, and that a query which begins now may not see. */
  invisible(keys: readonly (readonly [Table, string])[]): XidList;
}

/** A follower that is held back is asked again after so many milliseconds. */
const BUSY_MS = 50;
const RETRY_MS = 100;

/** What so many messages hold is kept for one follower at most, however few changes it is. */
const MAX_QUEUED_MESSAGES = 16;

/** Kept free of a message for what is around its items. */
const ENVELOPE_BYTES = 512;

/** Hands what this node reads of the log to those who follow it, each what it has asked for. */
export class Leader {
  readonly #ports: LeaderPorts;
  readonly #sessions = new Map<string, Session>();
  /** What it reads now; `undefined` while it reads nothing. */
  #epoch: string | undefined;
  #followed = "";
  #count = 0;
  #cancel: (() => void) | undefined;

  constructor(ports: LeaderPorts) {
    this.#ports = ports;
    this.#beat();
  }

  /** Tells whether it reads the log at the moment. */
  get live(): boolean {
    return this.#epoch !== undefined;
  }

  attach({ session: prefix, from, tables: wanted }: Attach): LeaderAnswer {
    if (this.#epoch === undefined) return { ok: false, why: "not leading" };
    const tables = wanted.map((table) => this.#find(table));
    if (!tables.every((table) => table !== undefined)) return { ok: false, why: "other tables" };
    // Never the same twice: a request that comes again begins another one, which nobody follows.
    const name = `${prefix}.${++this.#count}`;
    const session = new Session(this.#ports, {
      name,
      address: from,
      tables,
      over: () => {
        this.#sessions.delete(name);
      },
    });
    this.#sessions.set(name, session);
    return this.#answer(name, { each: [] });
  }

  cover({ session: name, number, add, drop }: Cover): LeaderAnswer {
    const session = this.#sessions.get(name);
    if (session === undefined) return { ok: false, why: "not leading" };
    const suspects = session.cover(number, add, drop);
    if (suspects === undefined) return { ok: false, why: "other tables" };
    return this.#answer(name, suspects);
  }

  leave(session: string): void {
    this.#sessions.get(session)?.close();
  }

  began(epoch: string): void {
    this.#epoch = this.#followed = epoch;
    for (const session of this.#sessions.values()) session.began(epoch);
  }

  resumed(): void {
    this.#epoch = this.#followed;
    for (const session of this.#sessions.values()) session.tell({ kind: "resumed" });
  }

  ended(): void {
    if (this.#epoch === undefined) return;
    this.#epoch = undefined;
    for (const session of this.#sessions.values()) session.tell({ kind: "ended" });
  }

  close(): void {
    this.#cancel?.();
    for (const session of [...this.#sessions.values()]) session.close();
  }

  #find([schema, name, key]: WireTable): Table | undefined {
    for (const table of this.#ports.tables()) {
      const { info } = table;
      if (info.schema === schema && info.name === name && info.key === key) return table;
    }
    return undefined;
  }

  #answer(session: string, suspects: XidList): LeaderAnswer {
    return { ok: true, session, epoch: this.#followed, suspects };
  }

  #beat(): void {
    const { clock, beatEveryMs } = this.#ports;
    this.#cancel = clock.timer(beatEveryMs, () => {
      for (const session of this.#sessions.values()) session.flush();
      this.#beat();
    }, { background: true });
  }
}

interface Queued {
  readonly text: string;
  readonly bytes: number;
  readonly changes: number;
}

interface SessionOptions {
  readonly name: string;
  readonly address: string;
  readonly tables: readonly Table[];
  readonly over: () => void;
}

/** One follower: what it is to hear of, and what it has not confirmed yet. */
class Session implements Receiver {
  readonly #ports: LeaderPorts;
  readonly #options: SessionOptions;
  readonly #places: ReadonlyMap<Table, number>;
  readonly #keys: Map<Table, Set<string>> = new Map();
  readonly #described = new Map<Table, Relation>();
  #covers = 0;
  #epoch = "";
  /** What is not confirmed, in order. */
  #queue: Queued[] = [];
  #queuedChanges = 0;
  #queuedBytes = 0;
  /** Number of the first of them. */
  #first = 0;
  #sending = false;
  #confirmedAt: number;
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(ports: LeaderPorts, options: SessionOptions) {
    [this.#ports, this.#options] = [ports, options];
    this.#places = new Map(options.tables.map((table, place) => [table, place]));
    this.#confirmedAt = ports.clock.monotonic();
  }

  /** Has it hear of some keys and not of others; `undefined` if they are of no table of its. */
  cover(number: number, add: readonly WireKey[], drop: readonly WireKey[]): XidList | undefined {
    const { tables } = this.#options;
    const keys = [...drop, ...add].map(([place, key]) => [tables[place], key] as const);
    if (!keys.every((key): key is readonly [Table, string] => key[0] !== undefined)) {
      return undefined;
    }
    const added = keys.slice(drop.length);
    if (number > this.#covers) {
      this.#covers = number;
      for (const [table, key] of keys.slice(0, drop.length)) this.#unroute(table, key);
      for (const [table, key] of added) this.#route(table, key);
    }
    return this.#ports.routes.invisible(added);
  }

  /** What was before is of no interest, whether it has arrived or not. */
  began(epoch: string): void {
    this.#epoch = epoch;
    this.#described.clear();
    // What is on its way keeps its numbers.
    this.#first += this.#queue.length;
    [this.#queue, this.#queuedChanges, this.#queuedBytes] = [[], 0, 0];
    const keys = [...this.#keys].flatMap(([table, all]) =>
      [...all].map((key) => [table, key] as const)
    );
    this.tell({ kind: "began", epoch, suspects: this.#ports.routes.invisible(keys) });
  }

  /** Tells it something that is no row. */
  tell(item: Item): void {
    this.#add(JSON.stringify(item), 0);
    this.flush();
  }

  deliver(transaction: Transaction, changes: readonly Change[]): void {
    const at = packPosition(transaction);
    const overflowed = new Set([...transaction.overflowed].filter((one) => this.#places.has(one)));
    const parts = this.#parts(changes, overflowed);
    const last = parts.length - 1;
    for (const [i, part] of parts.entries()) {
      const more = i < last;
      const tables = more ? [] : [...overflowed].map((table) => this.#places.get(table)!);
      const text = `{"kind":"rows","at":${JSON.stringify(at)},"changes":[${part.join(",")}],` +
        `"overflowed":${JSON.stringify(tables)},"more":${more}}`;
      this.#add(text, part.length);
    }
    const tooMuch = this.#queuedBytes > MAX_QUEUED_MESSAGES * this.#limit;
    // It does not keep up, and loads what it needs.
    if (tooMuch || this.#queuedChanges > this.#ports.maxQueued) this.began(this.#epoch);
  }

  flush(): void {
    void this.#send();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancel?.();
    for (const [table, keys] of this.#keys) {
      for (const key of keys) this.#ports.routes.unroute(this, new Set([table]), key);
    }
    this.#options.over();
  }

  #route(table: Table, key: string): void {
    const keys = this.#keys.get(table) ?? new Set();
    this.#keys.set(table, keys.add(key));
    this.#ports.routes.route(this, new Set([table]), key);
  }

  #unroute(table: Table, key: string): void {
    if (this.#keys.get(table)?.delete(key) !== true) return;
    this.#ports.routes.unroute(this, new Set([table]), key);
  }

  /** The texts of the changes, in parts that can be carried; what cannot be is loaded instead. */
  #parts(changes: readonly Change[], overflowed: Set<Table>): string[][] {
    const limit = this.#limit / 2;
    const parts: string[][] = [[]];
    let bytes = 0;
    for (const change of changes) {
      const texts = this.#texts(change);
      const size = texts.reduce((sum, text) => sum + utf8Length(text) + 1, 0);
      if (size > limit) {
        overflowed.add(change.table);
        this.#described.delete(change.table);
        continue;
      }
      if (bytes + size > limit) {
        parts.push([]);
        bytes = 0;
      }
      parts.at(-1)!.push(...texts);
      bytes += size;
    }
    return parts;
  }

  #texts(change: Change): string[] {
    const { table } = change;
    const place = this.#places.get(table)!;
    const texts: string[] = [];
    const relation = "relation" in change ? change.relation : table.relation;
    if (
      change.kind !== "truncate" && relation !== undefined &&
      this.#described.get(table) !== relation
    ) {
      this.#described.set(table, relation);
      texts.push(JSON.stringify(packColumns(place, relation)));
    }
    const packed = packChange(place, change);
    if (packed !== undefined) texts.push(JSON.stringify(packed));
    return texts;
  }

  /** Bytes of the items of one message. */
  get #limit(): number {
    return this.#ports.link.maxBytes - ENVELOPE_BYTES;
  }

  #add(text: string, changes: number): void {
    const bytes = utf8Length(text) + 1;
    this.#queue.push({ text, bytes, changes });
    this.#queuedChanges += changes;
    this.#queuedBytes += bytes;
  }

  async #send(): Promise<void> {
    if (this.#sending || this.#closed || this.#cancel !== undefined) return;
    this.#sending = true;
    try {
      do await this.#sendOnce(); while (this.#queue.length > 0 && this.#ready);
    } finally {
      this.#sending = false;
    }
  }

  get #ready(): boolean {
    return !this.#closed && this.#cancel === undefined;
  }

  async #sendOnce(): Promise<void> {
    const { link, clock, silenceMs } = this.#ports;
    const reply = await link.request(this.#options.address, this.#message(), silenceMs / 4);
    if (this.#closed) return;
    const now = clock.monotonic();
    const answer = reply.ok ? readBatchAnswer(reply.text) : undefined;
    if (answer?.ok === false) return this.close();
    if (answer === undefined) {
      if (now - this.#confirmedAt >= silenceMs) return this.close();
      return this.#later(RETRY_MS);
    }
    this.#confirmedAt = now;
    this.#confirm(answer.next);
    if (answer.busy) this.#later(BUSY_MS);
  }

  #message(): string {
    let bytes = 0;
    const items: string[] = [];
    for (const item of this.#queue) {
      if (bytes + item.bytes > this.#limit && items.length > 0) break;
      items.push(item.text);
      bytes += item.bytes;
    }
    const head = { kind: "sync.rows", session: this.#options.name, first: this.#first };
    const lagMs = this.#ports.lagMs();
    const told = JSON.stringify(lagMs === undefined ? head : { ...head, lagMs });
    return `${told.slice(0, -1)},"items":[${items.join(",")}]}`;
  }

  #confirm(next: number): void {
    const done = this.#queue.splice(0, Math.max(0, next - this.#first));
    for (const { changes, bytes } of done) {
      this.#queuedChanges -= changes;
      this.#queuedBytes -= bytes;
    }
    this.#first += done.length;
  }

  #later(delayMs: number): void {
    this.#cancel = this.#ports.clock.timer(delayMs, () => {
      this.#cancel = undefined;
      this.flush();
    }, { background: true });
  }
}

// Longer than 400 lines because all of it decides on the private state of one value: loading, applied to, or waiting.
import { HoldfastError } from "../core/errors.ts";
import { wrongArgument } from "../core/options.ts";
import type { SyncInvalidateEvent } from "../ports/telemetry.ts";
import { type Change, detached, type Position, type Transaction, weightOf } from "./change.ts";
import type { Host, Loaded } from "./host.ts";
import { type Key, keyText } from "./key.ts";
import { type AnyWatchOptions, completed, foreignRow, learned, type Plan } from "./plan.ts";
import { Presenter } from "./presenter.ts";
import type { Receiver } from "./receiver.ts";
import type { Row } from "./row.ts";
import { RowSet } from "./row_set.ts";
import { hasSeen } from "./snapshot.ts";
import type { Table } from "./table.ts";
import { Xids } from "./xids.ts";

/** What one transaction did to the rows of one key. */
interface Piece {
  readonly at: Pick<Position, "xid" | "commitLsn">;
  readonly changes: readonly Change[];
  /** More than was kept. */
  readonly overflowed: boolean;
}

/** A load under way, and what the log has said since it began. */
interface Attempt {
  readonly epoch: string | undefined;
  /** Those that nothing is kept of and that it may not see, as of its turn: a later query may see them sooner. */
  readonly suspects: Xids;
  pieces: Piece[];
  weight: number;
  /** So much has come that it was not kept. */
  overflowed: boolean;
}

type Why = SyncInvalidateEvent["reason"];

/**
 * The value of one watch for one key: loads it without a gap, applies what the log says, and loads it
 * again where that does not suffice. Everybody who watches the same shares it.
 *
 * It is always in one of three states: an attempt to load is under way; it has rows to which changes
 * are applied; or it waits, for visibility or a delay, to load again.
 */
export class Channel implements Receiver {
  readonly presenter: Presenter;
  readonly #options: AnyWatchOptions;
  readonly #key: Key;
  readonly #host: Host;
  #plan: Plan | undefined;
  #keyText: string | undefined;
  #attempt: Attempt | undefined;
  /** The value as changes are applied to it; `undefined` if each change loads it again. */
  #rows: RowSet | undefined;
  /** What the load had seen, until the log has come past it. */
  #fence: Pick<Loaded, "snapshot" | "lsn"> | undefined;
  /** Transactions that the value lacks and only a load can bring. */
  readonly #missing = new Xids();
  #waiting = false;
  #failures = 0;
  #loads = 0;
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(options: AnyWatchOptions, key: Key, host: Host) {
    [this.#options, this.#key, this.#host] = [options, key, host];
    const present = options.onChange as ((value: unknown, info: never) => unknown) | undefined;
    this.presenter = new Presenter(present as never, (error) => host.report(error));
  }

  /** Finds out what it watches, and begins to load. Called again once the tables are known. */
  async start(): Promise<void> {
    if (this.#plan !== undefined) return;
    try {
      await this.#host.context();
      if (this.#closed || this.#plan !== undefined) return;
      this.#resolve();
    } catch (error) {
      this.presenter.fail(error, "loading");
      return this.presenter.flush();
    }
    void this.#load();
  }

  /** Finds out what the tables mean for it as they are by now: a column may have another type. */
  #resolve(): void {
    const plan = this.#host.plan(this.#options);
    const { alias, key, keyType } = plan.table.info;
    const text = keyText(this.#key, keyType);
    if (text === undefined) {
      throw wrongArgument(`Cannot watch "${alias}": its column "${key}" holds no such key`);
    }
    const [known, before] = [this.#plan, this.#keyText];
    [this.#plan, this.#keyText] = [plan, text];
    if (before === text) return;
    this.#host.route(this, plan.tables, text);
    if (known !== undefined) this.#host.unroute(this, known.tables, before!);
  }

  close(): void {
    this.#closed = true;
    this.#drop();
    this.#cancel?.();
    if (this.#plan !== undefined) this.#host.unroute(this, this.#plan.tables, this.#keyText!);
    this.presenter.close();
  }

  flush(): void {
    this.presenter.flush();
  }

  deliver(transaction: Transaction, changes: readonly Change[]): void {
    if (this.#attempt !== undefined) this.#buffer(this.#attempt, transaction, changes);
    else if (!this.#waiting) this.#applyNow(this.#piece(transaction, changes));
    // Else it is left to the load that follows, which sees it or finds it in the ring.
  }

  /** Tells whether it shows something of some tables, or does not know yet what it shows. */
  uses(tables: ReadonlySet<Table>): boolean {
    return this.#plan === undefined || intersects(tables, this.#plan.tables);
  }

  /** A new history has begun: what was between the two is unknown. */
  renew(delayMs: number): void {
    if (this.#plan === undefined) return void this.start();
    this.#missing.clear();
    this.#reload("epoch", delayMs);
  }

  /** The stream goes on where it was. */
  resumed(): void {
    if (this.#live) this.presenter.live();
  }

  /** Nothing is heard any more. */
  lost(): void {
    this.presenter.stale();
  }

  /** All that changes in its tables arrives. */
  get #live(): boolean {
    return this.#host.live && [...this.#plan?.tables ?? []].every(({ ready }) => ready);
  }

  #piece(transaction: Transaction, changes: readonly Change[]): Piece {
    const { xid, commitLsn, overflowed } = transaction;
    const tooMuch = intersects(overflowed, this.#plan!.tables);
    return { at: { xid, commitLsn }, changes, overflowed: tooMuch };
  }

  /** A piece that is kept for a while: nothing of the rest of its transaction is kept with it. */
  #keptPiece(transaction: Transaction, changes: readonly Change[]): Piece {
    // Without rows to apply them to it matters only that there were some, and of what kind.
    const kept = this.#plan!.shape === undefined
      ? changes.filter(({ kind }) => kind === "schema")
      : changes.map(detached);
    return this.#piece(transaction, kept);
  }

  #buffer(attempt: Attempt, transaction: Transaction, changes: readonly Change[]): void {
    if (attempt.overflowed) return;
    const piece = this.#keptPiece(transaction, changes);
    // One without changes takes its place as well.
    const weight = Math.max(1, piece.changes.reduce((sum, change) => sum + weightOf(change), 0));
    attempt.pieces.push(piece);
    attempt.weight += weight;
    this.#host.held(weight);
    if (attempt.weight > this.#host.limits.bufferedChanges) this.forget();
  }

  /** Keeps nothing for a load under way, so that nobody else is held back for it: it will load once more. */
  forget(): void {
    const attempt = this.#attempt;
    if (attempt === undefined || attempt.weight === 0) return;
    attempt.overflowed = true;
    this.#empty(attempt);
  }

  #empty(attempt: Attempt): void {
    this.#host.held(-attempt.weight);
    attempt.pieces = [];
    attempt.weight = 0;
  }

  #applyNow(piece: Piece): void {
    if (this.#knows(piece.at)) return;
    const why = this.#apply(piece);
    if (why === "changed") this.#present(piece.at);
    else if (why !== "same") this.#lacks(piece.at, why);
  }

  /** An order that throws costs this value a load, and no other one anything. */
  #present(at: Piece["at"]): void {
    let value: unknown;
    try {
      value = this.#value();
    } catch (error) {
      this.#host.report(error);
      return this.#lacks(at, "undecodable");
    }
    this.presenter.set(value, "change");
  }

  /** Tells whether the load has seen a transaction: the log may be behind what queries see. */
  #knows(at: Piece["at"]): boolean {
    const fence = this.#fence;
    if (fence === undefined) return false;
    if (hasSeen(fence, at)) return true;
    // The log is in the order of the commits: nothing that follows was there to be seen.
    if (at.commitLsn >= fence.lsn) this.#fence = undefined;
    return false;
  }

  /** Applies a piece to the rows, and tells why it cannot. */
  #apply({ changes, overflowed }: Piece): "same" | "changed" | Why {
    if (overflowed) return "overflow";
    if (changes.some(({ kind }) => kind === "schema")) return "schema";
    if (this.#rows === undefined) return "change";
    try {
      const outcomes = changes.map((change) => this.#rows!.apply(change));
      if (outcomes.includes("reload")) return "change";
      return outcomes.includes("changed") ? "changed" : "same";
    } catch (error) {
      this.#host.report(error);
      return "undecodable";
    }
  }

  #lacks({ xid }: Piece["at"], why: Why): void {
    this.#missing.add(xid);
    this.#reload(why);
  }

  #value(): unknown {
    const value = this.#rows!.value();
    return this.#options.one ? value[0] ?? null : value;
  }

  #reload(why: Why, delayMs = 0): void {
    if (this.#closed || this.#plan === undefined) return;
    this.#host.emit({
      name: "holdfast.sync.invalidate",
      table: this.#plan.table.info.alias,
      reason: why,
    });
    this.#drop();
    this.#later(delayMs);
  }

  #later(delayMs: number): void {
    this.#cancel?.();
    this.#waiting = true;
    if (delayMs === 0) return void this.#load();
    this.#cancel = this.#host.clock.timer(delayMs, () => void this.#load());
  }

  async #load(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#waiting = false;
    this.#loads++;
    const { epoch } = this.#host;
    const suspects = new Xids();
    const attempt: Attempt = { epoch, suspects, pieces: [], weight: 0, overflowed: false };
    this.#attempt = attempt;
    const current = (): boolean => this.#attempt === attempt && !this.#closed;
    try {
      this.#resolve();
    } catch (error) {
      return this.#failed(error);
    }
    const begun = (): boolean => {
      if (!current()) return false;
      // Now that it is our turn: whatever has come before is in the ring, or visible.
      this.#empty(attempt);
      Object.assign(attempt, { overflowed: false, pieces: this.#recent() });
      // Those the ring has dropped, and those that a new stream may lack, are in no piece.
      suspects.clear();
      for (const xids of [this.#host.ring.dropped, this.#host.suspects]) {
        suspects.addAll(xids.list());
      }
      return true;
    };
    const urgency = this.presenter.empty ? "first" : "again";
    try {
      const [plan, options, key] = [this.#plan!, this.#options, this.#key];
      const loaded = await this.#host.load({ plan, options, key, urgency, begun });
      if (loaded !== undefined && current()) this.#accept(attempt, loaded);
    } catch (error) {
      if (current()) this.#failed(error);
    }
  }

  /** What was streamed already and may be invisible to a query that begins now. */
  #recent(): Piece[] {
    const { tables } = this.#plan!;
    return this.#host.ring.transactions.flatMap((transaction) => {
      const changes = transaction.changes.filter((change) => this.#concerns(change));
      const concerned = changes.length > 0 || intersects(transaction.overflowed, tables);
      return concerned ? [this.#keptPiece(transaction, changes)] : [];
    });
  }

  #concerns(change: Change): boolean {
    if (!this.#plan!.tables.has(change.table)) return false;
    if (change.kind === "truncate" || change.kind === "schema") return true;
    const keys = [
      "before" in change && change.before && change.table.keyOf(change.before),
      "after" in change && change.table.keyOf(change.after),
    ];
    return keys.includes(this.#keyText);
  }

  #accept(attempt: Attempt, loaded: Loaded): void {
    const { snapshot } = loaded;
    const { pieces } = attempt;
    this.#adopt(loaded.value, loaded.generated);
    this.#drop();
    this.#failures = 0;
    this.#missing.prune(snapshot);
    const { ring, suspects } = this.#host;
    for (const xids of [attempt.suspects, ring.dropped, suspects]) {
      this.#missing.addUnseen(xids, snapshot);
    }
    this.#fence = { snapshot, lsn: loaded.lsn };
    const live = this.#live;
    if (attempt.epoch !== this.#host.epoch) return this.#reload("epoch");
    if (attempt.overflowed) return this.#reload("overflow");
    const why = this.#catchUp(pieces);
    // A value that lacks a part of what was applied is shown only where there is none yet.
    if (why === undefined) {
      this.presenter.set(this.#rows === undefined ? loaded.value : this.#value(), "load", live);
    } else if (this.presenter.empty) this.presenter.set(loaded.value, "load", live);
    this.presenter.flush();
    if (!this.#missing.empty) void this.#await(why !== undefined);
  }

  /** Applies what the load does not see. */
  #catchUp(pieces: readonly Piece[]): Why | undefined {
    let broken: Why | undefined;
    for (const piece of pieces) {
      if (this.#knows(piece.at)) continue;
      const why = broken ?? this.#apply(piece);
      if (why === "same" || why === "changed") continue;
      this.#missing.add(piece.at.xid);
      if (this.#rows !== undefined) broken = why;
    }
    return broken;
  }

  /**
   * Loads again when queries see what the value lacks: all of it if it is broken, and until then
   * changes wait; else anything, for one of them may keep itself hidden for long (SPEC SY5).
   */
  async #await(broken: boolean): Promise<void> {
    this.#waiting = broken;
    const loads = this.#loads;
    await this.#host.visible(this.#missing, broken ? "all" : "first");
    // Unless something else has had it loaded meanwhile, or is about to.
    if (!this.#closed && loads === this.#loads && this.#cancel === undefined) void this.#load();
  }

  #adopt(value: unknown, generated: boolean): void {
    const { shape, table, blurred } = this.#plan!;
    const { codec, reader } = this.#host;
    const rows = Array.isArray(value)
      ? value
      : value === null || value === undefined
      ? []
      : [value];
    const key = codec.propertyOf(table.info.key);
    const foreign = foreignRow(rows, shape ?? { table, key, nested: [] }, this.#keyText!);
    if (foreign !== undefined) {
      throw new HoldfastError(
        "ERR_FOREIGN_ROW",
        `Cannot watch "${table.info.alias}": its load gave a row of "${foreign}" that belongs to ` +
          "another key; select by the key",
      );
    }
    const known = shape && (generated ? completed(shape, codec) : learned(shape, rows, codec));
    const set = known && new RowSet(rows as readonly Row[], known, reader, this.#keyText!);
    // Where ids do not tell rows apart, as in a join that gives some twice, only a query can.
    this.#rows = blurred || set?.size !== rows.length ? undefined : set;
  }

  /** An attempt is over, whatever came of it. */
  #drop(): void {
    if (this.#attempt !== undefined) this.#empty(this.#attempt);
    this.#attempt = undefined;
  }

  #failed(error: unknown): void {
    this.#drop();
    this.#failures++;
    this.presenter.fail(error, "stale");
    this.presenter.flush();
    this.#later(this.#host.retryDelayMs(this.#failures));
  }
}

function intersects(some: ReadonlySet<Table>, others: ReadonlySet<Table>): boolean {
  if (some.size === 0) return false;
  for (const table of some) if (others.has(table)) return true;
  return false;
}

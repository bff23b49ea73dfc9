import type { Transaction } from "./change.ts";
import { packed } from "./packed.ts";
import { sees, type Snapshot } from "./snapshot.ts";
import { Xids } from "./xids.ts";

/** How much a {@linkcode Ring} keeps. */
export interface RingLimits {
  /** Transactions, 1 or more. */
  readonly transactions: number;
  /** Changes of all of them together, large ones counted more than once. */
  readonly changes: number;
}

/**
 * The transactions that were streamed and that a query may not see yet: the log hands out a commit
 * before it is visible, with synchronous replication long before. What is known to be visible is
 * dropped; what has to make room is remembered by its id (SPEC SY17).
 */
export class Ring {
  readonly #limits: RingLimits;
  #kept: Transaction[] = [];
  #changes = 0;
  readonly #dropped = new Xids();

  constructor(limits: RingLimits) {
    this.#limits = limits;
  }

  /** The transactions it holds, in the order of their commits. */
  get transactions(): readonly Transaction[] {
    return this.#kept;
  }

  /** Ids of those that made room and may still be invisible. */
  get dropped(): Xids {
    return this.#dropped;
  }

  /** It is a quarter full, or more: what queries see by now can go. */
  get filling(): boolean {
    const { transactions, changes } = this.#limits;
    return this.#kept.length >= transactions / 4 || this.#changes >= changes / 4;
  }

  add(transaction: Transaction): void {
    const newest = packed(transaction);
    this.#kept.push(newest);
    this.#changes += transaction.weight;
    const { transactions, changes } = this.#limits;
    if (this.#kept.length <= transactions && this.#changes <= changes) return;
    // A quarter at once: moving all of them for each one that comes would be slow.
    const [fewer, less] = [transactions * 0.75, changes * 0.75];
    let drop = 0;
    while (this.#kept.length - drop > fewer || this.#changes > less) {
      const first = this.#kept[drop];
      if (first === undefined) break;
      this.#changes -= first.weight;
      this.#dropped.add(first.xid);
      // One that is too large to be kept at all has yet to be handed out.
      if (first !== newest) first.hold?.release();
      drop++;
    }
    this.#kept = this.#kept.slice(drop);
  }

  /** Drops what every later query sees. */
  prune(snapshot: Snapshot): void {
    this.#kept = this.#kept.filter(({ xid, hold }) => {
      const seen = sees(snapshot, xid);
      if (seen) hold?.release();
      return !seen;
    });
    this.#changes = this.#kept.reduce((sum, { weight }) => sum + weight, 0);
    this.#dropped.prune(snapshot);
  }

  clear(): void {
    for (const { hold } of this.#kept) hold?.release();
    this.#kept = [];
    this.#changes = 0;
    this.#dropped.clear();
  }
}

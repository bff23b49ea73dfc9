import { sees, type Snapshot, widen } from "./snapshot.ts";

/** The ids of an {@linkcode Xids}, as they are carried to another node. */
export interface XidList {
  readonly each: readonly number[];
  /** Everything up to here as well. */
  readonly upTo?: number;
}

/**
 * Ids of transactions that somebody waits to see. Bounded: when there are too many, it waits for all
 * up to the latest instead.
 */
export class Xids {
  readonly #limit: number;
  readonly #each = new Set<number>();
  /** Everything up to here is waited for. */
  #upTo: number | undefined;

  /** @param limit How many are told apart, 1 or more. */
  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  get empty(): boolean {
    return this.size === 0;
  }

  /** How many are waited for; those that are not told apart count as one. */
  get size(): number {
    return this.#each.size + (this.#upTo === undefined ? 0 : 1);
  }

  /** Takes the 32 bits of an id. */
  add(xid: number): void {
    this.#each.add(xid);
    if (this.#each.size <= this.#limit) return;
    this.#all([...this.#each].reduce((a, b) => widen(b, a) > a ? b : a));
    this.#each.clear();
  }

  /** Takes all of a list. */
  addAll({ each, upTo }: XidList): void {
    for (const xid of each) this.add(xid);
    if (upTo !== undefined) this.#all(upTo);
  }

  /** All of them, as a list. */
  list(): XidList {
    return { each: [...this.#each], ...(this.#upTo !== undefined && { upTo: this.#upTo }) };
  }

  /** Takes those that a snapshot does not see of another collection. */
  addUnseen(xids: Xids, snapshot: Snapshot): void {
    for (const xid of xids.#each) if (!sees(snapshot, xid)) this.add(xid);
    if (xids.#upTo !== undefined && !this.#passed(xids.#upTo, snapshot)) this.#all(xids.#upTo);
  }

  /** Forgets those that a snapshot sees. */
  prune(snapshot: Snapshot): void {
    for (const xid of this.#each) if (sees(snapshot, xid)) this.#each.delete(xid);
    if (this.#upTo !== undefined && this.#passed(this.#upTo, snapshot)) this.#upTo = undefined;
  }

  clear(): void {
    this.#each.clear();
    this.#upTo = undefined;
  }

  /** Waits for everything up to an id. */
  #all(upTo: number): void {
    if (this.#upTo === undefined || widen(upTo, this.#upTo) > this.#upTo) this.#upTo = upTo;
  }

  #passed(xid: number, snapshot: Snapshot): boolean {
    return widen(xid, snapshot.xmin) < snapshot.xmin;
  }
}

import type { Change, Transaction } from "./change.ts";

/** Who hears of the changes of some rows. */
export interface Receiver {
  /** Takes what a transaction did to them. */
  deliver(transaction: Transaction, changes: readonly Change[]): void;
  /** Tells what has come of it, when everybody has taken theirs. */
  flush(): void;
}

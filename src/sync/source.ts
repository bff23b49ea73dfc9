import type { Transaction } from "./change.ts";
import type { Table } from "./table.ts";
import type { XidList } from "./xids.ts";

/** A history of transactions begins. */
export interface Beginning {
  /** Names it; the next one has another name. */
  readonly epoch: string;
  /** Transactions that it may lack: committed before it, and perhaps invisible still. */
  readonly suspects: XidList;
}

/** Who hears of the transactions of a {@linkcode Source}. */
export interface SourceHandlers {
  /** A history begins: nothing is known of what was between it and the one before. */
  began(beginning: Beginning): void;
  /** The history before goes on without a gap. */
  resumed(): void;
  transaction(transaction: Transaction): void;
  /** Nothing is heard any more, or could not be from the start; it is tried again. */
  ended(error: unknown): void;
}

/** Where committed transactions come from. */
export interface Source {
  /** Milliseconds from the last commit until it was dealt with; `undefined` before there was one. */
  readonly lagMs: number | undefined;
  /** Begins, and goes on until it is closed. */
  start(): void;
  /** Holds it back. */
  pause(): void;
  resume(): void;
  /** The rows of a key are needed: once more for each call. */
  cover(tables: Iterable<Table>, key: string): void;
  /** They are not needed any more: once less. */
  uncover(tables: Iterable<Table>, key: string): void;
  /** Settles when all that is needed so far arrives, or nothing does. */
  covered(): Promise<void>;
  close(): Promise<void>;
}

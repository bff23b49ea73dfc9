import type { LogStore } from "./log_store.ts";
import type { Entry } from "./stored.ts";
import { Tail } from "./tail.ts";
import { UndoLog } from "./undo.ts";

/** Entries kept in memory for those who have missed some. */
const tailEntries = 10_000;

/** What memory has of a log: its latest entries, and the steps of actors. */
export class Recent {
  readonly #log: LogStore;
  readonly #key: string;
  readonly #tail: Tail = new Tail(tailEntries);
  #undo: UndoLog = new UndoLog();
  /** The steps before those entries are in it. */
  #complete: Promise<void> | undefined;

  constructor(log: LogStore, key: string) {
    this.#log = log;
    this.#key = key;
  }

  /** Adds entries that come next. */
  push(entries: readonly Entry[]): void {
    this.#tail.push(entries);
    this.#undo.take(entries);
  }

  /** Drops the entries after a number: they have not happened. */
  back(seq: number): void {
    const kept = this.#tail.upTo(seq);
    this.#undo = new UndoLog();
    this.#undo.take(kept);
    this.#complete = undefined;
  }

  /** Forgets everything. */
  clear(): void {
    this.#tail.clear();
    this.back(0);
  }

  /** The entries between two numbers, the latter included; `undefined` if some are gone. */
  between(seq: number, last: number): readonly Entry[] | undefined {
    return this.#tail.between(seq, last);
  }

  /** The entry of a client's operation, if it is still here. */
  of(client: NonNullable<Entry["client"]>): Entry | undefined {
    return this.#tail.of(client);
  }

  /**
   * The steps of actors; those that memory does not have are read when first asked for.
   *
   * @param trimmed The log begins after this number.
   */
  async undoLog(trimmed: number): Promise<UndoLog> {
    await (this.#complete ??= this.#readOlder(trimmed).catch((error) => {
      this.#complete = undefined;
      throw error;
    }));
    return this.#undo;
  }

  async #readOlder(trimmed: number): Promise<void> {
    const first = this.#tail.first ?? Infinity;
    const older: Entry[] = [];
    for await (const { entries } of this.#log.read(this.#key, trimmed + 1)) {
      older.push(...entries.filter(({ seq }) => seq < first));
      if ((entries.at(-1)?.seq ?? 0) >= first) break;
    }
    if (older.length === 0) return;
    const undo = new UndoLog();
    undo.take(older);
    undo.take(this.#tail.upTo(Infinity));
    this.#undo = undo;
  }
}

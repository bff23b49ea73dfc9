import { Former } from "./former.ts";
import type { LogStore } from "./log_store.ts";
import { type ClientMark, type Entry, entryBytes } from "./stored.ts";
import { Tail } from "./tail.ts";
import { Touched } from "./touched.ts";
import { UndoLog } from "./undo.ts";
import { type AnySpec, upToDate } from "./version.ts";

/** What is kept in memory for those who have missed some. */
const tailLimit = { entries: 10_000, bytes: 4_194_304 } as const;

/** What memory has of a log: its latest entries, and the steps of actors. */
export class Recent {
  readonly #spec: AnySpec;
  readonly #log: LogStore;
  readonly #key: string;
  readonly #tail: Tail = new Tail(tailLimit);
  /** The parts that its durable entries have touched. */
  readonly touched: Touched = new Touched();
  #undo: UndoLog = new UndoLog();
  readonly #former: Former;
  /** The steps before those entries are in it. */
  #complete: Promise<void> | undefined;

  /** Another log may have taken the place of the one before. */
  #era = 0;
  /** Entries before those in memory are being read. */
  #reaching: Promise<void> | undefined;

  constructor(spec: AnySpec, log: LogStore, key: string) {
    this.#spec = spec;
    this.#log = log;
    this.#key = key;
    this.#former = new Former(spec, log, key);
  }

  /**
   * Adds entries that come next.
   *
   * @param bytes What they take as JSON.
   */
  push(entries: readonly Entry[], bytes: number): void {
    this.#tail.push(entries, bytes);
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
    this.#era++;
    this.#tail.clear();
    this.touched.forget();
    this.#former.clear();
    this.back(0);
  }

  /** The entries between two numbers, the latter included; `undefined` if some are gone. */
  between(seq: number, last: number): readonly Entry[] | undefined {
    return this.#tail.between(seq, last);
  }

  /**
   * Has the entries after a number in memory, if the log still has them.
   *
   * @param last The last one that is durable.
   * @throws {StorageUnavailableError} If storage fails.
   */
  async reach(seq: number, last: number): Promise<void> {
    // Of many who come back at once the first reads, and most of the others find what they need.
    while (this.#reaching !== undefined) await this.#reaching.catch(() => {});
    const first = this.#tail.first ?? last + 1;
    if (seq + 1 >= first) return;
    this.#reaching = this.#reachFrom(seq + 1, first).finally(() => this.#reaching = undefined);
    await this.#reaching;
  }

  async #reachFrom(from: number, first: number): Promise<void> {
    const era = this.#era;
    const older: Entry[] = [];
    for await (const segment of this.#log.read(this.#key, from)) {
      older.push(...upToDate(this.#spec, segment).entries.filter(({ seq }) => seq < first));
      if ((segment.entries.at(-1)?.seq ?? 0) >= first - 1) break;
    }
    if (era === this.#era) this.#tail.prepend(older, entryBytes(older), first);
  }

  /**
   * The entry of a client's operation: at once if memory has it, else from the log. `undefined` if it was
   * never accepted, or long before the client's latest.
   *
   * @param latest The client's latest operation that was accepted.
   */
  of(
    client: NonNullable<Entry["client"]>,
    latest: ClientMark,
  ): Entry | Promise<Entry | undefined> {
    return this.#tail.of(client) ?? this.#former.find(client, latest);
  }

  /**
   * The steps of actors; those that memory does not have are read when first asked for.
   *
   * @param trimmed The log begins after this number.
   */
  async undoLog(trimmed: number): Promise<UndoLog> {
    for (;;) {
      const era = this.#era;
      const complete = this.#complete ??= this.#readOlder(trimmed);
      try {
        await complete;
      } catch (error) {
        if (this.#complete === complete) this.#complete = undefined;
        if (era === this.#era) throw error;
      }
      // What was read is of a log that is not there any more.
      if (era === this.#era) return this.#undo;
    }
  }

  async #readOlder(trimmed: number): Promise<void> {
    const era = this.#era;
    const all: Entry[] = [];
    for await (const segment of this.#log.read(this.#key, trimmed + 1)) {
      all.push(...upToDate(this.#spec, segment).entries);
      if ((all.at(-1)?.seq ?? 0) >= (this.#tail.first ?? Infinity)) break;
    }
    if (era !== this.#era) return;
    // More of it may have come into memory meanwhile.
    const first = this.#tail.first ?? Infinity;
    const older = all.filter(({ seq }) => seq < first);
    if (older.length === 0) return;
    const undo = new UndoLog();
    undo.take(older);
    undo.take(this.#tail.upTo(Infinity));
    this.#undo = undo;
  }
}

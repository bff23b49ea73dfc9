import type { History } from "./history.ts";

/** What every record says of itself. */
interface Envelope {
  readonly rev: number;
  readonly by: string;
  readonly ended?: number;
}

/** An hour, but for clocks that differ by a minute and are corrected now and then. */
const leastMarkedMs = 55 * 60_000;

/**
 * Watches what is written, record by record: each is one further than the one before and has a name
 * of its own, and nothing follows the mark of a deleted object but its removal.
 */
export class Ledger {
  readonly #history: History;
  readonly #prefix: string;
  readonly #latest: Map<string, Envelope> = new Map();
  readonly #names: Map<string, Set<string>> = new Map();
  /** When an object was marked as deleted, in virtual ms. */
  readonly #deletedAt: Map<string, number> = new Map();
  readonly #elapsed: () => number;
  writes = 0;

  /**
   * @param prefix What the keys of records begin with.
   * @param elapsed Virtual milliseconds since the beginning.
   */
  constructor(history: History, prefix: string, elapsed: () => number) {
    this.#history = history;
    this.#prefix = prefix;
    this.#elapsed = elapsed;
  }

  /** Takes a change of the store in. */
  note(key: string, value: string | undefined): void {
    if (!key.startsWith(this.#prefix)) return;
    const object = key.slice(this.#prefix.length);
    const before = this.#latest.get(object);
    if (value === undefined) this.#removed(object, before);
    else this.#written(object, before, JSON.parse(value) as Envelope);
    this.#history.changed(object, value);
  }

  #written(object: string, before: Envelope | undefined, now: Envelope): void {
    this.writes++;
    const names = this.#names.get(object) ?? new Set();
    this.#names.set(object, names);
    const wrong = (what: string) => this.#history.complain(`${object}: ${what}`);
    if (before?.ended !== undefined) wrong("something was written over the mark of its deletion");
    if (now.rev !== (before?.rev ?? 0) + 1) {
      wrong(`revision ${now.rev} followed ${before?.rev ?? 0}`);
    }
    if (names.has(now.by)) wrong(`two writes have the name ${now.by}`);
    names.add(now.by);
    if (now.ended !== undefined) this.#deletedAt.set(object, this.#elapsed());
    this.#latest.set(object, now);
  }

  #removed(object: string, before: Envelope | undefined): void {
    if (before?.ended === undefined) {
      this.#history.complain(`${object}: its record was removed without a mark of its deletion`);
    }
    const markedMs = this.#elapsed() - (this.#deletedAt.get(object) ?? 0);
    if (before?.ended !== undefined && markedMs < leastMarkedMs) {
      this.#history.complain(
        `${object}: the mark of its deletion was removed after ${markedMs} ms`,
      );
    }
    this.#latest.delete(object);
  }
}

import { StorageUnavailableError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import { newNonce } from "./context.ts";
import { type Alarm, alarmsIn } from "./stored.ts";
import type { WriteHooks } from "./types.ts";

/** How long the mark of a deleted object stays, so that no late write can bring it back. */
export const deletedMs: number = 60 * 60_000;

/** An entry of the index: at a time, look at an object. */
export interface IndexEntry {
  /** Its key in storage. */
  readonly key: string;
  /** When the object is to be looked at, in ms since the epoch. */
  readonly due: number;
  /** The object: its class and its encoded id, joined by `/`. */
  readonly place: string;
  /** Names the alarm it was made for. */
  readonly nonce: string;
  /** When it was made, in ms since the epoch. */
  readonly madeAt: number;
  /**
   * The `rev` of what the turn that set the alarm has seen: the first record with the alarm is that one
   * or the next. `Infinity` if the name does not say.
   */
  readonly seenRev: number;
}

/** What the index stands on. */
export interface IndexPorts {
  readonly namespace: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Writes a key without content. */
  readonly note: (key: string) => Promise<void>;
  /** Deletes a key. */
  readonly erase: (key: string) => Promise<void>;
  /** Told when the first alarm of an object is due, once that is durable. */
  readonly expect: (place: string, at: number) => void;
}

/** The latest time that fits into a key. */
const maxDue = 999_999_999_999_999;

/**
 * What is due when, in keys that sort by time: `<namespace>/alarm/<due>/<class>/<id>/<nonce>`. An
 * entry is written before the record that holds its alarm, and removed after a record without it is
 * durable: a crash can leave an entry too many, never one too few (SPEC AL2). An alarm's entry has a
 * nonce of its own, so that removing it cannot remove the one that replaced it.
 */
export class AlarmIndex implements WriteHooks {
  readonly #ports: IndexPorts;
  readonly #objects: string;
  /** Entries that are being removed. */
  readonly #removals: Set<Promise<void>> = new Set();

  constructor(ports: IndexPorts) {
    this.#ports = ports;
    this.#objects = `${ports.namespace}/object/`;
  }

  /** What all entries begin with. */
  get prefix(): string {
    return indexPrefix(this.#ports.namespace);
  }

  /** Reads the key of an entry; `undefined` if it is none. */
  read(key: string): IndexEntry | undefined {
    return readEntry(this.prefix, key);
  }

  before(
    key: string,
    from: JsonObject | undefined,
    to: JsonObject | undefined,
  ): Promise<void> | undefined {
    // Nearly every write leaves the alarms alone.
    if (to !== undefined && to["alarms"] === from?.["alarms"]) return undefined;
    const { clock } = this.#ports;
    const entries = to === undefined
      ? [this.#key(key, { at: clock.now() + deletedMs, nonce: newNonce(this.#ports) })]
      : missing(to, from).map((alarm) => this.#key(key, alarm));
    return entries.length === 0 ? undefined : this.#note(entries);
  }

  after(key: string, from: JsonObject | undefined, to: JsonObject | undefined): void {
    if (from?.["alarms"] === undefined && to?.["alarms"] === undefined) return;
    for (const alarm of missing(from, to)) this.remove(this.#key(key, alarm));
    const alarms = alarmsIn(to);
    if (alarms.length === 0) return;
    const first = Math.min(...alarms.map(({ at }) => at));
    this.#ports.expect(key.slice(this.#objects.length), first);
  }

  /** Removes an entry in the background; one that stays is found to be too many later. */
  remove(entry: string): void {
    const removal = this.#ports.erase(entry)
      .catch(() => {})
      .finally(() => this.#removals.delete(removal));
    this.#removals.add(removal);
  }

  /** Resolves when no entry is being removed. */
  async settled(): Promise<void> {
    while (this.#removals.size > 0) await Promise.all(this.#removals);
  }

  async #note(entries: readonly string[]): Promise<void> {
    try {
      await Promise.all(entries.map((entry) => this.#ports.note(entry)));
    } catch (cause) {
      // Whatever became of the entry, the record that needs it was not written.
      throw new StorageUnavailableError(
        "Cannot store an alarm: its entry was not written",
        "none",
        {
          cause,
        },
      );
    }
  }

  #key(recordKey: string, { at, nonce }: Pick<Alarm, "at" | "nonce">): string {
    const due = String(Math.min(at, maxDue)).padStart(15, "0");
    return `${this.prefix}${due}/${recordKey.slice(this.#objects.length)}/${nonce}`;
  }
}

/** What all entries of a namespace begin with. */
export function indexPrefix(namespace: string): string {
  return `${namespace}/alarm/`;
}

/** Reads the key of an entry; `undefined` if it is none. */
export function readEntry(prefix: string, key: string): IndexEntry | undefined {
  const parts = key.slice(prefix.length).split("/");
  const [due = "", name, id, nonce = ""] = parts;
  const madeAt = parseInt(nonce, 36);
  if (parts.length !== 4 || !/^\d{15}$/.test(due) || Number.isNaN(madeAt)) return undefined;
  const [, seen, random] = nonce.split(".");
  const seenRev = random === undefined ? Infinity : parseInt(seen ?? "", 36);
  return { key, due: Number(due), place: `${name}/${id}`, nonce, madeAt, seenRev };
}

/** The alarms of one state that the other does not have. */
function missing(of: JsonObject | undefined, other: JsonObject | undefined): readonly Alarm[] {
  if (of?.["alarms"] === other?.["alarms"]) return [];
  const known = new Set(alarmsIn(other).map(({ nonce }) => nonce));
  return alarmsIn(of).filter(({ nonce }) => !known.has(nonce));
}

import { catchUp } from "./catch_up.ts";
import type { Item } from "./journal.ts";
import type { LoadedLog, LogStore } from "./log_store.ts";
import type { CatchUp } from "./model.ts";
import { Recent } from "./recent.ts";
import { type Entry, entryBytes, type Segment } from "./stored.ts";
import {
  type AnySpec,
  emptyVersion,
  type Replay,
  replayOf,
  upToDate,
  type Version,
  versionOf,
} from "./version.ts";

/** A document of less is sent whole, rather than what was missed be read from the log. */
const wholeBytes = 16_384;

/** More operations are not read from the log for somebody who comes back: each may be a request. */
const mostReadBack = 500;

/** What memory has of a document: what is durable, what the next operation sees, and the way there. */
export class Memory {
  readonly recent: Recent;
  readonly #spec: AnySpec;
  #durable: Version;
  #version: Version;

  constructor(spec: AnySpec, log: LogStore, key: string, loaded: LoadedLog) {
    this.#spec = spec;
    this.recent = new Recent(spec, log, key);
    this.#durable = this.#version = this.#replayed(loaded);
  }

  /** What is durable. */
  get durable(): Version {
    return this.#durable;
  }

  /** What the next operation sees; ahead of `durable` while something is not. */
  get version(): Version {
    return this.#version;
  }

  /** Everything that was done is durable. */
  get settled(): boolean {
    return this.#version.seq === this.#durable.seq;
  }

  /** Begins anew with what storage has. */
  load(loaded: LoadedLog): void {
    this.recent.clear();
    this.#durable = this.#version = this.#replayed(loaded);
  }

  /** Adds an operation that is not durable yet. */
  add({ entry, after, bytes }: Item): void {
    this.#version = after;
    this.recent.push([entry], bytes);
  }

  /** A version is durable. */
  commit(version: Version): void {
    this.#durable = version;
  }

  /** Back to what is durable: what was ahead of it has not happened. */
  back(): void {
    if (this.#version === this.#durable) return;
    this.#version = this.#durable;
    this.recent.back(this.#durable.seq);
  }

  /**
   * Takes in what another node has written; nothing may be ahead of what is durable.
   *
   * @returns Its entries, in the shape of today.
   */
  follow(segment: Segment): readonly Entry[] {
    const now = upToDate(this.#spec, segment);
    this.#durable = this.#version = this.#take(this.#durable, now, replayOf(this.#spec));
    return now.entries;
  }

  /**
   * Has at hand what somebody at a number has missed, where that may be less than everything.
   *
   * @param bytes How large everything is.
   * @throws {StorageUnavailableError} If storage fails.
   */
  async reach(seq: number, bytes: number): Promise<void> {
    const { durable } = this;
    const isOfUse = Number.isSafeInteger(seq) && seq >= 0 && seq < durable.seq;
    if (!isOfUse || bytes < wholeBytes || durable.seq - seq > mostReadBack) return;
    await this.recent.reach(seq, durable.seq);
  }

  /** How somebody at a number of this log gets to what is durable. */
  catchUp(seq: number | undefined, bytes: number): CatchUp {
    const { durable } = this;
    const { touched } = this.recent;
    const present = { spec: this.#spec, state: durable.state, seq: durable.seq, bytes, touched };
    return catchUp(present, seq === undefined ? seq : this.recent.between(seq, durable.seq));
  }

  #replayed({ snapshot, segments }: LoadedLog): Version {
    const spec = this.#spec;
    let version = snapshot === undefined ? emptyVersion(spec) : versionOf(spec, snapshot);
    const replay = replayOf(spec);
    for (const segment of segments) version = this.#take(version, segment, replay);
    return version;
  }

  #take(version: Version, segment: Segment, replay: Replay): Version {
    const now = upToDate(this.#spec, segment);
    const next = replay(version, now);
    this.recent.push(now.entries, entryBytes(now.entries));
    return next;
  }
}

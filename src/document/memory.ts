import { catchUp } from "./catch_up.ts";
import type { LoadedLog, LogStore } from "./log_store.ts";
import type { CatchUp } from "./model.ts";
import { Recent } from "./recent.ts";
import type { Entry, Segment } from "./stored.ts";
import { type AnySpec, emptyVersion, replay, type Version, versionOf } from "./version.ts";

/** What memory has of a document: what is durable, what the next operation sees, and the way there. */
export class Memory {
  readonly recent: Recent;
  readonly #spec: AnySpec;
  #durable: Version;
  #version: Version;

  constructor(spec: AnySpec, log: LogStore, key: string, loaded: LoadedLog) {
    this.#spec = spec;
    this.recent = new Recent(log, key);
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
  add(entry: Entry, next: Version): void {
    this.#version = next;
    this.recent.push([entry]);
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

  /** Takes in what another node has written; nothing may be ahead of what is durable. */
  follow(segment: Segment): void {
    this.#durable = this.#version = this.#take(this.#durable, segment);
  }

  /** How somebody at a number of this log gets to what is durable. */
  catchUp(seq: number | undefined, bytes: number): CatchUp {
    const { durable } = this;
    const present = { spec: this.#spec, state: durable.state, seq: durable.seq, bytes };
    return catchUp(present, seq === undefined ? seq : this.recent.between(seq, durable.seq));
  }

  #replayed({ snapshot, segments }: LoadedLog): Version {
    const spec = this.#spec;
    let version = snapshot === undefined ? emptyVersion(spec) : versionOf(spec, snapshot);
    for (const segment of segments) version = this.#take(version, segment);
    return version;
  }

  #take(version: Version, segment: Segment): Version {
    const next = replay(this.#spec, version, segment);
    this.recent.push(segment.entries);
    return next;
  }
}

import { HoldfastError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { absent, type Content, type Loaded } from "../object/record.ts";
import type { RecordStore, WriteOutcome } from "../object/store.ts";
import {
  asideKey,
  baseKey,
  corrupt,
  headKey,
  readSegment,
  readSnapshot,
  type Segment,
  segmentKey,
  type Snapshot,
  storeSegment,
  storeSnapshot,
} from "./stored.ts";

/** Segments read at the same time. */
const parallelReads = 16;

/** No segment has more entries, so none that begins further back has a given one. */
const longestSegment = 1000;

/** How often loading begins again because another node has trimmed what it was reading. */
const triesToLoad = 5;

/** A document as storage has it. */
export interface LoadedLog {
  /** The record of the snapshot, to be replaced by the next one. */
  readonly head: Loaded;
  readonly snapshot: Snapshot | undefined;
  /** What comes after the snapshot, without a gap. */
  readonly segments: readonly Segment[];
}

/** What became of appending. */
export type Appended =
  | { readonly ok: true }
  /** Another node has written here. */
  | { readonly ok: false; readonly segment: Segment };

/**
 * The log and the snapshots of documents. A segment has the number of its first entry as its name
 * and is created, never replaced: of two nodes that append at the same place one is first, and the
 * other finds out (SPEC DO7).
 */
export class LogStore {
  readonly #store: RecordStore;

  constructor(store: RecordStore) {
    this.#store = store;
  }

  /**
   * Reads a document.
   *
   * @throws {HoldfastError} `ERR_DELETED`, `ERR_CORRUPT_RECORD`, `ERR_NEWER_VERSION`.
   * @throws {StorageUnavailableError} If storage fails.
   */
  async load(key: string): Promise<LoadedLog> {
    for (let tries = 0; tries < triesToLoad; tries++) {
      const head = await this.#store.read(headKey(key));
      const snapshot = snapshotOf(head);
      const segments = await this.#segments(key, (snapshot?.seq ?? 0) + 1);
      if (segments !== undefined) return { head, snapshot, segments };
    }
    throw corrupt("log");
  }

  #write(
    key: string,
    over: Loaded,
    state: Loaded["state"],
    content: Content,
  ): Promise<WriteOutcome> {
    return new Promise((written, unwritten) =>
      this.#store.write(key, over, state, content, { written, unwritten })
    );
  }

  /** Reads the entries from a number on; `undefined` if there is a gap. */
  async #segments(key: string, from: number): Promise<readonly Segment[] | undefined> {
    const segments: Segment[] = [];
    let next = from;
    for await (const page of this.#pages(key, from)) {
      for (const { number, segment } of page) {
        if (number !== next) return undefined;
        segments.push(segment);
        next += segment.entries.length;
      }
    }
    return segments;
  }

  async *#pages(
    key: string,
    from: number,
  ): AsyncGenerator<readonly { number: number; segment: Segment }[]> {
    const prefix = `${key}/log/`;
    let after = segmentKey(key, from - 1);
    for (;;) {
      const keys = await this.#store.list(prefix, { after, limit: 1000 });
      for (let index = 0; index < keys.length; index += parallelReads) {
        const some = keys.slice(index, index + parallelReads);
        const page = await Promise.all(some.map(async (name) => {
          const number = Number(name.slice(prefix.length));
          const segment = await this.segment(key, number);
          return segment === undefined ? [] : [{ number, segment }];
        }));
        yield page.flat();
      }
      const last = keys.at(-1);
      if (last === undefined || keys.length < 1000) return;
      after = last;
    }
  }

  /**
   * Reads the segments from the one with a number on, oldest first, as far as there are any.
   *
   * @param from The number; entries before it are left out.
   */
  async *read(key: string, from: number): AsyncGenerator<Segment> {
    for await (const page of this.#pages(key, await this.#beginOf(key, from))) {
      for (const { segment } of page) {
        const entries = segment.entries.filter(({ seq }) => seq >= from);
        if (entries.length > 0 || segment.deleted !== undefined) yield { ...segment, entries };
      }
    }
  }

  /** Where the segment with a number begins: it has the name of its first entry. */
  async #beginOf(key: string, from: number): Promise<number> {
    if (from <= 1) return 1;
    const prefix = `${key}/log/`;
    const after = segmentKey(key, Math.max(0, from - longestSegment));
    const names = await this.#store.list(prefix, { after, limit: longestSegment });
    const begins = names.map((name) => Number(name.slice(prefix.length)));
    return begins.findLast((number) => number <= from) ?? from;
  }

  /** Reads the segment that begins with a number; `undefined` if there is none. */
  async segment(key: string, from: number): Promise<Segment | undefined> {
    return segmentOf(await this.#store.read(segmentKey(key, from)), from);
  }

  /** Reads the snapshot that is there now. */
  async snapshot(key: string): Promise<{ head: Loaded; snapshot: Snapshot | undefined }> {
    const head = await this.#store.read(headKey(key));
    return { head, snapshot: snapshotOf(head) };
  }

  /** Reads the snapshot that the kept log begins with; `undefined` if it begins with nothing. */
  async base(key: string): Promise<Snapshot | undefined> {
    return snapshotOf(await this.#store.read(baseKey(key)));
  }

  /**
   * Appends a segment, unless there is one at its place. May be repeated with the same segment after
   * it has failed: whether an earlier try has landed is found out.
   *
   * @throws {StorageUnavailableError} If storage fails; the segment may have been written.
   */
  async append(key: string, from: number, segment: Segment): Promise<Appended> {
    const state = storeSegment(segment);
    const stateText = JSON.stringify(state);
    const place = segmentKey(key, from);
    const content = { stateText, ended: undefined };
    const outcome = await this.#write(place, absent, state, content);
    if (outcome.committed || this.#isOurs(outcome.loaded, stateText)) return { ok: true };
    const rival = segmentOf(outcome.loaded, from);
    // Removed since: what it was is in a snapshot by now.
    return rival === undefined ? { ok: false, segment: overtaken } : { ok: false, segment: rival };
  }

  /** Whether an earlier try of the very same write has landed. */
  #isOurs({ by, state }: Loaded, stateText: string): boolean {
    return this.#store.wrote(by) && JSON.stringify(state) === stateText;
  }

  /**
   * Replaces the snapshot.
   *
   * @param over The record it was made after.
   * @returns The new record, or the one that another node has put there.
   */
  async store(key: string, over: Loaded, snapshot: Snapshot): Promise<Loaded> {
    const state = storeSnapshot(snapshot);
    const content = { stateText: JSON.stringify(state), ended: undefined };
    return (await this.#write(headKey(key), over, state, content)).loaded;
  }

  /** Puts the latest snapshot aside, if it still is of a number. */
  async putAside(key: string, seq: number): Promise<boolean> {
    const { head, snapshot } = await this.snapshot(key);
    if (snapshot?.seq !== seq || head.state === undefined) return false;
    await this.#replace(asideKey(key), head.state);
    return true;
  }

  /**
   * Makes the snapshot that was put aside the one that the kept log begins with, then removes what is
   * before it.
   *
   * @returns Its number; `undefined` if there is none.
   */
  async cut(key: string): Promise<number | undefined> {
    const aside = await this.#store.read(asideKey(key));
    const snapshot = snapshotOf(aside);
    if (snapshot === undefined || aside.state === undefined) return undefined;
    await this.#replace(baseKey(key), aside.state);
    await this.removeBefore(key, snapshot.seq + 1);
    await this.#store.erase(asideKey(key));
    return snapshot.seq;
  }

  /** Writes a snapshot over an older one; nobody else's matters, they are all true. */
  async #replace(place: string, state: JsonObject): Promise<void> {
    const before = await this.#store.read(place);
    if ((snapshotOf(before)?.seq ?? -1) >= readSnapshot(state).seq) return;
    const content = { stateText: JSON.stringify(state), ended: undefined };
    await this.#write(place, before, state, content);
  }

  /** Removes a segment that nobody will read. */
  async remove(key: string, from: number): Promise<void> {
    await this.#store.erase(segmentKey(key, from));
  }

  /** Marks the document as deleted for good, then removes its log. */
  async end(key: string, at: number): Promise<void> {
    for (;;) {
      const head = await this.#store.read(headKey(key));
      if (head.ended !== undefined) break;
      const content = { stateText: undefined, ended: at };
      if ((await this.#write(headKey(key), head, undefined, content)).committed) break;
    }
    await this.#store.erase(baseKey(key));
    await this.#store.erase(asideKey(key));
  }

  /** Removes the segments that begin before a number. */
  async removeBefore(key: string, seq: number): Promise<void> {
    const before = segmentKey(key, seq);
    const prefix = `${key}/log/`;
    for (;;) {
      const keys = await this.#store.list(prefix, { limit: 1000 });
      const old = keys.filter((name) => name < before);
      for (const name of old) await this.#store.erase(name);
      if (old.length < keys.length || keys.length < 1000) return;
    }
  }
}

/** Stands for a segment that was there and is in a snapshot now. */
const overtaken: Segment = { vsn: 0, epoch: "", entries: [] };

function segmentOf({ state, problem }: Loaded, from: number): Segment | undefined {
  if (problem !== undefined) throw problem;
  return state === undefined ? undefined : readSegment(state as JsonObject, from);
}

function snapshotOf({ state, ended, problem }: Loaded): Snapshot | undefined {
  if (problem !== undefined) throw problem;
  if (ended !== undefined) {
    throw new HoldfastError("ERR_DELETED", "Cannot use a document: it was deleted");
  }
  return state === undefined ? undefined : readSnapshot(state);
}

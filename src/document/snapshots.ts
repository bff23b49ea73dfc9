import type { Loaded } from "../object/record.ts";
import type { Clock } from "../ports/clock.ts";
import type { LogStore } from "./log_store.ts";
import { retention } from "./retention.ts";
import { readSnapshot, type Snapshot } from "./stored.ts";
import { type AnySpec, newer, storable, type Version } from "./version.ts";

/** Operations after a snapshot, and segments of them, that loading should not have to read. */
const maxSegments = 256;

/** Below this the operations may outgrow the snapshot: a small document would have no other. */
const leastBytes = 65_536;

/** When one that failed is tried again where there is no interval. */
const againMs = 60_000;

/** What snapshots are made with, and who is told. */
export interface SnapshotPorts {
  readonly log: LogStore;
  readonly clock: Clock;
  readonly key: string;
  readonly spec: AnySpec;
  /** The durable state and the name of the log. */
  durable(): { readonly version: Version; readonly epoch: string };
  stored(operations: number, durationMs: number): void;
  trimmed(operations: number): void;
  failed(error: unknown): void;
  over(error: unknown): void;
}

/**
 * Snapshots of one document: they shorten what loading has to read and hold nothing that the log
 * does not, so one that fails is only tried again (SPEC DO8).
 */
export class Snapshots {
  readonly #ports: SnapshotPorts;
  #head: Loaded;
  #last: Pick<Snapshot, "seq" | "trimmed" | "aside" | "vsn">;
  #bytes = 0;
  #bytesSince = 0;
  #segmentsSince = 0;
  #underWay: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(ports: SnapshotPorts, head: Loaded, snapshot: Snapshot | undefined, bytes: number) {
    this.#ports = ports;
    this.#head = head;
    this.#last = snapshot ?? { seq: 0, trimmed: 0, vsn: ports.spec.vsn };
    this.#bytes = bytes;
  }

  /** Number of the last operation in the snapshot. */
  get seq(): number {
    return this.#last.seq;
  }

  /** The log begins after this number. */
  get trimmed(): number {
    return this.#last.trimmed;
  }

  /** No less than the document takes as JSON. */
  get bytes(): number {
    return this.#bytes + this.#bytesSince;
  }

  /** Takes in how large the state was found to be. */
  measured(bytes: number): void {
    this.#bytes = bytes;
    this.#bytesSince = 0;
  }

  /** Counts a write of the log, and makes a snapshot when it is time for one. */
  wrote(bytes: number): void {
    this.#bytesSince += bytes;
    this.#segmentsSince++;
    const { spec, durable } = this.#ports;
    const operations = durable().version.seq - this.#last.seq;
    const outgrown = this.#bytesSince > Math.max(this.#bytes, leastBytes);
    if (outgrown || operations >= spec.snapshotOps || this.#segmentsSince >= maxSegments) {
      void this.take();
    } else if (spec.snapshotIntervalMs !== null) this.#takeIn(spec.snapshotIntervalMs);
  }

  /** Makes a snapshot of what is durable, unless it is of that already. Never rejects. */
  take(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    return this.#underWay ??= this.#take().finally(() => this.#underWay = undefined);
  }

  /** Ends the timer, and waits for what is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#underWay;
  }

  async #take(): Promise<void> {
    const { version, epoch } = this.#ports.durable();
    // Older data is written back in its new shape, once.
    const upToDate = version.seq === this.#last.seq && this.#last.vsn === this.#ports.spec.vsn;
    if (upToDate || this.#closed) return;
    try {
      await this.#store(version, epoch);
    } catch (error) {
      this.#ports.failed(error);
      this.#takeIn(this.#ports.spec.snapshotIntervalMs ?? againMs);
    }
  }

  #takeIn(ms: number): void {
    if (this.#closed) return;
    this.#cancel ??= this.#ports.clock.timer(ms, () => void this.take(), { background: true });
  }

  async #store({ state, seq, clients }: Version, epoch: string): Promise<void> {
    const { log, clock, key, spec } = this.#ports;
    const began = clock.monotonic();
    const { value, bytes } = storable(spec, state);
    const kept = await this.#retain(seq);
    const snapshot = { vsn: spec.vsn, epoch, seq, state: value, clients: clients.marks };
    const head = await log.store(key, this.#head, { ...snapshot, ...kept, at: clock.now() });
    this.#head = head;
    const there = head.state === undefined ? undefined : readSnapshot(head.state);
    if (there === undefined) return;
    if (there.vsn > spec.vsn) return this.#ports.over(newer(spec, there.vsn));
    const operations = there.seq - this.#last.seq;
    const cut = kept.trimmed > this.#last.trimmed;
    this.#last = there;
    // Another node's is as good, and the next one is made after it.
    if (there.seq !== seq) return;
    this.measured(bytes);
    this.#segmentsSince = 0;
    this.#ports.stored(operations, clock.monotonic() - began);
    if (cut && await log.cut(key) !== undefined) this.#ports.trimmed(kept.trimmed);
  }

  /** What the next snapshot says of the log, which is put aside or cut accordingly. */
  async #retain(seq: number): Promise<Pick<Snapshot, "trimmed" | "aside">> {
    const { log, clock, key, spec } = this.#ports;
    const { trimmed, aside } = this.#last;
    const what = retention(spec, this.#last, seq, clock.now());
    if (what === "cut" && aside !== undefined) return { trimmed: aside.seq };
    if (what === "mark" && await log.putAside(key, this.#last.seq)) {
      return { trimmed, aside: { seq: this.#last.seq, at: clock.now() } };
    }
    return aside === undefined ? { trimmed } : { trimmed, aside };
  }
}

import { StorageUnavailableError } from "../core/errors.ts";
import { nextDelay } from "../core/retry.ts";
import type { DeleteResult, ListOptions, PutOptions, PutResult, Stored } from "../ports/storage.ts";
import type { StorageEvent } from "../ports/telemetry.ts";
import { Deadlines } from "./deadline.ts";
import { absent, type Content, decodeRecord, encodeRecord, type Loaded } from "./record.ts";
import { type EngineLimits, type EnginePorts, logReference } from "./types.ts";

/** What became of a write. */
export type WriteOutcome =
  | { readonly committed: true; readonly loaded: Loaded }
  | { readonly committed: false; readonly loaded: Loaded };

/** Who has a record written: exactly one of the two is called, once per write. Neither may throw. */
export interface Writer {
  written(outcome: WriteOutcome): void;
  /** The write failed for certain, or what became of it could not be found out. */
  unwritten(error: unknown): void;
}

/** Who wants to write once the calls of this moment have run. */
export interface Soon {
  writeNow(): void;
}

type CallName = StorageEvent["name"];
type Result = StorageEvent["result"];

/** A storage call as tried: what it is called, about what, and how it answers. */
interface Call<T> {
  readonly name: CallName;
  readonly key: string;
  readonly run: (signal: AbortSignal) => Promise<T>;
  readonly result: (value: T) => Result;
  /** `"unknown"` once a try may have taken effect, at once or later, without our hearing of it. */
  outcome: "none" | "unknown";
  /** Named when it is first told of. */
  id?: string;
}

/** A write about to be made, as it can be told from every other one. */
interface Write {
  readonly key: string;
  readonly rev: number;
  readonly by: string;
  readonly state: Loaded["state"];
  readonly ended: number | undefined;
  readonly mark: string | undefined;
}

/**
 * Records on a storage: every call with a time limit, retried with backoff, told to telemetry, and a
 * write whose answer was lost resolved by reading.
 */
export class RecordStore {
  readonly #ports: EnginePorts;
  readonly #limits: EngineLimits;
  readonly #deadlines: Deadlines;
  /** Names this store among all that write to the same storage. */
  readonly incarnation: string;
  #writes = 0;
  #told = 0;
  #soon: Soon[] = [];

  constructor(ports: EnginePorts, limits: EngineLimits) {
    this.#ports = ports;
    this.#limits = limits;
    this.#deadlines = new Deadlines(ports.clock, ({ name }) => this.#late(name));
    this.incarnation = Array.from(
      ports.random.bytes(8),
      (byte) => byte.toString(16).padStart(2, "0"),
    ).join("");
  }

  /** Tells whether a write was one of this store's. */
  wrote(by: string): boolean {
    return by.startsWith(`${this.incarnation}.`);
  }

  /** Reads a record like {@linkcode RecordStore.read}, at once if the storage can. */
  readNow(key: string, known?: Loaded): Loaded | Promise<Loaded> {
    const { storage, emit } = this.#ports;
    if (storage.getSync === undefined || emit !== undefined) return this.read(key, known);
    try {
      return this.#loaded(storage.getSync(key), known);
    } catch {
      // The way with a time limit, tries and reports.
      return this.read(key, known);
    }
  }

  /**
   * Reads a record.
   *
   * @param known A record read before: if it is still the one, it is returned without decoding.
   * @throws {StorageUnavailableError} If storage fails or does not answer.
   */
  read(key: string, known?: Loaded): Promise<Loaded> {
    return this.#tries({
      name: "holdfast.storage.get",
      key,
      run: (signal) => this.#ports.storage.get(key, { signal }),
      result: (value) => value === undefined ? "absent" : "found",
      outcome: "none",
    }).then((stored) => this.#loaded(stored, known));
  }

  #loaded(stored: Stored | undefined, known: Loaded | undefined): Loaded {
    if (stored === undefined) return absent;
    if (known?.etag === stored.etag) return known;
    return decodeRecord(stored.etag, stored.value, this.#limits.maxStateBytes);
  }

  /** Whether the storage need not wait for anything, and nobody is to be told of its calls. */
  get writesAtOnce(): boolean {
    return this.#ports.storage.putSync !== undefined && this.#ports.emit === undefined;
  }

  /** Lets a writer write when the calls of this moment have run: one turn of the queue for all. */
  soon(writer: Soon): void {
    if (this.#soon.push(writer) > 1) return;
    void Promise.resolve().then(() => {
      const writers = this.#soon;
      this.#soon = [];
      for (const each of writers) each.writeNow();
    });
  }

  /**
   * Writes a record over the one it was made from, or reports the one that is there instead. The
   * writer gets a {@linkcode StorageUnavailableError} if the outcome could not be found out.
   */
  write(key: string, over: Loaded, state: Loaded["state"], content: Content, to: Writer): void {
    const by = `${this.incarnation}.${++this.#writes}`;
    const { ended, mark } = content;
    const write: Write = { key, rev: over.rev + 1, by, state, ended, mark };
    const text = encodeRecord(write.rev, by, content);
    if (this.writesAtOnce && this.#writeSync(write, text, over.etag, to)) return;
    const call = this.#put(key, text, over.etag);
    const judge = (failure: unknown): Promise<void> =>
      this.#judge(write, call.outcome === "unknown", failure)
        .then((outcome) => to.written(outcome), (error) => to.unwritten(error));
    this.#try(call, (result) => {
      if (result.ok) to.written(committed(write, result.etag));
      else void judge(undefined);
    }, (error) => {
      if (call.outcome === "none") to.unwritten(error);
      else void judge(error);
    });
  }

  /** Writes at once; `false` if that did not work: then nothing was written. */
  #writeSync(write: Write, text: string, over: string | null, to: Writer): boolean {
    let result: PutResult | undefined;
    try {
      result = this.#ports.storage.putSync?.(write.key, text, conditionOf(over));
    } catch {
      // The way with a time limit, tries and reports.
    }
    if (result?.ok !== true) return false;
    to.written(committed(write, result.etag));
    return true;
  }

  /**
   * Finds out by reading what became of a write that was not confirmed (SPEC OB8). A record of the
   * same `rev` by somebody else has taken its place for good. Any other says nothing if a try of ours
   * may have landed: it may have been built upon, or may land yet.
   *
   * @param unsure A try may have landed.
   * @param failure What the last try failed with, if it did.
   */
  async #judge(write: Write, unsure: boolean, failure: unknown): Promise<WriteOutcome> {
    let loaded: Loaded;
    try {
      loaded = await this.read(write.key);
    } catch (error) {
      throw unsure ? failure ?? unknownOutcome(error) : error;
    }
    // Also when no try of ours was lost: a driver may have tried twice.
    if (loaded.by === write.by) return { committed: true, loaded };
    if (unsure && loaded.rev !== write.rev) throw failure ?? unknownOutcome(undefined);
    return { committed: false, loaded };
  }

  /** Deletes a key for good; meant for ended records. */
  delete(key: string, etag: string): Promise<DeleteResult> {
    return this.#tries({
      name: "holdfast.storage.delete",
      key,
      run: (signal) => this.#ports.storage.delete(key, { signal, ifMatch: etag }),
      result: (value) => value.ok ? "ok" : "conflict",
      outcome: "none",
    });
  }

  /** Writes a key that is no record and has nothing in it but its name. */
  async note(key: string): Promise<void> {
    await this.#tries({
      name: "holdfast.storage.put",
      key,
      run: (signal) => this.#ports.storage.put(key, "{}", { signal }),
      result: () => "ok",
      outcome: "none",
    });
  }

  /** Deletes a key that is no record. */
  async erase(key: string): Promise<void> {
    await this.#tries({
      name: "holdfast.storage.delete",
      key,
      run: (signal) => this.#ports.storage.delete(key, { signal }),
      result: () => "ok",
      outcome: "none",
    });
  }

  /** Lists keys in order. */
  list(prefix: string, options: ListOptions): Promise<readonly string[]> {
    return this.#tries({
      name: "holdfast.storage.list",
      key: prefix,
      run: (signal) => this.#ports.storage.list(prefix, { ...options, signal }),
      result: () => "ok",
      outcome: "none",
    });
  }

  #put(key: string, text: string, over: string | null): Call<PutResult> {
    return {
      name: "holdfast.storage.put",
      key,
      run: (signal) => this.#ports.storage.put(key, text, conditionOf(over, signal)),
      result: putResult,
      outcome: "none",
    };
  }

  #tries<T>(call: Call<T>): Promise<T> {
    return new Promise((resolve, reject) => this.#try(call, resolve, reject));
  }

  /** Nearly every first try succeeds, so it goes without the machinery of the later ones. */
  #try<T>(call: Call<T>, done: (value: T) => void, failed: (error: unknown) => void): void {
    const { emit, clock } = this.#ports;
    const giveUpAt = clock.monotonic() + this.#limits.storageTimeoutMs;
    const again = (error: unknown): void =>
      void this.#tryAgain(call, giveUpAt, error).then(done, failed);
    if (emit !== undefined) void this.#tell(call, 1, emit).then(done, again);
    else this.#deadlines.run(call, giveUpAt, done, again);
  }

  async #tryAgain<T>(call: Call<T>, giveUpAt: number, firstError: unknown): Promise<T> {
    const { clock, random } = this.#ports;
    const { storageRetry } = this.#limits;
    let error = firstError;
    for (let failed = 1;; failed++) {
      if (isWrongArgument(call, error)) throw error;
      call.outcome = worse(call, error);
      const delayMs = nextDelay(storageRetry, failed, random.number());
      if (delayMs === undefined || clock.monotonic() + delayMs >= giveUpAt) {
        throw new StorageUnavailableError(
          `Cannot reach storage for "${call.name}": ${failed} of ${storageRetry.tries} tries failed`,
          call.outcome,
          { cause: error },
        );
      }
      await new Promise<void>((resolve) => void clock.timer(delayMs, resolve));
      try {
        return await this.#once(call, failed + 1);
      } catch (next) {
        error = next;
      }
    }
  }

  #once<T>(call: Call<T>, attempt: number): Promise<T> {
    const { emit } = this.#ports;
    return emit === undefined ? this.#limited(call) : this.#tell(call, attempt, emit);
  }

  #limited<T>(call: Call<T>): Promise<T> {
    const dueAt = this.#ports.clock.monotonic() + this.#limits.storageTimeoutMs;
    return new Promise((resolve, reject) => {
      this.#deadlines.run(call, dueAt, resolve, reject);
    });
  }

  async #tell<T>(
    call: Call<T>,
    attempt: number,
    emit: NonNullable<EnginePorts["emit"]>,
  ): Promise<T> {
    const { clock } = this.#ports;
    const id = call.id ??= `${this.incarnation}.${++this.#told}`;
    const about = { name: call.name, id, ref: logReference(call.key), attempt };
    const startedAt = clock.monotonic();
    const durationMs = () => clock.monotonic() - startedAt;
    emit({ ...about, phase: "start" });
    try {
      const value = await this.#limited(call);
      const result = call.result(value);
      emit({ ...about, phase: "stop", durationMs: durationMs(), ...(result && { result }) });
      return value;
    } catch (error) {
      emit({ ...about, phase: "exception", durationMs: durationMs(), error });
      throw error;
    }
  }

  #late(name: string): Error {
    const seconds = this.#limits.storageTimeoutMs / 1000;
    return new StorageUnavailableError(
      `Cannot wait for "${name}": no answer within ${seconds} s`,
      "unknown",
    );
  }
}

type Tried = Pick<Call<unknown>, "name" | "outcome">;

/** Only listings pass on what a user gave; elsewhere a TypeError is a driver's, as `fetch` has it. */
function isWrongArgument({ name }: Tried, error: unknown): boolean {
  return name === "holdfast.storage.list" &&
    (error instanceof TypeError || error instanceof RangeError);
}

/** Once a try of a write may have landed, no later failure makes that certain again. */
function worse({ name, outcome }: Tried, error: unknown): "none" | "unknown" {
  if (name === "holdfast.storage.get" || name === "holdfast.storage.list") return "none";
  const certain = error instanceof StorageUnavailableError && error.outcome === "none";
  return outcome === "none" && certain ? "none" : "unknown";
}

function unknownOutcome(cause: unknown): StorageUnavailableError {
  return new StorageUnavailableError(
    "Cannot tell whether a write happened: its answer was lost, and the record does not say",
    "unknown",
    cause === undefined ? {} : { cause },
  );
}

function conditionOf(over: string | null, signal?: AbortSignal): PutOptions {
  const options: { ifNoneMatch?: "*"; ifMatch?: string; signal?: AbortSignal } = {};
  if (over === null) options.ifNoneMatch = "*";
  else options.ifMatch = over;
  if (signal !== undefined) options.signal = signal;
  return options;
}

function putResult({ ok }: PutResult): Result {
  return ok ? "ok" : "conflict";
}

function committed({ rev, by, state, ended, mark }: Write, etag: string): WriteOutcome {
  const loaded = { etag, rev, by, state, ended, mark, problem: undefined, view: undefined };
  return { committed: true, loaded };
}

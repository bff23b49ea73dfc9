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

  constructor(ports: EnginePorts, limits: EngineLimits) {
    this.#ports = ports;
    this.#limits = limits;
    this.#deadlines = new Deadlines(ports.clock, limits.storageTimeoutMs);
    this.incarnation = Array.from(
      ports.random.bytes(8),
      (byte) => byte.toString(16).padStart(2, "0"),
    ).join("");
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

  /**
   * Writes a record over the one it was made from, or reports the one that is there instead.
   *
   * @throws {StorageUnavailableError} If the outcome could not be found out.
   */
  write(
    key: string,
    over: Loaded,
    state: Loaded["state"],
    content: Content,
  ): Promise<WriteOutcome> {
    const by = `${this.incarnation}.${++this.#writes}`;
    const rev = over.rev + 1;
    const call = this.#put(key, encodeRecord(rev, by, content), over.etag);
    const judge = (failure: unknown): Promise<WriteOutcome> =>
      this.#judge({ key, rev, by }, call.outcome === "unknown", failure);
    return this.#tries(call).then((result): WriteOutcome | Promise<WriteOutcome> => {
      if (!result.ok) return judge(undefined);
      const { ended } = content;
      const loaded = { etag: result.etag, rev, by, state, ended, problem: undefined };
      return { committed: true, loaded };
    }, (error) => {
      if (call.outcome === "none") throw error;
      return judge(error);
    });
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
    const condition: PutOptions = over === null ? { ifNoneMatch: "*" } : { ifMatch: over };
    return {
      name: "holdfast.storage.put",
      key,
      run: (signal) => this.#ports.storage.put(key, text, { ...condition, signal }),
      result: (value) => value.ok ? "ok" : "conflict",
      outcome: "none",
    };
  }

  /** Nearly every first try succeeds, so it goes without the machinery of the later ones. */
  #tries<T>(call: Call<T>): Promise<T> {
    const giveUpAt = this.#ports.clock.monotonic() + this.#limits.storageTimeoutMs;
    return this.#once(call, 1).catch((error) => this.#tryAgain(call, giveUpAt, error));
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

  #limited<T>({ run, name }: Call<T>): Promise<T> {
    return this.#deadlines.limit(run, () => this.#late(name));
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

  #late(name: CallName): Error {
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

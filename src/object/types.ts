import type { HoldfastError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { RetryPolicy } from "../core/retry.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Storage } from "../ports/storage.ts";
import type { Around, TelemetryEvent } from "../ports/telemetry.ts";

/** What a turn, or a reader, sees of an object. The state must not be mutated. */
export interface Current {
  /** The state; `undefined` if there is none (absent, ended, or unusable). */
  readonly state: JsonObject | undefined;
  /** When the object was ended, in ms since the epoch; `undefined` while it lives. */
  readonly ended: number | undefined;
  /** What the turn that ended it has left there; `undefined` for nothing. */
  readonly mark?: string | undefined;
  /** Why the stored record cannot be used, if that is the case. */
  readonly problem: HoldfastError | undefined;
  /** How many writes the state has seen; 0 if absent. */
  readonly rev: number;
  /** What a reader has made of the state, kept with it; the engine does not look at it. */
  view?: unknown;
}

/** Something to do once a state is durable. */
export type Effect = () => void | Promise<void>;

/** What a turn decided. Its reply leaves only when the state it has seen is durable. */
export type Decision<R> =
  | {
    readonly kind: "keep";
    readonly reply: R;
    /** Run once, after everything the turn has seen is durable. */
    readonly effects?: readonly Effect[];
  }
  | {
    readonly kind: "write";
    readonly state: JsonObject;
    /** The state as JSON text, when the turn has it anyway. */
    readonly text?: string | undefined;
    readonly reply: R;
    /** Run once, after the state is durable. */
    readonly effects?: readonly Effect[];
  }
  | {
    readonly kind: "end";
    readonly reply: R;
    /** Stored with the end, so that it can be told whose it was. */
    readonly mark?: string | undefined;
    readonly effects?: readonly Effect[];
  };

/**
 * One message to an object: a function from what is to what shall be. It may run more than once
 * (a conflict makes it run again on the fresh state), so it must have no effects of its own.
 */
export type Turn<R> = (current: Current) => Decision<R> | Promise<Decision<R>>;

/** Limits of an engine. Durations in milliseconds. */
export interface EngineLimits {
  /** Largest state in bytes of its JSON text. */
  readonly maxStateBytes: number;
  /** Turns that may wait for one object. */
  readonly mailbox: number;
  /** Time limit of one storage call. */
  readonly storageTimeoutMs: number;
  /** Tries of one storage call, and the delays between them. */
  readonly storageRetry: RetryPolicy;
  /** How often a turn is run again after conflicts. */
  readonly replays: number;
  /** An object that nobody called for so long leaves memory. */
  readonly idleMs: number;
  /** Objects kept in memory; beyond it the least recently used idle one leaves. */
  readonly maxActive: number;
}

/** What an engine stands on. */
export interface EnginePorts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  /** Receives events; `undefined` when nobody listens, so that nothing is built for nobody. */
  readonly emit: ((event: TelemetryEvent) => void) | undefined;
  /**
   * Remembers the async context of who asks, so that what is done for one caller by the loop of another
   * is told in his; `undefined` when nobody listens.
   */
  readonly carry?: (() => Around) | undefined;
  /** The class of the object under a key. */
  readonly classOf?: (key: string) => string;
  /** Keeps what is stored beside the records in step with them. */
  readonly hooks?: WriteHooks;
}

/**
 * Told of every write of a record with the states before and after it; `undefined` where there is
 * none (absent or ended).
 */
export interface WriteHooks {
  /** Runs before the record is written; if it fails, nothing is written. */
  before(
    key: string,
    from: JsonObject | undefined,
    to: JsonObject | undefined,
  ): Promise<void> | undefined;
  /** Runs once the record is durable. */
  after(key: string, from: JsonObject | undefined, to: JsonObject | undefined): void;
}

/** What {@linkcode Engine.drain} did. */
export interface DrainReport {
  /** `true` if everything accepted was finished within the limit. */
  readonly complete: boolean;
  /** Objects that still had something to do when the limit passed. */
  readonly unfinished: number;
}

/** What an event says about the object under a key. */
export function aboutObject(
  { classOf }: Pick<EnginePorts, "classOf">,
  key: string,
): { readonly ref: string; readonly class?: string } {
  const ref = logReference(key);
  return classOf === undefined ? { ref } : { ref, class: classOf(key) };
}

/** Short name of a record for logs: no key that opens anything (SPEC OB12). */
export function logReference(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1).slice(0, 8);
}

import type { JsonObject } from "../core/json.ts";
import type { StandardSchema } from "../core/schema.ts";
import type { Migrate } from "../core/vsn.ts";

/** An alarm that is set. */
export interface ScheduledAlarm {
  /** Its name in the definition. */
  readonly name: string;
  /** When it was set to fire, in ms since the epoch. */
  readonly scheduledAt: number;
  /** When it will be tried next, in ms since the epoch: later than set after a failure. */
  readonly at: number;
  /** Which try that will be, from 1. */
  readonly attempt: number;
}

/** An alarm whose handler failed as often as it is tried. It stays until it is set or cancelled. */
export interface ParkedAlarm {
  /** Its name in the definition. */
  readonly name: string;
  /** When it was set to fire, in ms since the epoch. */
  readonly scheduledAt: number;
  /** When it was given up, in ms since the epoch. */
  readonly parkedAt: number;
  /** How often it was tried. */
  readonly attempts: number;
  /** Name and message of what it failed with at last. */
  readonly error: string;
}

/** Calls a handler of another object; see {@linkcode ObjectContext.call}. */
export interface CallObject {
  /** By definition, typed. */
  <H, K extends keyof H & string>(
    target: ObjectDefinition<object, H>,
    id: string,
    handler: K,
    ...args: HandlerArgs<H[K]>
  ): Promise<Awaited<HandlerReply<H[K]>>>;
  /** By the name of the definition. */
  (target: string, id: string, handler: string, ...args: readonly unknown[]): Promise<unknown>;
}

/**
 * What a handler, an alarm or a hook works with. Its functions may be taken out of it. All of it
 * ends with the handler: a use after that throws a `TypeError`.
 */
export interface ObjectContext<S extends object> {
  /** The id of the object. */
  readonly id: string;
  /**
   * The state as a draft: change it in place, or assign a whole new one. What was changed is stored
   * before the caller gets the reply; if the handler throws, nothing was changed.
   */
  state: S;
  /** Aborted when the time limit of the call passes. */
  readonly signal: AbortSignal;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** A number in [0, 1); not for anything that must be unpredictable. */
  readonly random: () => number;
  /**
   * Sets an alarm, together with the state. One that is set under the same name is replaced.
   *
   * @param when Milliseconds from now, 0 or more, or a date; a date in the past fires at once.
   * @throws {TypeError} If the definition has no such alarm.
   * @throws {RangeError} If the time is not one.
   */
  readonly schedule: (name: string, when: number | Date) => void;
  /** Takes back an alarm, parked ones included; `false` if there was none. */
  readonly cancel: (name: string) => boolean;
  /** The alarms that are set, in order of time. */
  readonly alarms: () => readonly ScheduledAlarm[];
  /**
   * Runs a function once the state of this call is durable. A handler can be run again before that
   * (another node was first), so effects on the outside belong here. Lost if the process dies.
   */
  readonly afterCommit: (effect: () => void | Promise<void>) => void;
  /**
   * Calls another object, once everything this one was before the call under way is durable: what it
   * has changed itself is not yet, so what must not be told too early is told by an alarm. A call that
   * leads back to an object that waits for it is refused with
   * `ERR_REENTRANT`. Like every effect on the outside it is made again when the handler is run again.
   */
  readonly call: CallObject;
}

/**
 * A function of an object. `never` lets TypeScript take the arguments from the function itself,
 * defaults included.
 */
export type RunHandler<S extends object> = (ctx: ObjectContext<S>, ...args: never) => unknown;

/** A handler with options. */
export interface HandlerOptions<S extends object> {
  /** The function. */
  readonly run: RunHandler<S>;
  /**
   * Runs beside other calls, on the last durable state, which it cannot change. @default {false}
   */
  readonly readOnly?: boolean;
  /** Checks the arguments, as an array. Any Standard Schema library. */
  readonly args?: StandardSchema;
}

/** A handler as it is written in a definition. */
export type Handler<S extends object> = RunHandler<S> | HandlerOptions<S>;

/** What an alarm's handler is told beside the context. */
export interface AlarmInfo {
  /** When the alarm was set to fire, in ms since the epoch. */
  readonly scheduledAt: number;
  /** Which try this is, from 1. */
  readonly attempt: number;
}

/**
 * Runs when an alarm is due: at least once, with its effect on the state exactly once. What it
 * throws makes it be tried again later.
 */
export type AlarmHandler<S extends object> = (
  ctx: ObjectContext<S>,
  alarm: AlarmInfo,
) => void | Promise<void>;

/** Runs at a step in the life of an object; may change the state. */
export type ObjectHook<S extends object> = (ctx: ObjectContext<S>) => void | Promise<void>;

type RunOf<T> = T extends { readonly run: infer R } ? R : T;

/** The arguments a caller gives to a handler. */
export type HandlerArgs<T> = RunOf<T> extends (ctx: never, ...args: infer A) => unknown ? A : never;

/** What a handler returns. */
export type HandlerReply<T> = RunOf<T> extends (ctx: never, ...args: never) => infer R ? R : never;

/** A handler with everything filled in, its types forgotten. @internal */
export interface HandlerSpec {
  readonly run: (ctx: ObjectContext<JsonObject>, ...args: unknown[]) => unknown;
  readonly readOnly: boolean;
  readonly args: StandardSchema | undefined;
}

/** A definition with everything filled in and checked, its types forgotten. @internal */
export interface ObjectSpec {
  readonly name: string;
  readonly vsn: number;
  readonly state: () => object;
  readonly schema: StandardSchema | undefined;
  readonly migrate: Migrate | undefined;
  readonly unknownFields: "keep" | "drop";
  readonly handlers: ReadonlyMap<string, HandlerSpec>;
  readonly alarms: ReadonlyMap<string, HandlerSpec["run"]>;
  readonly afterLoad: HandlerSpec["run"] | undefined;
  readonly onHibernate: HandlerSpec["run"] | undefined;
  readonly onShutdown: HandlerSpec["run"] | undefined;
  readonly hibernateAfterMs: number;
  readonly shutdownAfterMs: number;
  readonly durability: "gated" | "behind";
  readonly callTimeoutMs: number | undefined;
}

/** Any definition, whatever its types. */
export interface AnyObjectDefinition {
  /** Name in storage. */
  readonly name: string;
  /** Version of the stored state. */
  readonly vsn: number;
  /** @internal */
  readonly spec: ObjectSpec;
}

/** A durable object as defined: inert, made by `defineObject()`. */
export interface ObjectDefinition<S extends object, H> extends AnyObjectDefinition {
  /** Makes the state of an object that has none stored. */
  readonly state: () => S;
  /** The handlers as given. */
  readonly handlers: H;
}

/** One object as its callers see it: its handlers as methods, without the context. */
export type ObjectClient<H> =
  & {
    readonly [K in keyof H]: (
      ...args: HandlerArgs<H[K]>
    ) => Promise<Awaited<HandlerReply<H[K]>>>;
  }
  & {
    /** The id of the object. */
    readonly id: string;
    /**
     * Resolves when everything this object answered is durable: of use with `durability: "behind"`.
     *
     * @throws What a write failed with whose calls had been answered before, or what such a call threw when
     * it was run again because another node was first.
     */
    flush(): Promise<void>;
  };

import { outOfRange, wrongArgument } from "../core/options.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import { encodeBase64url } from "../core/base64url.ts";
import { detach } from "./detach.ts";
import type {
  AnyObjectDefinition,
  CallObject,
  ObjectContext,
  ObjectSpec,
  ScheduledAlarm,
} from "./model.ts";
import { type Alarm, listAlarms, type View } from "./stored.ts";
import type { Effect } from "./types.ts";

/** What handlers are run with, the same for all of them. */
export interface HandlerEnv {
  readonly clock: Clock;
  readonly random: Random;
  /**
   * Calls another object for the handler of `chain`'s last.
   *
   * @param beside It runs beside turns, on what is durable.
   */
  readonly call: (
    target: AnyObjectDefinition | string,
    id: string,
    handler: string,
    args: readonly unknown[],
    chain: readonly string[],
    beside: boolean,
  ) => Promise<unknown>;
  /** Is told what a call has failed with after the handler that made it has ended. */
  readonly unheard?: (subject: Subject, error: unknown) => void;
}

/** The object a handler belongs to. */
export interface Subject {
  readonly spec: ObjectSpec;
  readonly id: string;
  /** Its key in storage. */
  readonly key: string;
  /** How many writes the state that the turn under way has seen has had. */
  readonly rev?: number;
}

/** What of a run its context needs to know. */
export interface Run {
  readonly readOnly: boolean;
  /** Runs beside turns, on what is durable. @default {false} */
  readonly beside?: boolean;
  /** The keys of the objects whose calls have led here. */
  readonly chain: readonly string[];
  /** Has what is aborted at the deadline; made when somebody asks. */
  readonly limit: { readonly signal: AbortSignal } | undefined;
}

/** No effects: one list for all runs that have none. */
const noEffects: readonly Effect[] = [];

const maxDate = 8.64e15;

/**
 * The context of one run. Its functions are made when they are taken, because most runs take one or
 * none, and work without it, because handlers take it apart.
 */
export class Context implements ObjectContext<JsonObject> {
  readonly #env: HandlerEnv;
  readonly #subject: Subject;
  readonly #state: JsonObject;
  readonly #run: Run;
  #alarms: View["alarms"];
  #parked: View["parked"];
  #effects: Effect[] | undefined;
  #ended = false;

  /** @param state The state as the handler gets it. */
  constructor(env: HandlerEnv, subject: Subject, view: View, state: JsonObject, run: Run) {
    this.#env = env;
    this.#subject = subject;
    this.#state = state;
    this.#run = run;
    this.#alarms = view.alarms;
    this.#parked = view.parked;
  }

  get id(): string {
    return this.#subject.id;
  }

  get state(): JsonObject {
    return this.#state;
  }

  set state(value: JsonObject) {
    this.#change("the state");
    const state = this.#state;
    if (value === state) return;
    if (!isJsonObject(value)) {
      throw wrongArgument("Cannot replace the state: what it was assigned is not a plain object");
    }
    const fields = { ...value };
    for (const key of Object.keys(state)) if (!Object.hasOwn(fields, key)) delete state[key];
    for (const key of Object.keys(fields)) state[key] = fields[key] as JsonObject;
  }

  get signal(): AbortSignal {
    return this.#run.limit?.signal ?? new AbortController().signal;
  }

  get now(): () => number {
    return () => this.#env.clock.now();
  }

  get random(): () => number {
    return () => this.#env.random.number();
  }

  get schedule(): (name: string, when: number | Date) => void {
    return (name, when) => this.#schedule(name, when);
  }

  get cancel(): (name: string) => boolean {
    return (name) => {
      this.#change("an alarm");
      const found = Object.hasOwn(this.#alarms, name) || Object.hasOwn(this.#parked, name);
      if (found) this.#forget(name);
      return found;
    };
  }

  get alarms(): () => readonly ScheduledAlarm[] {
    return () => listAlarms(this.#alarms);
  }

  get afterCommit(): (effect: Effect) => void {
    return (effect) => {
      if (typeof effect !== "function") {
        throw wrongArgument("Cannot run an effect: it is not a function");
      }
      this.#change("effects");
      (this.#effects ??= []).push(effect);
    };
  }

  get call(): CallObject {
    const call = (
      target: AnyObjectDefinition | string,
      id: string,
      handler: string,
      ...args: readonly unknown[]
    ): Promise<unknown> => {
      if (this.#ended) throw ended();
      // Drafts end with this handler, and the other object may keep what it gets.
      const own = args.map((arg) => detach(arg));
      const chain = [...this.#run.chain, this.#subject.key];
      const called = this.#env.call(target, id, handler, own, chain, this.#run.beside === true);
      // One that nobody waits for must not end the process: that is what a runtime does otherwise.
      called.catch((error: unknown) => {
        if (this.#ended) this.#env.unheard?.(this.#subject, error);
      });
      return called;
    };
    // The reply has the type that the definition says.
    return call as CallObject;
  }

  /** Ends the context, and tells what else than the state the run has changed. */
  end(): {
    readonly alarms: View["alarms"];
    readonly parked: View["parked"];
    effects: readonly Effect[];
  } {
    this.#ended = true;
    return { alarms: this.#alarms, parked: this.#parked, effects: this.#effects ?? noEffects };
  }

  #change(what: string): void {
    if (this.#ended) throw ended();
    if (this.#run.readOnly) {
      throw new TypeError(`Cannot change ${what}: the handler is read-only`);
    }
  }

  #schedule(name: string, when: number | Date): void {
    this.#change("an alarm");
    const { spec, rev } = this.#subject;
    if (!spec.alarms.has(name)) {
      throw wrongArgument(
        `Cannot schedule ${JSON.stringify(name)}: object "${spec.name}" has no such alarm`,
      );
    }
    const now = this.#env.clock.now();
    this.#forget(name);
    this.#alarms = {
      ...this.#alarms,
      [name]: newAlarm(this.#env, dueTime(when, now, `"${name}" of object "${spec.name}"`), rev),
    };
  }

  #forget(name: string): void {
    if (Object.hasOwn(this.#alarms, name)) this.#alarms = without(this.#alarms, name);
    if (Object.hasOwn(this.#parked, name)) this.#parked = without(this.#parked, name);
  }
}

/** An alarm that was not tried yet. */
export function newAlarm(
  env: Pick<HandlerEnv, "clock" | "random">,
  at: number,
  rev: number | undefined,
): Alarm {
  return { at, scheduledAt: at, attempt: 1, nonce: newNonce(env, rev) };
}

/**
 * Names an alarm in the index. Begins with when it was made and the `rev` of what its turn has seen, so
 * that an orphan can be told by what has been written since, or by age.
 */
export function newNonce(
  { clock, random }: Pick<HandlerEnv, "clock" | "random">,
  rev?: number,
): string {
  const madeAt = Math.max(0, Math.floor(clock.now())).toString(36);
  const seen = rev === undefined ? "" : `${rev.toString(36)}.`;
  return `${madeAt}.${seen}${encodeBase64url(random.bytes(9))}`;
}

/** A record without one of its entries. */
export function without<T>(entries: Readonly<Record<string, T>>, name: string): Record<string, T> {
  const { [name]: _, ...others } = entries;
  return others;
}

function dueTime(when: number | Date, now: number, what: string): number {
  const at = when instanceof Date ? when.getTime() : now + when;
  const early = typeof when === "number" && when < 0;
  if (
    early || (typeof when !== "number" && !(when instanceof Date)) || !(Math.abs(at) <= maxDate)
  ) {
    throw outOfRange(
      `Cannot schedule ${what}: its time is neither 0 or more milliseconds nor a date`,
    );
  }
  // Whole milliseconds, rounded up: an alarm is never early.
  return Math.max(0, Math.ceil(at));
}

function ended(): TypeError {
  return new TypeError("Cannot use the context: the handler that it was given to has ended");
}

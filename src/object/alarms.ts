import { wrongArgument } from "../core/options.ts";
import { TooLargeError } from "../core/errors.ts";
import { nextDelay, type RetryPolicy } from "../core/retry.ts";
import { newNonce, without } from "./context.ts";
import { perform, type Performed } from "./perform.ts";
import type { Ready } from "./prepare.ts";
import { type Alarm, none, type View } from "./stored.ts";
import type { CallLimit } from "./time_limit.ts";
import { decided, type Failure, onObject, type Resident, type TurnEnv, write } from "./turns.ts";
import type { Decision, Turn } from "./types.ts";

/** When an alarm that failed is tried again: 2 s later, doubling to 5 minutes, ten times in all. */
export const alarmRetry: RetryPolicy = { tries: 10, firstDelayMs: 2000, maxDelayMs: 5 * 60_000 };

/** What a turn found to do. */
export type AlarmOutcome =
  /** Nothing is due: the names of what is set, when the first is, and what was looked at. */
  | {
    readonly kind: "none";
    readonly nonces: readonly string[];
    readonly next: number | undefined;
    readonly rev: number;
  }
  /** The object was deleted. */
  | { readonly kind: "deleted"; readonly at: number }
  | { readonly kind: "fired"; readonly name: string; readonly alarm: Alarm }
  | {
    readonly kind: "failed";
    readonly name: string;
    readonly alarm: Alarm;
    readonly error: unknown;
    readonly parked: boolean;
  };

const keep = (reply: AlarmOutcome): Decision<AlarmOutcome> => ({ kind: "keep", reply });

/** Which alarm to fire now, and as what; `undefined` for none. */
export type Pick = (view: View, now: number) => readonly [name: string, alarm: Alarm] | undefined;

/**
 * A turn that fires one alarm of an object, if there is one to fire. The record decides, whoever
 * asks: the alarm is cleared by the write that holds what its handler did (SPEC AL3).
 */
export function alarmTurn(
  env: TurnEnv,
  resident: Resident,
  limit: CallLimit,
  policy: RetryPolicy,
  pick: Pick = firstDue,
): Turn<AlarmOutcome | Failure> {
  return (current) => {
    if (current.ended !== undefined) return keep({ kind: "deleted", at: current.ended });
    if (current.problem === undefined && current.state === undefined) {
      return keep({ kind: "none", nonces: [], next: undefined, rev: current.rev });
    }
    limit.begin();
    return onObject<AlarmOutcome>(env, resident, current, { chain: [], limit }, (ready) => {
      const picked = pick(ready.view, env.clock.now());
      if (picked !== undefined) return fire(env, resident, ready, picked, limit, policy);
      return as(
        { kind: "none", ...summary(ready.view.alarms), rev: current.rev },
        decided(env, resident, ready, {
          reply: undefined,
          view: ready.view,
          effects: [],
          growth: 0,
        }),
      );
    });
  };
}

/** Picks the alarm that is due first. */
function firstDue({ alarms }: View, now: number): readonly [string, Alarm] | undefined {
  let first: readonly [string, Alarm] | undefined;
  for (const entry of Object.entries(alarms)) {
    const { at } = entry[1];
    if (at <= now && (first === undefined || at < first[1].at)) first = entry;
  }
  return first;
}

/** Picks an alarm by its name whatever its time, also one that is parked. */
export function named(name: string): Pick {
  return ({ alarms, parked }, now) => {
    const alarm = Object.hasOwn(alarms, name) ? alarms[name] : undefined;
    if (alarm !== undefined) return [name, alarm];
    const given = Object.hasOwn(parked, name) ? parked[name] : undefined;
    if (given === undefined) return undefined;
    const { scheduledAt, attempts } = given;
    return [name, { at: now, scheduledAt, attempt: attempts + 1, nonce: "" }];
  };
}

function summary(
  alarms: View["alarms"],
): { readonly nonces: readonly string[]; readonly next: number | undefined } {
  const all = Object.values(alarms);
  const next = all.length === 0 ? undefined : Math.min(...all.map(({ at }) => at));
  return { nonces: all.map(({ nonce }) => nonce), next };
}

/** A view without one of its alarms. */
function cleared({ user, alarms, parked }: View, name: string): View {
  return { user, alarms: less(alarms, name), parked: less(parked, name) };
}

function less<T>(entries: Readonly<Record<string, T>>, name: string): Readonly<Record<string, T>> {
  if (!Object.hasOwn(entries, name)) return entries;
  const others = without(entries, name);
  return Object.keys(others).length === 0 ? none : others;
}

async function fire(
  env: TurnEnv,
  resident: Resident,
  ready: Ready,
  [name, alarm]: readonly [string, Alarm],
  limit: CallLimit,
  policy: RetryPolicy,
): Promise<Decision<AlarmOutcome>> {
  const { spec } = resident;
  try {
    const run = spec.alarms.get(name);
    if (run === undefined) {
      throw wrongArgument(`Cannot fire "${name}": object "${spec.name}" has no such alarm`);
    }
    const { scheduledAt, attempt } = alarm;
    const work = { run, args: [{ scheduledAt, attempt }], readOnly: false, chain: [], limit };
    const done: Performed = await perform(env, resident, cleared(ready.view, name), work);
    return as({ kind: "fired", name, alarm }, decided(env, resident, ready, done));
  } catch (error) {
    const next = failed(env, resident, ready.view, name, alarm, error, policy);
    const told = (parked: boolean): AlarmOutcome => ({
      kind: "failed",
      name,
      alarm,
      error,
      parked,
    });
    try {
      return write(env, resident, next.view, Infinity, ready.effects, told(next.given));
    } catch (full) {
      if (!(full instanceof TooLargeError)) throw full;
      // No room for when it is tried again, or for why not: given up at once, rather than tried for ever.
      const parked = park(env, ready.view, name, alarm, "");
      return write(env, resident, parked, Infinity, ready.effects, told(true));
    }
  }
}

function failed(
  env: TurnEnv,
  { rev }: Resident,
  view: View,
  name: string,
  alarm: Alarm,
  error: unknown,
  policy: RetryPolicy,
): { readonly view: View; readonly given: boolean } {
  const now = env.clock.now();
  const { scheduledAt, attempt } = alarm;
  const delayMs = nextDelay(policy, attempt, env.random.number());
  if (delayMs !== undefined) {
    const at = Math.ceil(now + delayMs);
    const again = { at, scheduledAt, attempt: attempt + 1, nonce: newNonce(env, rev) };
    const rest = cleared(view, name);
    return { view: { ...rest, alarms: { ...rest.alarms, [name]: again } }, given: false };
  }
  return { view: park(env, view, name, alarm, describe(error)), given: true };
}

function park(env: TurnEnv, view: View, name: string, alarm: Alarm, error: string): View {
  const { scheduledAt, attempt } = alarm;
  const why = { scheduledAt, parkedAt: env.clock.now(), attempts: attempt, error };
  const rest = cleared(view, name);
  return { ...rest, parked: { ...rest.parked, [name]: why } };
}

function describe(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.slice(0, 200).toWellFormed();
}

/** A decision with another reply. */
function as(reply: AlarmOutcome, decision: Decision<unknown>): Decision<AlarmOutcome> {
  return { ...decision, reply };
}

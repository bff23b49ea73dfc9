import { HoldfastError, InvalidArgumentsError } from "../../src/core/errors.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { checkSchema } from "../../src/core/schema.ts";
import type { HandlerEnv, Subject } from "../../src/object/context.ts";
import type {
  HandlerArgs,
  HandlerReply,
  HandlerSpec,
  ObjectDefinition,
  ScheduledAlarm,
} from "../../src/object/model.ts";
import { perform, type Performed } from "../../src/object/perform.ts";
import { fit } from "../../src/object/prepare.ts";
import { listAlarms, storeObject } from "../../src/object/stored.ts";
import type { Random } from "../../src/ports/random.ts";
import { seededRandom } from "./seeded_random.ts";
import { checkKnown, kindOf, type OptionNames, wrongArgument } from "../../src/core/options.ts";

/** The object that a handler is run on. */
export interface GivenObject<S extends object> {
  /** Its id. @default {"test"} */
  readonly id?: string;
  /** Its state; what `state()` makes if not given. */
  readonly state?: S;
  /** The alarms that are set: when they are due, in ms since the epoch, by name. */
  readonly alarms?: Readonly<Record<string, number>>;
  /** What `ctx.now()` says, in ms since the epoch. @default {0} */
  readonly now?: number;
  /** What `ctx.random()` draws on. @default {seededRandom(1)} */
  readonly random?: Random;
  /** Answers for other objects that the handler calls; without it such a call throws. */
  readonly call?: (
    name: string,
    id: string,
    handler: string,
    args: readonly unknown[],
  ) => unknown;
}

/** What a handler has done. */
export interface PerformedHandler<S, R> {
  /** What it returned. */
  readonly reply: R;
  /** The state after it, as it would be stored. */
  readonly state: S;
  /** Whether anything would be written. */
  readonly changed: boolean;
  /** The alarms that are set after it, in order of time. */
  readonly alarms: readonly ScheduledAlarm[];
  /** What it has given to `afterCommit()`; nothing of that has run. */
  readonly effects: readonly (() => void | Promise<void>)[];
}

/**
 * Runs one handler of a definition, without storage, engine or time: what it would do to an object.
 *
 * @param definition The definition.
 * @param handler The name of the handler.
 * @param args Its arguments.
 * @param given The object it runs on.
 * @returns What it did. Rejects with what it throws, and with what a real call would be refused with.
 *
 * @example A handler on its own
 * ```ts
 * import { defineObject } from "@holdfast/holdfast";
 * import { performHandler } from "@holdfast/holdfast/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const Counter = defineObject({
 *   name: "counter",
 *   vsn: 1,
 *   state: () => ({ count: 0 }),
 *   handlers: { increment: ({ state }, by = 1) => state.count += by },
 * });
 *
 * const { reply, state } = await performHandler(Counter, "increment", [5], { state: { count: 2 } });
 * assertEquals([reply, state], [7, { count: 7 }]);
 * ```
 */
export async function performHandler<S extends object, H, K extends keyof H & string>(
  definition: ObjectDefinition<S, H>,
  handler: K,
  args: HandlerArgs<H[K]>,
  given: GivenObject<S> = {},
): Promise<PerformedHandler<S, Awaited<HandlerReply<H[K]>>>> {
  const spec = specOf(definition);
  checkKnown(given, givenNames, `call "${handler}" of object "${spec.name}"`);
  if (!Array.isArray(args)) {
    const message = `Cannot call "${handler}" of object "${spec.name}": the arguments are `;
    throw wrongArgument(`${message}${kindOf(args)}, not an array`);
  }
  const found = spec.handlers.get(handler);
  if (found === undefined) {
    throw new HoldfastError(
      "ERR_UNKNOWN_HANDLER",
      `Cannot call "${handler}": object "${spec.name}" has no such handler`,
    );
  }
  if (found.args !== undefined) {
    const checked = await checkSchema(found.args, args);
    if (!checked.ok) {
      throw new InvalidArgumentsError(`"${handler}" of object "${spec.name}"`, checked.problems);
    }
  }
  const { run, readOnly } = found;
  // The reply is what the handler of this name returns, and the state what it makes of one.
  return await performed(definition, given, run, args, readOnly) as PerformedHandler<
    S,
    Awaited<HandlerReply<H[K]>>
  >;
}

/**
 * Runs the handler of one alarm of a definition, as if it were due now.
 *
 * @param definition The definition.
 * @param alarm The name of the alarm.
 * @param given The object it runs on; `attempt` is which try it is, 1 if not given.
 * @returns What it did. Rejects with what it throws.
 * @throws {TypeError} If the definition has no such alarm.
 */
export async function performAlarm<S extends object, H>(
  definition: ObjectDefinition<S, H>,
  alarm: string,
  given: GivenObject<S> & { readonly attempt?: number } = {},
): Promise<PerformedHandler<S, unknown>> {
  const spec = specOf(definition);
  checkKnown(given, { ...givenNames, attempt: "a number" }, `fire "${alarm}" of "${spec.name}"`);
  const run = spec.alarms.get(alarm);
  if (run === undefined) {
    throw wrongArgument(`Cannot fire "${alarm}": object "${spec.name}" has no such alarm`);
  }
  const { [alarm]: set, ...others } = given.alarms ?? {};
  const info = { scheduledAt: set ?? given.now ?? 0, attempt: given.attempt ?? 1 };
  const rest = { ...given, alarms: others };
  return await performed(definition, rest, run, [info], false) as PerformedHandler<S, unknown>;
}

const givenNames: OptionNames<GivenObject<object>> = {
  id: "a string",
  state: "an object",
  alarms: "an object",
  now: "a number",
  random: ".bytes",
  call: "a function",
};

function specOf<S extends object, H>(
  definition: ObjectDefinition<S, H>,
): ObjectDefinition<S, H>["spec"] {
  if (definition?.spec?.handlers instanceof Map) return definition.spec;
  throw wrongArgument("Cannot run a handler: its definition is not one of defineObject()");
}

async function performed(
  { spec }: ObjectDefinition<object, unknown>,
  given: GivenObject<object>,
  run: HandlerSpec["run"],
  args: readonly unknown[],
  readOnly: boolean,
): Promise<PerformedHandler<unknown, unknown>> {
  const { id = "test", state, alarms = {} } = given;
  const set = Object.entries(alarms).map(([name, at]) =>
    [name, { at, scheduledAt: at, attempt: 1, nonce: name }] as const
  );
  const user = (state ?? spec.state()) as JsonObject;
  const stored = storeObject(spec.vsn, { user, alarms: Object.fromEntries(set), parked: {} });
  const { view } = fit(spec, stored);
  const subject: Subject = { spec, id, key: id };
  const work = { run, args, readOnly, chain: [], limit: undefined };
  const done: Performed = await perform(envOf(given), subject, view, work);
  return {
    reply: done.reply,
    state: structuredClone(done.view.user),
    changed: done.view !== view,
    alarms: listAlarms(done.view.alarms),
    effects: done.effects,
  };
}

function envOf({ now = 0, random = seededRandom(1), call }: GivenObject<object>): HandlerEnv {
  return {
    random,
    clock: {
      now: () => now,
      monotonic: () => now,
      timer: () => () => {},
    },
    call: async (target, id, handler, args) => {
      const name = typeof target === "string" ? target : target.name;
      if (call === undefined) {
        throw wrongArgument(`Cannot call "${handler}" of object "${name}": "call" was not given`);
      }
      return await call(name, id, handler, args);
    },
  };
}

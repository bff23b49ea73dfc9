import { InvalidStateError, InvalidValueError } from "../core/errors.ts";
import { createDraft, type Draft } from "../core/draft.ts";
import type { JsonObject } from "../core/json.ts";
import { checkSchema, type SchemaCheck } from "../core/schema.ts";
import { checkChange } from "./change.ts";
import { Context, type HandlerEnv, type Subject } from "./context.ts";
import { detach } from "./detach.ts";
import type { HandlerSpec, ObjectSpec } from "./model.ts";
import { readOnlyView } from "./read_only.ts";
import type { View } from "./stored.ts";
import type { Effect } from "./types.ts";

/** What is to be run on an object. */
export interface Work {
  readonly run: HandlerSpec["run"];
  readonly args: readonly unknown[];
  readonly readOnly: boolean;
  /** Runs beside turns, on what is durable. @default {false} */
  readonly beside?: boolean;
  /** The keys of the objects whose calls have led here. */
  readonly chain: readonly string[];
  /** How long it may take; no limit if absent. */
  readonly limit: TimeLimit | undefined;
}

/** The time limit of one call. */
export interface TimeLimit {
  /** Aborted when the limit passes. */
  readonly signal: AbortSignal;
  /** Settles as the promise does, or rejects when the limit passes. */
  race<T>(promise: PromiseLike<T>): Promise<T>;
}

/** What became of an object by a run. */
export interface Performed {
  /** What the handler returned, detached from the state. */
  readonly reply: unknown;
  /** The very view it was run on if nothing has changed. */
  readonly view: View;
  readonly effects: readonly Effect[];
  /** No less than the bytes that the text of the record has grown by. */
  readonly growth: number;
}

/** Room an alarm takes in a record, beside its name, with some to spare. */
const alarmBytes = 160;

/**
 * Runs a handler on what is stored of an object, without storing anything: a promise only if the
 * handler, or the schema, is asynchronous. Throws what the handler throws.
 */
export function perform(
  env: HandlerEnv,
  subject: Subject,
  view: View,
  work: Work,
): Performed | Promise<Performed> {
  const draft = work.readOnly ? shown(view.user) : createDraft(view.user);
  const context = new Context(env, subject, view, draft.draft, work);
  let value: unknown;
  try {
    value = work.run(context, ...work.args);
  } catch (error) {
    return abandoned(draft, context, error);
  }
  if (!isThenable(value)) return finished(subject.spec, view, draft, context, value);
  const { limit } = work;
  return (limit === undefined ? Promise.resolve(value) : limit.race(value)).then(
    (late) => finished(subject.spec, view, draft, context, late),
    (error) => abandoned(draft, context, error),
  );
}

function shown(user: JsonObject): Draft<JsonObject> {
  return { draft: readOnlyView(user), finish: () => user, discard: () => {} };
}

function abandoned(draft: Draft<JsonObject>, context: Context, error: unknown): never {
  context.end();
  draft.discard();
  throw error;
}

function finished(
  spec: ObjectSpec,
  view: View,
  draft: Draft<JsonObject>,
  context: Context,
  value: unknown,
): Performed | Promise<Performed> {
  let reply: unknown;
  let next: object;
  try {
    // Before the drafts end: afterwards nobody could read one.
    reply = detach(value);
    next = draft.finish();
  } catch (error) {
    return abandoned(draft, context, error);
  }
  const { alarms, parked, effects } = context.end();
  const others = alarms !== view.alarms || parked !== view.parked;
  if (next === view.user && !others) return { reply, view, effects, growth: 0 };
  let growth = 0;
  if (others) {
    const names = Object.keys(alarms).concat(Object.keys(parked));
    growth = names.reduce((sum, { length }) => sum + alarmBytes + 6 * length, 0);
  }
  if (next === view.user) {
    return { reply, view: { user: view.user, alarms, parked }, effects, growth };
  }
  const checked = checkChange(view.user, next);
  if (!checked.ok) throw new InvalidValueError(`object "${spec.name}"`, checked.problems);
  growth += checked.growth;
  const user = checked.value;
  const performed = { reply, view: { user, alarms, parked }, effects, growth };
  const accepted = checkState(spec, user);
  return accepted instanceof Promise ? accepted.then(() => performed) : performed;
}

/**
 * Checks a state against the schema of its class, if there is one.
 *
 * @throws {InvalidStateError} If it does not satisfy the schema.
 */
export function checkState(spec: ObjectSpec, user: JsonObject): void | Promise<void> {
  if (spec.schema === undefined) return;
  const refuse = (checked: SchemaCheck) => {
    if (!checked.ok) throw new InvalidStateError(`object "${spec.name}"`, checked.problems);
  };
  const checked = checkSchema(spec.schema, user);
  return checked instanceof Promise ? checked.then(refuse) : refuse(checked);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}

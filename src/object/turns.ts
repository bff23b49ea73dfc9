import { HoldfastError, TooLargeError } from "../core/errors.ts";
import { afterFailure, resting, type Trouble } from "./cool_down.ts";
import { utf8Length } from "../core/json.ts";
import type { HandlerEnv, Subject } from "./context.ts";
import type { Task } from "./message.ts";
import { perform, type Performed, type Work } from "./perform.ts";
import { fit, prepare, type Ready } from "./prepare.ts";
import { storeObject, type View } from "./stored.ts";
import type { CallLimit } from "./time_limit.ts";
import type { Current, Decision, Effect, Turn } from "./types.ts";

/** An object in memory, as turns know it. */
export interface Resident extends Subject {
  /**
   * The record's state that `view` stands for, or {@linkcode nothing}; `undefined` before the first
   * load. Any other state in a turn was loaded since, and has to be prepared (SPEC OJ12).
   */
  lineage: object | undefined;
  /** How many writes the state that the turn under way has seen has had. */
  rev: number;
  view: View | undefined;
  /** No less than the bytes of the record's state as text. */
  bytes: number;
  /** It was found deleted: each call looks again, because the id is new one day. */
  deleted: boolean;
  /** Its last activations have failed. */
  trouble: Trouble | undefined;
}

/** What turns are run with. */
export interface TurnEnv extends HandlerEnv {
  /** Largest state of a record in bytes of its text. */
  readonly maxStateBytes: number;
  /** Told of each object that was loaded. */
  readonly loaded: (resident: Resident, view: View) => void;
  /** Told of each object that rests, because it keeps failing to start. */
  readonly rests: (resident: Resident, trouble: Trouble, restMs: number) => void;
}

/** Work with the limit of the call it is for. */
export interface CallWork extends Work {
  readonly limit: CallLimit;
}

/** The reply of a turn that failed but had something to write all the same. */
export class Failure {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

/** Stands for the state of an object that has none. */
const nothing: object = Object.freeze({});

/** No effects: one list for all turns that have none. */
const noEffects: readonly Effect[] = [];

/**
 * A turn that runs a handler. A reply can be a {@linkcode Failure}.
 *
 * @param existing Refuse to make a new object.
 */
export function handlerTurn(
  env: TurnEnv,
  resident: Resident,
  work: CallWork,
  existing: boolean,
): Turn<unknown> {
  return (current) => runHandler(env, resident, current, work, existing);
}

function runHandler(
  env: TurnEnv,
  resident: Resident,
  current: Current,
  work: CallWork,
  existing: boolean,
): Decision<unknown> | Promise<Decision<unknown>> {
  const { limit } = work;
  if (limit.expired !== undefined) throw limit.expired;
  limit.begin();
  return onObject(env, resident, current, work, (ready) => {
    if (existing && current.state === undefined) throw unknownObject(resident.spec.name);
    const performed = perform(env, resident, ready.view, work);
    if (!(performed instanceof Promise)) return decided(env, resident, ready, performed);
    return performed.then((done) => decided(env, resident, ready, done));
  });
}

/** A call as a task, in one object: there is one for each call of a handler. */
export class HandlerTask implements Task<unknown> {
  readonly #env: TurnEnv;
  readonly #resident: Resident;
  readonly #work: CallWork;
  readonly #existing: boolean;
  readonly #resolve: (reply: unknown) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    env: TurnEnv,
    resident: Resident,
    work: CallWork,
    existing: boolean,
    resolve: (reply: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.#env = env;
    this.#resident = resident;
    this.#work = work;
    this.#existing = existing;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  turn(current: Current): Decision<unknown> | Promise<Decision<unknown>> {
    return runHandler(this.#env, this.#resident, current, this.#work, this.#existing);
  }

  resolve(reply: unknown): void {
    if (reply instanceof Failure) this.#reject(reply.error);
    else this.#resolve(reply);
  }

  reject(error: unknown): void {
    this.#work.limit.end();
    this.#reject(error);
  }
}

/** A read-only handler run on a state, without a turn of its own. */
export async function readBeside(
  env: TurnEnv,
  resident: Resident,
  current: Current,
  work: CallWork,
  existing: boolean,
): Promise<unknown> {
  work.limit.begin();
  try {
    checkAlive(current, resident);
    if (existing && current.state === undefined) throw unknownObject(resident.spec.name);
    const known = resident.lineage !== undefined && resident.lineage === current.state;
    const view = (known ? resident.view : undefined) ?? fit(resident.spec, current.state).view;
    return (await perform(env, resident, view, work)).reply;
  } finally {
    work.limit.end();
  }
}

/**
 * Prepares the object if this is the first turn since it was loaded, and runs a body on it. What
 * preparing has changed is written also if the body throws: the caller then gets a
 * {@linkcode Failure}.
 */
export function onObject<R>(
  env: TurnEnv,
  resident: Resident,
  current: Current,
  { limit, chain }: Pick<CallWork, "chain" | "limit">,
  body: (ready: Ready) => Decision<R> | Promise<Decision<R>>,
): Decision<R | Failure> | Promise<Decision<R | Failure>> {
  let decision: Decision<R | Failure> | Promise<Decision<R | Failure>>;
  try {
    checkAlive(current, resident);
    resident.rev = current.rev;
    const { lineage, view } = resident;
    const base = current.state ?? nothing;
    decision = view !== undefined && lineage === base
      // Nothing was prepared, so nothing of that has to be written if the body throws.
      ? body({ view, dirty: false, effects: noEffects })
      : prepared(env, resident, current, { chain, limit }, body);
  } catch (error) {
    limit.end();
    throw error;
  }
  // The limit ends with what it is for, however that ends.
  if (decision instanceof Promise) return decision.finally(() => limit.end());
  limit.end();
  return decision;
}

/** Runs a body on an object that was loaded since its last turn. */
async function prepared<R>(
  env: TurnEnv,
  resident: Resident,
  { state }: Current,
  work: Pick<CallWork, "chain" | "limit">,
  body: (ready: Ready) => Decision<R> | Promise<Decision<R>>,
): Promise<Decision<R | Failure>> {
  const refusal = resting(resident.trouble, resident.spec.name, env.clock.monotonic());
  if (refusal !== undefined) throw refusal;
  resident.bytes = Infinity;
  let ready: Ready;
  try {
    ready = await prepare(env, resident, state, work);
  } catch (error) {
    return failedToStart(env, resident, error);
  }
  resident.trouble = undefined;
  resident.deleted = false;
  env.loaded(resident, ready.view);
  if (!ready.dirty) {
    resident.lineage = state ?? nothing;
    resident.view = ready.view;
  }
  return await go(env, resident, ready, body);
}

function failedToStart(env: TurnEnv, resident: Resident, error: unknown): never {
  const now = env.clock.monotonic();
  const trouble = afterFailure(resident.trouble, error, now);
  resident.trouble = trouble;
  if (trouble.until > now) env.rests(resident, trouble, trouble.until - now);
  throw error;
}

/** A turn that does nothing but what comes before the first call. */
export function startTurn(
  env: TurnEnv,
  resident: Resident,
  work: Pick<CallWork, "chain" | "limit">,
): Turn<unknown> {
  return (current) => {
    work.limit.begin();
    return onObject(
      env,
      resident,
      current,
      work,
      (ready) =>
        decided(env, resident, ready, {
          reply: undefined,
          view: ready.view,
          effects: [],
          growth: 0,
        }),
    );
  };
}

/** Runs a body; what preparing has changed is written whether it throws or not. */
function go<R>(
  env: TurnEnv,
  resident: Resident,
  ready: Ready,
  body: (ready: Ready) => Decision<R> | Promise<Decision<R>>,
): Decision<R | Failure> | Promise<Decision<R | Failure>> {
  const failed = (error: unknown): Decision<Failure> => {
    if (!ready.dirty) throw error;
    return write(env, resident, ready.view, Infinity, ready.effects, new Failure(error));
  };
  try {
    const decision = body(ready);
    return decision instanceof Promise ? decision.catch(failed) : decision;
  } catch (error) {
    return failed(error);
  }
}

/** Turns what a run has done into what the engine shall do. */
export function decided(
  env: TurnEnv,
  resident: Resident,
  ready: Ready,
  { reply, view, effects, growth }: Performed,
): Decision<unknown> {
  const all = ready.effects.length === 0 ? effects : [...ready.effects, ...effects];
  if (view === ready.view && !ready.dirty) {
    return all.length === 0 ? { kind: "keep", reply } : { kind: "keep", reply, effects: all };
  }
  return write(env, resident, view, growth, all, reply);
}

/**
 * Makes the record's state. Its text is written only when it might be too large: an upper bound is
 * kept beside it, so that calls between two writes cost no text each.
 *
 * @throws {TooLargeError} If it is larger than allowed.
 */
export function write<R>(
  env: TurnEnv,
  resident: Resident,
  view: View,
  growth: number,
  effects: readonly Effect[],
  reply: R,
): Decision<R> {
  const { spec } = resident;
  const state = storeObject(spec.vsn, view);
  let bytes = resident.bytes + growth;
  let text: string | undefined;
  if (!(bytes <= env.maxStateBytes)) {
    text = JSON.stringify(state);
    bytes = utf8Length(text);
    if (bytes > env.maxStateBytes) {
      throw new TooLargeError(
        `Cannot store object "${spec.name}" of ${bytes} bytes: at most ${env.maxStateBytes} are allowed`,
      );
    }
  }
  resident.bytes = bytes;
  resident.lineage = state;
  resident.view = view;
  return { kind: "write", state, text, reply, effects };
}

/** Throws if there is nothing that a handler could be run on. */
function checkAlive({ ended, problem }: Current, resident: Resident): void {
  if (ended !== undefined) {
    resident.deleted = true;
    const { name } = resident.spec;
    throw new HoldfastError("ERR_DELETED", `Cannot use object "${name}": it was deleted`);
  }
  if (problem !== undefined) throw problem;
}

function unknownObject(name: string): HoldfastError {
  return new HoldfastError(
    "ERR_UNKNOWN_OBJECT",
    `Cannot use object "${name}": nothing is stored under this id`,
  );
}

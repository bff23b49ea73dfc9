import type { PlainState } from "../core/inference.ts";
import { copyJson, isJsonObject } from "../core/json.ts";
import { isRefusedKey } from "../core/plain.ts";
import { isStandardSchema, type StandardSchema } from "../core/schema.ts";
import { checkVsn, type Migrate } from "../core/vsn.ts";
import { stateLimits } from "./change.ts";
import type {
  AlarmHandler,
  Handler,
  HandlerOptions,
  HandlerSpec,
  ObjectDefinition,
  ObjectHook,
  ObjectSpec,
} from "./model.ts";
import {
  checkKnown,
  named,
  type OptionNames,
  outOfRange,
  shown,
  wrongArgument,
} from "../core/options.ts";

/** Options of {@linkcode defineObject}. Durations in milliseconds. */
export interface ObjectOptions<S extends object, H extends Readonly<Record<string, Handler<S>>>> {
  /**
   * Stable name of the class in storage: 1 to 64 characters of `A-Z a-z 0-9 _ -`. A rename would
   * lose what is stored.
   */
  readonly name: string;
  /** Version of the stored state, an integer from 1. Raise it when old state no longer fits. */
  readonly vsn: number;
  /** Makes the state of an object that has none stored: a plain JSON object. */
  readonly state: () => S;
  /** What callers can call. */
  readonly handlers: H;
  /** Checks the state when it is loaded and before it is stored. Any Standard Schema library. */
  readonly schema?: StandardSchema;
  /**
   * Turns state of an older `vsn` into state of this one. Must be pure. Without it older state is
   * left alone, and calls are refused with `ERR_UNRECOVERED`.
   */
  readonly migrate?: Migrate;
  /** What becomes of stored fields that `state()` does not have. @default {"keep"} */
  readonly unknownFields?: "keep" | "drop";
  /** What runs when an alarm is due, by the name given to `ctx.schedule()`. */
  readonly alarms?: Readonly<Record<string, AlarmHandler<S>>>;
  /**
   * Runs when the state was loaded (or made anew), before the first call sees it. What it changes is
   * stored with that call, also when that call fails; if it changes nothing, nothing is stored.
   */
  readonly afterLoad?: ObjectHook<S>;
  /** Runs before the state leaves memory because nobody called for a while. */
  readonly onHibernate?: ObjectHook<S>;
  /** Runs before the object leaves memory: idle for `shutdownAfterMs`, stopped, or at `close()`. */
  readonly onShutdown?: ObjectHook<S>;
  /**
   * The state of an object that nobody called for so long leaves memory, `Infinity` for never.
   * @default {300000}
   */
  readonly hibernateAfterMs?: number;
  /** An object that nobody called for so long is shut down. @default {Infinity} */
  readonly shutdownAfterMs?: number;
  /**
   * `"gated"`: a reply leaves when what it tells is durable. `"behind"`: replies leave at once, the
   * write follows, and what a crash takes back has been told: for keystrokes, with `flush()` at the
   * points that count. @default {"gated"}
   */
  readonly durability?: "gated" | "behind";
  /** Time limit of a call, waiting included; the limit of the root if not given. */
  readonly callTimeoutMs?: number;
}

const optionNames: OptionNames<ObjectOptions<object, never>> = {
  name: true,
  vsn: true,
  state: true,
  handlers: true,
  schema: true,
  migrate: true,
  unknownFields: true,
  alarms: true,
  afterLoad: true,
  onHibernate: true,
  onShutdown: true,
  hibernateAfterMs: true,
  shutdownAfterMs: true,
  durability: true,
  callTimeoutMs: true,
};

const handlerNames: OptionNames<HandlerOptions<object>> = { run: true, readOnly: true, args: true };

const namePattern = /^[A-Za-z0-9_-]{1,64}$/;

/** Names a client has for itself, or that would make it look like a promise. */
const reserved: ReadonlySet<string> = new Set([
  "id",
  "flush",
  "then",
  "catch",
  "finally",
  "toJSON",
]);

/**
 * Describes a class of durable objects: one state per id, changed by its handlers only, one call at
 * a time. Does nothing by itself; hand it to `holdfast.object()`.
 *
 * @param options The description.
 * @returns The definition.
 * @throws {TypeError} If the description makes no sense: the message says what.
 * @throws {RangeError} If a number is out of range.
 *
 * @example A counter
 * ```ts
 * import { createHoldfast, defineObject } from "@holdfast/holdfast";
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { assertEquals } from "@std/assert";
 *
 * const Counter = defineObject({
 *   name: "counter",
 *   vsn: 1,
 *   state: () => ({ count: 0 }),
 *   handlers: {
 *     increment({ state }, by = 1) {
 *       return state.count += by;
 *     },
 *   },
 * });
 *
 * const secret = crypto.getRandomValues(new Uint8Array(32));
 * await using holdfast = createHoldfast({ storage: memoryStorage(), secrets: [secret] });
 * const counter = holdfast.object(Counter, "user-123");
 * await counter.increment();
 * assertEquals(await counter.increment(5), 6);
 * ```
 */
export function defineObject<
  S extends PlainState,
  H extends Readonly<Record<string, Handler<S>>>,
>(options: ObjectOptions<S, H>): ObjectDefinition<S, H> {
  checkKnown(options, optionNames, `define ${named("object", options)}`);
  const { name, vsn, state, handlers } = options;
  if (typeof name !== "string" || !namePattern.test(name)) {
    throw wrongArgument(
      `Cannot define an object named ${shown(name)}: a name is 1 to 64 of A-Z a-z 0-9 _ -`,
    );
  }
  const what = `object "${name}"`;
  checkVsn(vsn, what);
  checkState(state, what);
  const given: Given = { ...options };
  checkChoices(given, what);
  // Inside, a state is JSON and nothing more; the types are for whoever writes and calls handlers.
  const hooks = options as unknown as Pick<
    ObjectSpec,
    "afterLoad" | "onHibernate" | "onShutdown" | "schema" | "migrate"
  >;
  const spec: ObjectSpec = {
    name,
    vsn,
    state,
    schema: hooks.schema,
    migrate: hooks.migrate,
    unknownFields: options.unknownFields ?? "keep",
    handlers: readHandlers(handlers, what),
    alarms: readAlarms(options.alarms ?? {}, what),
    afterLoad: hooks.afterLoad,
    onHibernate: hooks.onHibernate,
    onShutdown: hooks.onShutdown,
    hibernateAfterMs: duration(given, "hibernateAfterMs", 5 * 60_000, what),
    shutdownAfterMs: duration(given, "shutdownAfterMs", Infinity, what),
    durability: options.durability ?? "gated",
    callTimeoutMs: given.callTimeoutMs === undefined
      ? undefined
      : duration(given, "callTimeoutMs", 0, what),
  };
  return Object.freeze({ name, vsn, state, handlers, spec });
}

function checkState(state: unknown, what: string): void {
  if (typeof state !== "function") {
    throw wrongArgument(`Cannot define ${what}: "state" is not a function`);
  }
  const made: unknown = state();
  if (!isJsonObject(made)) {
    throw wrongArgument(`Cannot define ${what}: state() did not return a plain object`);
  }
  const copied = copyJson(made, { limits: stateLimits });
  if (copied.ok) return;
  const { path = "", reason = "is invalid" } = copied.problems[0] ?? {};
  throw wrongArgument(`Cannot define ${what}: the default of "${path}" ${reason}`);
}

/** Options before anybody has looked at them. */
type Given = { readonly [K in keyof ObjectOptions<object, never>]?: unknown };

function checkChoices(given: Given, what: string): void {
  const { schema, unknownFields = "keep", durability = "gated" } = given;
  for (const key of ["migrate", "afterLoad", "onHibernate", "onShutdown"] as const) {
    if (given[key] !== undefined && typeof given[key] !== "function") {
      throw wrongArgument(`Cannot define ${what}: "${key}" is not a function`);
    }
  }
  if (schema !== undefined && !isStandardSchema(schema)) {
    throw wrongArgument(`Cannot define ${what}: "schema" is not a Standard Schema`);
  }
  if (unknownFields !== "keep" && unknownFields !== "drop") {
    throw wrongArgument(`Cannot define ${what}: "unknownFields" is neither "keep" nor "drop"`);
  }
  if (durability !== "gated" && durability !== "behind") {
    throw wrongArgument(`Cannot define ${what}: "durability" is neither "gated" nor "behind"`);
  }
}

function duration(
  given: Given,
  key: "hibernateAfterMs" | "shutdownAfterMs" | "callTimeoutMs",
  fallback: number,
  what: string,
): number {
  const value = given[key] ?? fallback;
  if (typeof value === "number" && value > 0) return value;
  throw outOfRange(`Cannot define ${what}: "${key}" is ${String(value)}, not above 0`);
}

function readHandlers(handlers: object, what: string): ReadonlyMap<string, HandlerSpec> {
  if (!isJsonObject(handlers)) {
    throw wrongArgument(`Cannot define ${what}: "handlers" is not an object`);
  }
  return new Map(
    Object.entries(handlers as Readonly<Record<string, unknown>>).map(([name, given]) => {
      if (reserved.has(name) || isRefusedKey(name)) {
        throw wrongArgument(`Cannot define ${what}: a handler cannot be named "${name}"`);
      }
      return [name, readHandler(given, `${what}: handler "${name}"`)];
    }),
  );
}

function readHandler(given: unknown, what: string): HandlerSpec {
  const options = (typeof given === "function" ? { run: given } : given) as HandlerOptions<object>;
  if (typeof options?.run !== "function") {
    throw wrongArgument(`Cannot define ${what} is neither a function nor has a function "run"`);
  }
  if (typeof given !== "function") checkKnown(given, handlerNames, `define ${what}`);
  const { run, readOnly = false, args } = options;
  if (typeof readOnly !== "boolean") {
    throw wrongArgument(`Cannot define ${what} has a "readOnly" that is not a boolean`);
  }
  if (args !== undefined && !isStandardSchema(args)) {
    throw wrongArgument(`Cannot define ${what} has an "args" that is not a Standard Schema`);
  }
  return { run: run as unknown as HandlerSpec["run"], readOnly, args };
}

function readAlarms(alarms: object, what: string): ObjectSpec["alarms"] {
  if (!isJsonObject(alarms)) {
    throw wrongArgument(`Cannot define ${what}: "alarms" is not an object`);
  }
  return new Map(
    Object.entries(alarms as Readonly<Record<string, unknown>>).map(([name, run]) => {
      if (name === "" || name.length > 64 || !name.isWellFormed() || isRefusedKey(name)) {
        throw wrongArgument(
          `Cannot define ${what}: an alarm cannot be named ${JSON.stringify(name.slice(0, 80))}`,
        );
      }
      if (typeof run !== "function") {
        throw wrongArgument(`Cannot define ${what}: alarm "${name}" is not a function`);
      }
      return [name, run as HandlerSpec["run"]];
    }),
  );
}

import type { Known, PlainState, StoredKey } from "../core/inference.ts";
import { isJsonObject } from "../core/json.ts";
import type { StandardSchema } from "../core/schema.ts";
import { isStandardSchema } from "../core/schema.ts";
import type { Scope } from "../core/scope.ts";
import type { Migrate } from "../core/vsn.ts";
import { describeStash, type StashDefinition, type StashOptions } from "../stash/definition.ts";
import type {
  AutoStash,
  CheckedHandler,
  EventSpec,
  LeaveReason,
  LiveEvent,
  RenderContext,
  Rendered,
  ViewContext,
  ViewDefinition,
  ViewEvent,
  ViewSpec,
  ViewWatches,
  WatchRows,
} from "./model.ts";
import { readWatches } from "./rows.ts";
import { checkKnown, named, type OptionNames, wrongArgument } from "../core/options.ts";

/** Options of {@linkcode defineView}. */
export interface ViewOptions<S extends object, I extends object, W extends object = object> {
  /**
   * Stable name of the view in storage and on the wire: 1 to 64 characters of `A-Z a-z 0-9 _ . -`.
   * Never derive it from a class or a file: a rename would lose what users have stored.
   */
  readonly name: string;
  /** Version of the stored shape, an integer from 1. @default {1} */
  readonly vsn?: number;
  /**
   * Which keys of the state are stored: `"session"` until the session ends, `"reconnect"` for the
   * same page instance. An array is shorthand for `"session"` throughout. Without it nothing is.
   */
  readonly stored?: readonly StoredKey<S>[] | { readonly [K in StoredKey<S>]?: Scope };
  /** Makes the state of a session that has stored nothing. Called often; must be cheap and pure. */
  readonly state: () => S;
  /** Checks the state when it is recovered and before it is stored. Any Standard Schema library. */
  readonly schema?: StandardSchema;
  /** Turns stored data of an older `vsn` into data of this one. Must be pure. */
  readonly migrate?: Migrate;
  /** What to do with a value that JSON cannot carry, as in `defineStash()`. @default {"throw"} */
  readonly onInvalidValue?: "throw" | "skip";
  /**
   * Store what changed by itself, a moment after it was rendered (`timing.stashMs`, 250 ms) and at
   * once on blur, submit and drain. `false`: only `ctx.stash()`, `ctx.flush()` and a drain store.
   * @default {true}
   */
  readonly autoStash?: boolean | { readonly debounceMs: number };
  /**
   * Rows of Postgres to show: `ctx.rows` has them under these names, loaded before the first render.
   * The view is rendered again after every transaction that changes any of them, once. A page for a
   * GET loads them and listens to nothing. What loading throws when a view begins or has another key
   * crashes it. Give it before the functions that use `ctx.rows`: TypeScript takes types from above.
   */
  readonly watch?: (rows: WatchRows<S>) => ViewWatches<W>;
  /** Runs first, for a GET of the page and again when the page connects. */
  readonly mount?: (ctx: ViewContext<S, Known<W>>) => void | Promise<void>;
  /** Runs after `mount`, and whenever the address changes within the view. */
  readonly params?: (ctx: ViewContext<S, Known<W>>, url: URL) => void | Promise<void>;
  /** What the page can set off, by name. What a handler returns, as JSON, is the reply's value. */
  readonly events?: { readonly [K in keyof I]: ViewEvent<Known<S>, I[K], Known<W>> };
  /** Gets what `ctx.send()` sends, and hints of the library. */
  readonly info?: (ctx: ViewContext<S, Known<W>>, message: unknown) => void | Promise<void>;
  /** Runs before the connection is closed by a server that goes away. */
  readonly drain?: (ctx: ViewContext<S, Known<W>>) => void | Promise<void>;
  /** Runs when the page instance is over: the user went elsewhere. */
  readonly leave?: (ctx: ViewContext<S, Known<W>>, why: LeaveReason) => void | Promise<void>;
  /** Makes the HTML of a state. Escaping is the template's: hono/html and hono/jsx do it. */
  readonly render: (
    from: { readonly state: S; readonly ctx: RenderContext<Known<W>> },
  ) => Rendered;
}

/**
 * Describes a live view: its state, what is stored of it, what it does, and how it looks. Does
 * nothing by itself; hand it to `createLive()`.
 *
 * @param options The description.
 * @returns The definition.
 * @throws {TypeError} If the description makes no sense: the message says what.
 *
 * @example A counter
 * ```ts
 * import { defineView } from "@holdfast/holdfast/live";
 * import { assertEquals } from "@std/assert";
 *
 * const Counter = defineView({
 *   name: "counter",
 *   stored: ["count"],
 *   state: () => ({ count: 0 }),
 *   events: {
 *     add({ state }) {
 *       state.count++;
 *     },
 *   },
 *   render: ({ state }) => `<button data-live-click="add">${state.count}</button>`,
 * });
 *
 * assertEquals(Counter.name, "counter");
 * ```
 */
export function defineView<
  S extends PlainState,
  I extends object = Record<string, unknown>,
  W extends object = object,
>(options: ViewOptions<S, I, W>): ViewDefinition<S> {
  checkKnown(options, optionNames, `define ${named("view", options)}`);
  const { name, vsn = 1, stored = [], state, schema, migrate, onInvalidValue } = options;
  const stash = describeStash<S>(
    {
      name,
      vsn,
      stored,
      state,
      ...(schema === undefined ? {} : { schema }),
      ...(migrate === undefined ? {} : { migrate }),
      ...(onInvalidValue === undefined ? {} : { onInvalidValue }),
    } satisfies StashOptions<S>,
    "view",
  );
  return { name, stash, spec: specOf(options, stash) };
}

/**
 * Gives an event a schema: the handler gets what the schema makes of the input, typed. What does not
 * satisfy it never reaches the handler; the page is told why.
 *
 * TypeScript needs to be told the state here, by `defineView<State>()` or a `ctx: ViewContext<State>`;
 * `{ input: schema, run(ctx, input) {} }` is the same, and needs no telling.
 *
 * @param schema Any Standard Schema library.
 * @param run The handler.
 * @returns What to put under the event's name.
 * @throws {TypeError} If an argument is none.
 *
 * @example A theme that can only be one of two
 * ```ts
 * import { defineView, on } from "@holdfast/holdfast/live";
 * import { assertEquals } from "@std/assert";
 * import * as v from "valibot";
 *
 * const Settings = defineView<{ theme: string }>({
 *   name: "settings",
 *   stored: ["theme"],
 *   state: () => ({ theme: "light" }),
 *   events: {
 *     save: on(v.object({ theme: v.picklist(["light", "dark"]) }), (ctx, { theme }) => {
 *       ctx.state.theme = theme;
 *     }),
 *   },
 *   render: ({ state }) => `<p>${state.theme}</p>`,
 * });
 *
 * assertEquals(Settings.stash.name, "settings");
 * ```
 */
export function on<S extends object, I>(
  schema: StandardSchema<I>,
  run: (ctx: ViewContext<S>, input: I, event: LiveEvent) => unknown,
): CheckedHandler<S, I> {
  if (!isStandardSchema(schema)) {
    throw wrongArgument("Cannot define an event: its schema is not a Standard Schema");
  }
  if (typeof run !== "function") {
    throw wrongArgument("Cannot define an event: its handler is not a function");
  }
  return { input: schema, run };
}

const optionNames: OptionNames<ViewOptions<object, object>> = {
  name: true,
  vsn: true,
  stored: true,
  state: true,
  schema: true,
  migrate: true,
  onInvalidValue: true,
  autoStash: true,
  watch: true,
  mount: true,
  params: true,
  events: true,
  info: true,
  drain: true,
  leave: true,
  render: true,
};

type Hooks = "mount" | "params" | "info" | "drain" | "leave";

const hooks: readonly Hooks[] = ["mount", "params", "info", "drain", "leave"];

function specOf<S extends object, I extends object, W extends object>(
  options: ViewOptions<S, I, W>,
  stash: StashDefinition<S>,
): ViewSpec {
  const { name, events = {}, autoStash = true, render } = options;
  const what = `view "${name}"`;
  for (const hook of hooks) {
    const given: unknown = options[hook];
    if (given !== undefined && typeof given !== "function") {
      throw wrongArgument(`Cannot define ${what}: "${hook}" is not a function`);
    }
  }
  if (typeof render !== "function") {
    throw wrongArgument(`Cannot define ${what}: "render" is not a function`);
  }
  const { mount, params, info, drain, leave } = options;
  const spec = {
    name,
    stash,
    autoStash: readAutoStash(autoStash, what),
    watch: readWatches(options.watch, what),
    mount,
    params,
    events: readEvents(events, what),
    info,
    drain,
    leave,
    render,
  };
  // From here on nobody knows the type of the state; each function gets the state of its own view.
  return spec as unknown as ViewSpec;
}

function readAutoStash(given: unknown, what: string): AutoStash {
  if (typeof given === "boolean") {
    return given ? { on: true, debounceMs: undefined } : { on: false };
  }
  if (typeof given === "object" && given !== null) {
    checkKnown(given, { debounceMs: true }, `define ${what}`, "autoStash");
  }
  const { debounceMs } = (given ?? {}) as { debounceMs?: unknown };
  if (typeof debounceMs === "number" && debounceMs >= 0) return { on: true, debounceMs };
  throw wrongArgument(
    `Cannot define ${what}: "autoStash" is neither a boolean nor has a "debounceMs" of 0 or more`,
  );
}

const eventName = /^(?!(?:__proto__|constructor|prototype)$)[A-Za-z0-9_.:-]{1,64}$/;

function readEvents(given: object, what: string): ReadonlyMap<string, EventSpec> {
  if (!isJsonObject(given)) throw wrongArgument(`Cannot define ${what}: "events" is not an object`);
  return new Map(
    Object.entries(given as Readonly<Record<string, unknown>>).map(([name, event]) => {
      if (!eventName.test(name)) {
        throw wrongArgument(
          `Cannot define ${what}: an event cannot be named ${JSON.stringify(name.slice(0, 80))}`,
        );
      }
      return [name, readEvent(event, `${what}: event "${name}"`)];
    }),
  );
}

function readEvent(given: unknown, what: string): EventSpec {
  if (typeof given === "function") return { schema: undefined, run: given as EventSpec["run"] };
  const { input, run } = (given ?? {}) as { input?: unknown; run?: EventSpec["run"] };
  if (typeof run === "function" && isStandardSchema(input)) {
    checkKnown(given, { input: true, run: true }, `define ${what}`);
    return { schema: input, run };
  }
  throw wrongArgument(
    `Cannot define ${what} is neither a function nor has a schema "input" and a function "run"`,
  );
}

import type { PlainState, StoredKey } from "../core/inference.ts";
import { isJsonObject, type JsonObject, normalize } from "../core/json.ts";
import { formatPath } from "../core/path.ts";
import { type Mount, parseScopes, type Scope, survives } from "../core/scope.ts";
import { isStandardSchema, type StandardSchema } from "../core/schema.ts";
import { checkVsn, type Migrate } from "../core/vsn.ts";
import { checkKnown, named, type OptionNames, shown, wrongArgument } from "../core/options.ts";

/** Options of {@linkcode defineStash}. */
export interface StashOptions<S extends object> {
  /**
   * Stable name of the stash in storage: 1 to 64 characters of `A-Z a-z 0-9 _ . -`. Never derive it
   * from a class or a file: a rename would lose what users have stored.
   */
  readonly name: string;
  /** Version of the stored shape, an integer from 1. Raise it when old data no longer fits. */
  readonly vsn: number;
  /**
   * Which keys of the state are stored, and how long they outlive the page that stashed them:
   * `"session"` until the session ends, `"reconnect"` only for the same page instance. An array is
   * shorthand for `"session"` throughout. Keys not named here are never stored.
   */
  readonly stored: readonly StoredKey<S>[] | { readonly [K in StoredKey<S>]?: Scope };
  /** Makes the state of a session that has stored nothing. Called often; must be cheap and pure. */
  readonly state: () => S;
  /** Checks the state when it is recovered and before it is stored. Any Standard Schema library. */
  readonly schema?: StandardSchema;
  /**
   * Turns data of an older `vsn` into data of this one. Must be pure: it may run more than once.
   * Without it, older data is discarded by the next write.
   */
  readonly migrate?: Migrate;
  /**
   * What to do with a value that JSON cannot carry: `"throw"` refuses the write and names the path,
   * `"skip"` leaves the key as it is in storage and reports it to telemetry.
   * @default {"throw"}
   */
  readonly onInvalidValue?: "throw" | "skip";
}

/** A stash as defined: inert, made by {@linkcode defineStash}. */
export interface StashDefinition<S extends object> {
  /** Name in storage. */
  readonly name: string;
  /** Version of the stored shape. */
  readonly vsn: number;
  /** The stored keys and their scopes. */
  readonly scopes: ReadonlyMap<string, Scope>;
  /** Whether any key is stored per page instance. */
  readonly hasDrafts: boolean;
  /** Makes the initial state. */
  readonly state: () => S;
  /** The stored keys of the initial state, as JSON. */
  readonly defaults: JsonObject;
  /** Checks the state. */
  readonly schema: StandardSchema | undefined;
  /** Turns older data into data of this version. */
  readonly migrate: Migrate | undefined;
  /** What to do with a value that JSON cannot carry. */
  readonly onInvalidValue: "throw" | "skip";
}

const optionNames: OptionNames<StashOptions<object>> = {
  name: true,
  vsn: true,
  stored: true,
  state: true,
  schema: true,
  migrate: true,
  onInvalidValue: true,
};

/** The lookahead keeps out the names that JSON normalisation refuses as keys. */
const namePattern = /^(?!(?:__proto__|constructor|prototype)$)[A-Za-z0-9_.-]{1,64}$/;

/**
 * Describes a part of a session's state: its stored keys, their scopes, its version. Does nothing
 * by itself; hand it to `session.stash()`.
 *
 * @param options The description.
 * @returns The definition.
 * @throws {TypeError} If the description makes no sense: a bad name or `vsn`, an unknown or reserved
 *   scope, a stored key that `state()` does not have, or a default that JSON cannot carry.
 *
 * @example A cart that keeps its shape over two versions
 * ```ts
 * import { defineStash } from "@holdfast/holdfast";
 * import { assertEquals } from "@std/assert";
 *
 * const Cart = defineStash({
 *   name: "cart",
 *   vsn: 2,
 *   stored: { items: "session", note: "reconnect" },
 *   state: () => ({ items: [] as string[], note: "" }),
 *   migrate: (_from, data) => ({ ...data, items: data.cart ?? [] }),
 * });
 *
 * assertEquals(Cart.name, "cart");
 * ```
 */
export function defineStash<S extends PlainState>(options: StashOptions<S>): StashDefinition<S> {
  checkKnown(options, optionNames, `define ${named("stash", options)}`);
  return describeStash(options, "stash");
}

/** Does what {@linkcode defineStash} does, for what has a stash and is called otherwise. */
export function describeStash<S extends PlainState>(
  options: StashOptions<S>,
  kind: "stash" | "view",
): StashDefinition<S> {
  const { name, schema, migrate, onInvalidValue = "throw" } = options;
  if (typeof name !== "string" || !namePattern.test(name)) {
    throw wrongArgument(
      `Cannot define a ${kind} named ${shown(name)}: a name is 1 to 64 of A-Z a-z 0-9 _ . -`,
    );
  }
  const what = `${kind} "${name}"`;
  const vsn = checkVsn(options.vsn, what);
  const scopes = parseScopes(options.stored as Parameters<typeof parseScopes>[0], what);
  if (typeof options.state !== "function") {
    throw wrongArgument(`Cannot define ${what}: "state" is not a function`);
  }
  if (schema !== undefined && !isStandardSchema(schema)) {
    throw wrongArgument(`Cannot define ${what}: "schema" is not a Standard Schema`);
  }
  if (migrate !== undefined && typeof migrate !== "function") {
    throw wrongArgument(`Cannot define ${what}: "migrate" is not a function`);
  }
  if (onInvalidValue !== "throw" && onInvalidValue !== "skip") {
    throw wrongArgument(`Cannot define ${what}: "onInvalidValue" is neither "throw" nor "skip"`);
  }
  const defaults = readDefaults(options.state(), scopes, what);
  const hasDrafts = [...scopes.values()].includes("reconnect");
  const { state } = options;
  return { name, vsn, scopes, hasDrafts, state, defaults, schema, migrate, onInvalidValue };
}

function readDefaults(
  state: object,
  scopes: ReadonlyMap<string, Scope>,
  what: string,
): JsonObject {
  if (typeof state !== "object" || state === null) {
    throw wrongArgument(`Cannot define ${what}: state() did not return an object`);
  }
  const defaults: JsonObject = {};
  for (const key of scopes.keys()) {
    if (!Object.hasOwn(state, key)) {
      throw wrongArgument(`Cannot define ${what}: state() has no key "${key}" to store`);
    }
    const value: unknown = Reflect.get(state, key);
    if (value === undefined) continue;
    const normal = normalize(value, { path: formatPath([key]) });
    if (!normal.ok) {
      const { path, reason } = normal.problems[0] ?? { path: key, reason: "is invalid" };
      throw wrongArgument(`Cannot define ${what}: the default of "${path}" ${reason}`);
    }
    defaults[key] = normal.value;
  }
  return defaults;
}

/** Picks the declared keys that survive this way of mounting. Reads own keys only. */
export function pickDeclared(
  scopes: ReadonlyMap<string, Scope>,
  data: unknown,
  mount: Mount,
): JsonObject {
  const picked: JsonObject = {};
  if (!isJsonObject(data)) return picked;
  for (const [key, scope] of scopes) {
    const value = Object.hasOwn(data, key) ? data[key] : undefined;
    if (value !== undefined && survives(scope, mount)) picked[key] = value;
  }
  return picked;
}

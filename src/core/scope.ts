import { wrongArgument } from "./options.ts";
import { isRefusedKey } from "./plain.ts";

/** How long a stored value outlives the view that stashed it. */
export type Scope = "session" | "reconnect";

/** How a view came to be mounted. */
export type Mount = "navigation" | "rejoin";

/**
 * Tells whether a mount recovers a stored value.
 *
 * A `"session"` value survives every mount. A `"reconnect"` value survives a rejoin only: the page
 * never went away, so what the user was typing is still theirs (SPEC SC1, SC2).
 *
 * @param scope The scope the key was declared with.
 * @param mount How the view was mounted.
 * @returns `true` if the value is recovered, `false` if it is cleared.
 */
export function survives(scope: Scope, mount: Mount): boolean {
  return scope === "session" || mount === "rejoin";
}

/**
 * Reads the stored keys of a definition.
 *
 * @param stored `["a"]` is short for `{ a: "session" }`; `undefined` stores nothing.
 * @param what Names the definition in errors: `stash "cart"`.
 * @throws {TypeError} If a key is not a string, is refused (`__proto__`, `constructor`,
 * `prototype`, a lone surrogate) or is there twice, or if a scope is unknown or `"permanent"`,
 * which is reserved.
 */
export function parseScopes(
  stored: readonly string[] | Readonly<Record<string, Scope>> | undefined,
  what: string,
): ReadonlyMap<string, Scope> {
  const scopes = new Map<string, Scope>();
  for (const [key, scope] of declaredKeys(stored, what)) {
    const name = checkKey(key, what);
    if (scopes.has(name)) refuse(what, `the stored key "${name}" is there twice`);
    scopes.set(name, checkScope(scope, name, what));
  }
  return scopes;
}

function declaredKeys(stored: unknown, what: string): readonly (readonly [unknown, unknown])[] {
  if (stored === undefined) return [];
  try {
    if (Array.isArray(stored)) return Array.from(stored, (key: unknown) => [key, "session"]);
    if (typeof stored === "object" && stored !== null) {
      return Reflect.ownKeys(stored).map((key) => [key, Reflect.get(stored, key)]);
    }
  } catch (cause) {
    refuse(what, "its stored keys cannot be read", cause);
  }
  return refuse(what, "its stored keys are neither an array nor an object");
}

function checkKey(key: unknown, what: string): string {
  if (typeof key !== "string") return refuse(what, "a stored key is not a string");
  if (isRefusedKey(key)) refuse(what, `"${key}" is refused as a stored key`);
  if (!key.isWellFormed()) refuse(what, "a stored key holds a lone surrogate");
  return key;
}

function checkScope(scope: unknown, key: string, what: string): Scope {
  if (scope === "session" || scope === "reconnect") return scope;
  if (scope === "permanent") refuse(what, `the scope "permanent" of key "${key}" is reserved`);
  return refuse(what, `the scope of key "${key}" is neither "session" nor "reconnect"`);
}

function refuse(what: string, why: string, cause?: unknown): never {
  throw wrongArgument(`Cannot define ${what}: ${why}`, "ERR_WRONG_ARGUMENT", { cause });
}

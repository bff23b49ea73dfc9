import { cloneJson, type JsonObject } from "../core/json.ts";
import { formatPath } from "../core/path.ts";
import { checkSchema, type StandardSchema } from "../core/schema.ts";
import type { StashDefinition } from "./definition.ts";
import type { Recovery } from "./slices.ts";

const noneInvalid: readonly string[] = Object.freeze([]);

/** A recovery turned into the state a handler gets. */
export interface Restored<S> extends Recovery {
  /** The defaults with what was recovered over them; fresh, free to be mutated. */
  readonly state: S;
  /** Keys whose recovered value the schema refused. */
  readonly invalid: readonly string[];
}

/** The defaults with copies of the fields over them. */
export function stateOf<S extends object>(definition: StashDefinition<S>, fields: JsonObject): S {
  const state = definition.state();
  for (const key of Object.keys(fields)) restoreKey(definition, state, fields, key);
  return state;
}

/** Puts one key of a state to what is stored, or to its default if nothing is. */
export function restoreKey<S extends object>(
  definition: StashDefinition<S>,
  state: S,
  fields: JsonObject,
  key: string,
): void {
  const stored = fields[key];
  // Plainly, not through Reflect: on Node each call of that costs as much as finding the session.
  const target = state as Record<string, unknown>;
  target[key] = stored === undefined
    ? (definition.state() as Record<string, unknown>)[key]
    : cloneJson(stored);
}

/**
 * Makes the state of a recovery. Values that the schema refuses fall back to their defaults, the
 * others are recovered (SPEC SH14).
 */
export function restore<S extends object>(
  definition: StashDefinition<S>,
  recovery: Recovery,
): Restored<S> | Promise<Restored<S>> {
  const state = stateOf(definition, recovery.fields);
  const { schema } = definition;
  if (schema === undefined || Object.keys(recovery.fields).length === 0) {
    const { status, fields, cause, submitted = 0 } = recovery;
    return { status, fields, cause, submitted, state, invalid: noneInvalid };
  }
  return withoutInvalid(definition, schema, recovery, state);
}

async function withoutInvalid<S extends object>(
  definition: StashDefinition<S>,
  schema: StandardSchema,
  recovery: Recovery,
  state: S,
): Promise<Restored<S>> {
  const checked = await checkSchema(schema, state);
  if (checked.ok) return { ...recovery, state, invalid: [] };
  const paths = checked.problems.map(({ path }) => path);
  const named = Object.keys(recovery.fields).filter((key) => paths.some((path) => isAt(path, key)));
  // A problem of the whole state names no key to blame: none of it can be trusted.
  const invalid = paths.includes("") ? Object.keys(recovery.fields) : named;
  const fields = { ...recovery.fields };
  for (const key of invalid) delete fields[key];
  return { ...recovery, fields, state: stateOf(definition, fields), invalid };
}

/** Tells whether a path leads to or below a top-level key. */
export function isAt(path: string, key: string): boolean {
  const top = formatPath([key]);
  return path === top || path.startsWith(`${top}.`) || path.startsWith(`${top}[`);
}

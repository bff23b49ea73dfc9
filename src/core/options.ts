import type { ErrorCode } from "./errors.ts";
import { formatPath } from "./path.ts";

/** What the value of an option has to be: of a kind, or with a method; anything else is left unchecked. */
export type OptionKind =
  | "a function"
  | "a boolean"
  | "a number"
  | "a string"
  | "an array"
  | "an object"
  | `.${string}`;

/** The names of all options of a type; the compiler finds one that is missing or made up. */
export type OptionNames<T> = { readonly [K in keyof T]-?: OptionKind | true };

/** Makes the `TypeError` for an argument that makes no sense; with a code, as other errors have. */
export function wrongArgument(
  message: string,
  code: Extract<ErrorCode, "ERR_UNKNOWN_OPTION" | "ERR_WRONG_ARGUMENT"> = "ERR_WRONG_ARGUMENT",
  options?: ErrorOptions,
): TypeError {
  return Object.assign(new TypeError(message, options), { code });
}

/** Makes the `RangeError` for a value of the right kind that is out of its range; with a code. */
export function outOfRange(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: "ERR_WRONG_ARGUMENT" });
}

/**
 * Checks that options are an object, and that each of them is one there is: a misspelt one would be
 * ignored in silence. One that is `undefined` is not there.
 *
 * @param given What the caller gave.
 * @param names The options there are.
 * @param task What cannot be done, for the message: `define stash "cart"`.
 * @param path Where the options are in those of the caller: `limits`; empty for themselves.
 * @throws {TypeError} `ERR_WRONG_ARGUMENT` if they are no object, `ERR_UNKNOWN_OPTION` with the name
 *   that is most like it if there is one that is not known.
 */
export function checkKnown<T extends object>(
  given: unknown,
  names: { readonly [K in keyof T]-?: unknown },
  task: string,
  path = "",
): void {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    const what = path === "" ? "its options are" : `"${path}" is`;
    throw wrongArgument(`Cannot ${task}: ${what} ${kindOf(given)}, not an object`);
  }
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (Object.hasOwn(names, name)) {
      checkKind(value, Reflect.get(names, name), formatPath([name], path), task);
      continue;
    }
    const known = Object.keys(names);
    const nearest = nearestName(name, known);
    const hint = nearest === undefined
      ? `there are ${known.map((one) => `"${one}"`).join(", ")}`
      : `the nearest is "${formatPath([nearest], path)}"`;
    throw wrongArgument(
      `Cannot ${task}: there is no option "${formatPath([name], path)}"; ${hint}`,
      "ERR_UNKNOWN_OPTION",
    );
  }
}

function checkKind(value: unknown, kind: unknown, path: string, task: string): void {
  if (typeof kind !== "string") return;
  const method = kind.startsWith(".") ? kind.slice(1) : undefined;
  const fits = method === undefined
    ? kindOf(value) === kind
    : typeof (value as Readonly<Record<string, unknown>> | null)?.[method] === "function";
  if (fits) return;
  const wanted = method === undefined ? kind : `something with ${method}()`;
  throw wrongArgument(`Cannot ${task}: "${path}" is ${kindOf(value)}, not ${wanted}`);
}

/** Names what is to be made, for messages: `stash "cart"`, or `a stash` if it has no name. */
export function named(kind: string, options: unknown): string {
  const { name } = (options ?? {}) as { readonly name?: unknown };
  const article = /^[aeiou]/.test(kind) ? "an" : "a";
  return typeof name === "string" ? `${kind} ${shown(name)}` : `${article} ${kind}`;
}

/** Text in quotes, cut if long; of anything else what it is. Never a stored value or a secret. */
export function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : kindOf(value);
}

/** What a value is, for messages: `null`, `a string`, `an array`. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** The name that is most like another; `undefined` if none is like it. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  const most = Math.max(1, Math.floor(name.length * 0.4));
  let nearest: string | undefined;
  let least = Infinity;
  for (const one of known) {
    const other = one.toLowerCase();
    const isPart = lower.length > 2 && (other.startsWith(lower) || lower.startsWith(other));
    const apart = isPart ? 1 : editsBetween(lower, other);
    if (apart <= most && apart < least) [nearest, least] = [one, apart];
  }
  return nearest;
}

/** Levenshtein's distance: https://en.wikipedia.org/wiki/Levenshtein_distance, with one row. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

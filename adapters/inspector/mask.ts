import { wrongArgument } from "../../src/core/options.ts";
import type { JsonValue } from "../../src/core/json.ts";

/** Stands where something is kept back. */
export const MASK = "•••";

/** What a value belongs to that may have to be kept back. */
export interface Shown {
  /** The state of an object, of a document, or an operation in the history of one. */
  readonly kind: "object" | "document" | "operation";
  /** Name of the definition. */
  readonly class: string;
  /** Id of the object or document. */
  readonly id: string;
}

/**
 * What is kept back of states: paths such as `customer.email` or `items.*.card`, where `*` is any one
 * key; or a function that says so of a path.
 */
export type Redact =
  | readonly string[]
  | ((path: readonly string[], of: Shown) => boolean);

/** Tells whether the value at a path is kept back. */
export type IsHidden = (path: readonly string[], value: JsonValue, of: Shown) => boolean;

/** Keys whose texts nobody wants on a screen, whatever the application is. */
const secretNames =
  /pass(?:word|phrase|wd)|secret|token|authorization|cookie|credential|api_?-?key|private_?-?key/i;

/**
 * Makes the judge of what is kept back: what the application says, and what has the name of a secret.
 *
 * @throws {TypeError} If it is neither a list of paths nor a function.
 */
export function hidden(redact: Redact = []): IsHidden {
  const told = typeof redact === "function" ? redact : byPaths(redact);
  return (path, value, of) => {
    // A number under such a name counts something.
    const isText = typeof value === "string" || (typeof value === "object" && value !== null);
    return (isText && secretNames.test(path.at(-1) ?? "")) || told(path, of);
  };
}

function byPaths(redact: readonly string[]): (path: readonly string[], of: Shown) => boolean {
  const isList: boolean = Array.isArray(redact);
  if (!isList || redact.some((path) => typeof path !== "string" || path === "")) {
    throw wrongArgument(
      'Cannot create an inspector: "redact" is neither a list of paths nor a function',
    );
  }
  const paths = redact.map((path) => path.split("."));
  const names = new Set(paths.flatMap((path) => path.filter((part) => part !== "*").slice(-1)));
  return (path, { kind }) => {
    // An operation has a shape of its own: there the name alone decides.
    if (kind === "operation") return names.has(path.at(-1) ?? "");
    return paths.some((parts) =>
      parts.length === path.length && parts.every((part, i) => part === "*" || part === path[i])
    );
  };
}

/**
 * A text as it may be shown: without anything that could be a session id, a cookie or a token. They
 * are runs of 43 and more characters of base64url; slugs and hashes in hexadecimal have no upper case.
 */
export function masked(text: string): string {
  return text
    .replace(/eyJ[\w-]+\.[\w-]+\.[\w-]*/g, MASK)
    .replace(/[\w-]{43,}/g, (run) => /[A-Z]/.test(run) && /[a-z]/.test(run) ? MASK : run);
}

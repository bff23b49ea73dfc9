import type { Problem } from "./errors.ts";
import { formatPath } from "./path.ts";

/**
 * What Standard Schema libraries (valibot, zod, arktype and others) have in common: version 1 of
 * the interface at https://standardschema.dev, as far as it is used here.
 */
export interface StandardSchema<Output = unknown> {
  /** The properties of the standard. */
  readonly "~standard": StandardProps<Output>;
}

/** The properties of a {@linkcode StandardSchema}. */
export interface StandardProps<Output = unknown> {
  /** The version of the standard. */
  readonly version: 1;
  /** The library it comes from. */
  readonly vendor: string;
  /** Validates a value. */
  readonly validate: (
    value: unknown,
  ) => StandardResult<Output> | Promise<StandardResult<Output>>;
  /** Types only; never there at run time. */
  readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
}

/** What validation answers: `issues` decides. */
export type StandardResult<Output = unknown> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One thing a schema does not like. */
export interface StandardIssue {
  /** The text of the library; it may quote the value. */
  readonly message: string;
  /** Where: keys, or objects with a key. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Whether a value satisfies its schema. */
export type SchemaCheck =
  | { readonly ok: true }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Tells whether a value is a Standard Schema of version 1. Does not throw. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  // A schema can be a function (arktype).
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  try {
    const props = (value as Partial<StandardSchema>)["~standard"];
    return props?.version === 1 && typeof props.validate === "function";
  } catch {
    return false;
  }
}

/**
 * Validates a value. The output of the schema is ignored: defaults and transformations of the
 * schema are not applied. Answers with a promise if the schema does.
 *
 * A schema that throws, or answers something else than the standard says, is a problem at the root
 * (SPEC SS3): this function neither throws nor rejects. No problem repeats the value (SPEC SS4).
 */
export function checkSchema(
  schema: StandardSchema,
  value: unknown,
): SchemaCheck | Promise<SchemaCheck> {
  try {
    const result: unknown = schema["~standard"].validate(value);
    if (!isThenable(result)) return readResult(result, value);
    return Promise.resolve(result).then((late) => readResult(late, value), () => broken("threw"));
  } catch {
    return broken("threw");
  }
}

function isThenable(result: unknown): result is PromiseLike<unknown> {
  return typeof result === "object" && result !== null &&
    typeof (result as { then?: unknown }).then === "function";
}

function broken(what: string): SchemaCheck {
  const reason = `cannot be checked: its schema ${what}`;
  return { ok: false, problems: [{ path: "", reason }] };
}

function readResult(result: unknown, value: unknown): SchemaCheck {
  try {
    if (typeof result !== "object" || result === null) return broken("answered with nonsense");
    const { issues } = result as { issues?: unknown };
    if (issues === undefined && "value" in result) return { ok: true };
    if (!Array.isArray(issues)) return broken("answered with nonsense");
    if (issues.length === 0) return broken("answered with no value and no issue");
    return { ok: false, problems: issues.map((issue: unknown) => readIssue(issue, value)) };
  } catch {
    return broken("answered with nonsense");
  }
}

function readIssue(issue: unknown, value: unknown): Problem {
  const { message, path = [] } = issue as Partial<StandardIssue>;
  const keys = path.map((segment) => typeof segment === "object" ? segment.key : segment);
  const said = tell(message, find(value, keys));
  const reason = `does not satisfy its schema${said === "" ? "" : `: ${said}`}`;
  return { path: formatPath(keys), reason };
}

function find(value: unknown, keys: readonly PropertyKey[]): unknown {
  let found = value;
  for (const key of keys) {
    // A place that is not there: whatever was quoted comes from the last one that is.
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) break;
    found = (found as Record<PropertyKey, unknown>)[key];
  }
  return found;
}

/** Where libraries begin to quote what they got: valibot and zod, arktype, others. */
const quoting = /[,;:]?\s*(?:\(was\b|\b(?:but )?(?:received|got|found)\b)/;

/** What can be repeated of a message: no stored value may get into an error (SPEC SS4). */
function tell(message: unknown, value: unknown): string {
  if (typeof message !== "string") return "";
  const said = message.split(quoting, 1)[0]?.trim().slice(0, 200) ?? "";
  return quotes(said, value, 32) ? "" : said;
}

/** Tells whether a text repeats a string or number of a value; very short ones do not count. */
function quotes(text: string, value: unknown, depth: number): boolean {
  if (typeof value === "string" || typeof value === "number") {
    // The beginning is enough: libraries cut long values.
    const beginning = String(value).slice(0, 8);
    return beginning.length > 2 && text.includes(beginning);
  }
  if (typeof value !== "object" || value === null) return false;
  return depth === 0 || Object.values(value).some((item) => quotes(text, item, depth - 1));
}

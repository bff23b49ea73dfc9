import { isRefusedKey } from "../core/plain.ts";
import type { Problem } from "../core/errors.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { checkSchema, type StandardSchema } from "../core/schema.ts";
import type { EventFrame } from "./protocol.ts";

/** The fields of a form by name: a list where a name is there twice, or ends with `[]`. */
export function formFields(data: readonly (readonly [string, string])[]): JsonObject {
  const fields: JsonObject = {};
  for (const [given, value] of data) {
    const isList = given.endsWith("[]");
    const name = isList ? given.slice(0, -2) : given;
    if (name === "" || isRefusedKey(name)) continue;
    const before = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (Array.isArray(before)) before.push(value);
    else if (before === undefined) fields[name] = isList ? [value] : value;
    else fields[name] = [before, value];
  }
  return fields;
}

/** What an event brings: the fields of its form, beside the values of its element, or these alone. */
export function inputOf({ form, value }: EventFrame): JsonValue | undefined {
  if (form === undefined) return value;
  const beside = typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
  const kept = Object.entries(beside).filter(([name]) => !isRefusedKey(name));
  return { ...Object.fromEntries(kept), ...formFields(form.data) };
}

/** What a schema makes of an input, or what it says against it. */
export type Checked =
  | { readonly ok: true; readonly input: unknown }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Checks an input. Neither throws nor rejects, and no problem repeats a value. */
export async function checkInput(schema: StandardSchema, input: unknown): Promise<Checked> {
  try {
    const result = await schema["~standard"].validate(input);
    if (result.issues === undefined && "value" in result) return { ok: true, input: result.value };
  } catch {
    // What it is, is said below.
  }
  const checked = await checkSchema(schema, input);
  if (!checked.ok) return { ok: false, problems: checked.problems };
  return {
    ok: false,
    problems: [{ path: "", reason: "cannot be checked: its schema answers differently" }],
  };
}

import type { JsonValue } from "./json.ts";

/**
 * Writes a normal value so that equal values have equal text: keys sorted by code unit at every
 * level, no white space.
 */
export function canonicalText(value: JsonValue): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  const members = Object.keys(value).sort().map((key) =>
    `${JSON.stringify(key)}:${canonicalText(value[key] as JsonValue)}`
  );
  return `{${members.join(",")}}`;
}

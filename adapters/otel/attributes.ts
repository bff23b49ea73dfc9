import { HoldfastError } from "../../src/core/errors.ts";
import type { OtelAttributes } from "./api.ts";
import type { Mapping } from "./events.ts";

/** An event as a bag of fields: what is done with them depends on their names. */
export type Fields = Readonly<Record<string, unknown>> & { readonly name: string };

/**
 * Fields whose values are few, because a definition or this library names them: labels of metrics.
 * Everything else tells spans only.
 */
const labels: readonly (readonly [field: string, label: string])[] = [
  "class",
  "handler",
  "alarm",
  "stash",
  "view",
  "event",
  "document",
  "table",
  "result",
  "status",
  "reason",
  "action",
  "what",
].map((field) => [field, `holdfast.${field}`] as const);

/** Fields that are no attributes: they have a place of their own, or are nothing to tell. */
const others: ReadonlySet<string> = new Set([
  "name",
  "phase",
  "id",
  "error",
  "durationMs",
  "within",
]);

/** The fallback of the semantic conventions for what would have too many values. */
const other = "_OTHER";

/** Attributes for metrics: bounded in number and size, no reference, no stored value. */
export function labelsOf(event: Fields, { operation }: Mapping): OtelAttributes {
  const found: OtelAttributes = {};
  if (operation !== undefined) found["holdfast.operation"] = operation;
  for (const [field, label] of labels) {
    const value = event[field];
    if (typeof value === "string") found[label] = value;
  }
  const { error } = event;
  if (error === undefined) return found;
  found["error.type"] = errorType(error);
  // Any text can be called by name; only the handlers there are may be labels.
  if (found["error.type"] === "ERR_UNKNOWN_HANDLER") found["holdfast.handler"] = other;
  return found;
}

/** Attributes for spans: labels and whatever else is short, as `ref`, `attempt` or a count. */
export function detailsOf(event: Fields, mapping: Mapping): OtelAttributes {
  const found = labelsOf(event, mapping);
  for (const [field, value] of Object.entries(event)) {
    const name = `holdfast.${field}`;
    if (others.has(field) || Object.hasOwn(found, name) || value === "") continue;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      found[name] = value;
    } else if (field === "keys" && Array.isArray(value)) found[name] = value.length;
  }
  return found;
}

/**
 * Names an error with few values: the code of one of ours, else its class. Neither a message nor a code
 * of somebody else, which may hold what was stored.
 */
export function errorType(error: unknown): string {
  if (error instanceof HoldfastError) return error.code;
  const name: unknown = error instanceof Error ? error.constructor.name : undefined;
  return typeof name === "string" && /^[A-Za-z_$][\w$]{0,63}$/.test(name) ? name : other;
}

/** What may be told of an error in words: a message of ours holds no stored value, any other may. */
export function errorText(error: unknown): string | undefined {
  return error instanceof HoldfastError ? error.message : undefined;
}

import { isPlainArray, isPlainObject } from "../core/plain.ts";

/**
 * Copies what leaves a handler: plain objects and arrays deeply, drafts among them, so that nobody
 * outside holds a part of the state; everything else as it is (SPEC OJ13).
 */
export function detach(value: unknown): unknown {
  return typeof value === "object" && value !== null ? copy(value, new Map()) : value;
}

function copy(value: object, done: Map<object, object>): object {
  const known = done.get(value);
  if (known !== undefined) return known;
  if (Array.isArray(value)) {
    if (!isPlainArray(value)) return value;
    const items: unknown[] = [];
    done.set(value, items);
    for (let index = 0; index < value.length; index++) items.push(part(value[index], done));
    return items;
  }
  if (!isPlainObject(value)) return value;
  const fields: Record<string, unknown> = {};
  done.set(value, fields);
  for (const [key, item] of Object.entries(value)) {
    // Assigned, it would be the prototype of the copy.
    if (key !== "__proto__") fields[key] = part(item, done);
  }
  return fields;
}

function part(value: unknown, done: Map<object, object>): unknown {
  return typeof value === "object" && value !== null ? copy(value, done) : value;
}

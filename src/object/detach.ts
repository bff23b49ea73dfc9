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
    const { length } = value;
    for (let index = 0; index < length; index++) {
      const item: unknown = value[index];
      if (item === undefined && !Object.hasOwn(value, index)) return sparse(value, items, done);
      items.push(part(item, done));
    }
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

/** The rest of an array from its first hole on: there may be any number of them. */
function sparse(value: readonly unknown[], items: unknown[], done: Map<object, object>): object {
  for (const key of Object.keys(value)) {
    const index = Number(key);
    if (index >= items.length && index < value.length) items[index] = part(value[index], done);
  }
  items.length = value.length;
  return items;
}

function part(value: unknown, done: Map<object, object>): unknown {
  return typeof value === "object" && value !== null ? copy(value, done) : value;
}

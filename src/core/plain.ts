/** Keys that reach a prototype when copied carelessly: refused everywhere (SPEC JS5). */
export function isRefusedKey(key: string): boolean {
  return key === "__proto__" || key === "constructor" || key === "prototype";
}

/**
 * Tells whether an object is `{}` or `Object.create(null)`, also one of another realm (`node:vm`,
 * Jest). May throw if the object is a hostile proxy.
 */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return isRootPrototype(prototype) && !Array.isArray(value);
}

/** Tells whether an object is an array and not of a subclass. May throw as `isPlainObject` does. */
export function isPlainArray(value: object): value is unknown[] {
  if (!Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) return true;
  return typeof prototype === "object" && prototype !== null &&
    Object.hasOwn(prototype, "concat") &&
    isRootPrototype(Object.getPrototypeOf(prototype));
}

/** The `Object.prototype` of some realm: nothing above it, and it has what only that one has. */
function isRootPrototype(prototype: unknown): boolean {
  return typeof prototype === "object" && prototype !== null &&
    Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}

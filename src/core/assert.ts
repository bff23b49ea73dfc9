/** Throws unless a condition that the code itself guarantees holds: a failure is a bug here. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Assertion failed: ${message}`);
}

/** Narrows a value that the code itself guarantees to be present. */
export function must<T>(value: T | null | undefined, message: string): T {
  assert(value !== null && value !== undefined, message);
  return value;
}

/** Marks a branch that the types rule out. */
export function unreachable(value: never): never {
  throw new Error(`Assertion failed: unreachable ${String(value)}`);
}

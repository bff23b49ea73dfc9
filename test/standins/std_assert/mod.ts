/**
 * Answers for `jsr:@std/assert` where JSR cannot be reached: the few functions the harness and the
 * doc examples use, on `node:assert`. Hosted CI runs `deno unlink` first and tests with the original.
 *
 * @module
 */
import { AssertionError, deepStrictEqual, notDeepStrictEqual, strictEqual } from "node:assert";

export { AssertionError };

/** A class whose instances an assertion expects. */
export type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

/** What `node:assert` takes: an own error instead of a message keeps its diff out, so only if given. */
function reason(message: string | undefined): Error | undefined {
  return message === undefined ? undefined : new AssertionError({ message });
}

/** Fails unless the value is truthy. */
export function assert(condition: unknown, message = ""): asserts condition {
  if (!condition) throw new AssertionError({ message });
}

/** Fails unless the value is falsy. */
export function assertFalse(condition: unknown, message = ""): void {
  if (condition) throw new AssertionError({ message });
}

/** Fails unless both are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  deepStrictEqual(actual, expected, reason(message));
}

/** Fails if both are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  notDeepStrictEqual(actual, expected, reason(message));
}

/** Fails unless both are the same by `Object.is`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  strictEqual(actual, expected, reason(message));
}

/** Fails if the value is `null` or `undefined`. */
export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T> {
  assert(actual !== null && actual !== undefined, message ?? `Expected a value, got ${actual}`);
}

/** Fails unless the value is an instance of the class. */
export function assertInstanceOf<T>(
  actual: unknown,
  expected: abstract new (...args: never[]) => T,
  message?: string,
): asserts actual is T {
  assert(actual instanceof expected, message ?? `Expected an instance of ${expected.name}`);
}

/** Fails unless the text contains the other. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  assert(actual.includes(expected), message ?? `Expected "${actual}" to contain "${expected}"`);
}

/** Fails unless the text matches the pattern. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  assert(expected.test(actual), message ?? `Expected "${actual}" to match ${expected}`);
}

/** Fails unless the error is of the class and contains the text. */
export function assertIsError<E extends Error>(
  error: unknown,
  errorClass?: ErrorClass<E>,
  includes?: string,
): asserts error is E {
  assert(error instanceof (errorClass ?? Error), `Expected ${errorClass?.name}, got ${error}`);
  if (includes !== undefined) assertStringIncludes((error as Error).message, includes);
}

/** Fails unless the function throws; returns what it threw. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass?: ErrorClass<E>,
  includes?: string,
): E {
  try {
    fn();
  } catch (error) {
    assertIsError(error, errorClass, includes);
    return error;
  }
  throw new AssertionError({ message: "Expected function to throw" });
}

/** Fails unless the promise is rejected; returns the reason. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass?: ErrorClass<E>,
  includes?: string,
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    assertIsError(error, errorClass, includes);
    return error;
  }
  throw new AssertionError({ message: "Expected function to reject" });
}

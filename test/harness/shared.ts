import type { Harness, TestContext } from "./types.ts";

type Check = Parameters<Harness["assertThrows"]>[1];
type Coded = Error & { code?: string };

/** Runs a body with its deferred clean-ups, the last registered first. */
export async function withCleanup(
  body: (t: TestContext) => void | Promise<void>,
): Promise<void> {
  const cleanups: (() => void | Promise<void>)[] = [];
  try {
    await body({ defer: (cleanup) => void cleanups.push(cleanup) });
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

export function assert(condition: unknown, message = "condition does not hold"): asserts condition {
  if (!condition) throw new Error(message);
}

/** Checks an error: a string is its code, a pattern is for its message. */
export function checkError(error: unknown, check: Check): Coded {
  assert(error instanceof Error, `Expected an Error, got ${String(error)}`);
  const coded: Coded = error;
  if (check === undefined) return coded;
  const fits = typeof check === "string"
    ? coded.code === check
    : check instanceof RegExp
    ? check.test(coded.message)
    : check(coded);
  if (!fits) {
    throw new Error(
      `Expected an error matching ${String(check)}, got ${coded.code}: ${coded.message}`,
      {
        cause: error,
      },
    );
  }
  return coded;
}

export async function assertRejects(
  body: () => Promise<unknown>,
  check?: Check,
): Promise<Coded> {
  let value: unknown;
  try {
    value = await body();
  } catch (error) {
    return checkError(error, check);
  }
  throw new Error(`Expected a rejection, got ${String(value)}`);
}

export function assertThrows(body: () => unknown, check?: Check): Coded {
  let value: unknown;
  try {
    value = body();
  } catch (error) {
    return checkError(error, check);
  }
  throw new Error(`Expected a throw, got ${String(value)}`);
}

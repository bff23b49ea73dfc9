import { wrongArgument } from "../../src/core/options.ts";

/**
 * What the conformance suites need of a test runner. Written down structurally, so that any runner
 * fits with a few lines.
 *
 * @example With Deno's runner
 * ```ts
 * import type { TestApi } from "@holdfast/holdfast/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const t: TestApi = {
 *   test: (name, body) => Deno.test(name, () => body()),
 *   assertEquals,
 *   assertRejects: async (body, check) => {
 *     const error: unknown = await body().then(() => undefined, (thrown) => thrown);
 *     if (!(error instanceof Error) || !check(error)) throw new Error("Expected another outcome");
 *     return error;
 *   },
 * };
 * assertEquals(typeof t.test, "function");
 * ```
 */
export interface TestApi {
  /** Registers a test. */
  test(name: string, body: () => Promise<void>): void;
  /** Deep, strict equality. */
  assertEquals(actual: unknown, expected: unknown, message?: string): void;
  /** The promise must reject with an error that passes the check; the error is returned. */
  assertRejects(
    body: () => Promise<unknown>,
    check: (error: Error & { code?: string }) => boolean,
  ): Promise<Error>;
}

/** Checks what a suite is registered with. */
export function checkSuite(t: unknown, driver: unknown, open: unknown): void {
  const api = (t ?? {}) as Partial<TestApi>;
  for (const name of ["test", "assertEquals", "assertRejects"] as const) {
    if (typeof api[name] === "function") continue;
    throw wrongArgument(`Cannot register a suite: its test runner has no function "${name}"`);
  }
  if (typeof driver !== "string") {
    throw wrongArgument("Cannot register a suite: the name of the driver is not a string");
  }
  if (typeof open !== "function") {
    throw wrongArgument('Cannot register a suite: "open" is not a function');
  }
}

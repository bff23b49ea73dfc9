/** What a test body gets. */
export interface TestContext {
  /** Registers something to run after the test, also when it failed; last registered runs first. */
  defer(cleanup: () => void | Promise<void>): void;
}

/** The test API every suite is written against. */
export interface Harness {
  /** Registers a test; its name begins with the rule it proves: `[ST3] …`. */
  test(
    name: string,
    body: (t: TestContext) => void | Promise<void>,
    options?: { readonly timeoutMs?: number },
  ): void;
  /**
   * Registers a test that cannot run here; `npm test` prints the reason. `"only on …"` says that
   * the test belongs to another runtime or platform; any other reason fails under `--no-skip`.
   */
  skip(name: string, reason: string): void;
  assert(condition: unknown, message?: string): asserts condition;
  /** Deep, strict equality. */
  assertEquals(actual: unknown, expected: unknown, message?: string): void;
  /** The promise must reject; the error is checked with `check` and returned. */
  assertRejects(
    body: () => Promise<unknown>,
    check?: string | RegExp | ((error: Error & { code?: string }) => boolean),
  ): Promise<Error & { code?: string }>;
  /** The body must throw; the error is checked with `check` and returned. */
  assertThrows(
    body: () => unknown,
    check?: string | RegExp | ((error: Error & { code?: string }) => boolean),
  ): Error & { code?: string };
}

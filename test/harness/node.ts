import nodeTest from "node:test";
import { deepStrictEqual } from "node:assert/strict";
import type { Harness } from "./types.ts";
import { assert, assertRejects, assertThrows, withCleanup } from "./shared.ts";

const harness: Harness = {
  test: (name, body, options) => {
    void nodeTest(name, { timeout: options?.timeoutMs ?? 30_000 }, () => withCleanup(body));
  },
  skip: (name, reason) => {
    void nodeTest(`${name} (skipped: ${reason})`, { skip: reason }, () => {});
  },
  assert,
  assertEquals: (actual, expected, message) => {
    if (message === undefined) deepStrictEqual(actual, expected);
    else deepStrictEqual(actual, expected, message);
  },
  assertRejects,
  assertThrows,
};

export default harness;

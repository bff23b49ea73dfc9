import { expect, test } from "bun:test";
import type { Harness } from "./types.ts";
import { assert, assertRejects, assertThrows, withCleanup } from "./shared.ts";

const harness: Harness = {
  test: (name, body, options) => test(name, () => withCleanup(body), options?.timeoutMs ?? 30_000),
  skip: (name, reason) => test.skip(`${name} (skipped: ${reason})`, () => {}),
  assert,
  assertEquals: (actual, expected, message) => {
    if (message === undefined) expect(actual).toStrictEqual(expected);
    else expect(actual, message).toStrictEqual(expected);
  },
  assertRejects,
  assertThrows,
};

export default harness;

import { assertEquals } from "@std/assert";
import type { Harness } from "./types.ts";
import { assert, assertRejects, assertThrows, withCleanup } from "./shared.ts";

/** Deno.test has no time limit of its own. */
async function within(ms: number, run: () => Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The test took longer than ${ms} ms`)), ms);
  });
  try {
    await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
  }
}

const harness: Harness = {
  test: (name, body, options) =>
    Deno.test(name, () => within(options?.timeoutMs ?? 30_000, () => withCleanup(body))),
  skip: (name, reason) =>
    Deno.test({ name: `${name} (skipped: ${reason})`, ignore: true, fn() {} }),
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
};

export default harness;

import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  runtime,
  test,
} from "../harness/mod.ts";
import { withCleanup } from "../harness/shared.ts";
import * as standin from "../standins/std_assert/mod.ts";

test("[ME11] what a test defers runs last to first, also when the test fails", async () => {
  const seen: string[] = [];
  const error = await assertRejects(() =>
    withCleanup((t) => {
      t.defer(() => void seen.push("first"));
      t.defer(async () => void seen.push(await Promise.resolve("second")));
      throw new Error("the test failed");
    }), /the test failed/);
  assertEquals(error.message, "the test failed");
  assertEquals(seen, ["second", "first"]);
});

test("[ME11] an assertion that does not hold fails the test", async () => {
  assertThrows(() => assert(0, "no"), /^no$/);
  assertThrows(() => assertEquals({ a: 1 }, { a: 2 }));
  assertThrows(() => assertEquals([1, [2]], [1, [3]], "told apart"));
  assertThrows(() => assertThrows(() => 1), /Expected a throw, got 1/);
  await assertRejects(() => assertRejects(() => Promise.resolve(1)), /Expected a rejection, got 1/);
  const coded = Object.assign(new Error("x"), { code: "ERR_X" });
  assertThrows(() =>
    assertThrows(() => {
      throw coded;
    }, "ERR_Y"), /Expected an error matching ERR_Y, got ERR_X/);
});

test("[ME11] the suites know which runtime they are on", () => {
  const global = { bun: "Bun", deno: "Deno", node: "process" }[runtime];
  assert(global in globalThis, `there is no ${global}`);
});

test("[ME12] the stand-in for @std/assert fails where the original does", async () => {
  standin.assert(1);
  standin.assertEquals({ a: [1] }, { a: [1] });
  standin.assertStrictEquals(1, 1);
  standin.assertIsError(new TypeError("abc"), TypeError, "b");
  const failing: readonly (() => unknown)[] = [
    () => standin.assert(0),
    () => standin.assertFalse(1),
    () => standin.assertEquals({ a: [1] }, { a: [2] }),
    () => standin.assertNotEquals(1, 1),
    () => standin.assertStrictEquals<unknown>({}, {}),
    () => standin.assertExists(null),
    () => standin.assertInstanceOf([], Map),
    () => standin.assertStringIncludes("abc", "d"),
    () => standin.assertMatch("abc", /d/),
    () => standin.assertThrows(() => 1),
    () => standin.assertIsError(new Error("a"), TypeError),
  ];
  for (const check of failing) assertThrows(check);
  await assertRejects(() => standin.assertRejects(() => Promise.resolve(1)));
});

import { assertEquals, assertThrows, test } from "../harness/mod.ts";
import { defineObject } from "../../src/object/definition.ts";

const plain = { name: "counter", vsn: 1, state: () => ({ count: 0 }), handlers: {} };

/** Defines what no type would let through. */
function define(change: Record<string, unknown>): unknown {
  return defineObject({ ...plain, ...change } as typeof plain);
}

test("[OJ1] a definition that makes no sense is a TypeError that says what", () => {
  const wrong: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [{ name: "" }, /named ""/],
    [{ name: "a/b" }, /named "a\/b"/],
    [{ name: undefined }, /named undefined/],
    [{ vsn: "1" }, /object "counter".*vsn/],
    [{ state: {} }, /object "counter": "state" is not a function/],
    [{ state: () => [] }, /did not return a plain object/],
    [{ state: () => ({ at: new Date(0) }) }, /default of "at" is an instance of Date/],
    [{ handlers: undefined }, /"handlers" is not an object/],
    [{ handlers: { then() {} } }, /handler cannot be named "then"/],
    [{ handlers: { flush() {} } }, /handler cannot be named "flush"/],
    [{ handlers: { constructor() {} } }, /handler cannot be named "constructor"/],
    [{ handlers: { a: 1 } }, /handler "a" is neither a function nor has a function "run"/],
    [{ handlers: { a: { run() {}, readOnly: 1 } } }, /"readOnly" that is not a boolean/],
    [{ handlers: { a: { run() {}, args: {} } } }, /"args" that is not a Standard Schema/],
    [{ alarms: [] }, /"alarms" is not an object/],
    [{ alarms: { "": () => {} } }, /an alarm cannot be named ""/],
    [{ alarms: { prototype: () => {} } }, /an alarm cannot be named "prototype"/],
    [{ alarms: { ring: {} } }, /alarm "ring" is not a function/],
    [{ afterLoad: {} }, /"afterLoad" is not a function/],
    [{ migrate: {} }, /"migrate" is not a function/],
    [{ schema: {} }, /"schema" is not a Standard Schema/],
    [{ unknownFields: "forget" }, /"unknownFields" is neither/],
    [{ durability: "never" }, /"durability" is neither/],
  ];
  for (const [change, message] of wrong) {
    assertThrows(
      () => define(change),
      (error) => error instanceof TypeError && message.test(error.message),
    );
  }
});

test("[OJ1] a number out of range is a RangeError", () => {
  for (
    const change of [
      { vsn: 0 },
      { hibernateAfterMs: 0 },
      { shutdownAfterMs: NaN },
      { callTimeoutMs: -1 },
    ]
  ) {
    assertThrows(() => define(change), (error) => error instanceof RangeError);
  }
});

test("[OJ1] a definition does nothing and cannot be changed", () => {
  const Counter = defineObject(plain);
  assertEquals(Object.isFrozen(Counter), true);
  assertEquals([Counter.name, Counter.vsn, Counter.state()], ["counter", 1, { count: 0 }]);
});

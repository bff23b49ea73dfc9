import fc from "fast-check";
import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";
import { parseScopes, type Scope, survives } from "../../src/core/scope.ts";

type Stored = Parameters<typeof parseScopes>[0];

/** Wrong on purpose. */
function parse(stored: unknown): ReadonlyMap<string, Scope> {
  return parseScopes(stored as Stored, 'stash "cart"');
}

test("[SC1] a session value survives every mount", () => {
  assertEquals(survives("session", "navigation"), true);
  assertEquals(survives("session", "rejoin"), true);
});

test("[SC2] a reconnect value survives a rejoin only", () => {
  assertEquals(survives("reconnect", "rejoin"), true);
  assertEquals(survives("reconnect", "navigation"), false);
});

test("[SC3] stored keys are a list, for session scope, or an object with a scope each", () => {
  assertEquals([...parse(["b", "a"])], [["b", "session"], ["a", "session"]]);
  assertEquals([...parse({ a: "session", toString: "reconnect" })], [
    ["a", "session"],
    ["toString", "reconnect"],
  ]);
  assertEquals(parse(["a"]).has("toString"), false);
  assertEquals(parse(undefined).size, 0);
});

test("[SC4] the scope permanent is reserved and any other is unknown", () => {
  assertThrows(
    () => parse({ a: "permanent" }),
    /^Cannot define stash "cart": the scope "permanent" of key "a" is reserved$/,
  );
  for (const scope of ["", "Session", "forever", undefined, null, 1, {}]) {
    const error = assertThrows(() => parse({ a: scope }), /"cart".*"a"/);
    assert(error instanceof TypeError);
  }
});

test("[SC5] keys that are no strings, refused, or there twice are wrong", () => {
  assertThrows(() => parse(["a", "b", "a"]), /the stored key "a" is there twice$/);
  assertThrows(() => parse([1]), /a stored key is not a string$/);
  assertThrows(() => parse({ [Symbol("s")]: "session" }), /a stored key is not a string$/);
  assertThrows(() => parse(["\ud800"]), /lone surrogate$/);
  for (const key of ["__proto__", "constructor", "prototype"]) {
    assertThrows(() => parse([key]), new RegExp(`"${key}" is refused as a stored key$`));
    assertThrows(() => parse(JSON.parse(`{"${key}":"session"}`)), /is refused as a stored key$/);
  }
});

test("[SC5] whatever is given, a definition is read or refused with a TypeError", () => {
  const check = (stored: unknown) => {
    try {
      for (const [key, scope] of parse(stored)) {
        assert(typeof key === "string" && (scope === "session" || scope === "reconnect"));
      }
    } catch (error) {
      assert(
        error instanceof TypeError && error.message.startsWith('Cannot define stash "cart": '),
      );
    }
  };
  fc.assert(fc.property(fc.anything({ withSparseArray: false }), check));
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  check(proxy);
  check({
    get a(): never {
      throw new Error("a");
    },
  });
});

import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";
import { defineStash, type StashOptions } from "../../mod.ts";

const good: StashOptions<{ items: string[] }> = {
  name: "cart",
  vsn: 1,
  stored: ["items"],
  state: () => ({ items: [] }),
};

/** Leaves the types behind, as JavaScript does. */
const define = (change: Record<string, unknown>): unknown =>
  // deno-lint-ignore no-explicit-any
  defineStash({ ...good, ...change } as any);

const senseless: readonly (readonly [string, Record<string, unknown>])[] = [
  ["an empty name", { name: "" }],
  ["a name with a slash", { name: "a/b" }],
  ["a name of 65 characters", { name: "a".repeat(65) }],
  ["the name __proto__", { name: "__proto__" }],
  ["the name constructor", { name: "constructor" }],
  ["no name", { name: undefined }],
  ["no vsn", { vsn: undefined }],
  ["a vsn of 0", { vsn: 0 }],
  ["a vsn of 1.5", { vsn: 1.5 }],
  ["a vsn in a string", { vsn: "1" }],
  ["the reserved scope", { stored: { items: "permanent" } }],
  ["an unknown scope", { stored: { items: "forever" } }],
  ["a scope that everything inherits", { stored: { items: "toString" } }],
  ["a key twice", { stored: ["items", "items"] }],
  ["a key the state does not have", { stored: ["other"] }],
  ["a key the state inherits", { stored: ["toString"] }],
  ["the key __proto__", { stored: ["__proto__"] }],
  ["stored text", { stored: "items" }],
  ["no state", { state: undefined }],
  ["a state that is null", { state: () => null }],
  ["a default JSON cannot carry", { state: () => ({ items: new Date(0) }) }],
  ["a default with a hole", { state: () => ({ items: [{ a: [1n] }] }) }],
  ["a schema that is none", { schema: { parse: () => true } }],
  ["a migrate that is none", { migrate: "up" }],
  ["an unknown onInvalidValue", { onInvalidValue: "ignore" }],
];

for (const [what, change] of senseless) {
  test(`[SH1] defineStash() refuses ${what}`, () => {
    const error = assertThrows(() => define(change), /^Cannot define /);
    assert(
      error instanceof TypeError || ("vsn" in change && error instanceof RangeError),
      `got ${error.name}`,
    );
    if (!("name" in change)) assert(error.message.includes('"cart"'), error.message);
  });
}

test("[SH1] a default that JSON cannot carry is named by its path", () => {
  assertThrows(
    () => define({ state: () => ({ items: [{ price: NaN }] }) }),
    /^Cannot define stash "cart": the default of "items\[0\]\.price" is not finite$/,
  );
});

test("[SH1] an array of keys is short for session scope, and no keys at all store nothing", () => {
  const scopes = (stored: unknown) => [...(define({ stored }) as typeof Some).scopes];
  const Some = defineStash(good);
  assertEquals(scopes(["items"]), [["items", "session"]]);
  assertEquals(scopes({ items: "reconnect" }), [["items", "reconnect"]]);
  assertEquals(scopes(undefined), []);
});

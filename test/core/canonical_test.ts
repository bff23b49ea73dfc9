import fc from "fast-check";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { canonicalText } from "../../src/core/canonical.ts";
import { equalJson, type JsonValue, normalize } from "../../src/core/json.ts";

const plain = fc.jsonValue({ maxDepth: 4 }).filter((value) => normalize(value).ok);

/** The same value with the keys of every object the other way round. */
function reversed(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(reversed);
  return Object.fromEntries(
    Object.entries(value).reverse().map(([key, item]) => [key, reversed(item)]),
  );
}

test("[JS14] canonical text sorts keys by code unit at every level", () => {
  const value = { b: [{ z: 1, a: "ü" }], "10": 1, "9": 2, A: null, "😀": 0, "\uffff": 0 };
  assertEquals(
    canonicalText(value),
    '{"10":1,"9":2,"A":null,"b":[{"a":"ü","z":1}],"😀":0,"\uffff":0}',
  );
});

test("[JS14] canonical texts are the same exactly for equal values", () => {
  fc.assert(fc.property(plain, plain, (a, b) => {
    const normal = normalize(a);
    const other = normalize(b);
    assert(normal.ok && other.ok);
    assertEquals(canonicalText(reversed(normal.value)), canonicalText(normal.value));
    assertEquals(JSON.parse(canonicalText(normal.value)), normal.value);
    assertEquals(
      canonicalText(normal.value) === canonicalText(other.value),
      equalJson(normal.value, other.value),
    );
  }));
});

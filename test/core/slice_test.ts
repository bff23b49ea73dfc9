import fc from "fast-check";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { equalJson, type JsonObject, normalize } from "../../src/core/json.ts";
import {
  applyPatch,
  diff,
  fingerprint,
  isEmptyPatch,
  mergePatches,
  type Patch,
} from "../../src/core/slice.ts";

const key = fc.constantFrom("a", "b", "c", "d", "toString", "length");
const value = fc.jsonValue({ maxDepth: 2 }).filter((item) => normalize(item).ok).map((item) =>
  JSON.parse(JSON.stringify(item))
);
const fields: fc.Arbitrary<JsonObject> = fc.dictionary(key, value, { noNullPrototype: true });
const patch: fc.Arbitrary<Patch> = fc.record({ set: fields, drop: fc.array(key) });

test("[SL1] a diff names the keys to set and to drop, by value and not by order", () => {
  const from = { same: { x: 1, y: [2] }, changed: 1, gone: null };
  const to = { same: { y: [2], x: 1 }, changed: 2, fresh: null };
  assertEquals(diff(from, to), { set: { changed: 2, fresh: null }, drop: ["gone"] });
  assert(isEmptyPatch(diff(from, { ...from })));
  assert(!isEmptyPatch({ set: {}, drop: ["a"] }));
  assert(!isEmptyPatch({ set: { a: 1 }, drop: [] }));
});

test("[SL1] applying the diff of two slices to the first gives the second", () => {
  fc.assert(fc.property(fields, fields, (a, b) => {
    assertEquals(applyPatch(a, diff(a, b)), b);
    assertEquals(isEmptyPatch(diff(a, b)), equalJson(a, b));
  }));
});

test("[SL2] applying changes neither argument and shares what it does not touch", () => {
  const fields = { a: { x: 1 }, b: 1, c: 2 };
  const patch = { set: { b: { y: 1 } }, drop: ["c", "absent"] };
  const before = JSON.stringify([fields, patch]);
  const result = applyPatch(fields, patch);
  assertEquals(result, { a: { x: 1 }, b: { y: 1 } });
  assert(result["a"] === fields.a && result !== fields);
  assertEquals(JSON.stringify([fields, patch]), before);
});

test("[SL2] a patch with a refused key pollutes nothing", () => {
  const hostile = JSON.parse('{"set":{"__proto__":{"polluted":1}},"drop":[]}') as Patch;
  const result = applyPatch({ a: 1 }, hostile);
  assertEquals((result as { polluted?: unknown }).polluted, undefined);
  assertEquals(Object.getPrototypeOf(result), Object.prototype);
});

test("[SL3] of one patch the drops come first: a key that is dropped and set is set", () => {
  assertEquals(applyPatch({ a: 1 }, { set: { a: 2 }, drop: ["a"] }), { a: 2 });
});

test("[SL3] a merged patch has each key once", () => {
  const first = { set: { a: 1, b: 1 }, drop: ["c"] };
  const second = { set: { c: 2 }, drop: ["a", "a"] };
  assertEquals(mergePatches(first, second), { set: { b: 1, c: 2 }, drop: ["a"] });
});

test("[SL3] a merged patch does what both do, one after the other", () => {
  fc.assert(fc.property(fields, patch, patch, (start, first, second) => {
    assertEquals(
      applyPatch(start, mergePatches(first, second)),
      applyPatch(applyPatch(start, first), second),
    );
  }));
});

test("[SL4] patches of disjoint keys commute", () => {
  fc.assert(fc.property(fields, patch, patch, (start, first, second) => {
    const touched = new Set([...Object.keys(first.set), ...first.drop]);
    const other: Patch = {
      set: Object.fromEntries(Object.entries(second.set).filter(([key]) => !touched.has(key))),
      drop: second.drop.filter((key) => !touched.has(key)),
    };
    assertEquals(
      applyPatch(applyPatch(start, first), other),
      applyPatch(applyPatch(start, other), first),
    );
    assertEquals(
      applyPatch(start, mergePatches(first, other)),
      applyPatch(start, mergePatches(other, first)),
    );
  }));
});

test("[SL5] fingerprints are the same exactly for equal values", () => {
  assertEquals(fingerprint({ a: 1, b: 2 }), fingerprint({ b: 2, a: 1 }));
  fc.assert(fc.property(value, value, (a, b) => {
    assertEquals(fingerprint(a) === fingerprint(b), equalJson(a, b));
  }));
});

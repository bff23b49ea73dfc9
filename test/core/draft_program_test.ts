import fc from "fast-check";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { createDraft } from "../../src/core/draft.ts";
import { equalJson, type JsonValue, normalize } from "../../src/core/json.ts";

// deno-lint-ignore no-explicit-any -- tests write to drafts as handlers do
type Loose = any;

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value);
    for (const item of Object.values(value)) freeze(item);
  }
  return value;
}

/** Runs a handler on a draft of a frozen base and returns what became of it. */
function change<T extends object>(base: T, handler: (state: Loose) => void): T {
  const handle = createDraft(freeze(base));
  const { draft } = handle;
  handler(draft);
  return handle.finish();
}

const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => normalize(value).ok).map((value) =>
  JSON.parse(JSON.stringify(value)) as JsonValue
);

interface Step {
  readonly walk: readonly number[];
  readonly from: readonly number[];
  readonly kind: string;
  readonly at: number;
  readonly value: JsonValue;
}

const step: fc.Arbitrary<Step> = fc.record({
  walk: fc.array(fc.nat(5), { maxLength: 3 }),
  from: fc.array(fc.nat(5), { maxLength: 3 }),
  kind: fc.constantFrom(
    ...["set", "add", "delete", "push", "pop", "shift", "unshift", "splice", "sort", "reverse"],
    ...["length", "move", "spread", "hold", "back", "fill", "copyWithin", "read"],
  ),
  at: fc.nat(5),
  value: json,
});

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function walkTo(root: object, path: readonly number[]): object {
  let here = root;
  for (const number of path) {
    const keys = Object.keys(here);
    const next = (here as Loose)[keys[number % keys.length] ?? ""];
    if (!isContainer(next)) break;
    here = next;
  }
  return here;
}

function contains(outer: unknown, inner: object): boolean {
  return isContainer(outer) &&
    (outer === inner || Object.values(outer).some((item) => contains(item, inner)));
}

function byText(a: unknown, b: unknown): number {
  const [left = "", right = ""] = [JSON.stringify(a), JSON.stringify(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function changeList(list: Loose[], { kind, at, value }: Step): void {
  if (kind === "push") list.push(value, value);
  if (kind === "pop") list.pop();
  if (kind === "shift") list.shift();
  if (kind === "unshift") list.unshift(value);
  if (kind === "splice") list.splice(at, 2, value);
  if (kind === "sort") list.sort(byText);
  if (kind === "reverse") list.reverse();
  if (kind === "length") list.length = Math.min(at, list.length);
  if (kind === "fill") list.fill(value, at);
  if (kind === "copyWithin") list.copyWithin(0, at);
}

/** Does the same to a draft and to a plain copy; `held` are parts taken along the way. */
function run(root: object, steps: readonly Step[]): void {
  const held: object[] = [];
  for (const original of steps) {
    const one = { ...original, value: structuredClone(original.value) };
    const target: Loose = one.kind === "back" && held.length > 0
      ? held[one.at % held.length]
      : walkTo(root, one.walk);
    const source: Loose = walkTo(root, one.from);
    const keys = Object.keys(target);
    const key: Loose = Array.isArray(target)
      ? one.at % (keys.length + 1)
      : keys[one.at % keys.length];
    if (Array.isArray(target)) changeList(target, one);
    if (one.kind === "hold") held.push(target);
    if (one.kind === "read") JSON.stringify(target);
    if (one.kind === "add" && !Array.isArray(target)) target[`k${one.at}`] = one.value;
    if (key === undefined) continue;
    if (one.kind === "set" || one.kind === "back") target[key] = one.value;
    if (one.kind === "delete" && !Array.isArray(target)) delete target[key];
    if (contains(source, target)) continue; // no cycles here
    if (one.kind === "move") target[key] = source;
    if (one.kind === "spread") target[key] = Array.isArray(source) ? [...source] : { ...source };
  }
}

/**
 * Equal parts at the same place must be the same object: the whole, or each of its own parts. Further
 * inside, a part may belong to a value that the program made, which is compared as a whole only.
 */
function assertShared(base: Loose, result: Loose): void {
  const same = (one: unknown, other: unknown) => {
    if (!isContainer(one) || !isContainer(other)) return;
    if (!equalJson(one as JsonValue, other as JsonValue)) return;
    assert(one === other, `not shared: ${JSON.stringify(one)}`);
  };
  same(base, result);
  for (const key of Object.keys(base)) {
    if (Object.hasOwn(result, key)) same(base[key], result[key]);
  }
}

test("[DR9] any handler does to a draft what it does to a plain copy", () => {
  const root = fc.oneof(
    fc.dictionary(fc.constantFrom("a", "b", "c", "length"), json, { noNullPrototype: true }),
    fc.array(json, { maxLength: 5 }),
  );
  fc.assert(
    fc.property(root, fc.array(step, { maxLength: 15 }), (base, steps) => {
      const before = JSON.stringify(base);
      const model = structuredClone(base);
      run(model, steps);
      const result = change(base, (state) => run(state, steps));
      assertEquals(result, model);
      assertEquals(JSON.stringify(base), before);
      assertShared(base, result);
    }),
    { numRuns: 1_500 },
  );
});

import fc from "fast-check";
import { runInNewContext } from "node:vm";
import { assert, assertEquals, test } from "../harness/mod.ts";
import {
  cloneJson,
  defaultJsonLimits,
  equalJson,
  isJsonObject,
  type JsonValue,
  normalize,
  parseJson,
  utf8Length,
} from "../../src/core/json.ts";

function problemsOf(value: unknown, options?: Parameters<typeof normalize>[1]): string[] {
  const normal = normalize(value, options);
  return normal.ok ? [] : normal.problems.map(({ path, reason }) => `${path}: ${reason}`);
}

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

/** Objects and arrays inside each other, `depth` of them. */
function nested(depth: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** A plain value, without the keys that are refused. */
const plain = fc.jsonValue({ maxDepth: 5 }).filter((value) => normalize(value).ok);

test("[JS1] a normal value is a fresh copy with its text and the bytes of it", () => {
  const value = { b: [1, { c: "ü€😀" }], a: null, t: true };
  const normal = normalize(value);
  assert(normal.ok);
  assertEquals(normal.value, value);
  assert(normal.value !== value && (normal.value as typeof value).b !== value.b);
  assertEquals(normal.text, '{"b":[1,{"c":"ü€😀"}],"a":null,"t":true}');
  assertEquals(normal.bytes, new TextEncoder().encode(normal.text).length);
});

test("[JS1] what the same process reads is what a restarted one parses", () => {
  fc.assert(fc.property(plain, (value) => {
    const normal = normalize(value);
    assert(normal.ok);
    assertEquals(normal.value, JSON.parse(normal.text));
    assertEquals(normal.text, JSON.stringify(value));
    assertEquals(parseJson(normal.text), normal);
  }));
});

test("[JS2] everything that JSON changes or loses is named with its path", () => {
  class Money {
    amount = 1;
  }
  const cyclic: Record<string, unknown> = {};
  cyclic["list"] = [cyclic];
  const sparse = [1, 2, 3];
  delete sparse[1];
  const cases: [unknown, string][] = [
    [undefined, ": is undefined"],
    [[1, undefined], "[1]: is undefined"],
    [{ a: () => 1 }, "a: is a function"],
    [{ a: Symbol("s") }, "a: is a symbol"],
    [{ a: 1n }, "a: is a bigint"],
    [{ a: NaN }, "a: is not finite"],
    [{ a: [-Infinity] }, "a[0]: is not finite"],
    [{ at: new Date(0) }, "at: is an instance of Date"],
    [{ a: new Map() }, "a: is an instance of Map"],
    [new Set(), ": is an instance of Set"],
    [{ a: new Money() }, "a: is an instance of Money"],
    [{ a: new (class extends Array {})() }, "a: is not a plain object"],
    [[Object("boxed")], "[0]: is an instance of String"],
    [new Uint8Array(2), ": is an instance of Uint8Array"],
    [{ a: Promise.resolve() }, "a: is an instance of Promise"],
    [cyclic, "list[0]: is part of a cycle"],
    [sparse, "[1]: is a hole in a sparse array"],
    [{ a: "\ud800" }, "a: holds a lone surrogate"],
    [{ "\udc00": 1 }, '["\\udc00"]: has a lone surrogate in its key'],
    [{ a: { toJSON: () => 1 } }, "a: has a toJSON method"],
    [Object.create({ inherited: 1 }), ": is not a plain object"],
    [Object.create(Object.create(null)), ": is not a plain object"],
    [Object.setPrototypeOf([], null), ": is not a plain object"],
  ];
  for (const [value, expected] of cases) assertEquals(problemsOf(value), [expected]);
});

test("[JS3] every offender is reported, below the path that the caller gave", () => {
  const value = {
    items: [{ price: NaN }, { price: 1n }],
    "a b": undefined,
    on: { "x-y": [() => 1] },
  };
  assertEquals(problemsOf(value, { path: "cart" }), [
    "cart.items[0].price: is not finite",
    "cart.items[1].price: is a bigint",
    'cart.on["x-y"][0]: is a function',
  ]);
  assertEquals(problemsOf({ ["k".repeat(100_000)]: 1n }), [
    `["${"k".repeat(64)}…"]: is a bigint`,
  ]);
});

test("[JS4] undefined properties are dropped, -0 becomes 0, other kinds of keys are not read", () => {
  const value = { a: undefined, zero: -0, list: [-0], [Symbol("s")]: 1 };
  Object.defineProperty(value, "hidden", { value: 1n, enumerable: false });
  const normal = normalize(value);
  assert(normal.ok);
  assertEquals(normal.text, '{"zero":0,"list":[0]}');
  assert(Object.is((normal.value as { zero: number }).zero, 0));
  const rootZero = normalize(-0);
  assert(rootZero.ok && Object.is(rootZero.value, 0));
});

test("[JS4] plain data of another realm and without a prototype is plain data", () => {
  const bare = Object.assign(Object.create(null), { list: [1] });
  for (const value of [bare, runInNewContext("({ list: [1] })")]) {
    const normal = normalize(value);
    assert(normal.ok);
    assertEquals(normal.value, { list: [1] });
  }
  assertEquals(problemsOf(runInNewContext("[new Date(0), new Map()]")), [
    "[0]: is an instance of Date",
    "[1]: is an instance of Map",
  ]);
});

test("[JS5] keys that lead to a prototype are refused at any depth, written and read", () => {
  for (const key of ["__proto__", "constructor", "prototype"]) {
    const text = `{"a":[{"${key}":{"polluted":1}}]}`;
    const expected = [{ path: `a[0].${key}`, reason: "is a refused key" }];
    assertEquals(parseJson(text), { ok: false, problems: expected });
    assertEquals(normalize(JSON.parse(text)), { ok: false, problems: expected });
    assertEquals(({} as { polluted?: unknown }).polluted, undefined);
  }
});

test("[JS6] depth and number of values are limited, and stated in the problem", () => {
  assertEquals(problemsOf(nested(32)), []);
  assertEquals(problemsOf(nested(33)).map((text) => text.split(": ")[1]), [
    "is nested more than 32 levels deep",
  ]);
  assertEquals(problemsOf(Array(9_999).fill(0)), []);
  assertEquals(problemsOf(Array(10_000).fill(0)), [": holds more than 10000 values"]);
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, 0]));
  assertEquals(problemsOf(many, { path: "all", limits: { ...defaultJsonLimits, maxBytes: 1e9 } }), [
    "all: holds more than 10000 values",
  ]);
});

test("[JS6] a depth limit above 512 counts as 512, one that is not a number as 0", () => {
  const limits = { ...defaultJsonLimits, maxDepth: 1e9 };
  assertEquals(problemsOf(nested(512), { limits }), []);
  assertEquals(problemsOf(nested(513), { limits }).length, 1);
  assertEquals(problemsOf([], { limits: { ...limits, maxDepth: NaN } }).length, 1);
});

test("[JS7] the size limit counts bytes of the text and holds for stored text before parsing", () => {
  const limits = { ...defaultJsonLimits, maxBytes: 12 };
  const reason = "takes more than 12 bytes as JSON";
  for (const fits of ["a".repeat(10), "ü".repeat(5), ["1234567", 1].slice(0, 1)]) {
    const normal = normalize(fits, { limits });
    assert(normal.ok && normal.bytes <= 12);
    assert(parseJson(normal.text, limits).ok);
  }
  for (const large of ["a".repeat(11), "ü".repeat(6), "\n".repeat(6), ["a".repeat(1e7)]]) {
    assertEquals(normalize(large, { limits }), { ok: false, problems: [{ path: "", reason }] });
    assertEquals(parseJson(JSON.stringify(large), limits), {
      ok: false,
      problems: [{ path: "", reason }],
    });
  }
  // Refused before the rest is looked at, let alone written out.
  assertEquals(problemsOf(["a".repeat(1e7), 1n], { limits }), [`: ${reason}`]);
  assertEquals(parseJson("{".repeat(13), limits), { ok: false, problems: [{ path: "", reason }] });
});

test("[JS8] getters, proxies and prototypes that throw or lie are problems, never exceptions", () => {
  const throwing = {
    get a(): never {
      throw new Error("a");
    },
    b: 1n,
  };
  const thrower = (trap: string) =>
    new Proxy({ a: 1 }, {
      [trap]: () => {
        throw new Error(trap);
      },
    });
  assertEquals(problemsOf({ x: throwing }), ["x.a: cannot be read", "x.b: is a bigint"]);
  for (const trap of ["get", "ownKeys", "getPrototypeOf", "getOwnPropertyDescriptor"]) {
    assertEquals(problemsOf([thrower(trap), 1n]).slice(1), ["[1]: is a bigint"]);
    assertEquals(problemsOf([thrower(trap), 1n])[0], "[0]: cannot be read");
  }
  assertEquals(problemsOf([revoked({}), revoked([])]), [
    "[0]: cannot be read",
    "[1]: cannot be read",
  ]);
  const throwers = problemsOf(Array.from({ length: 40 }, () => thrower("ownKeys")));
  assertEquals(throwers, throwers.map((_, index) => `[${index}]: cannot be read`));
  const endless: unknown = new Proxy({}, {
    get: (_, key) => key === "toJSON" ? undefined : endless,
    ownKeys: () => ["a", "b"],
    getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }),
  });
  assertEquals(problemsOf(endless), ["a: is part of a cycle", "b: is part of a cycle"]);
});

test("[JS8] 100 000 levels and arrays of any length end in a problem, quickly", () => {
  assertEquals(problemsOf(nested(100_000)).length, 1);
  const long: unknown[] = [];
  long.length = 4_294_967_295;
  assertEquals(problemsOf({ long }), [": holds more than 10000 values"]);
  for (const length of [1e300, NaN, Infinity, 1n, Symbol("s"), { valueOf: () => 1e9 }]) {
    const liar = new Proxy([], { get: (_, key) => key === "length" ? length : undefined });
    assertEquals(problemsOf(liar).length, 1);
  }
  const deep = { maxBytes: 1e6, maxDepth: 1e6, maxNodes: 1e6 };
  assert(!parseJson("[".repeat(100_000) + "]".repeat(100_000), deep).ok);
});

test("[JS8] a toJSON on a prototype is seen", (t) => {
  const prototype = Object.prototype as { toJSON?: unknown };
  t.defer(() => void delete prototype.toJSON);
  prototype.toJSON = () => "hijacked";
  const problems = problemsOf({ a: 1 });
  delete prototype.toJSON;
  assertEquals(problems, [": has a toJSON method"]);
});

test("[JS8] no input makes normalize or parseJson throw", () => {
  const anything = fc.anything(
    {
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
      maxDepth: 4,
    } as Parameters<typeof fc.anything>[0],
  );
  fc.assert(
    fc.property(anything, (value) => {
      const normal = normalize(value);
      if (!normal.ok) {
        assert(normal.problems.length > 0);
        return;
      }
      // Stable: a second round trip changes nothing.
      assertEquals(normalize(JSON.parse(normal.text)), normal);
      assertEquals(parseJson(normal.text), normal);
    }),
    { numRuns: 500 },
  );
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const parsed = parseJson(text);
    assert(parsed.ok || parsed.problems.length > 0);
  }));
});

test("[JS9] text that is not JSON is a problem that does not repeat it", () => {
  for (const text of ["", "{canary", "\ufeff{}", '{"a":1,}', "NaN", "undefined"]) {
    assertEquals(parseJson(text), { ok: false, problems: [{ path: "", reason: "is not JSON" }] });
  }
  assertEquals(parseJson(7 as unknown as string), {
    ok: false,
    problems: [{ path: "", reason: "is not text" }],
  });
  assertEquals(parseJson("[1e999]"), {
    ok: false,
    problems: [{ path: "[0]", reason: "is not finite" }],
  });
});

test("[JS10] two values are equal whatever the order of their keys", () => {
  assert(equalJson({ a: 1, b: [{ c: 1, d: 2 }] }, { b: [{ d: 2, c: 1 }], a: 1 }));
  const different: [JsonValue, JsonValue][] = [
    [{ a: 1 }, { b: 1 }],
    [{ a: 1 }, {}],
    [{}, { a: 1 }],
    [[1, 2], [2, 1]],
    [[1], [1, 2]],
    [{}, []],
    [[], {}],
    [null, {}],
    [{}, null],
    [1, "1"],
    [{ toString: {} }, { valueOf: {} }],
    [JSON.parse('{"__proto__":{}}'), { a: {} }],
  ];
  for (const [a, b] of different) assert(!equalJson(a, b), JSON.stringify([a, b]));
});

test("[JS11] cloneJson copies every level", () => {
  fc.assert(fc.property(plain, (value) => {
    const normal = normalize(value);
    assert(normal.ok);
    assertEquals(cloneJson(normal.value), normal.value);
  }));
  const value = { a: [{ b: 1 }] };
  const copy = cloneJson(value);
  assert(copy !== value && copy.a !== value.a && copy.a[0] !== value.a[0]);
});

test("[JS12] only plain objects are JSON objects", () => {
  assert(!isJsonObject(Object.setPrototypeOf([], null)));
  for (const value of [{}, Object.create(null)]) assert(isJsonObject(value));
  for (
    const value of [
      null,
      [],
      "",
      1,
      undefined,
      new Date(0),
      () => 1,
      revoked({}),
      revoked([]),
    ]
  ) {
    assert(!isJsonObject(value));
  }
});

test("[JS13] utf8Length counts what TextEncoder writes", () => {
  const encoder = new TextEncoder();
  for (
    const text of [
      "",
      "a",
      "ü",
      "€",
      "😀",
      "\ud800",
      "\udc00\ud800",
      "\ud800\ud800\udc00",
      "\ud800ü",
      "\ud800€",
      "a\ud83d",
    ]
  ) {
    assertEquals(utf8Length(text), encoder.encode(text).length);
  }
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), (a, b) => {
    assertEquals(utf8Length(a + b), encoder.encode(a + b).length);
  }));
});

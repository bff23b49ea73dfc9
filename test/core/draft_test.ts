import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";
import { createDraft } from "../../src/core/draft.ts";
import { normalize } from "../../src/core/json.ts";

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

test("[DR1] a draft reads like its base", () => {
  const base = freeze({ a: { n: 1 }, list: [{ x: 1 }, { x: 2 }], text: "t", nothing: null });
  const { draft } = createDraft(base);
  assertEquals(JSON.stringify(draft), JSON.stringify(base));
  assertEquals(Object.keys(draft), Object.keys(base));
  assertEquals(JSON.stringify({ ...draft }), JSON.stringify(base));
  assert("a" in draft && !("b" in draft) && Object.hasOwn(draft, "list"));
  assert(Array.isArray(draft.list) && draft.list instanceof Array);
  assertEquals(draft.list.map((item) => item.x), [1, 2]);
  assertEquals([...draft.list].length, 2);
  assertEquals(draft.list.filter((item) => item.x > 1).length, 1);
  assertEquals(Object.entries(draft.list[0] ?? {}), [["x", 1]]);
  assertEquals(`${draft}`, "[object Object]");
  assertEquals(Object.getOwnPropertyDescriptor(draft.list, "length")?.value, 2);
  const seen: string[] = [];
  for (const key in draft) seen.push(key);
  assertEquals(seen, ["a", "list", "text", "nothing"]);
});

test("[DR1] a part of a draft is the same object each time it is read", () => {
  const { draft } = createDraft(freeze({ a: { b: [{}] } }));
  assert(draft.a === draft.a && draft.a.b[0] === draft.a.b[0]);
  assert(Object.getOwnPropertyDescriptor(draft, "a")?.value === draft.a);
  assert(Object.values(draft)[0] === draft.a);
  assertEquals(draft.a.b.indexOf(draft.a.b[0] as object), 0);
});

test("[DR2] writes of any kind go to the result and never to the base", () => {
  const result = change(
    { a: { n: 1 }, list: [3, 1, 2], gone: 1 as number | undefined },
    (state) => {
      state.a.n += 1;
      state.a.fresh = { deep: [1] };
      state.a.fresh.deep.push(2);
      state.list.push(5, 4);
      state.list.sort();
      state.list.splice(1, 2, 9);
      state.list.reverse();
      state.list.unshift(0);
      state.list.length = 4;
      delete state.gone;
      Object.assign(state, { assigned: true });
      Object.defineProperty(state, "defined", { value: 1, enumerable: true, writable: true });
    },
  );
  assertEquals(result, {
    a: { n: 2, fresh: { deep: [1, 2] } },
    list: [0, 5, 4, 9],
    assigned: true,
    defined: 1,
  } as Loose);
});

test("[DR3] finish returns the base itself when nothing changed in value", () => {
  const base = { a: { n: 1, list: [{ x: 1 }, { x: 1 }] }, b: 2 };
  const handlers: ((state: Loose) => void)[] = [
    () => {},
    (state) => JSON.stringify(state),
    (state) => state.b = 2,
    (state) => state.a = { list: [{ x: 1 }, { x: 1 }], n: 1 },
    (state) => Object.assign(state, { a: state.a }),
    (state) => state.a = { ...state.a },
    (state) => state.a.list = [...state.a.list],
    (state) => state.a.list.reverse(),
    (state) => (state.a.n++, state.a.n--),
    (state) => (delete state.b, state.b = 2),
    (state) => (state.a.list.push(1), state.a.list.pop()),
  ];
  for (const handler of handlers) assert(change(base, handler) === base, `${handler}`);
});

test("[DR3] what was not touched is shared with the base", () => {
  const base = {
    a: { n: 1 },
    b: { c: { n: 1 }, d: { n: 1 } },
    list: [{ x: 1 }, { x: 2 }, { x: 3 }],
  };
  const result = change(base, (state) => {
    state.b.c.n = state.a.n + 1;
    state.list.splice(0, 1);
    state.list = [...state.list, { x: 4 }];
  });
  assertEquals(result.list, [{ x: 2 }, { x: 3 }, { x: 4 }]);
  assert(result.a === base.a && result.b.d === base.b.d && result.b.c !== base.b.c);
  assert(result.list[0] === base.list[1] && result.list[1] === base.list[2]);
});

test("[DR3] a value of another kind or length is a change, however alike it looks", () => {
  const base = { a: {}, b: [] as number[], c: { "0": 1 }, d: [1], e: [1], f: [{ x: [1] }] };
  const result: Loose = change(base, (state) => {
    state.a = [];
    state.b = {};
    state.c = [1];
    state.d.length = 2;
    state.e = Object.assign(new Array(2), { 0: 1 });
    state.f[0] = { x: Object.assign(new Array(2), { 0: 1 }) };
  });
  assert(Array.isArray(result.a) && !Array.isArray(result.b) && Array.isArray(result.c));
  assertEquals(change({ a: { y: 1 } } as Loose, (state) => state.a = { x: undefined }), {
    a: { x: undefined },
  });
  assertEquals([result.d.length, result.e.length, result.f[0].x.length], [2, 2, 2]);
});

test("[DR4] a draft may be assigned elsewhere and stays one object while the handler runs", () => {
  const base = { a: { n: 1 }, b: null as Loose, list: [{ n: 1 }] };
  const result = change(base, (state) => {
    state.b = state.a;
    state.a.n = 2;
    assert(state.b === state.a && state.b.n === 2);
    state.list.push(state.list[0], { inside: state.a });
    state.list[0].n = 7;
    delete state.a;
  });
  assertEquals(result, { b: { n: 2 }, list: [{ n: 7 }, { n: 7 }, { inside: { n: 2 } }] } as Loose);
  assert(normalize(result).ok);
});

test("[DR4] an object that a base holds twice is two objects, as after being stored", () => {
  const shared = { n: 1 };
  assertEquals(change({ a: shared, b: shared }, (state) => state.a.n = 2), {
    a: { n: 2 },
    b: { n: 1 },
  });
});

test("[DR4] a part that was taken out keeps its changes when it is put back", () => {
  const result = change({ a: { n: 1 }, b: 1 as Loose }, (state) => {
    const { a } = state;
    delete state.a;
    a.n = 2;
    state.b = a;
    a.m = 3;
  });
  assertEquals(result, { b: { n: 2, m: 3 } } as Loose);
});

test("[DR5] nothing the handler still holds reaches the result", () => {
  const fresh: Loose = { list: [1], inner: null };
  const handle = createDraft<Loose>(freeze({ a: { n: 1 } }));
  const { draft } = handle;
  fresh.inner = draft.a;
  draft.fresh = fresh;
  fresh.list.push(2);
  const result = handle.finish();
  fresh.list.push(3);
  fresh.late = true;
  assertEquals(result, { a: { n: 1 }, fresh: { list: [1, 2], inner: { n: 1 } } });
});

test("[DR6] a draft that ended refuses every use", () => {
  for (const end of ["finish", "discard"] as const) {
    const draft = createDraft<Loose>(freeze({ a: { n: 1 }, list: [1] }));
    const { draft: state } = draft;
    const { a, list } = state;
    draft[end]();
    const uses = [
      () => state.a,
      () => a.n,
      () => a.toString(),
      () => (a.n = 2),
      () => delete a.n,
      () => list.push(1),
      () => Object.keys(a),
      () => "n" in a,
      () => Object.hasOwn(a, "n"),
      () => Object.defineProperty(a, "n", { value: 1 }),
      () => JSON.stringify(state),
      () => draft.finish(),
    ];
    for (const use of uses) {
      const error = assertThrows(use, /^Cannot use the state: the handler .* has ended$/);
      assert(error instanceof TypeError, `${use}`);
    }
    draft.discard();
  }
});

test("[DR7] what JSON cannot carry stays in the result for normalize to refuse", () => {
  const at = new Date(0);
  const result: Loose = change({ a: {}, list: [1] } as Loose, (state) => {
    state.a = at;
    state.self = {
      get broken(): never {
        throw new Error("broken");
      },
    };
    state.list.length = 4_000_000_000;
    state.fn = () => 1;
  });
  assert(result.a === at);
  const normal = normalize(result);
  assert(!normal.ok);
  assertEquals(normal.problems[0], { path: "a", reason: "is an instance of Date" });
  const sparse = normalize(change([1, 2, 3], (state) => delete state[1]));
  assertEquals(sparse, {
    ok: false,
    problems: [{ path: "[1]", reason: "is a hole in a sparse array" }],
  });
});

test("[DR7] cycles end in a cyclic result that normalize refuses", () => {
  const handlers: ((state: Loose) => void)[] = [
    (state) => state.a.self = state.a,
    (state) => state.a.b.up = state.a,
    (state) => state.a.b.up = state,
    (state) => state.a.b.up = [{ up: state.a }],
    (state) => state.a.b = state,
    (state) => {
      const fresh: Loose = { list: [] };
      fresh.list.push(fresh);
      state.fresh = fresh;
    },
    (state) => (state.a.b.up = { up: state.c }, state.c.down = state.a),
  ];
  for (const handler of handlers) {
    // An empty object at the place of the reference must not be taken for the unfinished cycle.
    const normal = normalize(change({ a: { b: { up: {} }, self: {} }, c: {}, fresh: {} }, handler));
    assert(!normal.ok && /part of a cycle/.test(JSON.stringify(normal)), `${handler}`);
  }
});

test("[DR7] a cycle in a result leads back to the same object", () => {
  const result: Loose = change({ a: { b: { up: {} } } }, (state) => state.a.b.up = state.a);
  assert(result.a.b.up === result.a);
});

test("[DR7] 100 000 fresh levels do not overflow the stack", () => {
  let deep: Loose = {};
  for (let level = 0; level < 100_000; level++) deep = { deep };
  assert(!normalize(change({}, (state) => state.deep = deep)).ok);
});

test("[DR8] no key from outside leads through a draft to a prototype", () => {
  const handle = createDraft<Loose>(freeze({ a: {}, list: [] }));
  const { draft } = handle;
  for (const part of [draft, draft.a, draft.list]) {
    assertEquals(part["__proto__"], undefined);
    assertEquals(part["constructor"], undefined);
    assertThrows(() => part["__proto__"]["polluted"] = 1);
  }
  draft.a["__proto__"] = { polluted: 1 };
  assertEquals(({} as Loose).polluted, undefined);
  const result = handle.finish();
  assertEquals(result.a.polluted, undefined);
  assertEquals(normalize(result), {
    ok: false,
    problems: [{ path: "a.__proto__", reason: "is a refused key" }],
  });
});

test("[DR8] a draft takes no accessor, no prototype and no freezing", () => {
  const { draft } = createDraft<Loose>(freeze({ a: 1 }));
  assertThrows(() => Object.defineProperty(draft, "b", { get: () => 1 }));
  assertThrows(() => Object.defineProperty(draft, "b", { value: 1, enumerable: false }));
  assertThrows(() => Object.setPrototypeOf(draft, null));
  assertThrows(() => Object.freeze(draft));
  for (const base of [new Date(), new Map(), () => 1]) {
    const error = assertThrows(() => createDraft(base), /neither a plain object nor an array$/);
    assert(error instanceof TypeError);
  }
});

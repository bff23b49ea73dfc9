import * as v from "valibot";
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { defineStash, type InvalidValueError, type StashDefinition } from "../../mod.ts";
import { Cart, Prefs } from "./definitions.ts";
import { browser, world } from "./world.ts";

interface Form {
  name: unknown;
  age: unknown;
}

const form = (options: { skip?: boolean; schema?: v.GenericSchema } = {}): StashDefinition<Form> =>
  defineStash<Form>({
    name: "form",
    vsn: 1,
    stored: ["name", "age"],
    state: () => ({ name: "", age: 0 }),
    ...(options.skip ? { onInvalidValue: "skip" } : {}),
    ...(options.schema === undefined ? {} : { schema: options.schema }),
  });

const Strict = form({
  schema: v.object({ name: v.string(), age: v.pipe(v.number(), v.minValue(0)) }),
});

const views = (record: Record<string, unknown>) =>
  (record["state"] as { views: Record<string, { keys: Record<string, unknown> }> }).views;

test("[SH14] a recovered value the schema refuses falls back to its default and is named (checklist 32)", async () => {
  const { node, edit, theSession } = world();
  const user = browser();
  await user.visit(node(), async (session) => {
    const stash = await session.stash(Strict);
    Object.assign(stash.state, { name: "ada", age: 36 });
    await stash.stash();
  });
  await edit((record) => void Object.assign(views(record)["form"]?.keys ?? {}, { age: "old" }));
  await user.visit(node(), async (session) => {
    const stash = await session.stash(Strict);
    assertEquals([stash.status, stash.state], ["recovered", { name: "ada", age: 0 }]);
    assertEquals(stash.invalid, ["age"]);
    stash.state.name = "grace";
    await stash.stash();
  });
  assertEquals((await theSession()).views["form"]?.keys, { name: "grace", age: "old" });
});

test("[SH14] update() gets no value the schema refuses either (checklist 32)", async () => {
  const { node, edit } = world();
  const user = browser();
  await user.visit(node(), async (session) => {
    await (await session.stash(Strict)).update((state) => void (state.name = "ada"));
  });
  await edit((record) => void Object.assign(views(record)["form"]?.keys ?? {}, { age: "old" }));
  const two = node();
  const seen = await user.visit(two, async (session) => {
    let seen: unknown;
    await (await session.stash(Strict)).update((state) => {
      seen = { ...state };
      state.age = 1;
    });
    return seen;
  });
  assertEquals(seen, { name: "ada", age: 0 });
});

test("[SH14] what the schema says is checked after migrating (checklist 32)", async () => {
  const { node } = world();
  const user = browser();
  const Old = form();
  const New = defineStash<Form>({
    name: "form",
    vsn: 2,
    stored: ["name", "age"],
    state: () => ({ name: "", age: 0 }),
    schema: v.object({ name: v.string(), age: v.number() }),
    migrate: (_, data) => ({ ...data, age: "from migrate" }),
  });
  await user.visit(node(), async (session) => {
    await (await session.stash(Old)).update((state) => void (state.name = "ada"));
  });
  await user.visit(node(), async (session) => {
    const stash = await session.stash(New);
    assertEquals([stash.status, stash.state, stash.invalid], [
      "migrated",
      { name: "ada", age: 0 },
      ["age"],
    ]);
  });
});

test("[SH14] a schema that blames no key, or breaks, lets nothing through", async () => {
  const { node } = world();
  const user = browser();
  const whole = form({ schema: v.pipe(v.any(), v.check(() => false, "no")) });
  const breaks = form({
    schema: v.pipe(
      v.any(),
      v.check(() => {
        throw new Error("broken");
      }),
    ),
  });
  await user.visit(node(), async (session) => {
    await (await session.stash(form())).update((state) => void (state.name = "ada"));
  });
  for (const Definition of [whole, breaks]) {
    await user.visit(node(), async (session) => {
      const stash = await session.stash(Definition);
      assertEquals([stash.state, stash.invalid], [{ name: "", age: 0 }, ["name"]]);
    });
  }
});

test("[SH15] a changed value the schema refuses stops the write, with the path", async () => {
  const { node, records } = world();
  const user = browser();
  await user.visit(node(), async (session) => {
    const stash = await session.stash(Strict);
    stash.state.age = -1;
    const error = await assertRejects(() => stash.stash(), "ERR_INVALID_STATE");
    assert(/^Cannot accept stash "form": "age" /.test(error.message), error.message);
    await assertRejects(
      () => stash.update((state) => void (state.name = 7)),
      "ERR_INVALID_STATE",
    );
    assertEquals((await records()).size, 0);
    stash.state.age = 1;
    assertEquals(await stash.stash(), true);
  });
});

const cycle: unknown[] = [];
cycle.push([cycle]);
const deep = (levels: number): unknown => levels === 0 ? 1 : { a: deep(levels - 1) };

const invalid: readonly (readonly [string, unknown, string])[] = [
  ["a Date", { at: new Date(0) }, "name.at"],
  ["a Map", [new Map()], "name[0]"],
  ["a Set", { a: [new Set()] }, "name.a[0]"],
  ["NaN", { a: NaN }, "name.a"],
  ["Infinity", [1, -Infinity], "name[1]"],
  ["undefined in a list", [undefined], "name[0]"],
  ["a BigInt", { a: 1n }, "name.a"],
  ["a function", () => {}, "name"],
  ["a symbol", { a: Symbol("a") }, "name.a"],
  ["a class instance", { a: new (class Point {})() }, "name.a"],
  ["a cycle", cycle, "name[0][0]"],
  // deno-lint-ignore no-sparse-arrays
  ["a sparse array", [1, , 2], "name[1]"],
  ["a lone surrogate", { a: "\ud800" }, "name.a"],
  ["a toJSON method", { a: { toJSON: () => "x" } }, "name.a"],
  ["the key __proto__", JSON.parse('{"a":{"__proto__":{"polluted":1}}}'), "name.a.__proto__"],
  ["the key constructor", { a: { constructor: 1 } }, "name.a.constructor"],
  ["the key prototype", [{ prototype: 1 }], "name[0].prototype"],
  ["33 levels", deep(33), "name" + ".a".repeat(32)],
  ["10 001 values", Array.from({ length: 10_000 }, () => 1), "name"],
];

for (const [what, value, path] of invalid) {
  test(`[SH16] a value with ${what} stops the write and is named by its path (checklist 29 30 31)`, async () => {
    const { node, records } = world();
    await browser().visit(node(), async (session) => {
      const stash = await session.stash(form());
      stash.state.age = 1;
      stash.state.name = value;
      const error = await assertRejects(() => stash.stash(), "ERR_INVALID_VALUE");
      assertEquals((error as InvalidValueError).problems.map((problem) => problem.path), [path]);
      await assertRejects(
        () => stash.update((state) => void (state.name = value)),
        "ERR_INVALID_VALUE",
      );
      assertEquals((await records()).size, 0);
      assertEquals(Reflect.get({}, "polluted"), undefined);
    });
  });

  test(`[SH16] with "skip", a value with ${what} leaves its key as it was and stores the others`, async () => {
    const { node, theSession, events } = world();
    const user = browser();
    const one = node();
    await user.visit(one, async (session) => {
      await (await session.stash(form())).update((state) => void (state.name = "ada"));
    });
    await user.visit(one, async (session) => {
      const stash = await session.stash(form({ skip: true }));
      Object.assign(stash.state, { name: value, age: 36 });
      assertEquals(await stash.stash(), true);
      assertEquals((await theSession()).views["form"]?.keys, { name: "ada", age: 36 });
      assertEquals(await stash.stash(), false);
    });
    const skipped = events.find(({ name }) => name === "holdfast.stash.skip");
    assertEquals(skipped !== undefined && "keys" in skipped && skipped.keys, ["name"]);
  });
}

const kept: readonly unknown[] = [
  "",
  "\u0000\u2028😀",
  [-0],
  [1e308, 5e-324, -1],
  { "": 0, "a b": [null, true, { c: [] }] },
  deep(32),
  Array.from({ length: 9_999 }, (_, i) => i),
];

for (const [i, value] of kept.entries()) {
  test(`[SH16] JSON value ${i} is the same in this process and after a restart (checklist 30)`, async () => {
    const { node } = world();
    const user = browser();
    const one = node();
    const read = (at = one) =>
      user.visit(at, async (session) => (await session.stash(form())).state.name);
    await user.visit(one, async (session) => {
      const stash = await session.stash(form());
      stash.state.name = value;
      await stash.stash();
    });
    const expected: unknown = JSON.parse(JSON.stringify(value));
    assertEquals(await read(), expected);
    assertEquals(await read(node()), expected);
  });
}

test("[SH16] what is stored is a copy: the request may go on changing its state", async () => {
  const { node } = world();
  const user = browser();
  const one = node();
  await user.visit(one, async (session) => {
    const cart = await session.stash(Cart);
    cart.state.items.push("kelp");
    await cart.stash();
    cart.state.items.push("never stashed");
  });
  const read = () =>
    user.visit(one, async (session) => {
      const { state } = await session.stash(Cart);
      return state.items.splice(0);
    });
  assertEquals([await read(), await read()], [["kelp"], ["kelp"]]);
});

for (const key of ["__proto__", "constructor", "prototype"]) {
  test(`[SH13] a stored record with the key ${key} is refused as a whole (checklist 29)`, async () => {
    const { node, edit, records } = world();
    const user = browser();
    await user.visit(node(), async (session) => {
      await (await session.stash(Cart)).update((state) => void state.items.push("kelp"));
    });
    await edit((record) => JSON.stringify(record).replace('"kelp"', `{"${key}":{"polluted":1}}`));
    const before = await records();
    await user.visit(node(), async (session) => {
      const cart = await session.stash(Cart);
      assertEquals([cart.status, cart.state.items], ["error", []]);
      await assertRejects(() => cart.update((state) => void state.count++), "ERR_CORRUPT_RECORD");
    });
    assertEquals(await records(), before);
    assertEquals(user.got.length, 1, "the cookie was touched");
    assertEquals(Reflect.get({}, "polluted"), undefined);
  });
}

test("[SH22] a session as large as allowed is stored, one byte more is refused (checklist 31)", async () => {
  const { node, theSession } = world();
  const user = browser();
  const one = node({ limits: { maxSessionBytes: 1024 } });
  const fill = async (length: number): Promise<number> => {
    await user.visit(one, async (session) => {
      await (await session.stash(Prefs)).update((state) => void (state.theme = "x".repeat(length)));
    });
    return JSON.stringify(await theSession()).length;
  };
  const bytes = await fill(10);
  // The client has come back: "confirmed" takes a byte less.
  const room = 1024 - bytes + 10 + 1;
  assertEquals(await fill(room), 1024);
  await assertRejects(() => fill(room + 1), "ERR_TOO_LARGE");
  await user.visit(node({ limits: { maxSessionBytes: 1024 } }), async (session) => {
    assertEquals((await session.stash(Prefs)).state.theme.length, room);
  });
});

test("[SH22] one value larger than a session is too large, whatever onInvalidValue says", async () => {
  const { node, records, storage } = world();
  const one = node();
  for (const skip of [false, true]) {
    await browser().visit(one, async (session) => {
      const stash = await session.stash(form({ skip }));
      stash.state.name = "x".repeat(70_000);
      await assertRejects(() => stash.stash(), "ERR_TOO_LARGE");
    });
  }
  assertEquals([(await records()).size, storage.calls.put], [0, 0]);
});

test("[SH22] a session of as many small values as its size allows can be read again", async () => {
  const { node } = world();
  const limits = { maxSessionBytes: 1_048_576 };
  const user = browser();
  const keys = Array.from({ length: 50 }, (_, i) => `k${i}`);
  const Many = defineStash<Record<string, number[]>>({
    name: "many",
    vsn: 1,
    stored: keys,
    state: () => Object.fromEntries(keys.map((key) => [key, []])),
  });
  const ones = Array.from({ length: 9_999 }, () => 1);
  await user.visit(node({ limits }), async (session) => {
    const many = await session.stash(Many);
    for (const key of keys) many.state[key] = ones;
    await many.stash();
  });
  await user.visit(node({ limits }), async (session) => {
    const many = await session.stash(Many);
    assertEquals([many.status, many.state["k49"]?.length], ["recovered", 9_999]);
  });
});

test("[SH22] stored bytes beyond the limit are not parsed, and stay (checklist 31)", async () => {
  const { node, edit, memory } = world();
  const user = browser();
  const one = node();
  await user.visit(one, async (session) => {
    await (await session.stash(Cart)).update((state) => void state.count++);
  });
  await edit((record) => ({ ...record, padding: "x".repeat(70_000) }));
  const [key = ""] = await memory.list("");
  const before = await memory.get(key);
  await user.visit(node(), async (session) => {
    const cart = await session.stash(Cart);
    assertEquals(cart.status, "error");
    await assertRejects(() => cart.stash(), "ERR_UNRECOVERED");
  });
  assertEquals(await memory.get(key), before);
});

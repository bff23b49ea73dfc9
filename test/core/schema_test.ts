import fc from "fast-check";
import * as v from "valibot";
import { assert, assertEquals, test } from "../harness/mod.ts";
import {
  checkSchema,
  isStandardSchema,
  type SchemaCheck,
  type StandardSchema,
} from "../../src/core/schema.ts";

/** A schema whose validation answers, or throws, what a test wants. */
function answering(validate: (value: unknown) => unknown): StandardSchema {
  const props = { version: 1, vendor: "test", validate };
  return { "~standard": props } as StandardSchema;
}

function isProblem(check: SchemaCheck): boolean {
  return !check.ok && check.problems.length > 0 &&
    check.problems.every(({ path, reason }) => typeof path === "string" && reason !== "");
}

test("[SS1] a value is checked and stays as it is: the output of the schema is ignored", () => {
  const schema = v.object({
    n: v.pipe(v.string(), v.transform(Number)),
    d: v.optional(v.number(), 7),
  });
  const value = { n: "1" };
  assertEquals(checkSchema(schema, value), { ok: true });
  assertEquals(value, { n: "1" });
});

test("[SS2] every issue becomes a problem with its path, keys or objects with a key", () => {
  const schema = v.object({ items: v.array(v.object({ price: v.number() })), "a b": v.string() });
  assertEquals(checkSchema(schema, { items: [{ price: 1 }, { price: "x" }] }), {
    ok: false,
    problems: [
      {
        path: "items[1].price",
        reason: "does not satisfy its schema: Invalid type: Expected number",
      },
      { path: '["a b"]', reason: 'does not satisfy its schema: Invalid key: Expected "a b"' },
    ],
  });
  const path = ["a", 0, { key: "b c" }, { key: 1 }, Symbol("s")];
  assertEquals(checkSchema(answering(() => ({ issues: [{ message: "no", path }] })), {}), {
    ok: false,
    problems: [{ path: 'a[0]["b c"][1][symbol]', reason: "does not satisfy its schema: no" }],
  });
});

test("[SS3] a schema that throws or answers nonsense is a problem", async () => {
  const hostile = {
    get issues(): never {
      throw new Error("issues");
    },
  };
  const answers: (() => unknown)[] = [
    () => {
      throw new Error("thrown");
    },
    () => undefined,
    () => null,
    () => 1,
    () => ({}),
    () => ({ issues: [] }),
    () => ({ issues: null, value: 1 }),
    () => ({ issues: "no" }),
    () => ({ issues: [null] }),
    () => ({ issues: [{ message: "m", path: 1 }] }),
    () => ({ issues: [{ message: "m", path: [null] }] }),
    () => hostile,
    () => ({
      get then(): never {
        throw new Error("then");
      },
    }),
    () => Promise.reject(new Error("rejected")),
    () => Promise.resolve(hostile),
    () => ({
      then: () => {
        throw new Error("then");
      },
    }),
  ];
  for (const answer of answers) assert(isProblem(await checkSchema(answering(answer), {})));
  assert(isProblem(await checkSchema({} as StandardSchema, {})));
  await fc.assert(fc.asyncProperty(fc.anything(), async (answer) => {
    const check = await checkSchema(answering(() => answer), {});
    assert(check.ok ? typeof answer === "object" : isProblem(check));
  }));
});

test("[SS4] no problem repeats the value", () => {
  const canary = "canary-7f3a";
  const schemas: [StandardSchema, unknown][] = [
    [v.object({ a: v.number() }), { a: canary }],
    [v.object({ a: v.picklist(["light", "dark"]) }), { a: canary }],
    [v.object({ a: v.pipe(v.string(), v.email()) }), { a: canary }],
    [v.object({ a: v.pipe(v.number(), v.maxValue(3)) }), { a: 48151623 }],
    [v.pipe(v.object({ a: v.string() }), v.check(() => false, (issue) => `bad ${issue.input.a}`)), {
      a: canary,
    }],
    [answering(() => ({ issues: [{ message: `must be a number (was "${canary}")` }] })), canary],
    [
      answering(() => ({ issues: [{ message: `"${canary.slice(0, 9)}… is wrong"` }] })),
      canary.repeat(9),
    ],
    [answering(() => ({ issues: [{ message: `${canary} at`, path: ["gone"] }] })), { b: canary }],
  ];
  for (const [schema, value] of schemas) {
    const text = JSON.stringify(checkSchema(schema, value));
    assert(text.includes("does not satisfy its schema"), text);
    assert(!/canary|48151623/.test(text), text);
  }
});

test("[SS4] what the schema expects is repeated", () => {
  const check = checkSchema(v.picklist(["light", "dark"]), "blue");
  assertEquals(check, {
    ok: false,
    problems: [{
      path: "",
      reason: 'does not satisfy its schema: Invalid type: Expected ("light" | "dark")',
    }],
  });
});

test("[SS5] a schema that answers later is awaited", async () => {
  const schema = v.pipeAsync(
    v.string(),
    v.checkAsync((text) => Promise.resolve(text === "yes"), "no"),
  );
  const check = checkSchema(schema, "yes");
  assert(check instanceof Promise);
  assertEquals(await check, { ok: true });
  assertEquals(await checkSchema(schema, "x"), {
    ok: false,
    problems: [{ path: "", reason: "does not satisfy its schema: no" }],
  });
});

test("[SS6] only version 1 with a validate function is a Standard Schema, object or function", () => {
  assert(isStandardSchema(v.string()));
  assert(isStandardSchema(Object.assign(() => 1, answering(() => undefined))));
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const no = [
    null,
    undefined,
    "x",
    {},
    proxy,
    { "~standard": null },
    { "~standard": { version: 2, validate: () => 1 } },
    { "~standard": { version: 1 } },
  ];
  for (const value of no) assertEquals(isStandardSchema(value), false);
});

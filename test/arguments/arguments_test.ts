import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";
import { nearestName } from "../../src/core/options.ts";
import { createHoldfast, defineDocument, defineObject, defineStash } from "../../mod.ts";
import { defineView } from "../../adapters/live/mod.ts";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import { type Callable, functions, methods, thrownBy } from "./functions.ts";

const strange: readonly (readonly [string, unknown])[] = [
  ["null", null],
  ["undefined", undefined],
  ["text", "x"],
  ["a number", 5],
  ["NaN", NaN],
  ["a boolean", true],
  ["an array", [1]],
  ["a function", () => {}],
  ["an instance", new (class Foo {})()],
];

/** What a runtime says by itself: nobody can tell from it what was wrong. */
const ofTheRuntime = /^Cannot (?:read prop|destructure|convert|mix|set prop|use 'in'|access)/;

const isOurs = (error: unknown): boolean =>
  error instanceof Error && /^(?:Cannot|Expected) /.test(error.message) &&
  !ofTheRuntime.test(error.message);

/** The positions of arguments that are plain options. */
function optionsOf({ good }: Callable): readonly number[] {
  const others = ["open", "spec", "scopes", "updates", "idFromName", "add", "bytes", "~standard"];
  return good.flatMap((value, i) => {
    const isPlain = typeof value === "object" && value !== null &&
      Object.getPrototypeOf(value) === Object.prototype;
    return isPlain && !others.some((name) => name in value) ? [i] : [];
  });
}

for (const callable of [...functions, ...methods]) {
  const { name, call, good } = callable;
  const replaced = (i: number, value: unknown) => good.map((one, j) => i === j ? value : one);

  test(`[AR2] ${name}() says by itself what is wrong with an argument`, async () => {
    const raw: string[] = [];
    const attempt = async (what: string, args: readonly unknown[]) => {
      const error = await thrownBy(() => call(...args));
      if (error !== undefined && !isOurs(error)) raw.push(`${what}: ${String(error)}`);
    };
    for (const [kind, value] of strange) {
      for (const i of good.keys()) await attempt(`argument ${i} is ${kind}`, replaced(i, value));
      for (const i of optionsOf(callable)) {
        for (const option of Object.keys(good[i] as object)) {
          const options = { ...(good[i] as object), [option]: value };
          await attempt(`"${option}" is ${kind}`, replaced(i, options));
        }
      }
    }
    assertEquals(raw, []);
  });

  for (const i of optionsOf(callable)) {
    test(`[AR1] ${name}() refuses an option that does not exist`, async () => {
      const options = { ...(good[i] as object), madeUpOption: 1 };
      const error = await thrownBy(() => call(...replaced(i, options))) as { code?: unknown };
      assertEquals(error?.code, "ERR_UNKNOWN_OPTION");
      assert(error instanceof TypeError && error.message.includes('madeUpOption";'));
      const absent = { ...(good[i] as object), madeUpOption: undefined };
      const other = await thrownBy(() => call(...replaced(i, absent))) as { code?: unknown };
      assert(other?.code !== "ERR_UNKNOWN_OPTION", "undefined is not there");
    });
  }
}

const state = () => ({});
const messages: readonly (readonly [string, () => unknown, string])[] = [
  [
    "a stash",
    () => defineStash({ name: "cart", vsn: 1, stored: [], state, ...{ migration: state } }),
    'Cannot define stash "cart": there is no option "migration"; the nearest is "migrate"',
  ],
  [
    "an object",
    () => defineObject({ name: "a", vsn: 1, state, handlers: {}, ...{ hibernateAfter: 1 } }),
    'Cannot define object "a": there is no option "hibernateAfter"; the nearest is "hibernateAfterMs"',
  ],
  [
    "a handler",
    () =>
      defineObject({
        name: "a",
        vsn: 1,
        state,
        handlers: { get: { run: state, ...{ readonly: true } } },
      }),
    'Cannot define object "a": handler "get": there is no option "readonly"; the nearest is "readOnly"',
  ],
  [
    "a document",
    () =>
      defineDocument({
        name: "d",
        vsn: 1,
        state,
        apply: (was: object) => ({ state: was }),
        ...{ histroyOps: 1 },
      }),
    'Cannot define document "d": there is no option "histroyOps"; the nearest is "historyOps"',
  ],
  [
    "a view",
    () => defineView({ name: "v", state, render: () => "", ...{ onMount: state } }),
    'Cannot define view "v": there is no option "onMount"; the nearest is "mount"',
  ],
  [
    "limits",
    () =>
      createHoldfast({
        storage: memoryStorage(),
        secrets: [new Uint8Array(32).map((_, i) => i)],
        limits: { mailbox: 9, ...{ maxSesionBytes: 2000 } },
      }),
    'Cannot create a holdfast: there is no option "limits.maxSesionBytes"; ' +
    'the nearest is "limits.maxSessionBytes"',
  ],
  [
    "definitions that are no list",
    () => createHoldfast({ storage: memoryStorage(), secrets: [], objects: {} as [] }),
    'Cannot create a holdfast: "objects" is an object, not an array',
  ],
];

for (const [what, call, message] of messages) {
  test(`[AR1] the error of ${what} names what it is about, the option and the nearest`, () => {
    let thrown: unknown;
    try {
      call();
    } catch (error) {
      thrown = error;
    }
    assertEquals(thrown instanceof TypeError && thrown.message, message);
  });
}

test("[AR3] the nearest name is one that is really like it, else all of them are told", () => {
  const known = ["migrate", "schema", "stored", "vsn"];
  const nearest = (name: string) => nearestName(name, known);
  assertEquals(["Migrate", "migration", "store", "vns"].map(nearest), [
    "migrate",
    "migrate",
    "stored",
    undefined,
  ]);
  assertEquals(nearest("colour"), undefined);
  assertThrows(
    () => defineStash({ name: "a", vsn: 1, stored: [], state, ...{ ttl: 1 } }),
    (error) => /there are "name", "vsn", "stored"/.test(error.message),
  );
});

import { readFileSync } from "node:fs";
import { createSync, postgresStorage, syncDown, syncUp } from "../../adapters/postgres/mod.ts";
import { migratingStorage } from "../../adapters/migrating/mod.ts";
import { memoryStorage } from "../../adapters/memory/mod.ts";
import { fileStorage } from "../../adapters/file/mod.ts";
import { sqliteStorage } from "../../adapters/sqlite/mod.ts";
import { createLive, defineView } from "../../adapters/live/mod.ts";
import { s3Storage } from "../../adapters/s3/mod.ts";
import { createVirtualClock, faultyStorage, seededRandom } from "../../adapters/testing/mod.ts";
import { health } from "../../adapters/hono/mod.ts";
import { serve } from "../../adapters/node/mod.ts";
import {
  createHoldfast,
  defineObject,
  defineStash,
  type Holdfast,
  type Storage,
  treeDocument,
} from "../../mod.ts";
import { temp } from "../adapters/fixtures/temp.ts";
import { assert, assertEquals, test, type TestContext } from "../harness/mod.ts";
import { secrets, thrownBy } from "./functions.ts";

const nonsense: readonly (readonly [string, unknown])[] = [
  ["null", null],
  ["undefined", undefined],
  ["1", 1],
  ["NaN", NaN],
  ['""', ""],
  ['"x"', "x"],
  ["{}", {}],
  ["[]", []],
  ["a function", () => {}],
  ["true", true],
  ["a symbol", Symbol("s")],
  ["a bigint", 1n],
  ["a lone surrogate", "\ud800"],
];

/** The codes there are, as the union of them has them. */
const codes: ReadonlySet<string> = new Set(
  readFileSync(new URL("../../src/core/errors.ts", import.meta.url), "utf8").match(/ERR_[A-Z_]+/g),
);

/** Calls something with nonsense in each number of arguments; tells what had no code of ours. */
async function uncoded(name: string, make: () => unknown): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [kind, value] of nonsense) {
    for (const count of [1, 2, 3]) {
      const call = await make() as (...args: readonly unknown[]) => unknown;
      const error = await thrownBy(() => call(...new Array<unknown>(count).fill(value)));
      if (error === undefined) continue;
      const { code } = error as { readonly code?: unknown };
      if (error instanceof Error && typeof code === "string" && codes.has(code)) continue;
      found.push(`${name} with ${count} times ${kind}: ${String(error)}`);
    }
  }
  return found;
}

/** The methods of an object, its own and those of its class. */
function methodsOf(object: object): readonly string[] {
  const names = new Set<string>();
  for (let at: object | null = object; at !== null && at !== Object.prototype;) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
    at = Object.getPrototypeOf(at) as object | null;
  }
  names.delete("constructor");
  return [...names].filter((name) => typeof Reflect.get(object, name) === "function");
}

/** What runs in a browser: AR2 alone is promised of it. */
const others = new Set(["connect"]);

const { exports } = JSON.parse(
  readFileSync(new URL("../../deno.json", import.meta.url), "utf8"),
) as { readonly exports: Readonly<Record<string, string>> };

for (const [subpath, file] of Object.entries(exports)) {
  const module = await import(`../../${file}`) as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries(module)) {
    if (typeof value !== "function" || others.has(name)) continue;
    if (/^class\b/.test(Function.prototype.toString.call(value))) continue;
    test(`[AR4] ${subpath} ${name}() called with nonsense fails with a code`, async () => {
      assertEquals(await uncoded(name, () => value), []);
    });
  }
}

const Cart = defineStash({
  name: "cart",
  vsn: 1,
  stored: ["items"],
  state: () => ({ items: [] as string[] }),
});

const Counter = defineObject({
  name: "counter",
  vsn: 1,
  state: () => ({ count: 0 }),
  handlers: { increment: ({ state }) => ++state.count },
});
const Board = treeDocument({ name: "board", vsn: 1 });
const Form = defineView({ name: "form", vsn: 1, state: () => ({ name: "" }), render: () => "" });

function root(t: TestContext, storage: Storage = memoryStorage()): Holdfast {
  const holdfast = createHoldfast({ storage, secrets, sweepEveryMs: Infinity });
  t.defer(async () => void await holdfast.close());
  return holdfast;
}

const migrating = (phase: "copying" | "cutover") =>
  migratingStorage({ from: memoryStorage(), to: memoryStorage(), phase });
const client = { send: () => Promise.resolve({}) };

/** An instance of the `postgres` package that never answers. */
const silent = {
  unsafe: () => new Promise<never>(() => {}),
  begin: () => new Promise<never>(() => {}),
  options: { parsers: {}, transform: { column: {}, value: {}, row: {} } },
};
const sync = (t: TestContext) =>
  closed(t, createSync({ sql: silent, tables: { orders: { key: "org" } } }));

/** Objects that users hold; made anew for each call, since some calls end them. */
const objects: Readonly<Record<string, (t: TestContext) => object | Promise<object>>> = {
  holdfast: (t) => root(t),
  "holdfast.objects": (t) => root(t).objects,
  "holdfast.object()": (t) => root(t).object(Counter, "a"),
  "holdfast.document()": (t) => root(t).document(Board, "a"),
  membership: (t) => root(t).document(Board, "a").join({ client: "c", deliver: () => {} }),
  "holdfast.open()": (t) => root(t).open(null),
  session: (t) => root(t).open(null).session,
  stash: async (t) => {
    const { stash, update, reset } = bound(await root(t).open(null).session.stash(Cart));
    assert(stash !== undefined && update !== undefined && reset !== undefined);
    return { stash, update, reset };
  },
  live: (t) => createLive(root(t), { views: [Form] }),
  memoryStorage: () => memoryStorage(),
  sqliteStorage: (t) => closed(t, sqliteStorage(":memory:")),
  fileStorage: (t) => closed(t, fileStorage(temp(t))),
  postgresStorage: (t) => closed(t, postgresStorage({ url: "postgres://u@127.0.0.1:1/d" })),
  s3Storage: () => s3Storage({ bucket: "app", client } as Parameters<typeof s3Storage>[0]),
  'migratingStorage in "copying"': () => migrating("copying"),
  'migratingStorage in "cutover"': () => migrating("cutover"),
  faultyStorage: () => faultyStorage(memoryStorage(), { plan: () => undefined }),
  createVirtualClock: () => createVirtualClock(),
  seededRandom: () => seededRandom(1),
  health: (t) => health(root(t)),
  sync,
  watch: (t) => sync(t).open({ table: "orders" }, 1),
  server: async (t) => {
    const server = await serve({ fetch: () => new Response(), port: 0, signals: [] });
    return closed(t, server);
  },
};

function bound(object: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    methodsOf(object).map((name) => {
      const method = Reflect.get(object, name) as (...args: readonly unknown[]) => unknown;
      return [name, method.bind(object)];
    }),
  );
}

function closed<T extends { close?(): Promise<unknown> }>(t: TestContext, object: T): T {
  t.defer(async () => void await object.close?.());
  return object;
}

const watched: Readonly<Record<string, unknown>> = {
  table: "orders",
  load: () => [],
  where: true,
  orderBy: "id",
  limit: 5,
  one: false,
  with: {
    items: { table: "orders", by: "id", many: true, where: true, orderBy: ["id"], with: {} },
  },
  uses: ["orders"],
  onChange: () => {},
};

test("[AR4] each option of a sync and of a watch that is nonsense fails with a code", async (t) => {
  const one = sync(t);
  const given = {
    createSync: {
      sql: silent,
      tables: { orders: { key: "org", id: "id", columns: ["org", "id"], schema: "s", name: "n" } },
      publication: "p",
      slot: { name: "s", failover: true, allowUnboundedWal: true },
      limits: { concurrentLoads: 4 },
      queryTimeoutMs: 5,
    },
    "sync.watch": { ...watched, key: 1 },
    "sync.open": watched,
    syncUp: { tables: { orders: { key: "org" } }, publication: "p", slot: "s" },
    syncDown: { tables: { orders: { key: "org" } }, publication: "p", slot: "s" },
  };
  const calls: Readonly<Record<string, (options: never) => unknown>> = {
    createSync: (options) => createSync(options),
    "sync.watch": (options) => one.watch(options),
    "sync.open": (options) => one.open(options, 1),
    syncUp: (options) => syncUp(options),
    syncDown: (options) => syncDown(options),
  };
  const found: string[] = [];
  for (const [name, options] of Object.entries(given)) {
    const call = calls[name]!;
    for (const [path, replaced] of replacements(options)) {
      found.push(
        ...await uncoded(
          `${name} ${path}`,
          () => (value: unknown) => call(replaced(value) as never),
        ),
      );
    }
  }
  assertEquals(found, []);
});

/** Each place in plain objects, and how to put something else there. */
function replacements(
  object: object,
): readonly (readonly [path: string, replaced: (value: unknown) => object])[] {
  return Object.entries(object).flatMap(([name, value]) => {
    const inner = typeof value === "object" && value !== null && value !== silent &&
        !Array.isArray(value)
      ? replacements(value)
      : [];
    return [
      [name, (other: unknown) => ({ ...object, [name]: other })] as const,
      ...inner.map(([path, replaced]) =>
        [`${name}.${path}`, (other: unknown) => ({ ...object, [name]: replaced(other) })] as const
      ),
    ];
  });
}

for (const [name, make] of Object.entries(objects)) {
  test(`[AR4] the methods of ${name}, called with nonsense, fail with a code`, async (t) => {
    const found: string[] = [];
    for (const method of methodsOf(await make(t))) {
      const one = await make(t);
      found.push(
        ...await uncoded(method, () => {
          const call = Reflect.get(one, method) as (...args: readonly unknown[]) => unknown;
          return call.bind(one);
        }),
      );
    }
    assertEquals(found, []);
  });
}

const storages: Readonly<Record<string, (t: TestContext) => Storage>> = {
  memory: () => memoryStorage(),
  sqlite: (t) => closed(t, sqliteStorage(":memory:")),
  file: (t) => closed(t, fileStorage(temp(t))),
  migrating: () => migrating("copying"),
};

for (const [name, make] of Object.entries(storages)) {
  test(`[AR4] options of a ${name} storage's methods that are nonsense fail with a code`, async (t) => {
    const storage = make(t);
    const found = [
      ...await uncoded("put", () => (...options: []) => storage.put("a/b", "x", ...options)),
      ...await uncoded("delete", () => (...options: []) => storage.delete("a/b", ...options)),
      ...await uncoded("list", () => (...options: []) => storage.list("", ...options)),
      ...await uncoded("get", () => (...options: []) => storage.get("a/b", ...options)),
    ];
    assertEquals(found, []);
  });
}

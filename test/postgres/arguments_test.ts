import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";
import { createSync, postgresStorage, syncUp } from "../../adapters/postgres/mod.ts";

const url = "postgres://u@127.0.0.1:1/d";
const tables = { things: { key: "owner" } };

/** What is none of the things that arguments are. */
const strange: readonly unknown[] = [null, 5, NaN, true, [1], () => {}, Symbol("s"), { a: 1 }];

/** Says what a call throws, if it is nothing of ours. */
async function raw(what: string, call: () => unknown): Promise<readonly string[]> {
  try {
    // What waits for the database has accepted its arguments.
    const made = await Promise.race([call(), new Promise((resolve) => setTimeout(resolve, 1))]);
    // A watch as well as a sync: nothing is left open.
    await (made as { readonly close?: () => unknown } | undefined)?.close?.();
  } catch (error) {
    const ours = error instanceof Error &&
      (/^Cannot (?!read prop|destructure|convert)/.test(error.message) || "code" in error);
    return ours ? [] : [`${what}: ${String(error)}`];
  }
  return [];
}

test("[AR2] a call of the Postgres storage says by itself what is wrong with an argument", async (t) => {
  const storage = postgresStorage({ url });
  t.defer(() => storage.close());
  const found: string[] = [];
  for (const value of strange as readonly never[]) {
    const calls: Readonly<Record<string, () => unknown>> = {
      key: () => storage.get(value),
      get: () => storage.get("k", value),
      signal: () => storage.get("k", { signal: value }),
      prefix: () => storage.list(value),
      list: () => storage.list("", value),
      after: () => storage.list("", { after: value, limit: value }),
      value: () => storage.put("k", value),
      put: () => storage.put("k", "v", value),
      conditions: () => storage.put("k", "v", { ifMatch: value, ifNoneMatch: value }),
      aborted: () => storage.put("k", "v", { signal: value }),
      delete: () => storage.delete("k", value),
    };
    for (const [what, call] of Object.entries(calls)) {
      found.push(...await raw(`${what} ${String(typeof value)}`, call));
    }
  }
  assertEquals(found, []);
});

test("[AR2] a table or a watch that makes no sense is refused at once, and says what is wrong", async (t) => {
  const sync = createSync({ url, tables });
  t.defer(() => sync.close());
  const found: string[] = [];
  for (const value of strange as readonly never[]) {
    const calls: Readonly<Record<string, () => unknown>> = {
      id: () => syncUp({ tables: { things: { key: "owner", id: value } } }),
      ids: () => syncUp({ tables: { things: { key: "owner", id: [value] } } }),
      columns: () => syncUp({ tables: { things: { key: "owner", columns: value } } }),
      schema: () => syncUp({ tables: { things: { key: "owner", schema: value } } }),
      name: () => syncUp({ tables: { things: { key: "owner", name: value } } }),
      limits: () => createSync({ url, tables, limits: { lingerMs: value } }),
      connections: () => postgresStorage({ url, maxConnections: value, writeTimeoutMs: value }),
      watch: () => sync.watch(value),
      open: () => sync.open(value, 1),
      ...Object.fromEntries(
        ["table", "load", "where", "orderBy", "limit", "one", "with", "uses", "onChange"].map(
          (name) => [name, () => sync.watch({ table: "things", key: 1, [name]: value })],
        ),
      ),
    };
    for (const [what, call] of Object.entries(calls)) {
      found.push(...await raw(`${what} ${String(typeof value)}`, call));
    }
  }
  assertEquals(found, []);
  for (const options of [{ orderBy: 5 }, { with: { items: 5 } }, { uses: 5 }, { one: 5 }]) {
    assertThrows(
      () => sync.watch({ table: "things", key: 1, ...options } as never),
      /Cannot watch "things": /,
    );
  }
});

test("[AR1] an option of a watch that does not exist is refused with the nearest", (t) => {
  const sync = createSync({ url, tables });
  t.defer(() => sync.close());
  const wrong = [
    [{ oderBy: "id" }, /"oderBy"; the nearest is "orderBy"/],
    [
      { with: { items: { table: "items", bye: "a" } } },
      /"with.items.bye"; the nearest is "with.items.by"/,
    ],
  ] as const;
  for (const [options, message] of wrong) {
    assertThrows(() => sync.watch({ table: "things", key: 1, ...options } as never), message);
  }
});

test("[AR2] what is out of its range or makes no sense has the code of wrong arguments", () => {
  const calls: readonly (() => unknown)[] = [
    () => postgresStorage({ url, maxConnections: 0 }),
    () => postgresStorage({ url, writeTimeoutMs: 0 }),
    () => postgresStorage({}),
    () => postgresStorage({ url, table: "a b" }),
    () => createSync({ url, tables, limits: { concurrentLoads: 0 } }),
    () => createSync({ tables }),
    () => createSync({ url, tables, slot: { name: "A" } }),
    () => syncUp({ tables: {} }),
  ];
  for (const call of calls) {
    assertThrows(call, (error) => {
      assert(error instanceof TypeError || error instanceof RangeError, String(error));
      return (error as { readonly code?: unknown }).code === "ERR_WRONG_ARGUMENT";
    });
  }
});

import type { Storage, StorageCallOptions } from "../../../src/ports/storage.ts";
import { isTypeError, mustPut, type StorageRule, upTo } from "./rule.ts";

const BAD_KEYS: readonly unknown[] = [
  "",
  "/",
  "/a",
  "a/",
  "a//b",
  ".",
  "..",
  "../a",
  "a/../b",
  "a/.",
  "a b",
  "a\0",
  "é",
  "a\\b",
  "a%2F",
  "a:b",
  "x".repeat(1025),
  undefined,
  null,
  1,
  {},
];

/** Every call there is, on one key. */
function calls(
  storage: Storage,
  key: string,
  options: StorageCallOptions = {},
): readonly (() => Promise<unknown>)[] {
  return [
    () => storage.get(key, options),
    () => storage.put(key, "refused", options),
    () => storage.delete(key, options),
    () => storage.list("", options),
  ];
}

/** Wrong arguments, aborted calls, closed storages. */
export const refusalRules: readonly StorageRule[] = [
  {
    title: "[ST15] a bad key is a TypeError from every call",
    body: async ({ t, storage }) => {
      for (const key of BAD_KEYS) {
        for (const call of calls(storage, key as string).slice(0, 3)) {
          await t.assertRejects(call, isTypeError);
        }
      }
      t.assertEquals(await storage.list(""), []);
    },
  },
  {
    title: "[ST16] conditions that cannot be met are a TypeError, and nothing is written",
    body: async ({ t, storage }) => {
      const ifMatch = await mustPut(storage, "k", "1");
      const both = { ifMatch, ifNoneMatch: "*" } as const;
      await t.assertRejects(() => storage.put("k", "2", both), isTypeError);
      for (const wrong of [{ ifMatch: 1 }, { ifNoneMatch: ifMatch }, { ifNoneMatch: true }]) {
        await t.assertRejects(() => storage.put("k", "2", wrong as object), isTypeError);
      }
      await t.assertRejects(() => storage.delete("k", { ifMatch: 1 } as object), isTypeError);
      t.assertEquals(await storage.get("k"), { value: "1", etag: ifMatch });
    },
  },
  {
    title:
      "[ST17] a call whose signal is already aborted rejects with its reason and writes nothing",
    body: async ({ t, storage }) => {
      const etag = await mustPut(storage, "k", "1");
      const reason = new Error("The caller has gone");
      const signal = AbortSignal.abort(reason);
      for (const call of calls(storage, "k", { signal })) {
        await t.assertRejects(call, (error) => error === reason);
      }
      t.assertEquals(await storage.get("k"), { value: "1", etag });
    },
  },
  {
    title: "[ST17] a signal that is aborted after the call is over does no harm",
    body: async ({ t, storage }) => {
      const controller = new AbortController();
      const etag = await mustPut(storage, "k", "1", { signal: controller.signal });
      controller.abort();
      t.assertEquals(await storage.get("k"), { value: "1", etag });
    },
  },
  {
    title: "[ST18] close() may be called twice, also at once",
    body: async ({ storage }) => {
      await mustPut(storage, "k", "1");
      await Promise.all([storage.close?.(), storage.close?.()]);
      await storage.close?.();
    },
  },
  {
    title: "[ST19] every call after close() rejects with ERR_CLOSED",
    body: async ({ t, storage }) => {
      if (storage.close === undefined) return;
      await mustPut(storage, "k", "1");
      const closing = storage.close();
      for (const call of calls(storage, "k")) {
        await t.assertRejects(call, (error) => error.code === "ERR_CLOSED");
      }
      await closing;
      for (const call of calls(storage, "k")) {
        await t.assertRejects(call, (error) => error.code === "ERR_CLOSED");
      }
    },
  },
  {
    title: "[ST20] close() waits for the calls it finds under way",
    body: async ({ t, storage }) => {
      const puts = upTo(20).map((n) => storage.put(`k${n}`, "1"));
      const read = storage.get("k0");
      await storage.close?.();
      const results = await Promise.all(puts);
      t.assertEquals(results.filter((result) => result.ok).length, 20);
      await read;
    },
  },
];

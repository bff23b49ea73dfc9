import type { Storage } from "../../../src/ports/storage.ts";
import { mustPut, type OpenStorage, type StorageRule, upTo } from "./rule.ts";

async function reopened<T>(store: OpenStorage, use: (storage: Storage) => Promise<T>): Promise<T> {
  await store.storage.close?.();
  if (store.reopen === undefined) throw new Error('The flag "durable" needs reopen()');
  const storage = await store.reopen();
  try {
    return await use(storage);
  } finally {
    await storage.close?.();
  }
}

async function beside<T>(store: OpenStorage, use: (other: Storage) => Promise<T>): Promise<T> {
  if (store.another === undefined) throw new Error('The flag "shared" needs another()');
  const other = await store.another();
  try {
    return await use(other);
  } finally {
    await other.close?.();
  }
}

const durableRules: readonly StorageRule[] = [
  {
    title: "[ST21] what was written is there after a re-open, with its etag",
    needs: "durable",
    body: async ({ t, store, storage }) => {
      const etag = await mustPut(storage, "a/1", "é");
      await mustPut(storage, "a/2", "2");
      await storage.delete("a/2");
      await reopened(store, async (again) => {
        t.assertEquals(await again.get("a/1"), { value: "é", etag });
        t.assertEquals(await again.get("a/2"), undefined);
        t.assertEquals(await again.list(""), ["a/1"]);
        await mustPut(again, "a/1", "next", { ifMatch: etag });
      });
    },
  },
  {
    title: "[ST8] an etag is not used again after a re-open either",
    needs: "durable",
    body: async ({ t, store, storage }) => {
      const seen = [await mustPut(storage, "k", "same"), await mustPut(storage, "k", "same")];
      await storage.delete("k");
      await reopened(store, async (again) => {
        seen.push(await mustPut(again, "k", "same"), await mustPut(again, "k", "same"));
      });
      t.assertEquals(new Set(seen).size, 4);
    },
  },
  {
    title: "[ST20] what close() found under way is there after a re-open",
    needs: "durable",
    body: async ({ t, store, storage }) => {
      const puts = upTo(20).map((n) => storage.put(`k${n}`, "1"));
      await reopened(store, async (again) => {
        t.assertEquals((await again.list("k")).length, 20);
      });
      await Promise.all(puts);
    },
  },
];

const sharedRules: readonly StorageRule[] = [
  {
    title: "[ST25] what one handle wrote, the other reads",
    needs: "shared",
    body: ({ t, store, storage }) =>
      beside(store, async (other) => {
        const etag = await mustPut(storage, "k", "1");
        t.assertEquals(await other.get("k"), { value: "1", etag });
        const next = await mustPut(other, "k", "2", { ifMatch: etag });
        t.assertEquals(await storage.put("k", "3", { ifMatch: etag }), { ok: false, found: next });
        t.assertEquals(await storage.list(""), ["k"]);
      }),
  },
  {
    title: "[ST25] of 50 concurrent puts through two handles exactly one wins",
    needs: "shared",
    body: ({ t, store, storage }) =>
      beside(store, async (other) => {
        const ifMatch = await mustPut(storage, "k", "start");
        const results = await Promise.all(
          upTo(50).map((n) => (n % 2 === 0 ? storage : other).put("k", `${n}`, { ifMatch })),
        );
        t.assertEquals(results.filter((result) => result.ok).length, 1);
        t.assertEquals(await storage.get("k"), await other.get("k"));
      }),
  },
];

/** What outlives a handle, and what handles share. */
export const durabilityRules: readonly StorageRule[] = [...durableRules, ...sharedRules];

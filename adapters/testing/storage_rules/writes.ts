import type { DeleteResult, PutResult } from "../../../src/ports/storage.ts";
import { mustPut, type StorageRule, upTo } from "./rule.ts";

/** Of racing writes: how many won, and what the losers were told. */
function tally(results: readonly (PutResult | DeleteResult)[]): {
  readonly won: number;
  readonly told: readonly (string | null)[];
} {
  const told = results.flatMap((result) => result.ok ? [] : [result.found]);
  return { won: results.length - told.length, told: [...new Set(told)] };
}

const putRules: readonly StorageRule[] = [
  {
    title: "[ST3] put() over a stale version writes nothing and reports what it found",
    body: async ({ t, storage }) => {
      const first = await mustPut(storage, "k", "1");
      const second = await mustPut(storage, "k", "2", { ifMatch: first });
      const third = await storage.put("k", "3", { ifMatch: first });
      t.assertEquals(third, { ok: false, found: second });
      t.assertEquals(await storage.get("k"), { value: "2", etag: second });
    },
  },
  {
    title: "[ST4] put() with ifMatch of an absent key writes nothing and reports null",
    body: async ({ t, storage }) => {
      const etag = await mustPut(storage, "k", "1");
      await storage.delete("k");
      for (const ifMatch of [etag, "no-such-version", ""]) {
        t.assertEquals(await storage.put("k", "2", { ifMatch }), { ok: false, found: null });
      }
      t.assertEquals(await storage.get("k"), undefined);
    },
  },
  {
    title: "[ST5] put() with ifNoneMatch writes an absent key only",
    body: async ({ t, storage }) => {
      const etag = await mustPut(storage, "k", "1", { ifNoneMatch: "*" });
      const again = await storage.put("k", "2", { ifNoneMatch: "*" });
      t.assertEquals(again, { ok: false, found: etag });
      t.assertEquals((await storage.get("k"))?.value, "1");
      await storage.delete("k");
      await mustPut(storage, "k", "3", { ifNoneMatch: "*" });
    },
  },
  {
    title: "[ST6] put() without a condition writes whatever is there",
    body: async ({ t, storage }) => {
      await mustPut(storage, "k", "1");
      const etag = await mustPut(storage, "k", "2");
      t.assertEquals(await storage.get("k"), { value: "2", etag });
    },
  },
  {
    title: "[ST8] an etag never names two versions of a key, whatever is done to it",
    body: async ({ t, storage }) => {
      const seen: string[] = [];
      for (const _ of upTo(10)) {
        const created = await mustPut(storage, "k", "same", { ifNoneMatch: "*" });
        const replaced = await mustPut(storage, "k", "same");
        const matched = await mustPut(storage, "k", "same", { ifMatch: replaced });
        seen.push(created, replaced, matched);
        await storage.delete("k", { ifMatch: matched });
      }
      t.assertEquals(new Set(seen).size, seen.length);
    },
  },
  {
    title: "[ST9] a read or a listing that starts after an ok write sees it",
    body: async ({ t, storage }) => {
      for (const n of upTo(20)) {
        const etag = await mustPut(storage, `k${n}`, String(n));
        t.assertEquals(await storage.get(`k${n}`), { value: String(n), etag });
        t.assertEquals((await storage.list(`k${n}`)).includes(`k${n}`), true);
        await storage.delete(`k${n}`);
        t.assertEquals(await storage.get(`k${n}`), undefined);
        t.assertEquals(await storage.list(""), []);
      }
    },
  },
];

const deleteRules: readonly StorageRule[] = [
  {
    title: "[ST10] delete() without a condition is ok, whether the key is there or not",
    body: async ({ t, storage }) => {
      await mustPut(storage, "k", "1");
      t.assertEquals(await storage.delete("k"), { ok: true });
      t.assertEquals(await storage.get("k"), undefined);
      t.assertEquals(await storage.delete("k"), { ok: true });
    },
  },
  {
    title: "[ST11] delete() of a stale version deletes nothing and reports what it found",
    body: async ({ t, storage }) => {
      const first = await mustPut(storage, "k", "1");
      const second = await mustPut(storage, "k", "2");
      t.assertEquals(await storage.delete("k", { ifMatch: first }), { ok: false, found: second });
      t.assertEquals((await storage.get("k"))?.value, "2");
      t.assertEquals(await storage.delete("k", { ifMatch: second }), { ok: true });
      t.assertEquals(await storage.delete("k", { ifMatch: second }), { ok: false, found: null });
    },
  },
];

const raceRules: readonly StorageRule[] = [
  {
    title: "[ST7] of 50 concurrent puts over the same version exactly one wins",
    body: async ({ t, storage }) => {
      const ifMatch = await mustPut(storage, "k", "start");
      const results = await Promise.all(
        upTo(50).map((n) => storage.put("k", `writer ${n}`, { ifMatch })),
      );
      const winner = results.findIndex((result) => result.ok);
      const stored = await storage.get("k");
      t.assertEquals(stored?.value, `writer ${winner}`);
      t.assertEquals(tally(results), { won: 1, told: [stored?.etag] });
    },
  },
  {
    title: "[ST7] of 50 concurrent puts of an absent key exactly one wins",
    body: async ({ t, storage }) => {
      const results = await Promise.all(
        upTo(50).map((n) => storage.put("k", `writer ${n}`, { ifNoneMatch: "*" })),
      );
      t.assertEquals(tally(results), { won: 1, told: [(await storage.get("k"))?.etag] });
    },
  },
  {
    title: "[ST7] of 50 concurrent puts of the same text exactly one wins",
    body: async ({ t, storage }) => {
      const ifMatch = await mustPut(storage, "k", "same");
      const results = await Promise.all(upTo(50).map(() => storage.put("k", "same", { ifMatch })));
      t.assertEquals(tally(results).won, 1);
    },
  },
  {
    title: "[ST7] of 25 puts and 25 deletes over the same version exactly one wins",
    unless: "bestEffortDelete",
    body: async ({ t, storage }) => {
      const ifMatch = await mustPut(storage, "k", "start");
      const results = await Promise.all(
        upTo(50).map((n): Promise<PutResult | DeleteResult> =>
          n % 2 === 0 ? storage.delete("k", { ifMatch }) : storage.put("k", "put", { ifMatch })
        ),
      );
      const found = (await storage.get("k"))?.etag ?? null;
      t.assertEquals(tally(results), { won: 1, told: [found] });
    },
  },
  {
    title: "[ST7] 20 writers that read and retry lose no increment",
    body: async ({ t, storage }) => {
      await mustPut(storage, "counter", "0");
      await Promise.all(
        upTo(20).map(async () => {
          for (;;) {
            const { value, etag } = (await storage.get("counter"))!;
            const next = String(Number(value) + 1);
            if ((await storage.put("counter", next, { ifMatch: etag })).ok) return;
          }
        }),
      );
      t.assertEquals((await storage.get("counter"))?.value, "20");
    },
  },
];

/** Compare-and-set. */
export const writeRules: readonly StorageRule[] = [...putRules, ...deleteRules, ...raceRules];

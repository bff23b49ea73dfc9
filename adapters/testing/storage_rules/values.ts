import { isTypeError, mustPut, type StorageRule, upTo } from "./rule.ts";

const EXACT: Readonly<Record<string, string>> = {
  "an empty value": "",
  "white space": " \t\r\n ",
  "a NUL": "before\0after",
  "a byte order mark": "\uFEFF{}",
  "text beyond the basic plane": "\u{1F41A}\u{10FFFF}",
  "text that is not normalised": "e\u0301 \u00E9",
  "text that looks like a number": "1e3",
  "JSON with its spaces": '{ "a" : [1,2 , 3] }\n',
};

/** What is put comes back, and nothing else. */
export const valueRules: readonly StorageRule[] = [
  {
    title: "[ST1] get() of a key that was never put answers undefined",
    body: async ({ t, storage }) => {
      t.assertEquals(await storage.get("never/put"), undefined);
    },
  },
  ...Object.entries(EXACT).map(([what, value]): StorageRule => ({
    title: `[ST2] ${what} comes back exactly`,
    body: async ({ t, storage }) => {
      const etag = await mustPut(storage, "exact/text", value);
      t.assertEquals(await storage.get("exact/text"), { value, etag });
    },
  })),
  {
    title: "[ST2] a value of 1 MiB comes back exactly",
    body: async ({ t, storage }) => {
      const value = "holdfast é \u{1F41A} ".repeat(100_000).slice(0, 2 ** 20 - 1);
      const etag = await mustPut(storage, "exact/large", value);
      const stored = await storage.get("exact/large");
      t.assertEquals(stored?.etag, etag);
      t.assertEquals(stored?.value === value, true);
    },
  },
  {
    title: "[ST22] 300 concurrent puts to 300 keys are all answered and all readable",
    body: async ({ t, storage }) => {
      const keys = upTo(300).map((n) => `many/${n}`);
      await Promise.all(keys.map((key) => mustPut(storage, key, `value of ${key}`)));
      const stored = await Promise.all(keys.map((key) => storage.get(key)));
      t.assertEquals(stored.map((one) => one?.value), keys.map((key) => `value of ${key}`));
    },
  },
  {
    title: "[ST23] a value that is not text, or has a lone surrogate, is a TypeError",
    body: async ({ t, storage }) => {
      for (const value of [undefined, null, 1, {}, "\uD800", "a\uDC00b"]) {
        await t.assertRejects(() => storage.put("refused/value", value as string), isTypeError);
      }
      t.assertEquals(await storage.get("refused/value"), undefined);
    },
  },
  {
    title:
      "[ST24] keys that differ only in case, or in where their slashes are, are different keys",
    body: async ({ t, storage }) => {
      const keys = ["case/a", "case/A", "Case/a", "case/aA", "case/Aa", "case.a", "case-a", "case"];
      for (const key of keys) await mustPut(storage, key, key);
      for (const key of keys) t.assertEquals((await storage.get(key))?.value, key);
      t.assertEquals(await storage.list(""), [...keys].sort());
    },
  },
  {
    title: "[ST24] keys of 1024 characters work, also when only the last one differs",
    body: async ({ t, storage }) => {
      const stem = `long/${"Z~=._-x9".repeat(128)}`.slice(0, 1023);
      await mustPut(storage, `${stem}a`, "a");
      await mustPut(storage, `${stem}A`, "A");
      t.assertEquals((await storage.get(`${stem}a`))?.value, "a");
      t.assertEquals((await storage.get(`${stem}A`))?.value, "A");
      t.assertEquals(await storage.list("long/Z"), [`${stem}A`, `${stem}a`]);
      t.assertEquals(await storage.delete(`${stem}a`), { ok: true });
      t.assertEquals(await storage.list("long/Z"), [`${stem}A`]);
    },
  },
  {
    title: "[ST26] getSync(), where there is one, answers as get() does or throws",
    body: async ({ t, storage }) => {
      if (storage.getSync === undefined) return;
      const agree = async () =>
        t.assertEquals(storage.getSync?.("k"), await storage.get("k"), "getSync() differs");
      await storage.get("k"); // some open with the first call
      await agree();
      const etag = await mustPut(storage, "k", "é1");
      await agree();
      await mustPut(storage, "k", "2", { ifMatch: etag });
      await agree();
      await storage.delete("k");
      await agree();
      await mustPut(storage, "k", "3");
      await storage.close?.();
      await t.assertRejects(
        () => Promise.resolve().then(() => storage.getSync?.("k")),
        (error) => error instanceof Error,
      );
    },
  },
  {
    title:
      "[ST27] putSync(), where there is one, does what put() does, or throws and writes nothing",
    body: async ({ t, storage }) => {
      if (storage.putSync === undefined) return;
      await storage.get("k"); // some open with the first call
      const first = storage.putSync("k", "é1", { ifNoneMatch: "*" });
      if (!first.ok) throw new Error("putSync() lost a race against nobody");
      const { etag } = first;
      t.assertEquals(await storage.get("k"), { value: "é1", etag });
      t.assertEquals(storage.putSync("k", "2", { ifNoneMatch: "*" }), { ok: false, found: etag });
      const second = storage.putSync("k", "2", { ifMatch: etag });
      if (!second.ok) throw new Error("putSync() lost a race against nobody");
      const found = second.etag;
      t.assertEquals(storage.putSync("k", "3", { ifMatch: etag }), { ok: false, found });
      t.assertEquals(await storage.put("k", "3", { ifMatch: etag }), { ok: false, found });
      const refused: (() => unknown)[] = [
        () => storage.putSync?.("k", 4 as unknown as string),
        () => storage.putSync?.("../k", "4"),
        () => storage.putSync?.("k", "4", { ifMatch: found, ifNoneMatch: "*" }),
      ];
      for (const put of refused) {
        await t.assertRejects(
          () => Promise.resolve().then(put),
          (error) => error instanceof TypeError,
        );
      }
      t.assertEquals(await storage.get("k"), { value: "2", etag: found });
      await storage.close?.();
      await t.assertRejects(
        () => Promise.resolve().then(() => storage.putSync?.("k", "5")),
        (error) => error instanceof Error,
      );
    },
  },
];

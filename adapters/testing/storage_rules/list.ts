import { isTypeError, mustPut, type StorageRule, upTo } from "./rule.ts";

/** In ascending order of their code units: `-` and `.` come before `/`, `/` before digits. */
const ORDERED = [
  "a-b/1",
  "a.b/1",
  "a/1",
  "a/1/x",
  "a/10",
  "a/2",
  "a/B",
  "a/_",
  "a/b",
  "a/~",
  "a0",
  "ab/1",
  "b/1",
];

async function fill(storage: Parameters<typeof mustPut>[0]): Promise<void> {
  for (const key of [...ORDERED].reverse()) await mustPut(storage, key, "{}");
}

/** Listing. */
export const listRules: readonly StorageRule[] = [
  {
    title: "[ST12] list() answers the keys in ascending order of their code units",
    body: async ({ t, storage }) => {
      t.assertEquals(await storage.list(""), []);
      await fill(storage);
      t.assertEquals(await storage.list(""), ORDERED);
    },
  },
  {
    title: "[ST12] a prefix is plain text: it may end within a segment, and need not be a key",
    body: async ({ t, storage }) => {
      await fill(storage);
      for (const prefix of ["a", "a/", "a/1", "a/1/", "a-", "ab", "b/1", "nothing", "a/~~"]) {
        const expected = ORDERED.filter((key) => key.startsWith(prefix));
        t.assertEquals(await storage.list(prefix), expected, prefix);
      }
    },
  },
  {
    title: "[ST12] a deleted key is not listed",
    body: async ({ t, storage }) => {
      await fill(storage);
      await storage.delete("a/1");
      t.assertEquals(await storage.list("a/1"), ["a/1/x", "a/10"]);
    },
  },
  {
    title: "[ST13] after and limit walk through everything once, wherever a page ends",
    body: async ({ t, storage }) => {
      await fill(storage);
      for (const limit of [1, 2, 3, 5, 1000]) {
        const seen: string[] = [];
        for (;;) {
          const after = seen.at(-1);
          const page = await storage.list("a", {
            limit,
            ...(after === undefined ? {} : { after }),
          });
          seen.push(...page);
          if (page.length < limit) break;
        }
        t.assertEquals(seen, ORDERED.filter((key) => key.startsWith("a")), `limit ${limit}`);
      }
    },
  },
  {
    title: "[ST13] after need not be a key, nor begin with the prefix",
    body: async ({ t, storage }) => {
      await fill(storage);
      t.assertEquals(await storage.list("a/", { after: "a/11" }), [
        "a/2",
        "a/B",
        "a/_",
        "a/b",
        "a/~",
      ]);
      t.assertEquals(await storage.list("a/1", { after: "A" }), ["a/1", "a/1/x", "a/10"]);
      t.assertEquals(await storage.list("a/1", { after: "b" }), []);
    },
  },
  {
    title: "[ST13] without a limit the page ends at 1000 keys",
    body: async ({ t, storage }) => {
      const keys = upTo(1003).map((n) => `page/${String(n).padStart(4, "0")}`);
      await Promise.all(keys.map((key) => mustPut(storage, key, "")));
      t.assertEquals(await storage.list("page/"), keys.slice(0, 1000));
      t.assertEquals(await storage.list("page/", { after: keys[999]! }), keys.slice(1000));
    },
  },
  {
    title: "[ST14] a limit that is not an integer of 1 to 1000 is a RangeError",
    body: async ({ t, storage }) => {
      for (const limit of [0, -1, 1.5, 1001, NaN, Infinity, "10" as unknown as number]) {
        await t.assertRejects(
          () => storage.list("", { limit }),
          (error) => error instanceof RangeError,
        );
      }
    },
  },
  {
    title: "[ST15] a prefix or an after that cannot be part of a key is a TypeError",
    body: async ({ t, storage }) => {
      for (const text of ["\0", "é", "a b", "a%", "x".repeat(1025), 1 as unknown as string]) {
        await t.assertRejects(() => storage.list(text), isTypeError);
        await t.assertRejects(() => storage.list("", { after: text }), isTypeError);
      }
    },
  },
];

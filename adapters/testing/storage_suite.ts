import type { Storage } from "../../src/ports/storage.ts";
import { durabilityRules } from "./storage_rules/durability.ts";
import { listRules } from "./storage_rules/list.ts";
import { refusalRules } from "./storage_rules/refusals.ts";
import type { OpenStorage, StorageRule } from "./storage_rules/rule.ts";
import { valueRules } from "./storage_rules/values.ts";
import { writeRules } from "./storage_rules/writes.ts";
import { checkSuite, type TestApi } from "./test_api.ts";

/** What a storage promises beyond the rules that hold for all. */
export interface StorageSuiteFlags {
  /** What was written is there after a close and a re-open; needs {@linkcode OpenStorage.reopen}. */
  readonly durable?: boolean;
  /** Several handles may use the same store at once; needs {@linkcode OpenStorage.another}. */
  readonly shared?: boolean;
  /** A delete with a condition looks and then deletes, so it is not raced with other writes. */
  readonly bestEffortDelete?: boolean;
}

/**
 * Registers the storage contract (SPEC ST) for one driver. Its titles are `driver: [ST1] …`.
 *
 * @param t The test runner.
 * @param driver Name of the driver, for the titles.
 * @param open Makes a fresh, empty store for each test. Answer with an {@linkcode OpenStorage} if
 * something has to be cleaned up, or if the driver has a flag.
 * @param flags What the driver promises beyond the rules that hold for all.
 *
 * @example The whole test of a driver
 * ```ts
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { storageSuite, type TestApi } from "@holdfast/holdfast/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const titles: string[] = [];
 * const t: TestApi = {
 *   test: (name) => void titles.push(name), // your runner's own function here
 *   assertEquals,
 *   assertRejects: () => Promise.reject(new Error("not run in this example")),
 * };
 * storageSuite(t, "memory", () => Promise.resolve(memoryStorage()));
 *
 * assertEquals(titles[0], "memory: [ST1] get() of a key that was never put answers undefined");
 * ```
 */
export function storageSuite(
  t: TestApi,
  driver: string,
  open: () => Promise<OpenStorage | Storage>,
  flags: StorageSuiteFlags = {},
): void {
  checkSuite(t, driver, open);
  const rules = [...valueRules, ...writeRules, ...listRules, ...refusalRules, ...durabilityRules];
  for (const rule of rules) {
    if (rule.needs !== undefined && flags[rule.needs] !== true) continue;
    if (rule.unless !== undefined && flags[rule.unless] === true) continue;
    t.test(`${driver}: ${rule.title}`, () => run(rule, t, open));
  }
}

async function run(
  rule: StorageRule,
  t: TestApi,
  open: () => Promise<OpenStorage | Storage>,
): Promise<void> {
  const opened = await open();
  const store = "storage" in opened ? opened : { storage: opened };
  try {
    await rule.body({ t, store, storage: store.storage });
  } finally {
    try {
      await store.storage.close?.();
    } finally {
      await store.dispose?.();
    }
  }
}

import type { Storage } from "../../src/ports/storage.ts";

/** Reads under way at a time. */
const PARALLEL = 16;

/** All keys that begin with a prefix, a page at a time, in ascending order. */
export async function* keyPages(
  storage: Storage,
  prefix: string,
): AsyncGenerator<readonly string[], void, void> {
  let after: string | undefined;
  while (true) {
    const page = await storage.list(prefix, after === undefined ? {} : { after });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = last;
  }
}

/** Does something for each item, a bounded number at a time. */
export async function forEach<T>(
  items: readonly T[],
  body: (item: T) => Promise<void>,
): Promise<void> {
  const next = items.values();
  const work = async (): Promise<void> => {
    for (const item of next) await body(item);
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
}

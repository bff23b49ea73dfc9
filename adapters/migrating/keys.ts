import type { Storage, StorageCallOptions } from "../../src/ports/storage.ts";
import { STATE_KEY } from "./envelope.ts";

/** Which keys to walk through. */
export interface Walk extends StorageCallOptions {
  readonly prefix: string;
  /** Only keys greater than this one. */
  readonly after: string;
  /** Keys per listing, 1 to 1000. */
  readonly pageSize: number;
}

/**
 * Walks through the keys that any of some stores has, in ascending order, a page at a time.
 *
 * @param stores What to list.
 * @param walk Which keys.
 */
export async function* pagesOf(
  stores: readonly Storage[],
  { prefix, after, pageSize, ...options }: Walk,
): AsyncGenerator<readonly string[]> {
  let cursor = after;
  for (let more = true; more;) {
    const lists = await Promise.all(
      stores.map((store) => store.list(prefix, { ...options, after: cursor, limit: pageSize })),
    );
    const full = lists.filter((list) => list.length >= pageSize);
    more = full.length > 0;
    // Beyond the end of a full list it is not known yet what that store has.
    const horizon = full.map((list) => list.at(-1) ?? "").reduce(lesser, "\x7f");
    const keys = new Set(lists.flat().filter((key) => key <= horizon));
    cursor = horizon;
    yield [...keys].filter((key) => key !== STATE_KEY).sort();
  }
}

function lesser(a: string, b: string): string {
  return a < b ? a : b;
}

/** Runs something for each item, so many at a time; the answers are in the order of the items. */
export async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  run: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const answers: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) answers[at] = await run(items[at]!);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return answers;
}

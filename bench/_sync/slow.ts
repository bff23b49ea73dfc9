import process from "node:process";
import postgres from "postgres";
import { createSync } from "../../adapters/postgres/mod.ts";
import type { Job, Slow } from "./job.ts";

/** The process as it is when nothing is left over from before. */
function collected(): { readonly rss: number; readonly heapUsed: number } {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };
  Bun?.gc(true);
  gc?.();
  return process.memoryUsage();
}

/**
 * Watches whose query does not answer, while rows of a kilobyte change under them: what is kept for
 * them is bounded, and then the server is held back.
 */
export async function slow(
  { url, watches = 1 }: Job,
  ready: () => void,
  enough: Promise<void>,
): Promise<Slow> {
  const sql = postgres(url, { max: 4, onnotice: () => {} });
  let changes = 0;
  const sync = createSync({ sql, tables: { wide: { key: "org" } }, publication: "wide" });
  await sync.ready();
  const other = sync.watch<readonly unknown[]>({ table: "wide", key: 1 });
  await other.ready();
  other.subscribe(() => void changes++);
  for (let i = 0; i < watches; i++) {
    sync.watch({ table: "wide", key: 0, load: () => new Promise<never>(() => {}) });
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  const before = collected();
  let most = 0;
  const look = setInterval(() => void (most = Math.max(most, process.memoryUsage().rss)), 20);
  ready();
  await enough;
  clearInterval(look);
  const after = collected();
  const mb = (bytes: number): number => bytes / 2 ** 20;
  return {
    changes,
    megabytes: mb(Math.max(most, after.rss) - before.rss),
    heapMegabytes: mb(after.heapUsed - before.heapUsed),
  };
}

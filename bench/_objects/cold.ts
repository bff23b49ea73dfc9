import { sqliteStorage } from "../../adapters/sqlite/mod.ts";
import { loadDriver } from "../../adapters/sqlite/driver.ts";
import { defineObject } from "../../mod.ts";
import { holdfastOn } from "./ours.ts";
import { percentile } from "./percentile.ts";

/** How long the first call to an object takes that nobody has in memory, in ms. */
export interface Cold {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The least there is to it: the row read and parsed. */
  readonly limitP50Ms: number;
  readonly limitP99Ms: number;
}

/** 1 KB of state, as a user might have it. */
const Note = defineObject({
  name: "note",
  vsn: 1,
  state: () => ({ count: 0, text: "" }),
  handlers: {
    fill({ state }) {
      state.text = "x".repeat(1024);
    },
    get: ({ state }) => state.count,
  },
});

async function time(count: number, run: (n: number) => unknown): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const startedAt = performance.now();
    await run(n);
    times.push(performance.now() - startedAt);
  }
  return times;
}

/** Fills a file, opens it anew, and calls each object once. */
export async function measureCold(path: string, count: number): Promise<Cold> {
  const filled = holdfastOn(sqliteStorage(path));
  const ids = Array.from({ length: count }, (_, n) => `note-${n}`);
  await Promise.all(ids.map((id) => filled.object(Note, id).fill()));
  await filled.close();

  const storage = sqliteStorage(path);
  const holdfast = holdfastOn(storage);
  // The database is opened by the first call of all, which is no activation.
  await holdfast.object(Note, "other").get();
  const times = await time(count, (n) => holdfast.object(Note, ids[n] ?? "").get());
  await holdfast.close();
  await storage.close();

  const connection = new (loadDriver())(path);
  const read = connection.prepare("SELECT value FROM record WHERE key = ?");
  const limit = await time(count, (n) => {
    const row = read.get(`app/object/note/${ids[n]}`) as { value: string } | null | undefined;
    return JSON.parse(row?.value ?? "null").state.state.count;
  });
  read.finalize?.();
  connection.close();
  return {
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
    limitP50Ms: percentile(limit, 0.5),
    limitP99Ms: percentile(limit, 0.99),
  };
}

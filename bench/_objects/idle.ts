import process from "node:process";
import { sqliteStorage } from "../../adapters/sqlite/mod.ts";
import { createVirtualClock } from "../../adapters/testing/mod.ts";
import { defineObject } from "../../mod.ts";
import { holdfastOn } from "./ours.ts";

/** Bytes per object, beside the 1,024 of its state. */
export interface Idle {
  /** Awake: its state is in memory. */
  readonly live: number;
  /** Asleep: known, without its state. */
  readonly hibernated: number;
  /** Awake, from the memory of the whole process. */
  readonly liveRss: number;
}

const STATE_BYTES = 1024;

const Note = defineObject({
  name: "note",
  vsn: 1,
  state: () => ({ text: "" }),
  handlers: {
    fill({ state }, n: number) {
      state.text = String(n).padStart(STATE_BYTES, "x");
    },
    get: ({ state }) => state.text.length,
  },
  hibernateAfterMs: 60_000,
  shutdownAfterMs: 60 * 60_000,
});

interface Used {
  readonly heap: number;
  readonly rss: number;
}

/** What this file uses of the runtimes' own ways to collect garbage. */
interface Runtimes {
  readonly Bun?: { gc(force: boolean): void };
  readonly gc?: () => void;
}

/** Memory in use once nothing is left to collect. */
async function used(): Promise<Used> {
  const { Bun: bun, gc } = globalThis as Runtimes;
  if (bun === undefined && gc === undefined) {
    throw new Error("Cannot collect garbage: no --expose-gc");
  }
  for (let n = 0; n < 5; n++) {
    if (bun !== undefined) bun.gc(true);
    else gc?.();
    await new Promise<void>((resolve) => void setTimeout(resolve, 50));
  }
  const { heapUsed, rss } = process.memoryUsage();
  if (bun === undefined) return { heap: heapUsed, rss };
  const jsc = process.getBuiltinModule("bun:jsc" as "node:fs") as unknown as {
    heapStats(): { readonly heapSize: number; readonly extraMemorySize: number };
  };
  const { heapSize } = jsc.heapStats();
  return { heap: heapSize, rss };
}

/** Activates so many objects from a file, then lets them sleep. */
export async function measureIdle(path: string, count: number): Promise<Idle> {
  const filler = holdfastOn(sqliteStorage(path));
  for (let n = 0; n < count; n += 1000) {
    const ids = Array.from({ length: Math.min(1000, count - n) }, (_, at) => n + at);
    await Promise.all(ids.map((id) => filler.object(Note, `note-${id}`).fill(id)));
  }
  await filler.close();

  const clock = createVirtualClock();
  const storage = sqliteStorage(path);
  const holdfast = holdfastOn(storage, { clock, limits: { maxObjects: count } });
  await holdfast.object(Note, "note-0").get();
  const before = await used();
  for (let n = 0; n < count; n++) {
    const length = await holdfast.object(Note, `note-${n}`).get();
    if (length !== STATE_BYTES) throw new Error(`Cannot measure: ${length} bytes of state`);
  }
  const live = await used();
  await clock.advance(2 * 60_000);
  const asleep = await used();
  await holdfast.close();
  await storage.close();
  return {
    live: (live.heap - before.heap) / count - STATE_BYTES,
    hibernated: (asleep.heap - before.heap) / count,
    liveRss: (live.rss - before.rss) / count - STATE_BYTES,
  };
}

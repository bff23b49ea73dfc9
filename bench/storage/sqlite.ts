/**
 * Writes per second of the SQLite storage on the runtime that runs this:
 *
 *     bun bench/storage/sqlite.ts
 *     node bench/storage/sqlite.ts
 *     deno run -A bench/storage/sqlite.ts
 *
 * 1,000 keys, values of 1 KB, every put with `ifMatch`; the measures take turns, one second each, and
 * the best of ten counts. "Bare" is what the driver allows, without queue and promises.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteStorage } from "../../adapters/sqlite/mod.ts";
import { openDatabase } from "../../adapters/sqlite/database.ts";
import { transact } from "../../adapters/sqlite/write.ts";
import type { Storage } from "../../src/ports/storage.ts";

const KEYS = 1000;
const ROUNDS = 10;
const ROUND_MS = 1000;
const VALUE = "x".repeat(1024);

const keys = Array.from({ length: KEYS }, (_, n) => `object/counter/${n}`);

async function putAll(storage: Storage): Promise<string[]> {
  const results = await Promise.all(keys.map((key) => storage.put(key, VALUE)));
  return results.map((result) => {
    if (!result.ok) throw new Error("A put without a condition lost a race");
    return result.etag;
  });
}

/** `callers` at once, each on its own keys, one put after the other. */
async function round(storage: Storage, callers: number): Promise<number> {
  const etags = await putAll(storage);
  const start = performance.now();
  let puts = 0;
  const call = async (first: number): Promise<void> => {
    for (
      let n = first;
      performance.now() - start < ROUND_MS;
      n = (n + callers) % KEYS
    ) {
      // Callers share keys where their number does not divide 1,000; a lost race is read again.
      const result = await storage.put(keys[n]!, VALUE, { ifMatch: etags[n]! });
      if (result.ok) etags[n] = result.etag;
      puts++;
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, n) => call(n)));
  return puts * 1000 / (performance.now() - start);
}

function bare(path: string, batch: number): number {
  const database = openDatabase(path);
  const start = performance.now();
  let count = 0;
  const next = (): string => `bare.${count++}`;
  while (performance.now() - start < ROUND_MS) {
    const writes = Array.from({ length: batch }, (_, n) => ({
      key: keys[(count + n) % KEYS]!,
      value: VALUE,
      conditions: {},
    }));
    transact(database, writes, next);
  }
  database.close();
  return count * 1000 / (performance.now() - start);
}

const directory = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
try {
  const path = join(directory, "bench.db");
  const storage = sqliteStorage(path);
  await putAll(storage);
  const measures: readonly (readonly [string, () => number | Promise<number>])[] = [
    ["bare transactions of 1", () => bare(path, 1)],
    ["bare transactions of 64", () => bare(path, 64)],
    ["sequential puts", () => round(storage, 1)],
    ["64 callers", () => round(storage, 64)],
  ];
  const best = new Map<string, number>();
  for (let n = 0; n < ROUNDS; n++) {
    for (const [name, run] of measures) {
      best.set(name, Math.max(best.get(name) ?? 0, await run()));
    }
  }
  for (const [name, most] of best) {
    console.log(
      `${name.padEnd(24)} ${Math.round(most).toLocaleString("en")}/s`,
    );
  }
  await storage.close();
} finally {
  rmSync(directory, { recursive: true });
}

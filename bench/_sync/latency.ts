import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import postgres from "postgres";
import { createSync } from "../../adapters/postgres/mod.ts";
import { nowMicros, quantiles } from "./clock.ts";
import type { Job, Latency } from "./job.ts";
import { zero, type ZeroPorts } from "./peers/zero.ts";

interface Row {
  /** Microseconds since the epoch. */
  readonly at: string;
}

type Listen = (
  url: string,
  heard: (micros: number) => void,
  ports: ZeroPorts,
) => Promise<() => Promise<void>>;

const ways: Readonly<Record<NonNullable<Job["by"]>, Listen>> = {
  /** A watch of twenty rows, as a view would have it. */
  async holdfast(url, heard) {
    const sql = postgres(url, { max: 2, onnotice: () => {} });
    const sync = createSync({ sql, tables: { measured: { key: "org" } } });
    await sync.ready();
    const watch = sync.watch<readonly Row[]>({ table: "measured", key: 0 });
    await watch.ready();
    let newest = 0;
    watch.subscribe(({ value = [] }) => {
      const now = nowMicros();
      const before = newest;
      for (const { at } of value) newest = Math.max(newest, Number(at));
      // Commits may be in another order than the statements began.
      if (newest > before) heard(now - newest);
    });
    return async () => {
      await sync.close();
      await sql.end();
    };
  },
  async notify(url, heard) {
    const sql = postgres(url, { max: 1, onnotice: () => {} });
    await sql.listen("measured", (at) => heard(nowMicros() - Number(at)));
    return () => sql.end();
  },
  async pg_recvlogical(url, heard) {
    const sql = postgres(url, { max: 1, onnotice: () => {} });
    const slot = "measured_floor";
    await sql`SELECT pg_create_logical_replication_slot(${slot}, 'pgoutput')`;
    const child = recvlogical(url, slot);
    child.stdout.on("data", (bytes) => {
      const now = nowMicros();
      for (const [at] of bytes.toString("latin1").matchAll(/\d{16}/g)) heard(now - Number(at));
    });
    // It says nothing when it has begun.
    while ((await sql`SELECT FROM pg_stat_replication WHERE state = 'streaming'`).length === 0);
    return async () => {
      child.kill("SIGTERM");
      await new Promise((resolve) => child.once("close", resolve));
      // The server notices a moment later.
      while ((await sql`SELECT FROM pg_replication_slots WHERE active`).length > 0);
      await sql`SELECT pg_drop_replication_slot(${slot})`;
      await sql.end();
    };
  },
  zero,
};

/** Postgres' own program, which writes what it receives to its standard output. */
export function recvlogical(
  url: string,
  slot: string,
  ...more: readonly string[]
): ChildProcessByStdio<null, Readable, null> {
  return spawn("pg_recvlogical", [
    ...["-d", url, "-S", slot, "--start", "-f", "-", "-F", "0", "-n"],
    ...["-o", "proto_version=1", "-o", "publication_names=holdfast", ...more],
  ], { stdio: ["ignore", "pipe", "inherit"] });
}

/** From the moment a row is written until a function is called with it, in microseconds. */
export async function latency(
  { url, by = "holdfast", ports = { cache: 0, queries: 0 } }: Job,
  ready: () => void,
  enough: Promise<void>,
): Promise<Latency> {
  const all: number[] = [];
  const end = await ways[by](url, (micros) => void all.push(micros), ports);
  ready();
  await enough;
  await end();
  return { heard: all.length, ...quantiles(all) };
}

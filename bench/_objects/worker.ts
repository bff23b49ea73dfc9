/**
 * One process that measures: `worker.ts TASK` with a {@linkcode Job} on standard input, answers with
 * JSON on standard output. A fresh process for each, so that none inherits the heap of another.
 */
import { text } from "node:stream/consumers";
import process from "node:process";
import { join } from "node:path";
import { measureCoalescing } from "./coalescing.ts";
import { measureCold } from "./cold.ts";
import { Driver } from "./drive.ts";
import { bareMailbox, bareSqlite } from "./limits.ts";
import { measureIdle } from "./idle.ts";
import { inMemory, inSqlite } from "./ours.ts";
import { type LoadName, loads, type Slice, type Subject } from "./subject.ts";

/** What a worker is to do. */
export interface Job {
  /** A folder of its own on the disk that is measured. */
  readonly folder: string;
  /** How many slices of each, after those that do not count. */
  readonly slices: number;
  /** How long a slice is, in ms. */
  readonly sliceMs: number;
  /** Objects in memory, and objects to be activated. */
  readonly idle: number;
  readonly cold: number;
}

/** The slices of each series. */
export type Series = Readonly<Record<string, readonly Slice[]>>;

const { folder, slices, sliceMs, idle, cold }: Job = JSON.parse(await text(process.stdin));

/** Everything that can be measured in one process, each with the load it is put under. */
const series: Readonly<Record<string, readonly [LoadName, (path: string) => Subject]>> = {
  "sequential limit": ["sequential", (path) => bareSqlite(path, false)],
  "sequential sqlite": ["sequential", inSqlite],
  "sequential memory": ["sequential", inMemory],
  "sequential mailbox": ["sequential", bareMailbox],
  "spread limit": ["spread", (path) => bareSqlite(path, true)],
  "spread sqlite": ["spread", inSqlite],
  "spread memory": ["spread", inMemory],
  "crowd memory": ["crowd", inMemory],
};

/** Slices that do not count: at 300 ms each, a compiler is done with the code after five of them. */
const warmUpSlices = 6;

/** The series take turns, slice by slice: what else the machine does meets them all. */
async function throughput(): Promise<Series> {
  const all = Object.entries(series).map(([name, [load, open]], n) => {
    const subject = open(join(folder, `${n}.db`));
    return { name, subject, driver: new Driver(subject, loads[load]), measured: [] as Slice[] };
  });
  for (let slice = -warmUpSlices; slice < slices; slice++) {
    for (const { driver, measured } of all) {
      const one = await driver.slice(sliceMs);
      if (slice >= 0) measured.push(one);
    }
  }
  for (const { subject } of all) await subject.close();
  return Object.fromEntries(all.map(({ name, measured }) => [name, measured]));
}

const tasks: Readonly<Record<string, () => Promise<unknown>>> = {
  throughput,
  cold: () => measureCold(join(folder, "cold.db"), cold),
  idle: () => measureIdle(join(folder, "idle.db"), idle),
  coalescing: () => measureCoalescing(slices * sliceMs),
};

const task = tasks[process.argv[2] ?? ""];
if (task === undefined) {
  throw new Error(`Cannot measure "${process.argv[2]}": there is no such task`);
}
const outcome = await task();
process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit(0));

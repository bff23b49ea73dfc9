/**
 * One process that measures one peer, on Node: `peers_worker.ts PEER`, as {@linkcode Job} says.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { text } from "node:stream/consumers";
import { Driver } from "./drive.ts";
import { inSqlite } from "./ours.ts";
import { percentile } from "./percentile.ts";
import type { Peer, PeerKind } from "./peers/peer.ts";
import { restate } from "./peers/restate.ts";
import { rivet } from "./peers/rivet.ts";
import { workerd } from "./peers/workerd.ts";
import { loads, type Slice, type Subject } from "./subject.ts";
import { tree } from "./tree.ts";
import type { Job, Series } from "./worker.ts";

/** The peers by name. */
const kinds: Readonly<Record<string, PeerKind>> = { workerd, rivet, restate };

/** What was measured of a peer. */
export interface PeerOutcome {
  readonly label: string;
  /** Slices by load: `sequential`, `spread`, and the same with ` inside` and ` ours`. */
  readonly series: Series;
  /** First calls after a restart; `null` if it cannot be restarted in one process. */
  readonly coldP50Ms: number | null;
  readonly coldP99Ms: number | null;
  /** Resident bytes per object that was called once, all processes. */
  readonly idleBytes: number;
}

const { folder, slices, sliceMs, cold }: Job = JSON.parse(await text(process.stdin));

async function costs(run: () => Promise<number>): Promise<Slice> {
  const before = tree().cpuUs;
  const startedAt = performance.now();
  const calls = await run();
  const seconds = (performance.now() - startedAt) / 1000;
  return { perSecond: calls / seconds, cpuUs: (tree().cpuUs - before) / calls };
}

/** One way to call, as often as fits. */
type Way = (ms: number) => Promise<number>;

function ways(peer: Peer, ours: Subject): Readonly<Record<string, Way>> {
  const all: Record<string, Way> = {};
  for (const name of ["sequential", "spread"] as const) {
    const drivers = { "": new Driver(peer, loads[name]), " ours": new Driver(ours, loads[name]) };
    for (const [suffix, driver] of Object.entries(drivers)) {
      all[name + suffix] = (ms) => driver.calls(ms);
    }
    const { inside } = peer;
    if (inside !== undefined) all[`${name} inside`] = (ms) => inside(loads[name], ms);
  }
  return all;
}

/** The peer and this library, on SQLite, take turns. */
async function compare(peer: Peer): Promise<Series> {
  const ours = inSqlite(join(folder, "ours.db"));
  const all = Object.entries(ways(peer, ours));
  const series = Object.fromEntries(all.map(([name]) => [name, [] as Slice[]]));
  for (let slice = 0; slice <= slices; slice++) {
    for (const [name, way] of all) {
      const one = await costs(() => way(sliceMs));
      if (slice > 0) series[name]?.push(one);
    }
  }
  await ours.close();
  return series;
}

async function measure({ label, open, restarts }: PeerKind): Promise<PeerOutcome> {
  const own = join(folder, "peer");
  mkdirSync(own);
  const first = await open(own);
  const before = tree().rss;
  const ids = Array.from({ length: cold }, (_, n) => 10_000 + n);
  for (const id of ids) await first.increment(id);
  const idleBytes = (tree().rss - before) / cold;
  await first.close();
  const peer = await open(own);
  await peer.read(1);
  const times: number[] = [];
  for (const id of ids) {
    const startedAt = performance.now();
    if (await peer.read(id) !== 1) throw new Error("Cannot measure: a counter was lost");
    times.push(performance.now() - startedAt);
  }
  if (!restarts) times.length = 0;
  const series = await compare(peer);
  await peer.close();
  return {
    label,
    series,
    coldP50Ms: percentile(times, 0.5),
    coldP99Ms: percentile(times, 0.99),
    idleBytes,
  };
}

const kind = kinds[process.argv[2] ?? ""];
if (kind === undefined) {
  throw new Error(`Cannot measure "${process.argv[2]}": there is no such peer`);
}
const outcome = await measure(kind);
process.stdout.write(`\n${JSON.stringify(outcome)}\n`, () => process.exit(0));

import { percentile } from "../_objects/percentile.ts";
import { figure, median, table } from "../_lib/stats.ts";
import type { FailOver } from "./fail_over.ts";
import type { Slices } from "./latency.ts";
import type { Done } from "./load.ts";

/** What was measured at one number of nodes. */
export interface Throughput {
  readonly nodes: number;
  readonly write: boolean;
  readonly ms: number;
  readonly done: readonly Done[];
}

/** What was measured on one runtime. */
export interface Results {
  readonly runtime: string;
  readonly latency: readonly Slices[];
  readonly throughput: readonly Throughput[];
  readonly failOvers: readonly FailOver[];
}

type Way = keyof Slices;

const names: Readonly<Record<Way, string>> = {
  local: "**Holdfast**, object of this node",
  bare: "bare NATS request (limit)",
  forwarded: "**Holdfast**, object of another node",
};

function at(slices: readonly Slices[], way: Way, part: number): number {
  return 1000 * median(slices.map((slice) => percentile(slice[way], part)));
}

/** The median of the ratios of neighbouring slices: a noisy moment meets both. */
function timesBare(slices: readonly Slices[], part: number): number {
  const ratios = slices.map(({ forwarded, bare }) =>
    percentile(forwarded, part) / percentile(bare, part)
  );
  return median(ratios);
}

/** What one call takes, near and far. */
export function latencyTable(all: readonly Results[]): string {
  const rows = all.flatMap(({ runtime, latency }) =>
    (["local", "bare", "forwarded"] as const).map((way) => [
      `${runtime}: ${names[way]}`,
      figure(at(latency, way, 0.5)),
      figure(at(latency, way, 0.99)),
      ...[0.5, 0.99].map((part) => way === "forwarded" ? figure(timesBare(latency, part)) : ""),
    ])
  );
  return table(
    ["one caller, 100 characters", "p50 µs", "p99 µs", "p50 / bare", "p99 / bare"],
    rows,
  );
}

/** How many calls at how many nodes. */
export function throughputTable(all: readonly Results[]): string {
  const rows = all.flatMap(({ runtime, throughput }) =>
    throughput.map(({ nodes, write, ms, done }) => {
      const sum = (key: keyof Done): number => done.reduce((total, one) => total + one[key], 0);
      return [
        `${runtime}: ${write ? "stored" : "from memory"}`,
        `${nodes}`,
        figure(1000 * sum("calls") / ms),
        figure(100 * sum("elsewhere") / sum("calls")),
        figure(sum("cpuUs") / sum("calls")),
      ];
    })
  );
  return table(["calls by lot", "nodes", "per second", "% elsewhere", "CPU µs"], rows);
}

/** How long the objects of a killed node do not answer. */
export function failOverTable(all: readonly Results[]): string {
  const rows = all.flatMap(({ runtime, failOvers }) =>
    (["again", "fresh"] as const).map((who) => {
      const longest = failOvers.map((one) => Math.max(...one[who]));
      return [
        `${runtime}: ${who === "again" ? "whose calls went on" : "who called just then"}`,
        `${longest.length}`,
        ...[0, 0.5, 0.9, 1].map((part) => figure(percentile(longest, part))),
      ];
    })
  );
  return table(["ms until all objects answer those", "kills", "least", "p50", "p90", "most"], rows);
}

/** What the project has promised itself, and whether it is so; never a reason to fail. */
export function bars(all: readonly Results[]): readonly string[] {
  return all.flatMap(({ runtime, latency, failOvers }) => {
    const most = (what: string, value: number, bar: number, unit: string): string =>
      `- ${runtime}, ${what} at most ${figure(bar)}${unit}: ${figure(value)}${unit}, ` +
      (value <= bar ? "kept" : "missed");
    const longest = Math.max(...failOvers.flatMap(({ again, fresh }) => [...again, ...fresh]));
    return [
      most("forwarded call, p50", timesBare(latency, 0.5), 1.5, " bare requests"),
      most("forwarded call, p99", timesBare(latency, 0.99), 1.5, " bare requests"),
      most(
        `objects of a killed node answer, all of ${failOvers.length} kills,`,
        longest,
        3000,
        " ms",
      ),
    ];
  });
}

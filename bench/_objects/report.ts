import { figure, median, table } from "../_lib/stats.ts";
import type { Coalescing } from "./coalescing.ts";
import type { Cold } from "./cold.ts";
import type { Idle } from "./idle.ts";
import type { PeerOutcome } from "./peers_worker.ts";
import type { Slice } from "./subject.ts";
import type { Series } from "./worker.ts";

/** What was measured on one runtime, over all rounds. */
export interface Results {
  readonly runtime: string;
  readonly throughput: readonly Series[];
  readonly cold: readonly Cold[];
  readonly idle: readonly Idle[];
  readonly coalescing: readonly Coalescing[];
}

const loadNames: Readonly<Record<string, string>> = {
  sequential: "sequential, one object",
  spread: "64 callers, 1,000 objects",
  crowd: "500 callers, one object",
};

/** The median over all slices of all rounds. */
function middle(all: readonly Series[], name: string, of: (slice: Slice) => number): number {
  return median(all.flatMap((series) => series[name] ?? []).map(of));
}

const perSecond = (slice: Slice): number => slice.perSecond;
const cpuUs = (slice: Slice): number => slice.cpuUs;

/**
 * The median of the ratios of slices that were measured one after the other: what slows the machine
 * down for a moment meets both.
 */
export function ratio(all: readonly Series[], name: string, to: string): number {
  return median(
    all.flatMap((series) =>
      (series[name] ?? []).map((slice, at) =>
        slice.perSecond / (series[to]?.[at]?.perSecond ?? NaN)
      )
    ),
  );
}

/** The table of a runtime's throughput. */
export function throughputTable({ runtime, throughput }: Results): string {
  const rows = Object.keys(throughput[0] ?? {}).map((name) => {
    const [load = "", subject = ""] = name.split(" ");
    const limit = `${load} limit`;
    const durable = subject === "sqlite";
    return [
      `${loadNames[load]}: ${subjects[subject]}`,
      figure(middle(throughput, name, perSecond)),
      figure(middle(throughput, name, cpuUs)),
      durable ? `${figure(100 * ratio(throughput, name, limit))} %` : "",
    ];
  });
  return table([`calls, ${runtime}`, "per second", "CPU µs", "of the limit"], rows);
}

const subjects: Readonly<Record<string, string>> = {
  limit: "bare SQLite, FULL (limit)",
  sqlite: "**Holdfast, SQLite**",
  memory: "**Holdfast, memory**",
  mailbox: "bare mailbox, nothing stored",
};

const of = <T>(all: readonly T[], key: keyof T): number =>
  median(all.map((one) => Number(one[key])));

/** What is not throughput, all runtimes in one table. */
export function otherTable(all: readonly Results[]): string {
  const row = (what: string, value: (results: Results) => string): string[] => [
    what,
    ...all.map(value),
  ];
  const both = (a: number, b: number): string => `${figure(a)} / ${figure(b)}`;
  return table(["", ...all.map(({ runtime }) => runtime)], [
    row("cold activation, ms, p50 / p99", ({ cold }) => both(of(cold, "p50Ms"), of(cold, "p99Ms"))),
    row(
      "the row read and parsed (limit), ms, p50 / p99",
      ({ cold }) => both(of(cold, "limitP50Ms"), of(cold, "limitP99Ms")),
    ),
    row("bytes per live object beside its 1 KB of state", ({ idle }) => figure(of(idle, "live"))),
    row("the same, resident memory", ({ idle }) => figure(of(idle, "liveRss"))),
    row("bytes per hibernated object", ({ idle }) => figure(of(idle, "hibernated"))),
    row(
      "store of 30 ms: writes/s at calls/s",
      ({ coalescing }) => both(of(coalescing, "writesPerSecond"), of(coalescing, "callsPerSecond")),
    ),
    row(
      "store of 30 ms: answer, ms, p50 / p99",
      ({ coalescing }) => both(of(coalescing, "p50Ms"), of(coalescing, "p99Ms")),
    ),
  ]);
}

/** The peers, each beside this library in the same minutes. */
export function peerTable(all: readonly (readonly PeerOutcome[])[]): string {
  const rows = all.flatMap((outcomes) => {
    const series = outcomes.map((outcome) => outcome.series);
    const [first] = outcomes;
    if (first === undefined) return [];
    const line = (label: string, suffix: string, rest: readonly string[]): string[] => [
      label,
      ...["sequential", "spread"].flatMap((load) => [
        figure(middle(series, load + suffix, perSecond)),
        figure(middle(series, load + suffix, cpuUs)),
      ]),
      ...rest,
    ];
    const number = (key: "coldP50Ms" | "coldP99Ms" | "idleBytes"): number =>
      median(outcomes.map((outcome) => outcome[key] ?? NaN));
    const cold = `${figure(number("coldP50Ms"))} / ${figure(number("coldP99Ms"))}`;
    const called = [cold, figure(number("idleBytes") / 1024)];
    return [
      line(first.label, "", called),
      ..."sequential inside" in first.series
        ? [line(`${first.label}, from inside`, " inside", ["", ""])]
        : [],
      line("**Holdfast, SQLite**, in the same minutes", " ours", ["", ""]),
    ];
  });
  const load = ["sequential/s", "CPU µs", "64 × 1,000/s", "CPU µs"];
  return table(["peers, Node", ...load, "cold ms p50 / p99", "KiB per object"], rows);
}

/** What the project has promised itself, and whether it is so; never a reason to fail. */
export function bars(all: readonly Results[]): readonly string[] {
  const rate = ({ throughput }: Results, name: string): number =>
    middle(throughput, name, perSecond);
  const line = (what: string, value: string, kept: boolean): string =>
    `- ${what}: ${value}, ${kept ? "kept" : "missed"}`;
  const bun = all.find(({ runtime }) => runtime.startsWith("bun"));
  const node = all.find(({ runtime }) => runtime.startsWith("node"));
  if (bun === undefined) return [];
  const least = (what: string, value: number, bar: number, unit: string): string =>
    line(`${what} at least ${figure(bar)}${unit}`, `${figure(value)}${unit}`, value >= bar);
  const most = (what: string, value: number, bar: number, unit: string): string =>
    line(`${what} at most ${figure(bar)}${unit}`, `${figure(value)}${unit}`, value <= bar);
  const { throughput, cold, idle, coalescing } = bun;
  const part = (name: string, to: string): number => 100 * ratio(throughput, name, to);
  return [
    least("sequential", part("sequential sqlite", "sequential limit"), 70, " % of the limit"),
    least("64 callers", part("spread sqlite", "spread limit"), 50, " % of the limit"),
    ...["sequential", "spread", "crowd"].map((load) =>
      least(`memory, ${loadNames[load]},`, rate(bun, `${load} memory`), 300_000, " calls/s")
    ),
    most("cold activation p50", of(cold, "p50Ms"), 0.3, " ms"),
    most("a hibernated object", of(idle, "hibernated"), 1024, " bytes"),
    most("a live object beside its state", of(idle, "live"), 3072, " bytes"),
    most("writes to a store of 30 ms", of(coalescing, "writesPerSecond"), 40, "/s"),
    most("answers from it, p99", of(coalescing, "p99Ms"), 70, " ms"),
    ...node === undefined
      ? []
      : ["sequential sqlite", "spread sqlite", "spread memory"].map((name) =>
        least(`Node, ${name},`, rate(node, name) / rate(bun, name), 0.5, " of Bun's")
      ),
  ];
}

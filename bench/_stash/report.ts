import { figure, median, table } from "../_lib/stats.ts";
import type { Ask } from "./browser.ts";
import type { Measured } from "./client.ts";
import type { Results } from "./measure.ts";
import { ours } from "./ours.ts";
import { variants } from "./variants.ts";

const HEAD = ["", "req/s", "p50 ms", "p99 ms", "CPU µs", "× floor"];

/** From this share of a core on, requests/s are the client's limit as much as the server's. */
const BUSY = 0.9;

type Field = Exclude<keyof Measured, "ask">;

function phases(results: Results, name: string, ask: Ask): readonly Measured[] {
  return results.get(name)?.filter((measured) => measured.ask === ask) ?? [];
}

/** The median over the rounds; `NaN` if it was not measured. */
export function middle(results: Results, name: string, ask: Ask, field: Field): number {
  return median(phases(results, name, ask).map((measured) => measured[field]));
}

/** How often the floor's CPU: the median of the ratios to the floor's phase of the same round. */
export function timesFloor(results: Results, name: string, ask: Ask): number {
  const floor = phases(results, "floor", ask);
  return median(
    phases(results, name, ask).map(({ cpuUs }, round) => cpuUs / (floor[round]?.cpuUs ?? NaN)),
  );
}

/** A table of one runtime's reads or writes. */
export function asTable(results: Results, ask: Ask): string {
  const rows = Array.from(results.keys(), (name) => {
    const of = (field: Field): number => middle(results, name, ask, field);
    return [
      variants[name]?.label ?? name,
      figure(of("requestsPerSecond")) + (of("clientBusy") > BUSY ? "\\*" : ""),
      figure(of("p50Ms")),
      figure(of("p99Ms")),
      figure(of("cpuUs")),
      figure(timesFloor(results, name, ask)),
    ];
  });
  return table([ask, ...HEAD.slice(1)], rows);
}

/** What the project has promised itself, and whether it is so; never a reason to fail. */
export function bars(runtime: string, results: Results): readonly string[] {
  const inMemory = Object.keys(variants).filter((name) =>
    name.endsWith("_memory") && !(name in ours) && results.has(name)
  );
  const best = (ask: Ask): number =>
    Math.min(...inMemory.map((name) => middle(results, name, ask, "cpuUs")));
  const cpu = (name: string, ask: Ask): number => middle(results, name, ask, "cpuUs");
  const ratio = timesFloor(results, "holdfast_memory", "read");
  const durable = middle(results, "holdfast_sqlite", "write", "requestsPerSecond");
  const bar = (what: string, value: number, holds: boolean, beside = ""): string[] =>
    Number.isFinite(value)
      ? [`${runtime}: ${what}: ${figure(value)}, ${holds ? "kept" : "missed"}${beside}`]
      : [];
  const least = ` (an id in a cookie and a Map: ${figure(timesFloor(results, "least", "read"))})`;
  const lines = [
    ...bar("read-only at most 1.35 times the floor's CPU", ratio, ratio <= 1.35, least),
    ...(["read", "write"] as const).flatMap((ask) => {
      const limit = best(ask);
      const own = cpu("holdfast_memory", ask);
      return bar(`${ask} on memory under ${figure(limit)} µs, the best peer's`, own, own < limit);
    }),
  ];
  if (runtime !== "bun") return lines;
  return [...lines, ...bar("durable writes at least 10,000/s", durable, durable >= 10_000)];
}

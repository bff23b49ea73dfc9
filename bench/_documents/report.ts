import { barLine } from "../_lib/bar.ts";
import { figure, median, table } from "../_lib/stats.ts";
import type { Outcome } from "./scenarios.ts";

/** What the rounds of one subject have come to. */
export interface Results {
  readonly name: string;
  readonly subject: string;
  /** The runtime's name. */
  readonly runtime: string;
  readonly outcomes: readonly Outcome[];
}

type Figure = (outcome: Outcome) => number;

function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? NaN;
}

/** Everything that is told, and what was promised of it. */
const rows: readonly {
  readonly name: string;
  readonly of: Figure;
  readonly most?: number;
  readonly least?: number;
}[] = [
  { name: "change to everybody, p50, ms", of: (o) => median(o.fanOut), most: 2 },
  { name: "the same, p99, ms", of: (o) => percentile(o.fanOut, 0.99) },
  { name: "CPU of the server per change, µs", of: (o) => o.cpuUs, most: 1100 },
  { name: "changes/s, one writer", of: (o) => o.one, least: 20_000 },
  { name: "changes/s, ten writers", of: (o) => o.ten, least: 12_000 },
  { name: "join of 1 MB, p50, ms", of: (o) => median(o.join), most: 20 },
  { name: "all join at once: the last, ms", of: (o) => o.storm },
  { name: "longest delay of a neighbour then, ms", of: (o) => o.stall, most: 50 },
  { name: "coming back, p50, ms", of: (o) => median(o.catchUp), most: 10 },
  { name: "coming back, KiB", of: (o) => o.catchUpKiB },
  { name: "KiB per open document", of: (o) => o.memoryKiB, most: 30 },
];

const value = ({ outcomes }: Results, of: Figure): number => median(outcomes.map(of));

/** A row for each figure, a column for each subject. */
export function outcomeTable(results: readonly Results[]): string {
  return table(
    ["", ...results.map(({ name }) => name)],
    rows.map(({ name, of }) => [name, ...results.map((each) => figure(value(each, of)))])
      // What was not asked for.
      .filter(([, ...values]) => values.some((each) => each !== figure(NaN))),
  );
}

/** What was promised, and whether it is kept. */
export function bars(results: readonly Results[]): readonly string[] {
  return results.filter(({ subject }) => subject === "holdfast").flatMap((result) =>
    rows.flatMap(({ name, of, most, least }) => {
      if (most === undefined && least === undefined) return [];
      const found = value(result, of);
      if (Number.isNaN(found)) return [];
      const floor = results.find(({ subject, runtime }) =>
        subject === "floor" && runtime === result.runtime
      );
      const bar = { what: name, found, most, least, floor: floor && value(floor, of) };
      return [barLine(result.name.replaceAll("*", ""), bar)];
    })
  );
}

import type { FaultLevels } from "./faults.ts";
import { checkKnown, type OptionNames, outOfRange } from "../../../src/core/options.ts";
import { simulationOptionNames, type SimulationOptions, type SimulationReport } from "./options.ts";
import { shrink, type Shrunk } from "./shrink.ts";
import { simulate } from "./simulate.ts";

/** Options of {@linkcode simulateSeeds}. */
export interface SeedsOptions<N = undefined> extends Omit<SimulationOptions<N>, "seed"> {
  /** How many seeds, 1 or more. */
  readonly seeds: number;
  /** The first of them. @default {1} */
  readonly from?: number;
  /** What runs a seed again, to be shown where it fails. @default a call of `simulate()` */
  readonly reproduce?: (seed: number) => string;
}

/** What many simulations have come to. */
export interface SeedsReport {
  readonly seeds: number;
  /** Calls by what became of them, faults by kind, records written, objects checked or not. */
  readonly totals: Readonly<Record<string, number>>;
}

/** Thrown for the first simulation in which something was not as it should have been. */
export class SimulationError extends Error {
  readonly seed: number;
  /** What was not as it should have been. */
  readonly problems: readonly string[];
  /** The smallest simulation found in which something is wrong, as options for {@linkcode simulate}. */
  readonly shrunk: Shrunk;
  /** Everything that happened in that. */
  readonly history: string;

  /** @internal */
  constructor(report: SimulationReport, small: SimulationReport, shrunk: Shrunk, line: string) {
    const shown = small.problems.slice(0, 3).map((problem) => `\n  ${problem}`).join("");
    const again = `simulate({ ...options, ${describe(shrunk)} })`;
    super(
      `Simulation of seed ${report.seed} fails: ${report.problems[0]}` +
        `\n  ${line}\nThe smallest that was found: ${again}${shown}`,
    );
    this.name = "SimulationError";
    this.seed = report.seed;
    this.problems = report.problems;
    this.shrunk = shrunk;
    this.history = small.history;
  }
}

const optionNames: OptionNames<SeedsOptions & Pick<SimulationOptions, "seed">> = {
  ...simulationOptionNames,
  seeds: "a number",
  from: "a number",
  reproduce: "a function",
};

/**
 * Runs simulations seed after seed, to the first that fails: for tests.
 *
 * @param options As of {@linkcode simulate}, and how many seeds.
 * @returns How much was simulated, to be asserted: a simulation in which nothing happens proves nothing.
 * @throws {SimulationError} If a simulation fails: its message has the line that runs it again, and
 * the smallest simulation that was found to fail alike.
 */
export async function simulateSeeds<N = undefined>(
  options: SeedsOptions<N>,
): Promise<SeedsReport> {
  checkKnown(options, optionNames, "simulate");
  const { seeds, from = 1, reproduce, ...rest } = options;
  if (!Number.isInteger(seeds) || seeds < 1) {
    throw outOfRange(`Cannot simulate: "seeds" is ${seeds}, not a whole number of 1 or more`);
  }
  const totals: Record<string, number> = {};
  const add = (name: string, count: number) => totals[name] = (totals[name] ?? 0) + count;
  for (let seed = from; seed < from + seeds; seed++) {
    const report = await simulate({ ...rest, seed });
    if (report.problems.length > 0) {
      const { small, shrunk } = await shrink({ ...rest, seed }, report);
      const line = reproduce?.(seed) ?? `simulate({ ...options, seed: ${seed} })`;
      throw new SimulationError(report, small, shrunk, line);
    }
    const { calls, faults, writes, checked, unchecked } = report.counts;
    for (const [name, count] of Object.entries({ ...calls, ...faults })) add(name, count);
    add("writes", writes);
    add("checked", checked);
    add("unchecked", unchecked);
  }
  return { seeds, totals };
}

function describe({ seed, nodes, clients, steps, faults }: Shrunk): string {
  const numbers = { seed, nodes, clients, steps };
  const each = Object.entries(numbers).map(([name, value]) => `${name}: ${value}`);
  return [...each, `faults: ${list(faults)}`].join(", ");
}

function list(faults: FaultLevels): string {
  return JSON.stringify(faults).replaceAll(",", ", ");
}

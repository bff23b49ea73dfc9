import { allFaults, clusterFaults, levelOf, type SimulatedFault } from "./faults.ts";
import { checkOptions, type SimulationOptions, type SimulationReport } from "./options.ts";
import { simulate } from "./simulate.ts";

/** A simulation that was made smaller. */
export interface Shrunk {
  readonly seed: number;
  readonly nodes: number;
  readonly clients: number;
  readonly steps: number;
  /** The only faults it needs. */
  readonly faults: readonly SimulatedFault[];
}

/** Simulations that looking for a smaller one may cost. */
const maxRuns = 150;

/**
 * Looks for a smaller simulation that fails, too: fewer steps, clients and nodes, fewer kinds of
 * faults. Each kind of chance has a source of its own, so that what is left is much as it was.
 */
export async function shrink<N>(
  options: SimulationOptions<N>,
  report: SimulationReport,
): Promise<{ readonly small: SimulationReport; readonly shrunk: Shrunk }> {
  const { seed, faults: levels = {}, cluster = false } = options;
  const faults = allFaults.filter((fault) =>
    levelOf(levels, fault) > 0 && (cluster || !clusterFaults.includes(fault))
  );
  let shrunk: Shrunk = { seed, ...checkOptions(options), faults };
  let small = report;
  let runs = 0;
  const fails = async (candidate: Shrunk): Promise<boolean> => {
    if (runs++ >= maxRuns) return false;
    const tried = await simulate({ ...options, ...candidate, faults: levelled(levels, candidate) });
    if (tried.problems.length === 0) return false;
    shrunk = candidate;
    small = tried;
    return true;
  };
  for (let progress = true; progress && runs < maxRuns;) {
    progress = false;
    for (const name of ["steps", "clients", "nodes"] as const) {
      for (const value of smaller(shrunk[name])) {
        if (!await fails({ ...shrunk, [name]: value })) continue;
        progress = true;
        break;
      }
    }
    for (const fault of shrunk.faults) {
      const others = shrunk.faults.filter((other) => other !== fault);
      if (await fails({ ...shrunk, faults: others })) progress = true;
    }
  }
  return { small, shrunk };
}

/** What is left of the faults, each as much as it was. */
function levelled(
  levels: SimulationOptions["faults"],
  { faults }: Shrunk,
): Readonly<Partial<Record<SimulatedFault, number>>> {
  return Object.fromEntries(
    allFaults.map((fault) => [fault, faults.includes(fault) ? levelOf(levels ?? {}, fault) : 0]),
  );
}

function smaller(value: number): readonly number[] {
  const steps = [1, Math.floor(value / 4), Math.floor(value / 2), value - 1];
  return [...new Set(steps)].filter((step) => step >= 1 && step < value);
}

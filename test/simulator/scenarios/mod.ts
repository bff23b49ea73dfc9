import {
  simulate,
  type SimulationOptions,
  type SimulationReport,
} from "../../../adapters/testing/mod.ts";
import { deploy } from "./deploy.ts";
import { drafts } from "./drafts.ts";
import { journal } from "./journal.ts";
import { sessions } from "./sessions.ts";

/** Runs one seed of a scenario, with some of its options replaced. */
export type Scenario = (
  seed: number,
  more?: Partial<Pick<SimulationOptions, "nodes" | "clients" | "steps" | "faults">>,
) => Promise<SimulationReport>;

/** Everything the library does, under names for a command line. */
export const scenarios: Readonly<
  Record<"journal" | "drafts" | "deploy" | "sessions" | "cluster", Scenario>
> = {
  journal: (seed, more) => simulate({ ...journal(), seed, ...more }),
  cluster: (seed, more) => simulate({ ...journal(), cluster: true, seed, ...more }),
  drafts: (seed, more) => simulate({ ...drafts(), seed, ...more }),
  deploy: (seed, more) => simulate({ ...deploy(), seed, ...more }),
  sessions: (seed, more) => simulate({ ...sessions(), seed, ...more }),
};

/** The name of a scenario. */
export type ScenarioName = keyof typeof scenarios;

/** Which scenario a seed stands for where none is named: the richest one twice as often. */
export function scenarioOf(seed: number): ScenarioName {
  const names = ["journal", "drafts", "journal", "deploy", "sessions"] as const;
  return names[((seed % names.length) + names.length) % names.length] ?? "journal";
}

/** Totals of many simulations, by what was counted. */
export class Totals {
  readonly #sums: Map<string, number> = new Map();

  /** Adds the counts of one simulation. */
  add({ counts }: SimulationReport): void {
    const { calls, faults, ...rest } = counts;
    for (const [name, count] of Object.entries({ ...calls, ...faults, ...rest })) {
      this.#sums.set(name, (this.#sums.get(name) ?? 0) + count);
    }
  }

  /** How often something was counted. */
  of(name: string): number {
    return this.#sums.get(name) ?? 0;
  }

  /** All of it in one line. */
  toString(): string {
    return Array.from(this.#sums, ([name, count]) => `${count} ${name}`).join(", ");
  }
}

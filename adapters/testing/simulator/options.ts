import type { JsonObject } from "../../../src/core/json.ts";
import type { AnyObjectDefinition, ScheduledAlarm } from "../../../src/object/model.ts";
import type { Holdfast, HoldfastOptions } from "../../web/holdfast.ts";
import type { SimulatedClient } from "./client.ts";
import { checkLevels, type FaultLevels } from "./faults.ts";
import type { SimulationCounts } from "./history.ts";
import {
  checkKnown,
  type OptionNames,
  outOfRange,
  wrongArgument,
} from "../../../src/core/options.ts";

/** An object as it is stored. */
export interface SimulatedObject {
  /** The name of its definition. */
  readonly name: string;
  readonly id: string;
  /** Version of the definition that wrote it. */
  readonly vsn: number;
  readonly state: JsonObject;
}

/** What is there when a simulation is over: every fault is, every call was answered, every node closed. */
export interface SimulationEnd {
  /** Everything stored of a class, in the order of the ids, without what was deleted. */
  stored(definition: AnyObjectDefinition): readonly (SimulatedObject & {
    /** The alarms that are set. */
    readonly alarms: readonly ScheduledAlarm[];
  })[];
  /** Everything that was ever written, in the order it was. */
  readonly written: readonly { readonly key: string; readonly text: string }[];
  /** A node that nothing happens to. */
  readonly holdfast: Holdfast;
}

/** Options of {@linkcode simulate}. */
export interface SimulationOptions<N = undefined> {
  /** Decides everything that chance decides: any integer. */
  readonly seed: number;
  /** The definitions that the nodes serve. */
  readonly objects: readonly AnyObjectDefinition[];
  /** The definitions of nodes that are started later: a rolling deploy. @default {objects} */
  readonly next?: readonly AnyObjectDefinition[];
  /** How many nodes there are, 1 to 10. @default {3} */
  readonly nodes?: number;
  /** How many clients there are, 1 to 100. @default {3} */
  readonly clients?: number;
  /** How many steps each client takes, 1 to 10,000. @default {12} */
  readonly steps?: number;
  /** How much of each fault there is, or the only ones there are. @default {{}} */
  readonly faults?: FaultLevels;
  /**
   * Whether the nodes are a cluster, in which one owns an object and calls are forwarded to it. What a
   * call without `fresh` reads may then be older than what was read before by way of the same node.
   * @default {false}
   */
  readonly cluster?: boolean;
  /** Options of each node, beside those that the simulator sees to. */
  readonly holdfast?: Partial<
    Omit<HoldfastOptions, "storage" | "objects" | "clock" | "random" | "namespace" | "cluster">
  >;
  /** Makes what clients and checks of one simulation share. */
  readonly notes?: () => N;
  /**
   * One step of a client. A `HoldfastError` or {@linkcode NodeLostError} that it rejects with is the
   * simulator's doing and ends the step; any other error fails the simulation.
   */
  readonly workload: (client: SimulatedClient, notes: N) => void | Promise<void>;
  /** Must hold whenever something is stored: throws if it does not. */
  readonly invariant?: (object: SimulatedObject, notes: N) => void;
  /** Must hold at the end: throws if it does not. */
  readonly check?: (end: SimulationEnd, notes: N) => void | Promise<void>;
}

/** What a simulation has come to. */
export interface SimulationReport {
  readonly seed: number;
  /** What was not as it should have been; empty if everything was. */
  readonly problems: readonly string[];
  /** How often what happened. */
  readonly counts: SimulationCounts;
  /** Everything that happened, a line each; the same for the same seed. */
  readonly history: string;
}

/** The names of all options. */
export const simulationOptionNames: OptionNames<SimulationOptions<never>> = {
  seed: true,
  objects: "an array",
  next: "an array",
  nodes: true,
  clients: true,
  steps: true,
  faults: true,
  cluster: "a boolean",
  holdfast: "an object",
  notes: "a function",
  workload: true,
  invariant: "a function",
  check: "a function",
};

const ranges = { nodes: [3, 1, 10], clients: [3, 1, 100], steps: [12, 1, 10_000] } as const;

/**
 * Fills in the numbers that were not given.
 *
 * @throws {TypeError} If a seed is no integer, or there is no workload.
 * @throws {RangeError} If a number is out of range.
 */
export function checkOptions<N>(
  options: SimulationOptions<N>,
): Readonly<Record<keyof typeof ranges, number>> {
  checkKnown(options, simulationOptionNames, "simulate");
  for (const definitions of [options.objects, options.next ?? []]) {
    if (Array.isArray(definitions) && definitions.every((one) => one?.spec !== undefined)) continue;
    throw wrongArgument('Cannot simulate: "objects" or "next" is not a list of definitions');
  }
  if (!Number.isSafeInteger(options.seed)) {
    throw wrongArgument(`Cannot simulate: the seed is ${options.seed}, not an integer`);
  }
  if (typeof options.workload !== "function") {
    throw wrongArgument('Cannot simulate: "workload" is not a function');
  }
  checkLevels(options.faults ?? {});
  const number = (name: keyof typeof ranges): number => {
    const [fallback, least, most] = ranges[name];
    const value = options[name] ?? fallback;
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw outOfRange(
      `Cannot simulate: "${name}" is ${value}, not a whole number from ${least} to ${most}`,
    );
  };
  return { nodes: number("nodes"), clients: number("clients"), steps: number("steps") };
}

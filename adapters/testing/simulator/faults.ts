import { outOfRange, wrongArgument } from "../../../src/core/options.ts";
import type { Random } from "../../../src/ports/random.ts";

/**
 * What can go wrong in a simulation.
 *
 * - `"refuse"`: storage refuses a call; nothing happened, and the caller is told so.
 * - `"loseRequest"`: a call never reaches storage, and the caller cannot know.
 * - `"loseAnswer"`: it happens, and the caller never hears of it.
 * - `"duplicate"`: a call reaches storage twice, a while apart; the answer to the first is heard.
 * - `"stray"`: a call that its caller has given up reaches storage long after.
 * - `"slow"`: a call, or its answer, takes much longer than others.
 * - `"conflict"`: a conditional write reports a lost race although nobody wrote.
 * - `"conflictStorm"`: for a while most conditional writes do.
 * - `"partition"`: a node is cut off from storage for a while.
 * - `"outage"`: storage is out of reach for every node for a while.
 * - `"crash"`: a node dies on the spot and is started again without its memory; each request it had
 *   sent arrives or does not.
 * - `"deploy"`: a node is closed, finishing what it had accepted or running out of time, and started
 *   again.
 * - `"jump"`: the wall clock of a node is corrected, forwards or backwards.
 * - `"skew"`: the wall clocks of the nodes differ from the beginning.
 * - `"loseReply"`: the answer of a node to its client is lost.
 *
 * With `cluster`:
 *
 * - `"loseMessage"`: a message between nodes is lost: a heartbeat, a forwarded call, its answer.
 * - `"duplicateMessage"`: one arrives twice, a while apart.
 * - `"lateMessage"`: one arrives long after others that were sent later.
 * - `"disagree"`: a node does not hear another for a while and takes it for dead, and is heard itself.
 * - `"unlink"`: a node has no link to the others for a while.
 */
export type SimulatedFault =
  | "refuse"
  | "loseRequest"
  | "loseAnswer"
  | "duplicate"
  | "stray"
  | "slow"
  | "conflict"
  | "conflictStorm"
  | "partition"
  | "outage"
  | "crash"
  | "deploy"
  | "jump"
  | "skew"
  | "loseReply"
  | "loseMessage"
  | "duplicateMessage"
  | "lateMessage"
  | "disagree"
  | "unlink";

/**
 * How much of each fault there is, from 0 to 10: 0 is none of it, 1 (where nothing is said) as much as
 * the seed says. Or a list of the only ones there are.
 */
export type FaultLevels =
  | Readonly<Partial<Record<SimulatedFault, number>>>
  | readonly SimulatedFault[];

/** The most of each: of calls or replies, as a probability; of incidents, as a weight among them. */
const most: Readonly<Record<SimulatedFault, number>> = {
  refuse: 0.1,
  loseRequest: 0.08,
  loseAnswer: 0.12,
  duplicate: 0.08,
  stray: 0.05,
  slow: 0.15,
  conflict: 0.1,
  conflictStorm: 1,
  partition: 1.5,
  outage: 0.7,
  crash: 3,
  deploy: 1.5,
  jump: 1,
  skew: 1,
  loseReply: 0.1,
  // Where they are, the others are drawn as they were before there were these.
  loseMessage: 0.15,
  duplicateMessage: 0.25,
  lateMessage: 0.15,
  disagree: 2,
  unlink: 1,
};

/** Those of messages between nodes. */
export const clusterFaults: readonly SimulatedFault[] = [
  "loseMessage",
  "duplicateMessage",
  "lateMessage",
  "disagree",
  "unlink",
];

/** Every fault there is. */
export const allFaults: readonly SimulatedFault[] = Object.keys(most) as SimulatedFault[];

/** How much of one fault there is. */
export function levelOf(levels: FaultLevels, fault: SimulatedFault): number {
  if (isList(levels)) return levels.includes(fault) ? 1 : 0;
  return levels[fault] ?? 1;
}

/**
 * Checks levels that somebody gave.
 *
 * @throws {TypeError} If one is of a fault that there is not.
 * @throws {RangeError} If one is out of range.
 */
export function checkLevels(levels: FaultLevels): void {
  const named: readonly string[] = isList(levels) ? levels : Object.keys(levels);
  for (const name of named) {
    if (!Object.hasOwn(most, name)) {
      throw wrongArgument(`Cannot simulate: there is no fault ${JSON.stringify(name)}`);
    }
    const level = levelOf(levels, name as SimulatedFault);
    if (!(level >= 0 && level <= 10)) {
      throw outOfRange(`Cannot simulate: "faults.${name}" is ${level}, not from 0 to 10`);
    }
  }
}

function isList(levels: FaultLevels): levels is readonly SimulatedFault[] {
  return Array.isArray(levels);
}

/**
 * Draws how bad the weather of a simulation is: of each fault between none and the most, and nothing
 * at all for some seeds.
 */
export function drawWeather(
  random: Random,
  levels: FaultLevels,
): Readonly<Record<SimulatedFault, number>> {
  const bad = random.number() < 0.1 ? 0 : random.number();
  const drawn = allFaults.map((fault) => {
    // Drawn in any case, so that a fault that is switched off does not change the others.
    const lot = random.number();
    const some = random.number() < 0.3 ? 0 : lot;
    return [fault, most[fault] * some * bad * levelOf(levels, fault)] as const;
  });
  return Object.fromEntries(drawn) as Record<SimulatedFault, number>;
}

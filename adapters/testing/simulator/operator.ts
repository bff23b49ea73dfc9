import type { SimulatedFault } from "./faults.ts";
import type { History } from "./history.ts";
import type { Messages } from "./messages.ts";
import type { Network } from "./network.ts";
import type { SimulatedNode } from "./node.ts";

/** What the operator has power over. */
export interface Plant {
  readonly network: Network;
  readonly history: History;
  readonly nodes: SimulatedNode[];
  readonly storeEnd: { cut: boolean };
  /** What carries messages between nodes, if they are a cluster. */
  readonly messages: Messages | undefined;
  start(): SimulatedNode;
}

/** The faults that are not of single messages. */
const incidents: readonly SimulatedFault[] = [
  "crash",
  "deploy",
  "partition",
  "outage",
  "conflictStorm",
  "jump",
];

/** Those of a cluster, beside them. */
const clusterIncidents: readonly SimulatedFault[] = [...incidents, "disagree", "unlink"];

/** Lets nodes die, be replaced, be cut off and have their clocks corrected, until the storm is over. */
export async function operate(plant: Plant): Promise<void> {
  const { network, messages } = plant;
  const possible = messages === undefined ? incidents : clusterIncidents;
  const total = possible.reduce((sum, fault) => sum + network.rate(fault), 0);
  if (total === 0) return;
  while (network.stormy) {
    await network.scheduler.pause(20 + network.lot() * 800 / total);
    if (!network.stormy) return;
    let lot = network.lot() * total;
    const fault = possible.find((one) => (lot -= network.rate(one)) < 0);
    if (fault !== undefined) strike(plant, fault);
  }
}

function strike(plant: Plant, fault: SimulatedFault): void {
  const { network, nodes, storeEnd, history } = plant;
  const { scheduler } = network;
  const node = nodes[Math.floor(network.lot() * nodes.length)];
  const whileMs = network.lot() ** 2 * 3000;
  const lot = network.lot();
  if (node === undefined) return;
  network.note(fault);
  const far = fault === "outage" || fault === "conflictStorm";
  history.line(scheduler.elapsed, far ? "everywhere" : node.name, fault);
  switch (fault) {
    case "crash":
      return crash(plant, node, lot * 500);
    case "deploy":
      return void deploy(plant, node, lot);
    case "partition":
      node.cut = true;
      return void scheduler.after(whileMs, () => node.cut = false);
    case "outage":
      storeEnd.cut = true;
      return void scheduler.after(whileMs, () => storeEnd.cut = false);
    case "conflictStorm":
      network.colliding = true;
      return void scheduler.after(whileMs, () => network.colliding = false);
    case "disagree":
      return plant.messages?.deafen(node, nodes, whileMs + 500);
    case "unlink":
      return plant.messages?.unlink(node, whileMs);
    default:
      return node.jump((lot - 0.5) * 20_000);
  }
}

function crash(plant: Plant, node: SimulatedNode, downMs: number): void {
  node.kill();
  plant.nodes.splice(plant.nodes.indexOf(node), 1);
  plant.network.scheduler.after(downMs, () => void plant.nodes.push(plant.start()));
}

/** Stops a node as a deploy does: in order, until the platform loses patience. */
async function deploy(plant: Plant, node: SimulatedNode, lot: number): Promise<void> {
  if (!node.open) return;
  node.open = false;
  await node.holdfast.close({ withinMs: lot < 0.5 ? 30_000 : lot * 100 });
  if (node.alive) crash(plant, node, lot * 200);
}

import type { Cluster } from "../../../src/ports/cluster.ts";
import { type CarriedMessage, memoryCluster } from "../../memory/mod.ts";
import type { History } from "./history.ts";
import type { Network } from "./network.ts";

/** A node as its messages see it. */
interface Place {
  readonly name: string;
  readonly alive: boolean;
}

/**
 * How the nodes of a simulated cluster talk: over the reference cluster, whose messages overtake one
 * another, arrive twice, late or never, and between whom one may hear while the other does not.
 */
export class Messages {
  readonly #network: Network;
  readonly #history: History;
  readonly #cluster: ReturnType<typeof memoryCluster>;
  readonly #places: Map<string, Place> = new Map();
  readonly #addresses: Map<Place, string> = new Map();
  /** Who does not hear whom. */
  readonly #deaf: Set<string> = new Set();
  readonly #unlinked: Set<Place> = new Set();

  constructor(network: Network, history: History) {
    this.#network = network;
    this.#history = history;
    this.#cluster = memoryCluster({
      carry: (message, deliver) => this.#carry(message, deliver),
      timer: (delayMs, callback) => network.scheduler.after(delayMs, callback),
    });
  }

  /** The cluster as one node joins it. */
  join(node: Place): Cluster {
    return {
      join: (address, receiver) => {
        this.#places.set(address, node);
        this.#addresses.set(node, address);
        return this.#cluster.join(address, receiver);
      },
    };
  }

  /** One that has died says nothing. */
  leave(node: Place): void {
    this.#cluster.kill(this.#addresses.get(node) ?? "");
  }

  /** For a while a node does not hear one of the others, or none of them, but is heard. */
  deafen(node: Place, all: readonly Place[], whileMs: number): void {
    const others = all.filter((other) => other !== node);
    const one = others[Math.floor(this.#network.lot() * 2 * others.length)];
    const pairs = (one === undefined ? others : [one]).map(({ name }) => `${name}>${node.name}`);
    for (const pair of pairs) this.#deaf.add(pair);
    this.#network.scheduler.after(whileMs, () => pairs.forEach((pair) => this.#deaf.delete(pair)));
  }

  /** For a while a node has no link. */
  unlink(node: Place, whileMs: number): void {
    const address = this.#addresses.get(node) ?? "";
    this.#unlinked.add(node);
    this.#cluster.link(address, false);
    this.#network.scheduler.after(whileMs, () => this.#relink(node));
  }

  /** Everybody hears everybody again. */
  mend(): void {
    this.#deaf.clear();
    for (const node of [...this.#unlinked]) this.#relink(node);
  }

  #relink(node: Place): void {
    if (this.#unlinked.delete(node) && node.alive) {
      this.#cluster.link(this.#addresses.get(node) ?? "", true);
    }
  }

  #carry({ kind, from, to }: CarriedMessage, deliver: () => void): void {
    const network = this.#network;
    const [sender, receiver] = [this.#places.get(from), this.#places.get(to)];
    if (sender === undefined || receiver === undefined) return;
    const tell = (what: string): void =>
      this.#history.line(network.scheduler.elapsed, sender.name, kind, receiver.name, what);
    if (this.#deaf.has(`${sender.name}>${receiver.name}`)) return tell("not heard");
    if (network.strikes("loseMessage")) return tell("lost");
    const send = (more: number): void => {
      network.scheduler.after(network.latencyMs() + more, () => {
        // What somebody had sent when he died arrives, or does not.
        if (sender.alive || network.lot() < 0.5) deliver();
      });
    };
    if (kind !== "broadcast") tell("sent");
    send(network.strikes("lateMessage") ? 100 + network.lot() * 4000 : 0);
    if (network.strikes("duplicateMessage")) send(network.lot() * 1000);
  }
}

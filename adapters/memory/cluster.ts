import type {
  Cluster,
  ClusterLink,
  ClusterReceiver,
  ClusterReply,
} from "../../src/ports/cluster.ts";
import { checkKnown, type OptionNames } from "../../src/core/options.ts";

/** A message that is about to be carried, for tests that decide what becomes of it. */
export interface CarriedMessage {
  readonly kind: "request" | "answer" | "broadcast";
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

/** Options of {@linkcode memoryCluster}. */
export interface MemoryClusterOptions {
  /**
   * Decides what becomes of a message: calls `deliver` once to carry it, later to delay or reorder
   * it, twice to duplicate it, never to lose it. @default carries each at once
   */
  readonly carry?: (message: CarriedMessage, deliver: () => void) => void;
  /** Largest text of a message in bytes. @default {1048576} */
  readonly maxBytes?: number;
  /** Calls back after a time, as a Clock does; requests never time out without one. */
  readonly timer?: (delayMs: number, callback: () => void) => () => void;
}

/** A cluster within one process. */
export interface MemoryCluster extends Cluster {
  /** Cuts the link of one node, or mends it. */
  link(address: string, up: boolean): void;
  /** Removes a node without a word, as when its process is killed. */
  kill(address: string): void;
}

interface Place {
  readonly receiver: ClusterReceiver;
  readonly waiting: Set<(reply: ClusterReply) => void>;
  up: boolean;
}

const optionNames: OptionNames<MemoryClusterOptions> = {
  carry: "a function",
  maxBytes: "a number",
  timer: "a function",
};

/**
 * Makes a cluster of nodes in this process, the reference for every other one. Of use in tests.
 *
 * @returns The cluster: hand the same one to every node.
 *
 * @example Two nodes
 * ```ts
 * import { createHoldfast } from "@holdfast/holdfast";
 * import { memoryCluster, memoryStorage } from "@holdfast/holdfast/memory";
 * import { assertEquals } from "@std/assert";
 *
 * const cluster = memoryCluster();
 * const storage = memoryStorage();
 * const secrets = [crypto.getRandomValues(new Uint8Array(32))];
 * await using a = createHoldfast({ storage, secrets, cluster });
 * await using b = createHoldfast({ storage, secrets, cluster });
 * await new Promise((resolve) => setTimeout(resolve, 10));
 *
 * assertEquals(a.nodes?.members, b.nodes?.members);
 * ```
 */
export function memoryCluster(options: MemoryClusterOptions = {}): MemoryCluster {
  checkKnown(options, optionNames, "make the cluster");
  return new Places(options);
}

class Places implements MemoryCluster {
  readonly #places: Map<string, Place> = new Map();
  readonly #carry: NonNullable<MemoryClusterOptions["carry"]>;
  readonly #maxBytes: number;
  readonly #timer: MemoryClusterOptions["timer"];

  constructor(
    { carry = (_, deliver) => queueMicrotask(deliver), maxBytes = 1024 * 1024, timer }:
      MemoryClusterOptions,
  ) {
    this.#carry = carry;
    this.#maxBytes = maxBytes;
    this.#timer = timer;
  }

  join(address: string, receiver: ClusterReceiver): ClusterLink {
    const own: Place = { receiver, waiting: new Set(), up: false };
    this.#places.set(address, own);
    queueMicrotask(() => {
      if (this.#places.get(address) === own) set(own, true);
    });
    return {
      maxBytes: this.#maxBytes,
      request: (to, text, timeoutMs) => this.#request(address, own, to, text, timeoutMs),
      broadcast: (text) => this.#broadcast(address, own, text),
      close: () => {
        if (this.#places.get(address) === own) this.#places.delete(address);
        own.up = false;
        giveUp(own);
        return Promise.resolve();
      },
    };
  }

  link(address: string, up: boolean): void {
    const place = this.#places.get(address);
    if (place !== undefined) set(place, up);
  }

  kill(address: string): void {
    const place = this.#places.get(address);
    this.#places.delete(address);
    if (place !== undefined) place.up = false;
  }

  #request(
    from: string,
    own: Place,
    to: string,
    text: string,
    timeoutMs: number,
  ): Promise<ClusterReply> {
    const other = this.#places.get(to);
    if (!own.up || other?.up !== true) return Promise.resolve({ ok: false, why: "undelivered" });
    return new Promise((resolve) => {
      let cancel = () => {};
      const settle = (reply: ClusterReply): void => {
        own.waiting.delete(settle);
        cancel();
        resolve(reply);
      };
      own.waiting.add(settle);
      cancel = this.#timer?.(timeoutMs, () => settle({ ok: false, why: "unknown" })) ?? cancel;
      this.#carry({ kind: "request", from, to, text }, () => {
        if (!other.up || this.#places.get(to) !== other) return;
        other.receiver.request(text).then((answer) => {
          if (!other.up) return;
          this.#carry({ kind: "answer", from: to, to: from, text: answer }, () => {
            if (own.waiting.has(settle)) settle({ ok: true, text: answer });
          });
        }, () => {});
      });
    });
  }

  #broadcast(from: string, own: Place, text: string): void {
    if (!own.up) return;
    for (const [to, other] of this.#places) {
      if (other === own) continue;
      this.#carry({ kind: "broadcast", from, to, text }, () => {
        if (other.up && this.#places.get(to) === other) other.receiver.broadcast(text);
      });
    }
  }
}

function set(place: Place, up: boolean): void {
  if (place.up === up) return;
  place.up = up;
  if (!up) giveUp(place);
  place.receiver.linked(up);
}

function giveUp({ waiting }: Place): void {
  for (const settle of [...waiting]) settle({ ok: false, why: "unknown" });
}

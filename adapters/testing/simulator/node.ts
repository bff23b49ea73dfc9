import { outOfRange } from "../../../src/core/options.ts";
import type { AnyObjectDefinition } from "../../../src/object/model.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Random } from "../../../src/ports/random.ts";
import { createHoldfast, type Holdfast, type HoldfastOptions } from "../../web/holdfast.ts";
import { seededRandom } from "../seeded_random.ts";
import { linkedStorage, type LinkOptions } from "./link.ts";
import type { Messages } from "./messages.ts";
import type { Endpoint } from "./network.ts";
import { facade, observed, type OnInnerCall } from "./observe.ts";
import type { Scheduler } from "./scheduler.ts";

/** What a node is made of. */
export interface NodeOptions extends Omit<LinkOptions, "node"> {
  readonly name: string;
  readonly seed: number;
  /** What its wall clock shows at the beginning, in ms since the epoch. */
  readonly wallMs: number;
  readonly objects: readonly AnyObjectDefinition[];
  /** Told of each call that a handler makes. */
  readonly onInnerCall: (node: SimulatedNode) => OnInnerCall;
  readonly holdfast: Partial<HoldfastOptions>;
  /** What carries messages to the others, if it is one of a cluster. */
  readonly messages: Messages | undefined;
}

/** A server process of a simulation. */
export class SimulatedNode implements Endpoint {
  readonly name: string;
  readonly holdfast: Holdfast;
  /** What it serves, by name. */
  readonly objects: ReadonlyMap<string, AnyObjectDefinition>;
  /** The same as it is served, so that what handlers call can be seen. */
  readonly served: ReadonlyMap<string, AnyObjectDefinition>;
  /** Accepts calls: it is neither dead nor being closed. */
  open = true;
  alive = true;
  cut = false;
  /** Told when it dies, so that nobody waits for it in vain. */
  readonly waiting: Set<() => void> = new Set();
  readonly #clock: NodeClock;
  readonly #messages: Messages | undefined;

  constructor(options: NodeOptions) {
    this.name = options.name;
    this.#messages = options.messages;
    this.objects = new Map(options.objects.map((definition) => [definition.name, definition]));
    const { scheduler } = options.network;
    this.#clock = new NodeClock(this, scheduler, options.wallMs);
    const onCall = options.onInnerCall(this);
    this.served = new Map(
      options.objects.map((definition) => [definition.name, observed(definition, onCall)]),
    );
    const holdfast = createHoldfast({
      secrets: [secret],
      sweepEveryMs: Infinity,
      ...options.holdfast,
      storage: linkedStorage({ ...options, node: this }),
      objects: [...this.served.values()],
      clock: this.#clock,
      random: seededRandom(options.seed),
      ...(options.messages === undefined ? {} : { cluster: options.messages.join(this) }),
    });
    this.holdfast = facade(holdfast, this.served);
  }

  /** Corrects its wall clock. */
  jump(ms: number): void {
    this.#clock.offsetMs += ms;
  }

  /** Ends it on the spot: it hears nothing any more, and what it remembered is gone. */
  kill(): void {
    this.open = false;
    this.alive = false;
    this.#messages?.leave(this);
    for (const tell of this.waiting) tell();
    this.waiting.clear();
  }
}

/** Guards nothing: there is nobody to keep it from. */
const secret = "a secret of simulations only, which opens nothing: 0123456789";

/** Time as a node sees it: its wall clock may be wrong, and nothing rings once it is dead. */
class NodeClock implements Clock {
  offsetMs: number;
  readonly #node: Endpoint;
  readonly #scheduler: Scheduler;

  constructor(node: Endpoint, scheduler: Scheduler, wallMs: number) {
    this.#node = node;
    this.#scheduler = scheduler;
    this.offsetMs = wallMs - scheduler.elapsed;
  }

  now(): number {
    return Math.floor(this.offsetMs + this.#scheduler.elapsed);
  }

  monotonic(): number {
    return this.#scheduler.elapsed;
  }

  timer(delayMs: number, callback: () => void): () => void {
    if (!(delayMs >= 0)) {
      throw outOfRange(`Cannot start a timer: its delay is ${delayMs} ms, not 0 or more`);
    }
    if (delayMs === Infinity) return () => {};
    return this.#scheduler.after(delayMs, () => {
      if (this.#node.alive) callback();
    });
  }
}

/** A source of chance that depends on a seed and on what it is for. */
export function fork(seed: number, purpose: number): Random {
  // Two odd numbers of 32 bits, so that neither neighbouring seeds nor purposes are alike.
  return seededRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(purpose + 1, 0x85ebca6b));
}

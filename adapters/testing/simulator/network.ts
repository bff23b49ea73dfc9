import type { Random } from "../../../src/ports/random.ts";
import type { SimulatedFault } from "./faults.ts";
import type { Scheduler } from "./scheduler.ts";

/** Somebody who sends and receives: a node, a client, the store. */
export interface Endpoint {
  readonly name: string;
  /** What is dead hears nothing. */
  readonly alive: boolean;
  /** What is cut off hears nothing and is heard by nobody. */
  readonly cut: boolean;
}

/**
 * How messages travel in a simulation: each takes a time of its own, so that any two can overtake
 * one another, and may be lost on the way.
 */
export class Network {
  readonly scheduler: Scheduler;
  /** How often each fault has happened. */
  readonly counts: Partial<Record<SimulatedFault, number>> = {};
  /** Whether there are faults now. */
  stormy = true;
  /** While most conditional writes report a lost race. */
  colliding = false;
  readonly #rates: Readonly<Record<SimulatedFault, number>>;
  readonly #dice: Random;
  readonly #latencyMs: number;

  constructor(
    scheduler: Scheduler,
    dice: Random,
    rates: Readonly<Record<SimulatedFault, number>>,
  ) {
    this.scheduler = scheduler;
    this.#rates = rates;
    this.#dice = dice;
    this.#latencyMs = 1 + dice.number() * 30;
  }

  /** Draws whether a fault happens now; counted if it does. */
  strikes(fault: SimulatedFault, rate: number = this.#rates[fault]): boolean {
    if (!this.stormy || this.#dice.number() >= rate) return false;
    this.note(fault);
    return true;
  }

  /** Counts a fault. */
  note(fault: SimulatedFault): void {
    this.counts[fault] = (this.counts[fault] ?? 0) + 1;
  }

  /** How often a fault is meant to happen. */
  rate(fault: SimulatedFault): number {
    return this.#rates[fault];
  }

  /** A number in [0, 1). */
  lot(): number {
    return this.#dice.number();
  }

  /** Milliseconds that one message takes. */
  latencyMs(): number {
    if (!this.stormy) return 1 + this.#dice.number();
    // Some take no time at all, so that what is sent in a row arrives together and in any order.
    const lot = this.#dice.number();
    const delayMs = lot < 0.2 ? 0 : lot * this.#latencyMs;
    return this.strikes("slow") ? delayMs * 20 + 50 : delayMs;
  }

  /**
   * Sends a message. One whose sender dies while it is under way arrives, or does not.
   *
   * @param delayMs How long it takes.
   */
  send(
    from: Endpoint,
    to: Endpoint,
    deliver: () => void,
    delayMs: number = this.latencyMs(),
  ): void {
    if (from.cut || to.cut) return;
    this.scheduler.after(delayMs, () => {
      const lost = !to.alive || from.cut || to.cut || !from.alive && this.#dice.number() < 0.5;
      if (!lost) deliver();
    });
  }
}

import { setImmediate } from "node:timers";
import type { Random } from "../../../src/ports/random.ts";

/** Something that will happen at a time. */
interface Happening {
  readonly at: number;
  /** Drawn by lot, so that what falls on the same instant comes in any order. */
  readonly lot: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/**
 * Decides what happens next in a simulation. Time is virtual and passes only here, and nothing goes
 * on by itself: after each step everything that its promises set going runs to where it waits for
 * another step, so that the seed alone decides the order.
 */
export class Scheduler {
  readonly #random: Random;
  /** A binary heap in order of time. */
  readonly #heap: Happening[] = [];
  #elapsed = 0;
  #order = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Milliseconds since the simulation began. */
  get elapsed(): number {
    return this.#elapsed;
  }

  /**
   * Lets something happen later.
   *
   * @param delayMs Milliseconds, 0 or more.
   * @returns A function that takes it back.
   */
  after(delayMs: number, run: () => void): () => void {
    const at = this.#elapsed + delayMs;
    const happening: Happening = { at, lot: this.#random.number(), order: this.#order++, run };
    this.#push(happening);
    return () => void (happening.run = undefined);
  }

  /** A pause in virtual time. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  /**
   * Goes on until something is reached.
   *
   * @param limitMs Longest time this may take, in virtual milliseconds.
   * @returns `false` if it was not reached within the limit.
   */
  async run(reached: () => boolean, limitMs: number): Promise<boolean> {
    const until = this.#elapsed + limitMs;
    await settle();
    while (!reached()) {
      const next = this.#heap[0];
      if (next === undefined || next.at > until) {
        this.#elapsed = until;
        return false;
      }
      this.#shift();
      if (next.run === undefined) continue;
      this.#elapsed = next.at;
      next.run();
      await settle();
    }
    return true;
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.push(happening) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as Happening;
      if (!isBefore(happening, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = happening;
  }

  #shift(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const isRight = right < heap.length &&
        isBefore(heap[right] as Happening, heap[left] as Happening);
      const down = isRight ? right : left;
      const child = heap[down] as Happening;
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  if (a.at !== b.at) return a.at < b.at;
  return a.lot !== b.lot ? a.lot < b.lot : a.order < b.order;
}

/** A turn of the event loop: every promise that can go on has done so by then. */
function settle(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

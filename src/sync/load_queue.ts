/** Which of those that wait comes first. */
export type Urgency =
  /** There is nothing to show as long as it has not ended. */
  | "first"
  /** What is shown stays meanwhile. */
  | "again";

/**
 * Lets so many loads run at a time, first come, first served; a first load waits for no more than one
 * other for each that comes before it, so that a page is not kept waiting for a thousand that have to load again.
 */
export class LoadQueue {
  readonly #limit: number;
  readonly #first: (() => void)[] = [];
  readonly #again: (() => void)[] = [];
  #running = 0;
  /** Whose turn it is if there are both. */
  #turn: Urgency = "first";

  constructor(limit: number) {
    this.#limit = limit;
  }

  async run<T>(load: () => Promise<T>, urgency: Urgency): Promise<T> {
    if (this.#running >= this.#limit) {
      const waiting = urgency === "first" ? this.#first : this.#again;
      await new Promise<void>((resolve) => void waiting.push(resolve));
    } else this.#running++;
    try {
      return await load();
    } finally {
      const next = this.#next();
      // The place goes on to the next one.
      if (next === undefined) this.#running--;
      else next();
    }
  }

  /** In turns, so that neither waits for ever. */
  #next(): (() => void) | undefined {
    const [own, other] = this.#turn === "first"
      ? [this.#first, this.#again]
      : [this.#again, this.#first];
    this.#turn = this.#turn === "first" ? "again" : "first";
    return own.shift() ?? other.shift();
  }
}

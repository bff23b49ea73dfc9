/** Lets so many loads run at a time, first come, first served. */
export class LoadQueue {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  async run<T>(load: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#limit) {
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await load();
    } finally {
      const next = this.#waiting.shift();
      // The place goes on to the next one.
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

/** How many calls may have files open at once; macOS allows 256 open files in a process. */
const MAX_AT_ONCE = 32;

/**
 * Runs the calls on one key one after the other, those on different keys side by side.
 */
export class Tasks {
  readonly #tails = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** Runs a task after those that were added for the same key before it. */
  add<T>(key: string, task: () => Promise<T>): Promise<T> {
    const result = this.#after(this.#tails.get(key), task);
    const tail = result.then(() => {}, () => {}).then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    this.#tails.set(key, tail);
    return result;
  }

  /** Settles when every task that was added is over. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }

  async #after<T>(before: Promise<void> | undefined, task: () => Promise<T>): Promise<T> {
    await before;
    if (this.#running < MAX_AT_ONCE) this.#running++;
    // The place is handed over, not given back: nobody can slip in between.
    else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

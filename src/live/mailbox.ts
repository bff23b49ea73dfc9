/** One thing to do. Must neither throw nor reject. */
export type Step = () => Promise<void>;

/**
 * Does one thing after the other, in the order in which they came: runtimes start the handlers of
 * messages at once and wait for none.
 */
export class Mailbox {
  readonly #limit: number;
  readonly #waiting: Step[] = [];
  #running: Promise<void> | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds a step; `false` if too many wait. */
  push(step: Step): boolean {
    if (this.#waiting.length >= this.#limit) return false;
    this.#waiting.push(step);
    this.#running ??= this.#run();
    return true;
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting.length = 0;
  }

  /** Resolves when nothing is left to do. */
  async whenIdle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // In a turn of its own, whoever pushes the first one.
    await undefined;
    for (let step = this.#waiting.shift(); step !== undefined; step = this.#waiting.shift()) {
      await step();
    }
    this.#running = undefined;
  }
}

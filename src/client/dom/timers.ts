/** Timers with names: setting one anew forgets the old one. */
export class Timers {
  readonly #running = new Map<unknown, ReturnType<typeof setTimeout>>();

  set(name: unknown, ms: number, fire: () => void): void {
    this.clear(name);
    const fired = (): void => {
      this.#running.delete(name);
      fire();
    };
    // Longer than a browser can count is never.
    if (ms < 2 ** 31) this.#running.set(name, setTimeout(fired, ms));
  }

  has(name: unknown): boolean {
    return this.#running.has(name);
  }

  clear(name: unknown): void {
    clearTimeout(this.#running.get(name));
    this.#running.delete(name);
  }

  clearAll(): void {
    for (const timer of this.#running.values()) clearTimeout(timer);
    this.#running.clear();
  }
}

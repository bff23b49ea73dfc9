/** Timers with names: setting one anew forgets the old one. */
export class Timers {
  readonly #running = new Map<unknown, ReturnType<typeof setTimeout>>();

  set(name: unknown, ms: number, fire: () => void): void {
    this.clear(name);
    if (ms === Infinity) return;
    this.#running.set(
      name,
      setTimeout(() => {
        this.#running.delete(name);
        fire();
      }, ms),
    );
  }

  clear(name: unknown): void {
    clearTimeout(this.#running.get(name));
    this.#running.delete(name);
  }

  clearAll(): void {
    for (const name of [...this.#running.keys()]) this.clear(name);
  }
}

/** Listeners that are all taken off again together. */
export class Listeners {
  readonly #abort = new AbortController();

  on<E extends Event>(
    target: EventTarget,
    types: string,
    listener: (event: E) => void,
    capture = false,
  ): void {
    for (const type of types.split(" ")) {
      target.addEventListener(type, listener as EventListener, {
        capture,
        signal: this.#abort.signal,
      });
    }
  }

  close(): void {
    this.#abort.abort();
  }
}

import { HoldfastError } from "../core/errors.ts";

/** Which classes and objects take no calls in this process for the time being. */
export class Cordons {
  /** Keys of objects, and prefixes of classes, which end with a slash. */
  readonly #places: Set<string> = new Set();

  /** @param place The key of an object, or the prefix of a class. */
  add(place: string): void {
    this.#places.add(place);
  }

  /** Tells whether there was such a cordon. */
  remove(place: string): boolean {
    return this.#places.delete(place);
  }

  /** Tells whether an object is behind a cordon. */
  holds(key: string): boolean {
    for (const place of this.#places) {
      if (key === place || (place.endsWith("/") && key.startsWith(place))) return true;
    }
    return false;
  }

  /**
   * Why a call is refused, if it is. What a handler behind a cordon calls is part of what was accepted
   * before.
   *
   * @param chain The keys of the objects whose calls have led here.
   */
  refusal(name: string, key: string, chain: readonly string[]): HoldfastError | undefined {
    if (this.#places.size === 0 || !this.holds(key)) return undefined;
    if (chain.some((from) => this.holds(from))) return undefined;
    return new HoldfastError(
      "ERR_CORDONED",
      `Cannot use object "${name}": it takes no calls for the time being`,
      { retryable: true },
    );
  }
}

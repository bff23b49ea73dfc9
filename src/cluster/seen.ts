/** How far behind the latest a call may arrive and still be run: a power of two. */
const width = 4096;

/**
 * Which of the numbers that another node counts up have been here, in any order, some never: those
 * far behind the latest count as seen. A ring of bits, as IPsec has against replay (RFC 6479), so that
 * remembering a call costs no memory, and none is forgotten.
 */
export class SeenNumbers {
  readonly #bits: Uint32Array = new Uint32Array(width / 32);
  #latest = -1;

  /**
   * Notes a number.
   *
   * @param number A whole number from 0.
   * @returns Whether it is here for the first time; `false` also if that cannot be told any more.
   */
  first(number: number): boolean {
    if (number <= this.#latest - width) return false;
    if (number > this.#latest) this.#advance(number);
    const [word, bit] = placeOf(number);
    const bits = this.#bits[word] ?? 0;
    this.#bits[word] = bits | bit;
    return (bits & bit) === 0;
  }

  #advance(number: number): void {
    // What is skipped has not been here; the places were those of numbers that are too old now.
    for (let next = Math.max(this.#latest + 1, number - width + 1); next <= number; next++) {
      const [word, bit] = placeOf(next);
      this.#bits[word] = (this.#bits[word] ?? 0) & ~bit;
    }
    this.#latest = number;
  }
}

function placeOf(number: number): readonly [word: number, bit: number] {
  return [Math.floor((number % width) / 32), 1 << (number % 32)];
}

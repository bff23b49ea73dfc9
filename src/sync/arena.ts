/** Bytes that are made room for at once. What is kept of a piece keeps all of it, so it is small. */
const PIECE = 16 * 1024;

/**
 * Keeps copies of messages, many in one piece of memory: an array of its own for each would cost more
 * than the rest of reading it.
 */
export class Arena {
  #piece: Uint8Array = new Uint8Array();
  #used = 0;

  /** Where the last one was put. */
  get piece(): Uint8Array {
    return this.#piece;
  }

  /**
   * Copies a message.
   *
   * @returns Where in the piece it begins.
   */
  copy(message: Uint8Array): number {
    const { length } = message;
    if (this.#used + length > this.#piece.length) {
      this.#piece = new Uint8Array(Math.max(PIECE, length));
      this.#used = 0;
    }
    const start = this.#used;
    this.#piece.set(message, start);
    this.#used += length;
    return start;
  }
}

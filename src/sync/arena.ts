/**
 * Bytes that are made room for at once. What is kept of a piece keeps all of it, so it is small.
 */
const PIECE = 16 * 1024;

/** Pieces that nobody needs and that wait to be filled again: 4 MB of them. */
const SPARE = 256;

/** Some memory in which messages lie, of one transaction or of several. */
export class Piece {
  readonly bytes: Uint8Array;
  /** Transactions that have something in it and are kept. */
  users = 0;
  /** How often it was given up: what was read from it before is not in it any more. */
  emptied = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
  }
}

/** What one transaction has in an arena. */
export class Hold {
  readonly #arena: Arena;
  readonly #pieces: Piece[] = [];
  #last: Piece | undefined;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** Copies a message, which is kept until this is released; see {@linkcode Arena.copy}. */
  copy(message: Uint8Array): number {
    const start = this.#arena.copy(message);
    const { piece } = this.#arena;
    if (piece !== this.#last) {
      this.#last = piece;
      this.#pieces.push(piece);
      piece.users++;
    }
    return start;
  }

  /** Gives everything back: the rows of the transaction cannot be read any more. */
  release(): void {
    this.#last = undefined;
    for (const piece of this.#pieces.splice(0)) {
      if (--piece.users === 0) this.#arena.reuse(piece);
    }
  }
}

/**
 * Keeps copies of messages, many in one piece of memory: an array of its own for each would cost
 * more than the rest of reading it. Pieces that are given back are filled again: they live just so
 * long that a garbage collector takes a while to notice that they do not.
 */
export class Arena {
  #piece = new Piece(0);
  #used = 0;
  readonly #spare: Piece[] = [];

  /** Where the last one was put. */
  get piece(): Piece {
    return this.#piece;
  }

  /**
   * Copies a message.
   *
   * @returns Where in the piece it begins.
   */
  copy(message: Uint8Array): number {
    const { length } = message;
    if (this.#used + length > this.#piece.bytes.length) {
      this.#piece = (length <= PIECE ? this.#spare.pop() : undefined) ??
        new Piece(Math.max(PIECE, length));
      this.#used = 0;
    }
    const start = this.#used;
    this.#piece.bytes.set(message, start);
    this.#used += length;
    return start;
  }

  /** Takes back a piece that no transaction needs. */
  reuse(piece: Piece): void {
    piece.emptied++;
    if (piece === this.#piece) this.#used = 0;
    else if (piece.bytes.length === PIECE && this.#spare.length < SPARE) this.#spare.push(piece);
  }
}

import type { Piece } from "./arena.ts";
import { type Field, UNCHANGED } from "./relation.ts";

/** Turns a part of some bytes, UTF-8, into text. */
export type ReadText = (bytes: Uint8Array, start: number, end: number) => string;

const TEXT = 0x74; // t
const NULL = 0x6e; // n

/** Texts of this length and less are put together by hand, if they are plain ASCII. */
const SHORT = 12;

/** Reads a part of a message as text. */
export function textOf(
  bytes: Uint8Array,
  start: number,
  end: number,
  readText: ReadText,
): string {
  if (end - start > SHORT) return readText(bytes, start, end);
  let text = "";
  for (let at = start; at < end; at++) {
    const code = bytes[at]!;
    if (code > 127) return readText(bytes, start, end);
    text += String.fromCharCode(code);
  }
  return text;
}

/**
 * A row as the log has it: bytes, of which no more is made a text than somebody looks at. Most rows are
 * watched by nobody, and of them it is the key alone.
 */
export class TupleBytes {
  readonly length: number;
  /** It has a field that the log does not repeat. */
  readonly unchanged: boolean;
  readonly #readText: ReadText;
  #bytes: Uint8Array;
  #start: number;
  #piece: Piece | undefined;
  #emptied = 0;

  /**
   * @param bytes Where it is; its form is right.
   * @param start Where its first field begins.
   * @param length How many fields it has.
   */
  constructor(
    bytes: Uint8Array,
    start: number,
    length: number,
    unchanged: boolean,
    readText: ReadText,
  ) {
    [this.length, this.unchanged] = [length, unchanged];
    this.#readText = readText;
    this.#bytes = bytes;
    this.#start = start;
  }

  /** What it lies in; `undefined` if it has not moved. */
  get piece(): Piece | undefined {
    return this.#piece;
  }

  /** Where its first field begins. */
  get start(): number {
    return this.#start;
  }

  /** Makes one that lies elsewhere, and is read in the same way. */
  another(piece: Piece, start: number, length: number, unchanged: boolean): TupleBytes {
    const other = new TupleBytes(piece.bytes, start, length, unchanged, this.#readText);
    other.move(piece, 0);
    return other;
  }

  /** Tells it that its bytes are elsewhere now: so much further back, in this piece. */
  move(piece: Piece, by: number): void {
    this.#piece = piece;
    this.#emptied = piece.emptied;
    this.#bytes = piece.bytes;
    this.#start += by;
  }

  /**
   * Reads one field, `undefined` if there is none.
   *
   * @throws {RangeError} If its transaction was let go of.
   */
  at(index: number): Field | undefined {
    this.#check();
    if (index < 0 || index >= this.length) return undefined;
    let at = this.#start;
    for (let i = 0; i < index; i++) {
      at += this.#bytes[at] === TEXT ? 5 + lengthAt(this.#bytes, at + 1) : 1;
    }
    return this.#field(at);
  }

  /**
   * Reads all of them.
   *
   * @throws {RangeError} If its transaction was let go of.
   */
  fields(): Field[] {
    this.#check();
    const fields: Field[] = [];
    let at = this.#start;
    for (let i = 0; i < this.length; i++) {
      fields.push(this.#field(at));
      at += this.#bytes[at] === TEXT ? 5 + lengthAt(this.#bytes, at + 1) : 1;
    }
    return fields;
  }

  /** Where it was there may be another row by now. */
  #check(): void {
    const piece = this.#piece;
    if (piece === undefined || piece.emptied === this.#emptied) return;
    throw new RangeError("Cannot read a row of the log: its transaction was let go of");
  }

  #field(at: number): Field {
    const kind = this.#bytes[at];
    if (kind !== TEXT) return kind === NULL ? null : UNCHANGED;
    const start = at + 5;
    const end = start + lengthAt(this.#bytes, at + 1);
    return textOf(this.#bytes, start, end, this.#readText);
  }
}

/** The fields of a row in the order of the columns, read or not. */
export type Tuple = readonly Field[] | TupleBytes;

function lengthAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}

/** Reads all fields of a row. */
export function fieldsOf(tuple: Tuple): readonly Field[] {
  return tuple instanceof TupleBytes ? tuple.fields() : tuple;
}

/** Tells whether a row has a field that the log does not repeat. */
export function hasUnchanged(tuple: Tuple): boolean {
  return tuple instanceof TupleBytes ? tuple.unchanged : tuple.includes(UNCHANGED);
}

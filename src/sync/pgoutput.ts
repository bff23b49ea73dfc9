import { POSTGRES_EPOCH_MS } from "./frames.ts";
import type { Column, Relation } from "./relation.ts";
import { type ReadText, textOf, TupleBytes } from "./tuple.ts";

/** A message of the `pgoutput` plugin, protocol version 1. */
export type Message =
  | { readonly kind: "begin"; readonly finalLsn: bigint; readonly xid: number }
  | {
    readonly kind: "commit";
    readonly commitLsn: bigint;
    readonly endLsn: bigint;
    /** By the server's clock, in ms since the Unix epoch. */
    readonly committedAt: number;
  }
  | { readonly kind: "relation"; readonly relation: Relation }
  | { readonly kind: "insert"; readonly relation: number; readonly after: TupleBytes }
  | {
    readonly kind: "update";
    readonly relation: number;
    /** The old row, or of it the identity; only if the identity changed or is the whole row. */
    readonly before: TupleBytes | undefined;
    readonly after: TupleBytes;
  }
  | { readonly kind: "delete"; readonly relation: number; readonly before: TupleBytes }
  | { readonly kind: "truncate"; readonly relations: readonly number[] }
  /** Says nothing about rows: origins, types, messages. */
  | { readonly kind: "other" };

const decoder = new TextDecoder();
const webText: ReadText = (bytes, start, end) => decoder.decode(bytes.subarray(start, end));

/**
 * Reads messages of `pgoutput`, from bytes to values. Knows nothing of what came before. The rows of a
 * message lie in its bytes: their form is checked, and no text is made of them.
 *
 * Source: PostgreSQL documentation, "Logical Replication Message Formats".
 */
export class Pgoutput {
  readonly #readText: ReadText;
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;

  /** @param readText The fastest way a runtime has to read UTF-8. */
  constructor(readText: ReadText = webText) {
    this.#readText = readText;
  }

  /**
   * Reads one message.
   *
   * @param bytes Where it is.
   * @param start Where it begins there; it goes to the end.
   * @returns The message.
   * @throws {RangeError} If it ends early, goes on after its end, or is of no known kind.
   */
  read(bytes: Uint8Array, start = 0): Message {
    this.#bytes = bytes;
    this.#at = start;
    const message = this.#message(this.#byte());
    if (this.#at !== bytes.length) throw malformed("it does not end where it should");
    return message;
  }

  #message(mark: number): Message {
    switch (mark) {
      case 0x49: // I
        return { kind: "insert", relation: this.#uint32(), after: this.#tuple(this.#byte()) };
      case 0x55: // U
        return this.#update();
      case 0x44: // D
        return { kind: "delete", relation: this.#uint32(), before: this.#tuple(this.#byte()) };
      case 0x42: // B
        return this.#begin();
      case 0x43: // C
        return this.#commit();
      case 0x52: // R
        return this.#relation();
      case 0x54: // T
        return this.#truncate();
      case 0x4f: // O
      case 0x59: // Y
      case 0x4d: // M
        this.#at = this.#bytes.length;
        return { kind: "other" };
    }
    throw malformed(`it is of kind ${mark}`);
  }

  #begin(): Message {
    const finalLsn = this.#uint64();
    this.#skip(8);
    return { kind: "begin", finalLsn, xid: this.#uint32() };
  }

  #commit(): Message {
    this.#skip(1);
    return {
      kind: "commit",
      commitLsn: this.#uint64(),
      endLsn: this.#uint64(),
      committedAt: POSTGRES_EPOCH_MS + this.#millis(),
    };
  }

  #update(): Message {
    const relation = this.#uint32();
    const mark = this.#byte();
    // K: the identity, O: the whole old row, N: there is no old one.
    if (mark === 0x4e) {
      return { kind: "update", relation, before: undefined, after: this.#tuple(mark) };
    }
    const before = this.#tuple(mark);
    return { kind: "update", relation, before, after: this.#tuple(this.#byte()) };
  }

  #truncate(): Message {
    const count = this.#uint32();
    this.#skip(1);
    if (count > this.#bytes.length / 4) throw malformed("it ends early");
    return { kind: "truncate", relations: Array.from({ length: count }, () => this.#uint32()) };
  }

  #relation(): Message {
    const id = this.#uint32();
    // An empty name stands for the schema of the system's own tables.
    const schema = this.#name() || "pg_catalog";
    const table = this.#name();
    this.#skip(1);
    const columns = Array.from({ length: this.#uint16() }, (): Column => {
      const identity = (this.#byte() & 1) === 1;
      const column = { name: this.#name(), type: this.#uint32(), identity };
      this.#skip(4);
      return column;
    });
    return { kind: "relation", relation: { id, schema, table, columns } };
  }

  #tuple(mark: number): TupleBytes {
    if (mark !== 0x4e && mark !== 0x4b && mark !== 0x4f) throw malformed(`it has a tuple ${mark}`);
    const count = this.#uint16();
    const start = this.#at;
    let unchanged = false;
    for (let i = 0; i < count; i++) {
      const kind = this.#byte();
      if (kind === 0x74) this.#skip(this.#uint32());
      else if (kind === 0x75) unchanged = true;
      else if (kind !== 0x6e) throw malformed(`it has a field of kind ${kind}`);
    }
    return new TupleBytes(this.#bytes, start, count, unchanged, this.#readText);
  }

  /** Text that a zero ends. */
  #name(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) throw malformed("it ends early");
    const text = textOf(this.#bytes, this.#at, end, this.#readText);
    this.#at = end + 1;
    return text;
  }

  #skip(length: number): void {
    this.#at += length;
    if (this.#at > this.#bytes.length) throw malformed("it ends early");
  }

  #byte(): number {
    this.#skip(1);
    return this.#bytes[this.#at - 1]!;
  }

  #uint16(): number {
    return this.#byte() << 8 | this.#byte();
  }

  #uint32(): number {
    this.#skip(4);
    const [bytes, at] = [this.#bytes, this.#at - 4];
    return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
  }

  #uint64(): bigint {
    const [high, low] = [this.#uint32(), this.#uint32()];
    // What fits into a number takes one bigint instead of four.
    if (high < 2 ** 21) return BigInt(high * 2 ** 32 + low);
    return BigInt(high) << 32n | BigInt(low);
  }

  /** Signed microseconds, as milliseconds. */
  #millis(): number {
    const [high, low] = [this.#uint32() | 0, this.#uint32()];
    return Math.trunc((high * 2 ** 32 + low) / 1000);
  }
}

function malformed(why: string): RangeError {
  return new RangeError(`Cannot read a message of the log: ${why}`);
}

import { Buffer } from "node:buffer";

/** Characters of the longest text whose frame is kept. */
const maxShared = 65_536;

/**
 * The frames of texts. What goes to many sockets, such as a change of a document, has one for all of them, and each
 * is written at one go, where `ws` makes one for each and writes its head and its text apart.
 */
export class SharedFrame {
  #text = "";
  #frame: Uint8Array | undefined;

  /** The frame of a text; that of the last one is kept. */
  of(text: string): Uint8Array {
    if (this.#frame !== undefined && text === this.#text) return this.#frame;
    const frame = frameOf(text);
    const isKept = text.length <= maxShared;
    this.#text = isKept ? text : "";
    this.#frame = isKept ? frame : undefined;
    return frame;
  }
}

/** A whole message of text as a server sends it, without a mask (RFC 6455, section 5.2). */
export function frameOf(text: string): Uint8Array {
  const bytes = Buffer.byteLength(text);
  const head = bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + bytes);
  frame[0] = 0x81;
  if (head === 2) frame[1] = bytes;
  else if (head === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(bytes, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(bytes), 2);
  }
  frame.write(text, head);
  return frame;
}

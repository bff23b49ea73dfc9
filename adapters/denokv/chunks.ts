import { TooLargeError } from "../../src/core/errors.ts";

/** Text up to this many characters is one value: at two bytes each it stays below 64 KiB. */
const MAX_INLINE_CHARS = 30_000;

/** Bytes per chunk; a value of Deno KV has at most 64 KiB with what is around it. */
const CHUNK_BYTES = 60 * 1024;

/** Bytes of UTF-8 at most: each chunk is checked in the final commit, which takes so many checks. */
const MAX_BYTES = 2 * 2 ** 20;

/** Chunks of this many bytes together may be set in one commit. */
export const CHUNKS_PER_COMMIT = 8;

/** What a head refers to. */
export interface Blob {
  readonly blob: string;
  readonly chunks: number;
}

const encoder = new TextEncoder();
const decoder: TextDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Cuts a text that does not fit into one value.
 *
 * @param text Any well-formed text.
 * @returns Its chunks; `undefined` if it fits as it is.
 * @throws {TooLargeError} If it is longer than 2 MiB of UTF-8.
 */
export function cut(text: string): readonly Uint8Array[] | undefined {
  if (text.length <= MAX_INLINE_CHARS) return undefined;
  const bytes = encoder.encode(text);
  if (bytes.length > MAX_BYTES) {
    throw new TooLargeError(`Cannot put: the value is longer than ${MAX_BYTES} bytes of UTF-8`);
  }
  const count = Math.ceil(bytes.length / CHUNK_BYTES);
  return Array.from(
    { length: count },
    (_, i) => bytes.slice(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES),
  );
}

/** Puts a text together again. */
export function join(chunks: readonly Uint8Array[]): string {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return decoder.decode(bytes);
}

/** Tells whether a head refers to chunks. */
export function isBlob(head: unknown): head is Blob {
  return typeof head === "object" && head !== null && "blob" in head && "chunks" in head;
}

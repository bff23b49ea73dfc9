import { HoldfastError, StorageUnavailableError } from "../../src/core/errors.ts";

/** What an object holds. */
export interface S3Body {
  /** Drawn for one write: tells it from every other one. */
  readonly nonce: string;
  /** The text that was put. */
  readonly value: string;
}

const FORMAT = 1;

const decoder: TextDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Puts a line of JSON before the value. An etag is often the hash of the content: without the nonce
 * two versions with the same text would have the same etag, and two writers of it would both win.
 */
export function encodeBody({ nonce, value }: S3Body): string {
  return `${JSON.stringify({ holdfast: FORMAT, nonce })}\n${value}`;
}

/**
 * Reads an object back.
 *
 * @throws {HoldfastError} `ERR_CORRUPT_RECORD` if nobody like us wrote it.
 * @throws {StorageUnavailableError} If a later version of the library wrote it.
 */
export function decodeBody(bytes: Uint8Array): S3Body {
  const text = decode(bytes);
  const end = text.indexOf("\n");
  const head = parseHead(text.slice(0, Math.max(0, end)));
  if (typeof head?.holdfast !== "number" || typeof head.nonce !== "string") throw damaged();
  if (head.holdfast > FORMAT) {
    const message = `Cannot read an object: its format is ${head.holdfast}, ` +
      `and this version knows formats up to ${FORMAT}`;
    throw new StorageUnavailableError(message, "none");
  }
  return { nonce: head.nonce, value: text.slice(end + 1) };
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw damaged(cause);
  }
}

function parseHead(line: string): { holdfast?: unknown; nonce?: unknown } | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function damaged(cause?: unknown): HoldfastError {
  const options = cause === undefined ? {} : { cause };
  const message = "Cannot read an object: it is damaged, or was not written by this library";
  return new HoldfastError("ERR_CORRUPT_RECORD", message, options);
}

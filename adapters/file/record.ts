import { HoldfastError, StorageUnavailableError } from "../../src/core/errors.ts";

/** What a file holds. */
export interface FileRecord {
  readonly key: string;
  readonly etag: string;
  readonly value: string;
}

const FORMAT = 1;

const encoder = new TextEncoder();
const decoder: TextDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Writes a record as one line of JSON, which says what it is, and the value. */
export function formatRecord({ key, etag, value }: FileRecord): Uint8Array {
  const body = encoder.encode(value);
  const head = encoder.encode(
    `${JSON.stringify({ holdfast: FORMAT, key, etag, bytes: body.length })}\n`,
  );
  const file = new Uint8Array(head.length + body.length);
  file.set(head);
  file.set(body, head.length);
  return file;
}

/**
 * Reads a record back.
 *
 * @param file The bytes of its file.
 * @returns The record.
 * @throws {HoldfastError} `ERR_CORRUPT_RECORD` if the file is damaged.
 * @throws {StorageUnavailableError} If a later version of the library wrote it.
 */
export function parseRecord(file: Uint8Array): FileRecord {
  const end = file.indexOf(10);
  const head = parseHead(file.subarray(0, end));
  if (end < 0 || head === undefined) throw damaged();
  if (head.holdfast > FORMAT) {
    const message = `Cannot read a record: its format is ${head.holdfast}, ` +
      `and this version knows formats up to ${FORMAT}`;
    throw new StorageUnavailableError(message, "none");
  }
  const body = file.subarray(end + 1);
  if (body.length !== head.bytes) throw damaged();
  try {
    return { key: head.key, etag: head.etag, value: decoder.decode(body) };
  } catch (cause) {
    throw damaged(cause);
  }
}

interface Head {
  readonly holdfast: number;
  readonly key: string;
  readonly etag: string;
  readonly bytes: number;
}

function parseHead(line: Uint8Array): Head | undefined {
  try {
    const head = JSON.parse(decoder.decode(line)) as Partial<Head> | null;
    const complete = typeof head?.holdfast === "number" && typeof head.key === "string" &&
      typeof head.etag === "string" && typeof head.bytes === "number";
    return complete ? head as Head : undefined;
  } catch {
    return undefined;
  }
}

/** Says that a file is not what was written into it. */
export function damaged(cause?: unknown): HoldfastError {
  const options = cause === undefined ? {} : { cause };
  return new HoldfastError(
    "ERR_CORRUPT_RECORD",
    "Cannot read a record: its file is damaged",
    options,
  );
}

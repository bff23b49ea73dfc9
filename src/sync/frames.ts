/** What arrives in a replication stream. */
export type Frame =
  /** A piece of the log: the message of the plugin begins at `start`. */
  | { readonly kind: "data"; readonly start: number }
  /** The server is there, has sent everything up to here, and may want an answer at once. */
  | { readonly kind: "keepalive"; readonly sentLsn: bigint; readonly reply: boolean };

const DATA = 0x77; // w
const KEEPALIVE = 0x6b; // k
const STATUS = 0x72; // r

/** The message of the plugin, after its kind, two positions and a time. */
const DATA_START = 25;

const data: Frame = { kind: "data", start: DATA_START };

/**
 * Reads the envelope of one message of a replication stream.
 *
 * Source: PostgreSQL documentation, "Streaming Replication Protocol".
 *
 * @throws {RangeError} If it is no such message.
 */
export function readFrame(bytes: Uint8Array): Frame {
  if (bytes[0] === DATA && bytes.length > DATA_START) return data;
  if (bytes[0] === KEEPALIVE && bytes.length === 18) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { kind: "keepalive", sentLsn: view.getBigUint64(1), reply: bytes[17] === 1 };
  }
  throw new RangeError("Cannot read a message of the stream: its envelope is malformed");
}

/**
 * Writes the message that tells the server how far the log has been received and dealt with.
 *
 * @param lsn Up to where; the server may forget what is before.
 * @param nowMs Milliseconds since the Unix epoch.
 * @param reply Ask for an answer, to see whether the server is there.
 */
export function writeStatus(lsn: bigint, nowMs: number, reply = false): Uint8Array {
  const bytes = new Uint8Array(34);
  const view = new DataView(bytes.buffer);
  bytes[0] = STATUS;
  for (const at of [1, 9, 17]) view.setBigUint64(at, lsn);
  view.setBigInt64(25, BigInt(Math.trunc(nowMs) - POSTGRES_EPOCH_MS) * 1000n);
  bytes[33] = reply ? 1 : 0;
  return bytes;
}

/** Postgres counts its microseconds from the year 2000. */
export const POSTGRES_EPOCH_MS: number = 946_684_800_000;

/**
 * Reads a position in the log as Postgres writes it.
 *
 * @param text `"16/B374D848"`: two hexadecimal halves of 32 bits.
 * @returns The position, in bytes from the beginning.
 * @throws {TypeError} If it is written otherwise.
 */
export function parseLsn(text: string): bigint {
  const halves = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (halves === null) throw new TypeError("Cannot read a position in the log: it is malformed");
  return BigInt(`0x${halves[1]}`) << 32n | BigInt(`0x${halves[2]}`);
}

/** Writes a position in the log as Postgres does. */
export function formatLsn(lsn: bigint): string {
  const half = (part: bigint): string => part.toString(16).toUpperCase();
  return `${half(lsn >> 32n)}/${half(lsn & 0xffffffffn)}`;
}

/** Chance as a port. */
export interface Random {
  /** Returns `length` unpredictable bytes from a cryptographically secure source. */
  bytes(length: number): Uint8Array;
  /** Returns a number in [0, 1) for jitter; not for anything that must be unpredictable. */
  number(): number;
}

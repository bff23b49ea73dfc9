/**
 * What a query of Postgres sees: every transaction below `xmax` that is not under way. Ids are the
 * 64 bit ones of `pg_current_snapshot()`, kept as numbers: 2^53 of them will do.
 */
export interface Snapshot {
  /** Everything below has ended. */
  readonly xmin: number;
  /** Nothing from here on is seen. */
  readonly xmax: number;
  /** What is under way between the two. */
  readonly underway: ReadonlySet<number>;
}

/**
 * Reads a snapshot as `pg_current_snapshot()` writes it.
 *
 * @param text `"xmin:xmax:xid,xid"`.
 * @returns The snapshot.
 * @throws {TypeError} If it is written otherwise.
 */
export function parseSnapshot(text: string): Snapshot {
  const parts = /^(\d+):(\d+):((?:\d+,)*\d+)?$/.exec(text);
  if (parts === null) throw new TypeError("Cannot read a snapshot: it is malformed");
  const underway = parts[3] === undefined ? [] : parts[3].split(",").map(Number);
  return { xmin: Number(parts[1]), xmax: Number(parts[2]), underway: new Set(underway) };
}

/**
 * Tells whether a snapshot sees what a transaction did.
 *
 * @param snapshot The snapshot.
 * @param xid The 32 bits of the transaction's id that the log carries. They are taken to be less
 * than 2^31 away from the snapshot, as all ids in use are.
 * @returns `true` if a query with this snapshot sees it, given that it has committed.
 */
export function sees(snapshot: Snapshot, xid: number): boolean {
  const full = widen(xid, snapshot.xmax);
  return full < snapshot.xmax && !snapshot.underway.has(full);
}

/** The whole id of which these are the low 32 bits, the one nearest to another. */
export function widen(xid: number, near: number): number {
  // The difference as a signed number of 32 bits.
  return near + ((xid - near % 2 ** 32) | 0);
}

/** Tells whether a query has seen a transaction: what was committed after its snapshot was taken is not in it. */
export function hasSeen(
  { snapshot, lsn }: { readonly snapshot: Snapshot; readonly lsn: bigint },
  { xid, commitLsn }: { readonly xid: number; readonly commitLsn: bigint },
): boolean {
  return commitLsn < lsn && sees(snapshot, xid);
}

import type { DocumentSpec } from "./model.ts";
import type { Snapshot } from "./stored.ts";

/** What to do about the log when a snapshot is replaced by a later one. */
export type Retention =
  /** Nothing. */
  | "keep"
  /** Put the snapshot that is replaced aside: the log can be cut there one day. */
  | "mark"
  /** Cut the log at the snapshot that was put aside. */
  | "cut";

/**
 * Decides what becomes of the log, so that it keeps at least as many operations, for at least as
 * long, as the definition says, and not many more than twice that.
 *
 * @param last The snapshot about to be replaced.
 * @param seq The number of the snapshot that replaces it.
 * @param now In ms since the epoch.
 */
export function retention(
  { historyOps, historyMs }: Pick<DocumentSpec, "historyOps" | "historyMs">,
  last: Pick<Snapshot, "seq" | "trimmed" | "aside">,
  seq: number,
  now: number,
): Retention {
  const { aside, trimmed } = last;
  if (aside === undefined) {
    return last.seq > trimmed && last.seq - trimmed >= historyOps ? "mark" : "keep";
  }
  return seq - aside.seq >= historyOps && now - aside.at >= historyMs ? "cut" : "keep";
}

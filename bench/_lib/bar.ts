import { figure } from "./stats.ts";

/** Something that was promised. */
export interface Bar {
  readonly what: string;
  readonly found: number;
  readonly most?: number | undefined;
  readonly least?: number | undefined;
  /** What the least that could be done comes to, where it can be compared. */
  readonly floor?: number | undefined;
}

/** A line of a page: what was promised, and whether it is kept; never a reason to fail. */
export function barLine(who: string, { what, found, most, least, floor }: Bar): string {
  const kept = found <= (most ?? Infinity) && found >= (least ?? 0);
  const limit = most === undefined ? `at least ${figure(least ?? 0)}` : `at most ${figure(most)}`;
  const beside = floor === undefined ? "" : ` (floor ${figure(floor)})`;
  return `- ${who}: ${what}, ${limit}: ${figure(found)}, ${kept ? "kept" : `missed${beside}`}`;
}

/**
 * What the user did in a control, and how much of it the server has answered. A control that is
 * dirty is the user's: no patch writes to it.
 */
export interface Edits {
  /** How often it was edited. */
  readonly made: number;
  /** How many of these an answered event has carried. */
  readonly covered: number;
  /** The user has been in it. */
  readonly touched: boolean;
  /** Edited since its form was last submitted, or the page loaded. */
  readonly mine: boolean;
}

/** A control nobody has been in. */
export const untouched: Edits = { made: 0, covered: 0, touched: false, mine: false };

/** The user changed it. */
export function edited({ made, covered }: Edits): Edits {
  return { made: made + 1, covered, touched: true, mine: true };
}

/** What it holds is the user's, whatever has been answered: as if it had just been edited. */
export function claimed(edits: Edits): Edits {
  return { ...edits, made: edits.made + 1, mine: true };
}

/** The user left it. */
export function visited(edits: Edits): Edits {
  return { ...edits, touched: true };
}

/** An event that was sent when `made` edits had been made has been answered. */
export function answered(edits: Edits, made: number): Edits {
  return { ...edits, covered: Math.max(edits.covered, made) };
}

/** A submit has been answered: what it carried is no longer being typed. */
export function submitted(edits: Edits, made: number): Edits {
  const after = answered(edits, made);
  return { ...after, mine: after.made > made };
}

/** Tells whether there are edits that no answered event has carried. */
export function isDirty({ made, covered }: Edits): boolean {
  return made > covered;
}

/** How long the mark of an ended session stays, so that no late write can bring it back. */
export const endedMs: number = 60 * 60_000;

/**
 * How long a session may begin under an id that a page was given. Shorter than the mark of an ended
 * session stays, with room for clocks that differ: so a record that is absent within that time has
 * never been (SPEC SE24).
 */
export const reservedMs: number = endedMs - 10 * 60_000;

/**
 * How long after its end a session's cookie may still be on its way to being another one: until then
 * a page it is shown for gets no new id, which would be set over the one that a login has just set.
 */
export const handoverMs: number = 10_000;

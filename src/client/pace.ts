/** How an element wants its events sent. */
export interface Pace {
  /** Milliseconds of rest before sending, or until the control is left. */
  readonly debounce?: number | "blur";
  /** At most once in so many milliseconds. */
  readonly throttle?: number;
}

const unlessSaid = 300;

function milliseconds(text: string): number {
  const ms = Number(text);
  return text !== "" && ms >= 0 ? ms : unlessSaid;
}

/** Reads `data-live-debounce` and `data-live-throttle`; `null` if absent. */
export function paceOf(debounce: string | null, throttle: string | null): Pace {
  if (debounce === "blur") return { debounce };
  if (debounce !== null) return { debounce: milliseconds(debounce) };
  return throttle === null ? {} : { throttle: milliseconds(throttle) };
}

/**
 * How long an event waits.
 *
 * @param lastSent When the last of its kind was sent, if ever.
 * @returns Milliseconds, 0 for at once, `Infinity` for until the control is left.
 */
export function waitFor(pace: Pace, now: number, lastSent: number | undefined): number {
  if (pace.debounce === "blur") return Infinity;
  if (pace.debounce !== undefined) return pace.debounce;
  if (pace.throttle === undefined || lastSent === undefined) return 0;
  return Math.max(0, lastSent + pace.throttle - now);
}

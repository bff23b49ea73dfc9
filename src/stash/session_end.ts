import type { Clock } from "../ports/clock.ts";
import type { LiveSession } from "./live_session.ts";

/** How long the end of a session may go unnoticed where it cannot be heard of. */
const lookEveryMs = 5 * 60_000;

/**
 * Watches for the end of a session: hears of it in this process and from nodes of its cluster, and
 * looks whether it has expired, or was ended where nobody tells.
 *
 * @param ended Called once, at once, or later if storage does not answer.
 * @returns Ends the watch.
 */
export function watchForEnd(session: LiveSession, clock: Clock, ended: () => void): () => void {
  let isOver = false;
  let cancel = (): void => {};
  const unwatch = session.watch({ ended: () => end(), changed: () => {} });
  const stop = (): void => {
    isOver = true;
    cancel();
    unwatch();
  };
  const end = (): void => {
    if (isOver) return;
    stop();
    ended();
  };
  const lookLater = (): void => {
    if (isOver) return;
    // Not at once where its time is up in a moment, and not in a loop while storage does not answer.
    const delayMs = Math.min(Math.max(session.lookAt - clock.now(), 1000), lookEveryMs);
    cancel = clock.timer(delayMs, look, { background: true });
  };
  const look = (): void => {
    session.look().then((standing) => standing === "over" ? end() : lookLater(), lookLater);
  };
  look();
  return stop;
}

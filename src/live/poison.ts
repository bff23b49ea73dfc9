import type { Clock } from "../ports/clock.ts";

/** What of a stored slice a mount leaves out. */
export type Skip = "nothing" | "drafts" | "all";

/** Most views remembered; beyond it the oldest are forgotten. */
const maxKnown = 10_000;

/** How long a crash counts. */
const rememberMs = 10 * 60_000;

/**
 * Counts the crashes that follow a recovery at once: state that makes a view crash would otherwise be
 * recovered for ever. The third mount leaves out the drafts, the fourth all of the slice.
 */
export class PoisonGuard {
  readonly #clock: Clock;
  readonly #poisonMs: number;
  readonly #crashes: Map<string, { count: number; at: number }> = new Map();

  /** @param poisonMs A crash so soon after a recovery counts. */
  constructor(clock: Clock, poisonMs: number) {
    this.#clock = clock;
    this.#poisonMs = poisonMs;
  }

  /** What the next mount leaves out. */
  skip(key: string): Skip {
    const known = this.#crashes.get(key);
    if (known === undefined || this.#clock.monotonic() - known.at > rememberMs) return "nothing";
    return known.count < 2 ? "nothing" : known.count === 2 ? "drafts" : "all";
  }

  /**
   * Notes a crash.
   *
   * @param recoveredAt When the view was recovered, on the monotonic clock; `undefined` if it was not.
   */
  crashed(key: string, recoveredAt: number | undefined): void {
    const now = this.#clock.monotonic();
    if (recoveredAt === undefined || now - recoveredAt >= this.#poisonMs) return;
    const count = (this.#crashes.get(key)?.count ?? 0) + 1;
    this.#crashes.delete(key);
    this.#crashes.set(key, { count, at: now });
    const [oldest] = this.#crashes.keys();
    if (this.#crashes.size > maxKnown && oldest !== undefined) this.#crashes.delete(oldest);
  }

  /** Notes that a view has outlived its recovery. */
  survived(key: string): void {
    this.#crashes.delete(key);
  }
}

import { outOfRange } from "../../src/core/options.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Sessions } from "../../src/stash/sessions.ts";

/** Longest delay that timers of all runtimes take; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** Sweeps now and then, one bounded part at a time, never two at once. */
export class Sweeper {
  readonly #sessions: Sessions;
  readonly #clock: Clock;
  readonly #everyMs: number;
  #after: string | undefined;
  #cancel: () => void = () => {};
  #stopped = false;

  /** @param everyMs Milliseconds between sweeps, 1,000 or more; `Infinity` for never. */
  constructor(sessions: Sessions, clock: Clock, everyMs: number = 5 * 60_000) {
    if (!(everyMs >= 1000)) {
      throw outOfRange(`Cannot sweep every ${everyMs} ms: the least is 1000`);
    }
    this.#sessions = sessions;
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#schedule();
  }

  /** Stops; a sweep under way ends by itself. */
  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #schedule(): void {
    if (this.#stopped || this.#everyMs > longestTimerMs) return;
    this.#cancel = this.#clock.timer(this.#everyMs, () => void this.#sweep(), { background: true });
  }

  async #sweep(): Promise<void> {
    try {
      const { next } = await this.#sessions.sweep(
        this.#after === undefined ? {} : { after: this.#after },
      );
      this.#after = next;
    } catch {
      // Storage told telemetry; the next sweep tries again from the same place.
    }
    this.#schedule();
  }
}

import type { Clock } from "../ports/clock.ts";

/** What a {@linkcode SetupCheck} stands on. */
export interface SetupCheckOptions {
  readonly clock: Clock;
  readonly everyMs: number;
  /** Names how the database is set up: another text when it has changed. */
  readonly setup: () => Promise<string>;
  /** Deals with a change; called again as long as it rejects. */
  readonly changed: () => Promise<void>;
}

/**
 * Looks now and then whether the database is set up as it was: a table that has left the publication, or
 * a replica identity that is another, makes the log incomplete, and the log does not say so.
 */
export class SetupCheck {
  readonly #options: SetupCheckOptions;
  /** As it was when it was last dealt with; `undefined` if that has failed. */
  #known: string | undefined;
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(options: SetupCheckOptions) {
    this.#options = options;
  }

  /** Begins, with what the tables were looked up under. */
  start(known: string): void {
    this.#known = known;
    this.#later();
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  #later(): void {
    if (this.#closed) return;
    const { clock, everyMs } = this.#options;
    this.#cancel = clock.timer(everyMs, () => void this.#look(), { background: true });
  }

  async #look(): Promise<void> {
    try {
      const now = await this.#options.setup();
      if (now !== this.#known && !this.#closed) {
        this.#known = undefined;
        await this.#options.changed();
        this.#known = now;
      }
    } catch {
      // The database is away, or not set up any more: whoever deals with it has told.
    }
    this.#later();
  }
}

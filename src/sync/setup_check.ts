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

/** So soon it looks when there is a reason to, and so often at most. */
const HURRY_MS = 500;

/**
 * Looks now and then whether the database is set up as it was: a table that has left the publication, or
 * a replica identity that is another, makes the log incomplete, and the log does not say so.
 */
export class SetupCheck {
  readonly #options: SetupCheckOptions;
  /** As it was when it was last dealt with; `undefined` if that has failed. */
  #known: string | undefined;
  #cancel: (() => void) | undefined;
  #hurried = false;
  /** It has hurried for nothing: whatever the reason is, it is no news. */
  #futile = false;
  #looking = false;
  #closed = false;

  constructor(options: SetupCheckOptions) {
    this.#options = options;
  }

  /** Begins, with what the tables were looked up under. */
  start(known: string): void {
    this.#known = known;
    this.#later();
  }

  /** Something says that it has changed: looks soon. */
  hurry(): void {
    if (this.#hurried || this.#futile || this.#known === undefined) return;
    this.#hurried = true;
    // One that is under way may have seen what was before.
    if (!this.#looking && this.#cancel !== undefined) this.#later();
  }

  /** Looks at once: somebody may just have put it right. */
  async now(): Promise<void> {
    this.#cancel?.();
    if (this.#looking) this.#hurried = true;
    else await this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  #later(): void {
    if (this.#closed) return;
    const { clock, everyMs } = this.#options;
    this.#cancel?.();
    const delayMs = this.#hurried ? Math.min(HURRY_MS, everyMs) : everyMs;
    this.#cancel = clock.timer(delayMs, () => void this.#look(), { background: true });
  }

  async #look(): Promise<void> {
    if (this.#closed) return;
    const hurried = this.#hurried;
    this.#looking = true;
    this.#hurried = false;
    try {
      const now = await this.#options.setup();
      this.#futile = hurried && now === this.#known;
      if (now !== this.#known && !this.#closed) {
        this.#known = undefined;
        await this.#options.changed();
        this.#known = now;
      }
    } catch {
      // The database is away, or not set up any more: whoever deals with it has told.
    }
    this.#looking = false;
    this.#later();
  }
}

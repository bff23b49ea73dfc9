import type { Clock } from "../ports/clock.ts";

/** What a {@linkcode SetupCheck} stands on. */
export interface SetupCheckOptions {
  readonly clock: Clock;
  readonly everyMs: number;
  /** Names how each table is set up: another text when that has changed. */
  readonly setup: () => Promise<ReadonlyMap<string, string>>;
  /**
   * Deals with tables that are set up otherwise than they were; all of them come again if it rejects.
   *
   * @returns Those that are not set up, and come again with every look.
   */
  readonly changed: (tables: ReadonlySet<string>) => Promise<ReadonlySet<string>>;
}

/** So soon it looks when there is a reason to, for queries may see later what the log says. */
const SOON_MS = 50;

/** Between two looks are so many milliseconds at least. */
const APART_MS = 500;

/** What has to be put right is looked for so often: not all that can be wrong is in the texts. */
const WRONG_MS = 3000;

/**
 * Looks now and then whether the database is set up as it was: a table that has left the publication, or
 * a replica identity that is another, makes the log incomplete, and the log does not say so.
 */
export class SetupCheck {
  readonly #options: SetupCheckOptions;
  /** As it was when it was last dealt with. */
  #known: ReadonlyMap<string, string> = new Map();
  /** Tables that are not set up. */
  #unready: ReadonlySet<string> = new Set();
  /** Tables that the log has said something of, for the next look. */
  #suspected = new Set<string>();
  /** Those of them that count as changed, whatever the look says. */
  #certain = new Set<string>();
  /** Those that are being looked for. */
  #looked: ReadonlySet<string> = new Set();
  #waiting: (() => void)[] = [];
  #cancel: (() => void) | undefined;
  /** It has hurried for nothing: whatever the reason is, it is no news. */
  #futile = false;
  #looking: Promise<void> | undefined;
  #lookedAt = -Infinity;
  #started = false;
  #closed = false;

  constructor(options: SetupCheckOptions) {
    this.#options = options;
  }

  /** Begins, with what the tables were looked up under, and those of them that are not set up. */
  start(known: ReadonlyMap<string, string>, unready: ReadonlySet<string>): void {
    [this.#known, this.#unready, this.#started] = [known, unready, true];
    this.#later();
  }

  /** The log says that a table has changed: looks soon, and if it is certain takes it for granted. */
  hurry(table: string, certain = false): void {
    if (!this.#started || this.#unready.has(table) || (this.#futile && !certain)) return;
    if (certain) this.#certain.add(table);
    if (this.#suspected.has(table)) return;
    this.#suspected.add(table);
    // One that is under way may have seen what was before.
    if (this.#looking === undefined) this.#later();
  }

  /** Tells whether the log has said something of some tables that was not looked for yet. */
  due(tables: readonly string[]): boolean {
    if (this.#closed) return false;
    return tables.some((one) => this.#suspected.has(one) || this.#looked.has(one));
  }

  /** Settles when that was looked for: who loads after it need not load again for what is found. */
  async settled(tables: readonly string[]): Promise<void> {
    // The one under way, and the one after it; never more, however often there is a reason.
    for (let looks = 0; looks < 2 && this.due(tables); looks++) {
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
  }

  /** Looks at once: somebody may just have put it right. */
  async now(): Promise<void> {
    await this.#looking;
    this.#cancel?.();
    await this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#release();
  }

  #later(): void {
    if (this.#closed) return;
    const { clock, everyMs } = this.#options;
    this.#cancel?.();
    const apartMs = this.#lookedAt + APART_MS - clock.monotonic();
    const wanted = this.#suspected.size > 0
      ? Math.max(SOON_MS, apartMs)
      : this.#unready.size > 0
      ? WRONG_MS
      : everyMs;
    const delayMs = Math.min(wanted, everyMs);
    this.#cancel = clock.timer(delayMs, () => void this.#look(), { background: true });
  }

  #look(): Promise<void> {
    return this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
      this.#looked = new Set();
      this.#release();
      this.#later();
    });
  }

  async #lookOnce(): Promise<void> {
    if (this.#closed) return;
    const { clock, setup } = this.#options;
    this.#lookedAt = clock.monotonic();
    const [suspected, certain] = [this.#suspected, this.#certain];
    [this.#looked, this.#suspected, this.#certain] = [suspected, new Set(), new Set()];
    try {
      const now = await setup();
      const changed = new Set(
        [...now.keys()].filter((table) =>
          now.get(table) !== this.#known.get(table) || certain.has(table) ||
          this.#unready.has(table)
        ),
      );
      this.#futile = suspected.size > 0 && changed.size === 0;
      if (changed.size === 0 || this.#closed) return;
      this.#known = new Map();
      this.#unready = await this.#options.changed(changed);
      this.#known = now;
    } catch {
      // The database is away, or not set up any more: whoever deals with it has told.
      for (const table of certain) this.#certain.add(table);
    }
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Why a session is over. */
export type SessionEnd = "destroyed" | "rotated" | "expired";

/** Hears what becomes of a session in this process. Must not throw. */
export interface SessionWatcher {
  /** It is over. */
  ended(why: SessionEnd): void;
  /**
   * Something was stored in it.
   *
   * @param stash Name of the stash; `undefined` if another node stored something.
   * @param by Who stored it; `undefined` for a request.
   */
  changed(stash: string | undefined, by: unknown): void;
}

/** What nodes tell each other: where the record of a session was, and why that is over. */
export type SessionNotice = {
  readonly keys: string[];
  readonly why: SessionEnd;
};

/** Who watches which session. What other nodes store is not heard here; that one ends, where they tell. */
export class SessionNotices {
  readonly #watchers: Map<string, Set<SessionWatcher>> = new Map();
  readonly #tell: ((notice: SessionNotice) => void) | undefined;

  /** @param tell Tells other nodes, if there are any. */
  constructor(tell?: (notice: SessionNotice) => void) {
    this.#tell = tell;
  }

  /** Takes in what another node has told. */
  hear({ keys, why }: SessionNotice): void {
    this.#ended(keys, why);
  }

  /** Whether anybody watches anything: most processes serve requests only. */
  get active(): boolean {
    return this.#watchers.size > 0;
  }

  /** Watches the session under a storage key; returns a function that ends it. */
  watch(key: string, watcher: SessionWatcher): () => void {
    const watchers = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, watchers.add(watcher));
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#watchers.get(key) === watchers) this.#watchers.delete(key);
    };
  }

  /** Tells that a session is over, wherever its record was. */
  ended(keys: readonly string[], why: SessionEnd): void {
    this.#tell?.({ keys: [...keys], why });
    this.#ended(keys, why);
  }

  #ended(keys: readonly string[], why: SessionEnd): void {
    if (!this.active) return;
    for (const key of keys) {
      for (const watcher of [...this.#watchers.get(key) ?? []]) watcher.ended(why);
    }
  }

  /** Tells that something was stored. */
  changed(key: string, stash: string | undefined, by: unknown): void {
    if (!this.active) return;
    for (const watcher of [...this.#watchers.get(key) ?? []]) watcher.changed(stash, by);
  }
}

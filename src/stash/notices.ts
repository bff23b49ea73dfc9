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

/** Who watches which session. What happens on other nodes is not heard here (SPEC SE26). */
export class SessionNotices {
  readonly #watchers: Map<string, Set<SessionWatcher>> = new Map();

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

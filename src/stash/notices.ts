import { isJsonObject, type JsonValue } from "../core/json.ts";

/** Why a session is over. */
export type SessionEnd = "destroyed" | "rotated" | "expired";

/** Hears what becomes of a session. Must not throw. */
export interface SessionWatcher {
  /** It is over. */
  ended(why: SessionEnd): void;
  /**
   * Something was stored in it.
   *
   * @param stash Name of the stash; `undefined` if it is only known that another node stored something.
   * @param by Who stored it; `undefined` for a request, and for another node.
   */
  changed(stash: string | undefined, by: unknown): void;
}

/**
 * What nodes tell each other of a session, wherever its record is under the secrets there are: that
 * it is over, or which stash was stored. Neither its id nor its state is in it (SPEC CU15).
 */
export type SessionNotice =
  | { readonly keys: string[]; readonly why: SessionEnd }
  | { readonly keys: string[]; readonly stash: string };

const ends: readonly SessionEnd[] = ["destroyed", "rotated", "expired"];

/** Reads what another node tells; `undefined` if it is none of ours. */
export function readSessionNotice(body: JsonValue): SessionNotice | undefined {
  if (!isJsonObject(body)) return undefined;
  const { keys, why, stash } = body;
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "string")) return undefined;
  const end = ends.find((known) => known === why);
  if (end !== undefined) return { keys, why: end };
  return why === undefined && typeof stash === "string" ? { keys, stash } : undefined;
}

/** Who watches which session. What other nodes store is heard where they tell, which may be lost. */
export class SessionNotices {
  readonly #watchers: Map<string, Set<SessionWatcher>> = new Map();
  readonly #tell: ((notice: SessionNotice) => void) | undefined;

  /** @param tell Tells other nodes, if there are any. */
  constructor(tell?: (notice: SessionNotice) => void) {
    this.#tell = tell;
  }

  /** Takes in what another node has told. */
  hear(notice: SessionNotice): void {
    if ("why" in notice) this.#each(notice.keys, (watcher) => watcher.ended(notice.why));
    else this.#each(notice.keys, (watcher) => watcher.changed(notice.stash, undefined));
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
    this.#each(keys, (watcher) => watcher.ended(why));
  }

  /**
   * Tells that something was stored, once it is durable.
   *
   * @param keys Where its record is, and where nodes of other secrets look for it.
   * @param stash Name of the stash; `undefined` if another node stored it, which tells the others itself.
   */
  changed(keys: readonly string[], stash: string | undefined, by: unknown): void {
    if (stash !== undefined) this.#tell?.({ keys: [...keys], stash });
    this.#each(keys, (watcher) => watcher.changed(stash, by));
  }

  #each(keys: readonly string[], tell: (watcher: SessionWatcher) => void): void {
    for (const key of keys) {
      const watchers = this.#watchers.get(key);
      // One that hears of its end may stop watching.
      if (watchers !== undefined) { for (const watcher of [...watchers]) tell(watcher); }
    }
  }
}

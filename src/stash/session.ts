import type { StashDefinition } from "./definition.ts";
import type { Stash } from "./handle.ts";

/** Options of {@linkcode Session.stash}. */
export interface StashUse {
  /**
   * The page instance this request comes from, as {@linkcode Stash.page} gave it out: its
   * `"reconnect"` keys are recovered. Anything malformed counts as none.
   */
  readonly page?: string | undefined;
}

/** Options of {@linkcode Session.rotate}. */
export interface RotateOptions {
  /** Carry the state over to the new id. @default {true} */
  readonly keep?: boolean;
}

/** The browser session of one request. */
export interface Session {
  /**
   * A short name of the session for logs, never its id; empty while the session has none.
   */
  readonly ref: string;
  /**
   * Recovers a part of the session's state. Reads only; never rejects because of storage: then the
   * status is `"error"` and `stash()` rejects.
   *
   * @param definition What to recover.
   * @param use Which page instance asks.
   */
  stash<S extends object>(definition: StashDefinition<S>, use?: StashUse): Promise<Stash<S>>;
  /**
   * Ends the session: its state is gone, its cookie worthless, and writes still under way are
   * refused. A stash after it begins a new session.
   *
   * @throws {StorageUnavailableError} If storage failed; the session may then still be alive, and
   *   this can be tried again.
   */
  destroy(): Promise<void>;
  /**
   * Gives the session a new id and ends the old one at once; its absolute limit begins anew. Do it
   * whenever who the user is changes: at login, above all. The last thing before the response: if
   * the new cookie does not reach the client, the session is lost to it.
   *
   * @throws {StorageUnavailableError} If storage failed; the old id may then still be alive.
   * @throws {HoldfastError} `ERR_SESSION_ENDED` if the session ended meanwhile, for example because
   *   another request gave it a new id; `ERR_SESSION_SEALED` after the response was made.
   */
  rotate(options?: RotateOptions): Promise<void>;
}

/** What the response must do about the cookie. */
export type CookieChange =
  | { readonly kind: "set"; readonly token: string }
  | { readonly kind: "clear" };

/** How a session comes into being. */
export interface SessionOptions {
  /** Asked before a session is created; anything but `true` refuses it. The place for a rate limit. */
  readonly admit?: () => boolean | Promise<boolean>;
}

import type { CookieChange, Session } from "../../src/stash/session.ts";
import type { RequestSession } from "../../src/stash/request_session.ts";
import { type CookieSettings, expireCookie, serializeCookie } from "./cookies.ts";

/** A session opened for one request. */
export interface OpenSession {
  /** What the handler works with. */
  readonly session: Session;
  /** Stores every stash whose state has changed. */
  stashChanged(): Promise<void>;
  /**
   * Ends the time in which the session can begin or change its id. Call it when the response is
   * made.
   *
   * @returns The value of the Set-Cookie header to add, `undefined` for none.
   */
  seal(): string | undefined;
}

/** Implements {@linkcode OpenSession}; a class, because one is made for each request. */
export class OpenedSession implements OpenSession {
  readonly session: RequestSession;
  readonly #cookie: CookieSettings;

  constructor(session: RequestSession, cookie: CookieSettings) {
    this.session = session;
    this.#cookie = cookie;
  }

  stashChanged(): Promise<void> {
    return this.session.stashChanged();
  }

  seal(): string | undefined {
    return headerValue(this.#cookie, this.session.seal());
  }
}

function headerValue(
  cookie: CookieSettings,
  change: CookieChange | undefined,
): string | undefined {
  if (change === undefined) return undefined;
  return change.kind === "set" ? serializeCookie(cookie, change.token) : expireCookie(cookie);
}

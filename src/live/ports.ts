import type { ClientFrame } from "./protocol.ts";

/** What a page's token says; signed, so that nobody else can say it. */
export interface PageClaims {
  /** Name of the view. */
  readonly view: string;
  /** The page instance. */
  readonly page: string;
  /** Stands for the session id, which never leaves the cookie. */
  readonly session: string;
  /** Path the page was rendered for. */
  readonly path: string;
  /** The build that rendered it. */
  readonly build: string;
  /** Until when a session may begin under its id, in ms since the epoch; 0 if it has begun. */
  readonly until: number;
}

/** What became of checking a token. */
export type VerifiedToken =
  | { readonly ok: true; readonly claims: PageClaims }
  /** Nobody else has said it, but it is too old. */
  | { readonly ok: false; readonly why: "expired"; readonly claims: PageClaims }
  | { readonly ok: false; readonly why: "unauthorized" };

/** Signs and checks the tokens of pages. */
export interface TokenPort {
  sign(claims: PageClaims): Promise<string>;
  /** Never rejects, whatever the text is. */
  verify(token: string): Promise<VerifiedToken>;
  /** What stands for a session id in a token. */
  sessionOf(sid: string): string | Promise<string>;
}

/** Reads frames. */
export interface FramePort {
  /** The frame, or why the text is none. Never throws. */
  read(text: string): ClientFrame | { readonly problem: string };
}

/** One end of a connection. Neither function throws. */
export interface LiveSocket {
  send(text: string): void;
  close(code: number, reason: string): void;
}

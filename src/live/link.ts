import type { LiveSession } from "../stash/live_session.ts";
import type { ViewSpec } from "./model.ts";
import type { JoinFrame, ServerFrame } from "./protocol.ts";

/** A view as its connection sees it. */
export interface LinkedView {
  readonly id: string;
  readonly page: string;
  readonly pageBuild: string;
  readonly spec: ViewSpec;
  readonly url: URL;
}

/** The connection a view is on. */
export interface ViewLink {
  /** Name of this node. */
  readonly node: string;
  /** Name of this build. */
  readonly build: string;
  send(frame: ServerFrame): void;
  /** A renewed token for the page instance. */
  token(view: LinkedView): Promise<string>;
  /** Whether a page of some build has other assets than this build. */
  isStale(join: JoinFrame, build: string): boolean;
  /** The view does nothing more. */
  left(view: LinkedView): void;
  /** Nor will anything of it be stored any more. */
  ended(view: LinkedView): void;
  /** The page instance of the view goes by another name than the page said. */
  renamed(view: LinkedView, before: string): void;
  /** A newer connection has the page instance. */
  replaced(): void;
  /** More waits for the view than may. */
  overflow(): void;
  /** A newer version of the application has stored what this one must not write over. */
  outdated(): void;
  /** The session has ended. */
  sessionOver(): void;
}

/** What a view begins with. */
export interface ViewStart {
  readonly spec: ViewSpec;
  /** `id` of the root element. */
  readonly id: string;
  /** The page instance. */
  readonly page: string;
  /** The build that rendered the page, whatever build it has joined since. */
  readonly pageBuild: string;
  readonly join: JoinFrame;
  readonly url: URL;
  readonly session: LiveSession;
}

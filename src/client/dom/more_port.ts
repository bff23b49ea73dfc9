import type { ConnectionInput, ConnectionState } from "../connection.ts";
import type { Effect, LiveErrorCode, NavFrame, Navigation } from "../../live/protocol.ts";
import type { ShownState } from "../view.ts";
import type { HooksPort, Host, LatePort, LiveView } from "./host.ts";
import type { Listeners } from "./listeners.ts";
import type { OpenTransport } from "./transport.ts";

/** The page as the part that is loaded later sees it. */
export interface MorePage extends Host {
  readonly views: Map<string, LiveView>;
  readonly connection: ConnectionState;
  readonly listeners: Listeners;
  /** The last `ref` given out. */
  ref: number;
  /** Told of each answer once the page shows it. */
  answered: ((ref: number) => void) | undefined;
  step(input: ConnectionInput): void;
  viewOf(element: Element): LiveView | undefined;
  /** Makes views of the roots on the page, with what is known of them beside what they say. */
  addRoots(
    nav: Navigation,
    known?: (id: string) => { token: string; mounts: number } | undefined,
  ): void;
  leaveViews(why: "navigate" | "unload"): void;
  /** Tells every root. */
  all(name: string, detail: unknown): void;
}

/** What a page needs rarely, or not at first: loaded when it is connected, or wanted. */
export interface More {
  readonly openStream: OpenTransport;
  hooksFor(view: LiveView): HooksPort;
  lateFor(view: LiveView): LatePort;
  /** Carries out what the server wants done beside what it renders. */
  effects(view: LiveView, fx: readonly Effect[]): void;
  /** Goes where a view wants to. */
  navigate(view: LiveView, nav: NavFrame): void;
  /** Gets new tokens for the views, then connects; reloads the page if there are none. */
  refetch(code?: LiveErrorCode): void;
  /** Loads the page again and hands over what it has. */
  reload(): void;
  /** The browser has put in what it remembers, and told nobody. */
  restored(): void;
  /** Makes the views with what a page before a reload has handed over. */
  takeOver(): void;
  /** Says to screen readers that the state that is shown has changed. */
  announce(before: ShownState, now: ShownState): void;
  close(): void;
}

/** How to get it. */
export type LoadMore = () => Promise<{ createMore(page: MorePage): More }>;

/** What is kept for the tab. */
export const keys = { stream: "holdfast:stream", handover: "holdfast:handover" } as const;

/** What makes a page one of its build. */
export const tracked = "[data-live-track],[data-live-auto]";

/** Reads what is kept for the tab; `null` also where nothing may be kept. */
export function recall(key: string): string | null {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

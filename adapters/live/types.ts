import type { DrainTiming, LiveLimits, LiveTiming } from "../../src/live/limits.ts";
import type { AnyView } from "../../src/live/model.ts";
import type { DrainReport } from "../../src/live/server.ts";

/** The end of a socket that a helper hands to its events. */
export interface SocketEnd {
  /** Sends a text frame. */
  send(text: string): void;
  /** Closes with a code. */
  close(code?: number, reason?: string): void;
}

/** What happens on a socket, as the helpers of Hono tell it. */
export interface SocketEvents {
  onOpen?: (event: unknown, socket: SocketEnd) => void;
  onMessage?: (event: { readonly data: unknown }, socket: SocketEnd) => void;
  onClose?: (event: unknown, socket: SocketEnd) => void;
  onError?: (event: unknown, socket: SocketEnd) => void;
}

/**
 * Upgrades a request to a socket: `upgradeWebSocket` of `holdfast/bun`, `holdfast/deno` or
 * `holdfast/node`, or one of Hono's own.
 */
export type UpgradeWebSocket = (
  createEvents: (c: unknown) => SocketEvents | Promise<SocketEvents>,
) => (c: never, next: () => Promise<void>) => Promise<Response | void>;

/** Options of `createLive()`. */
export interface LiveOptions {
  /** Every view of the application. */
  readonly views: readonly AnyView[];
  /** How a request becomes a socket; without it pages use the fallback over plain requests. */
  readonly upgradeWebSocket?: UpgradeWebSocket;
  /** Where `routes()` is mounted: `app.all("/live/*", live.routes())`. @default {"/live"} */
  readonly path?: string;
  /**
   * Origins that pages may connect from, as `https://example.com`, or a function that says.
   * @default {the host that was asked}
   */
  readonly origins?: readonly string[] | ((origin: string, request: Request) => boolean);
  /** Take the host that was asked from `X-Forwarded-Host`: behind a proxy that sets it. @default {false} */
  readonly trustForwardedHost?: boolean;
  /** Let sockets connect that name no origin: no browser does. @default {false} */
  readonly allowMissingOrigin?: boolean;
  /** Asked before a session is created; anything but `true` refuses it. The place for a rate limit. */
  readonly admit?: (request: Request) => boolean | Promise<boolean>;
  /** Name of this node, shown to pages. @default {one made at random} */
  readonly node?: string;
  /** Name of this build: pages of another are told that there is an update. @default {""} */
  readonly build?: string;
  /** Sizes, counts and rates. */
  readonly limits?: Partial<LiveLimits>;
  /** How a node takes leave of its pages. */
  readonly drain?: Partial<DrainTiming>;
  /** Time limits, in milliseconds. */
  readonly timing?: Partial<LiveTiming>;
}

/** Text that is HTML: as it is in a template of hono/html or hono/jsx, and in a string. */
export type Html = string & {
  /** Not escaped again. */
  readonly isEscaped: true;
};

/** What the live routes need of a Hono context. */
export interface LiveRequestContext {
  readonly req: { readonly raw: Request };
  get(key: "session"): unknown;
}

/** A handler for Hono. */
export type LiveHandler = (
  c: LiveRequestContext,
  next: () => Promise<void>,
) => Promise<Response>;

/** What a layout puts together. */
export interface LayoutParts {
  /** The view, in its root element. */
  readonly content: Html;
  /** The element that brings the script. */
  readonly script: Html;
  /** The title the view has set; empty if none. */
  readonly title: string;
}

/** Options of {@linkcode Live.page}. */
export interface PageOptions {
  /** Makes the document; a plain one if absent. */
  readonly layout?: (parts: LayoutParts) => unknown;
  /** `id` of the root element. @default {"live-" and the name of the view} */
  readonly id?: string;
}

/** The live views of one process. */
export interface Live {
  /** Name of this node. */
  readonly node: string;
  /** Whether this node is taking leave. */
  readonly draining: boolean;
  /** Connections at the moment. */
  readonly connections: number;
  /** The routes below `path`: socket, fallback, script and readiness. */
  routes(): LiveHandler;
  /** A page of one view: GET renders it, POST is what forms do without JavaScript. */
  page(view: AnyView, options?: PageOptions): LiveHandler;
  /** Renders a view into a page with several. */
  root(c: LiveRequestContext, view: AnyView, options?: { readonly id?: string }): Promise<Html>;
  /** The element that brings the script to a page. */
  script(): Html;
  /**
   * Takes leave of all pages: no new ones, what they have pending is taken in and stored, their
   * connections closed. Called again it returns the same.
   *
   * @param options `hurry`: when it is aborted, nobody is waited for any more; what there is is stored.
   */
  drain(options?: { readonly hurry?: AbortSignal }): Promise<DrainReport>;
}

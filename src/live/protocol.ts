import type { JsonObject, JsonValue } from "../core/json.ts";

/**
 * What travels between page and server: one JSON object per text frame, `t` says which.
 *
 * A connection carries any number of views, each named by the `id` of its root element. A frame
 * without `id` is about the connection. `ref` is a counter of the client, per page instance, that
 * grows with every `join`, `event` and `params` and goes on over reconnects.
 */

/** Version of the protocol; a server accepts this one and the one before. */
export const protocolVersion = 1;

/** How the page came to be, as the client knows it. */
export type Navigation = "navigate" | "reload" | "back_forward" | "resume" | "live";

/** What set an event off. */
export type EventType =
  | "click"
  | "change"
  | "submit"
  | "keydown"
  | "keyup"
  | "focus"
  | "blur"
  | "hook";

/** What a form holds, as entries in document order; files are left out. */
export interface FormFrame {
  /** `id` of the form element. */
  readonly id: string;
  /** Names and values, disabled controls left out. */
  readonly data: readonly (readonly [name: string, value: string])[];
  /** Path of the control that set the event off: `user[name]` is `["user", "name"]`. */
  readonly target?: readonly string[];
  /** Names of the controls the user has been in. */
  readonly touched?: readonly string[];
}

/** Asks for a connected view. The first must come within the join limit. */
export interface JoinFrame {
  readonly t: "join";
  readonly id: string;
  readonly ref: number;
  /** Protocol version. */
  readonly v: number;
  /** What the page, or the last `joined`, carried. */
  readonly token: string;
  /** Where the page is now, patches included: path, query and fragment. */
  readonly url: string;
  /** How often this page instance has joined before: 0 for the first time. */
  readonly mounts: number;
  /** Tries since the last success. */
  readonly attempts: number;
  readonly nav: Navigation;
  /** What the page gave to `connect()`. */
  readonly params?: JsonObject;
  /** Addresses of the tracked assets. */
  readonly assets?: readonly string[];
}

/** Something the user did. */
export interface EventFrame {
  readonly t: "event";
  readonly id: string;
  readonly ref: number;
  /** Name of the event in the view's definition. */
  readonly name: string;
  readonly type: EventType;
  /** The `data-live-value-*` of the element, the key of a key event, or what a hook pushed. */
  readonly value?: JsonValue;
  readonly form?: FormFrame;
  /** Sent by form recovery, not by the user. */
  readonly recover?: true;
}

/** The address changed within the view. */
export interface ParamsFrame {
  readonly t: "params";
  readonly id: string;
  readonly ref: number;
  readonly url: string;
}

/** The page instance is over: its drafts may go. */
export interface LeaveFrame {
  readonly t: "leave";
  readonly id: string;
  readonly why: "navigate" | "unload";
}

/** The client's text does not fit the `base` of a patch: send it whole. */
export interface FullFrame {
  readonly t: "full";
  readonly id: string;
}

/** Everything pending has been sent; answers `drain`. */
export interface DrainedFrame {
  readonly t: "drained";
}

/** Heartbeat; answered by `pong` with the same `n`. */
export interface PingFrame {
  readonly t: "ping";
  readonly n: number;
}

/** What a client sends. */
export type ClientFrame =
  | JoinFrame
  | EventFrame
  | ParamsFrame
  | LeaveFrame
  | FullFrame
  | DrainedFrame
  | PingFrame;

/** How the state of a view came to be. */
export type RecoveryStatus =
  | "new"
  | "recovered"
  | "migrated"
  | "not_found"
  | "newer"
  | "discarded"
  | "error";

/** One replacement: at this index of the base take away so many UTF-16 units and put this there. */
export type Splice = readonly [at: number, remove: number, insert: string];

/** What the page does beside morphing; in order, after the morph. */
export type Effect =
  | { readonly k: "push"; readonly name: string; readonly data: JsonValue }
  | { readonly k: "focus"; readonly id: string }
  | { readonly k: "reset"; readonly form: string }
  | { readonly k: "scroll"; readonly to: string };

/** How a view's text changed; without `html` and `splice` it did not. */
export interface Change {
  /** Version of the text after it. */
  readonly rev?: number;
  /** The whole text. */
  readonly html?: string;
  /** Version of the text that `splice` is to be applied to. */
  readonly base?: number;
  /** Replacements in ascending order, all indexes into the base. */
  readonly splice?: readonly Splice[];
  readonly title?: string;
  readonly fx?: readonly Effect[];
}

/** A view is connected. */
export interface JoinedFrame {
  readonly t: "joined";
  readonly id: string;
  readonly ref: number;
  readonly rev: number;
  readonly html: string;
  readonly title?: string;
  /** A renewed token, for the next join. */
  readonly token: string;
  readonly status: RecoveryStatus;
  /** As the server counts: what `ctx.mounts` is. */
  readonly mounts: number;
  /** The last submit of this page instance whose effect is stored; 0 for none. */
  readonly submitted: number;
  readonly node: string;
  readonly build: string;
  /** Milliseconds between heartbeats. */
  readonly heartbeatMs: number;
  readonly fx?: readonly Effect[];
  /** The assets of the page are not those of this build. */
  readonly stale?: true;
}

/** A view changed by itself. */
export interface PatchFrame extends Change {
  readonly t: "patch";
  readonly id: string;
}

/** An `event` or `params` was handled, with what it changed. */
export interface ReplyFrame extends Change {
  readonly t: "reply";
  readonly id: string;
  readonly ref: number;
  readonly ok: boolean;
  /** What the handler returned. */
  readonly value?: JsonValue;
  /** Why it was refused, when not `ok`; the view goes on. */
  readonly code?: "unknown_event" | "invalid_event";
  /** What was wrong with it, without its values. */
  readonly problems?: readonly { readonly path: string; readonly reason: string }[];
}

/** Everything stored up to this `rev` of the view's text is durable, or could not be stored. */
export interface StashFrame {
  readonly t: "stash";
  readonly id: string;
  readonly rev: number;
  readonly durable: boolean;
  /** Why not, when not durable. */
  readonly code?: string;
}

/** The page goes elsewhere. With `"patch"` the view is there already and only the address follows. */
export interface NavFrame {
  readonly t: "nav";
  readonly id: string;
  readonly kind: "patch" | "navigate" | "redirect";
  readonly to: string;
  readonly replace: boolean;
}

/** The server is about to close the connection: send what is pending, then `drained`. */
export interface DrainFrame {
  readonly t: "drain";
  /** Milliseconds until it closes anyway. */
  readonly withinMs: number;
  /** Milliseconds over which clients spread their reconnects. */
  readonly spreadMs: number;
  readonly reason: "shutdown" | "stale";
}

/** Why something was refused. */
export type LiveErrorCode =
  | "crash"
  | "mount_failed"
  | "bad_message"
  | "unauthorized"
  | "expired"
  | "unknown_view"
  | "version"
  | "too_large"
  | "rate"
  | "draining"
  | "replaced"
  | "timeout";

/** A view, or without `id` the connection, cannot go on. */
export interface ErrorFrame {
  readonly t: "error";
  readonly id?: string;
  readonly ref?: number;
  readonly code: LiveErrorCode;
  /** Joining again can help. */
  readonly retry: boolean;
  /** Where to go instead: a redirect from `mount`. */
  readonly to?: string;
}

/** Answers a heartbeat. */
export interface PongFrame {
  readonly t: "pong";
  readonly n: number;
}

/** What a server sends. */
export type ServerFrame =
  | JoinedFrame
  | PatchFrame
  | ReplyFrame
  | StashFrame
  | NavFrame
  | DrainFrame
  | ErrorFrame
  | PongFrame;

/** Close codes of ours; the others are those of RFC 6455. */
export const closeCode = {
  /** The client heard no `pong` in time. */
  noHeartbeat: 4000,
  /** A frame that is none. Not tried again. */
  badMessage: 4400,
  /** Session or token are not valid, or ended: the page fetches itself for a new token. */
  unauthorized: 4401,
  /** The view does not exist: the page is loaded again. */
  unknownView: 4404,
  /** No join in time. */
  noJoin: 4408,
  /** A newer connection has this page instance. Not tried again until the user does something. */
  replaced: 4409,
  /** A frame too large. */
  tooLarge: 4413,
  /** A protocol this server does not speak: the page is loaded again. */
  version: 4426,
  /** Too many frames. Tried again after 5 s or more. */
  rate: 4429,
  /** The server goes away: reconnect elsewhere. */
  draining: 1012,
} as const;

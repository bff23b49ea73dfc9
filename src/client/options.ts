import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Messages } from "./messages.ts";
import type { Timing } from "./timing.ts";

/** What a hook can do with its element's view. */
export interface HookContext {
  /** The element with `data-live-hook`. */
  readonly el: HTMLElement;
  /**
   * Sends an event to the view and answers what its handler returned.
   *
   * Rejects with an error whose `code` says why there is no answer: what the server said against it, as
   * `unknown_event`; `disconnected` when the view is not connected, or was lost or left before it
   * answered; `closed` when the element is gone.
   */
  pushEvent(name: string, value?: JsonValue): Promise<JsonValue | undefined>;
  /** Hears of what the view pushes with `ctx.push(name, data)`; answers how to stop. */
  handleEvent(name: string, listener: (data: JsonValue) => void): () => void;
}

/**
 * Behaviour for the elements with `data-live-hook="NAME"`; each element gets an object of its own
 * that inherits from this one, with the members of {@linkcode HookContext}.
 */
export interface Hook {
  /** The element is there, and its view connected. */
  mounted?(this: HookContext): void;
  /** A patch is about to change the element or something in it. */
  beforeUpdate?(this: HookContext): void;
  /** It has. */
  updated?(this: HookContext): void;
  /** The element is gone. */
  destroyed?(this: HookContext): void;
  /** The connection is lost, for long enough to be shown. */
  disconnected?(this: HookContext): void;
  /** It is back. */
  reconnected?(this: HookContext): void;
}

/** How to connect a page. */
export interface ConnectOptions {
  /** Where the server has its routes; `/live` unless said. */
  readonly path?: string;
  /** What each join tells the server beside the page's own facts. */
  readonly params?: JsonObject | (() => JsonObject);
  /** Behaviour for elements with `data-live-hook`, by name. */
  readonly hooks?: Readonly<Record<string, Hook>>;
  /** Waits that differ from the defaults, in milliseconds. */
  readonly timing?: Partial<Timing>;
  /** What screen readers are told, in the language of the page. */
  readonly messages?: Partial<Messages>;
  /** Whether leaving the page with something unsaved asks first; `true` unless said. */
  readonly guardUnload?: boolean;
  /** Whether server-sent events may stand in where sockets are blocked; `true` unless said. */
  readonly stream?: boolean;
  /** Whether the console says what will not work; `false` unless said. */
  readonly dev?: boolean;
  /** A random number in [0, 1) for the jitter; `Math.random` unless said. */
  readonly chance?: () => number;
}

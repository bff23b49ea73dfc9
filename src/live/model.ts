import type { Problem } from "../core/errors.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { StandardSchema } from "../core/schema.ts";
import type { Membership } from "../document/client.ts";
import type { DocumentDefinition } from "../document/model.ts";
import type { StashDefinition } from "../stash/definition.ts";
import type { Stash } from "../stash/handle.ts";
import type { StashUse } from "../stash/session.ts";
import type { EventType, RecoveryStatus } from "./protocol.ts";
import type { LiveJoinOptions } from "./shared.ts";
import type { Key } from "../sync/key.ts";
import type { OpenWatch, WatchOptions, WatchSnapshot, WatchSource } from "../sync/watch.ts";

/** The browser session as a view sees it. */
export interface LiveSession {
  /** A short name of the session for logs, never its id; empty while the session has none. */
  readonly ref: string;
  /** Recovers another part of the session's state, as `session.stash()` of a request does. */
  stash<T extends object>(definition: StashDefinition<T>, use?: StashUse): Promise<Stash<T>>;
}

/**
 * What `render` may look at beside the state.
 *
 * @typeParam W The values the view watches, by name.
 */
export interface RenderContext<W extends object = object> {
  /** Whether there is a connection: `false` while a page is rendered for a GET. */
  readonly connected: boolean;
  /**
   * How often this page instance has joined before: 0 at first, 1 and more after a reconnect; -1
   * while a page is rendered for a GET.
   */
  readonly mounts: number;
  /** How the state came to be. */
  readonly recovery: RecoveryStatus;
  /** The page instance: what `"reconnect"` keys are stored under. */
  readonly page: string;
  /** Where the page is; its origin is the one this server was asked under. */
  readonly url: URL;
  /** What the page gave to `connect()`; empty while a page is rendered for a GET. */
  readonly params: JsonObject;
  /** The browser session. */
  readonly session: LiveSession;
  /**
   * What `watch` of the definition describes: each with its `value`, which is loaded before the first
   * render, and whether it is kept current (`status`). There is no value before the first render,
   * and none without a key.
   */
  readonly rows: ViewRows<W>;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** What a key is taken from. */
export interface KeyContext<S extends object> extends Omit<RenderContext, "rows"> {
  /** The state, as the handler has left it. */
  readonly state: S;
}

/** Rows that a view watches: those of {@linkcode WatchOptions}, and whose they are. */
export interface ViewWatchOptions<S extends object, Value, Sql> extends WatchOptions<Value, Sql> {
  /**
   * Whom the rows belong to, asked for before every render, so it must be cheap and pure. With
   * another key the rows of the one before are left; `null` or `undefined` watches nothing. Take it
   * from what the session holds, never from what a page has sent.
   */
  readonly key: (ctx: KeyContext<S>) => Key | null | undefined;
}

/** One of the watches of a view: made by the function that `watch` is given. */
export interface ViewWatch<Value> {
  /** @internal */
  keyOf(ctx: unknown): Key | null | undefined;
  /** @internal */
  open(key: Key): OpenWatch<Value>;
}

/**
 * Describes rows that a view watches.
 *
 * @param source What `createSync()` of `holdfast/postgres` makes.
 * @param options Which rows, and whose. Views of one definition share what is loaded for a key.
 */
export type WatchRows<S extends object> = <Value, Sql>(
  source: WatchSource<Sql>,
  options: ViewWatchOptions<S, Value, Sql>,
) => ViewWatch<Value>;

/** What a view watches, by the names under which `ctx.rows` has it. */
export type ViewWatches<W extends object> = { readonly [K in keyof W]: ViewWatch<W[K]> };

/** What is watched, as it is at the moment. */
export type ViewRows<W extends object> = { readonly [K in keyof W]: WatchSnapshot<W[K]> };

/** The watches of a definition, their types forgotten. @internal */
export type WatchSpecs = ReadonlyMap<string, ViewWatch<unknown>>;

/**
 * What every function of a view works with. Its functions may be taken out of it.
 *
 * @typeParam S The state.
 * @typeParam W The values the view watches, by name.
 */
export interface ViewContext<S extends object, W extends object = object> extends RenderContext<W> {
  /**
   * The state: change it in place, or assign a whole new one. When the handler is done the view is
   * rendered, what changed is sent, and only then is it stashed: state that cannot be rendered is
   * never stored.
   */
  state: S;
  /** Whether what is being handled was sent by form recovery, not by the user. */
  readonly recovering: boolean;
  /** Names what is being handled: the page instance and the number of the event; empty outside. */
  readonly eventId: string;
  /** Aborted when the view ends, and when the time of what is being handled is up. */
  readonly signal: AbortSignal;
  /**
   * Subscribes this view to a document for as long as the view lives: it is rendered again after every
   * change. While a page is rendered for a GET there is nothing to wait for, so it reads only.
   *
   * @throws {HoldfastError} `ERR_REFUSED` if the actor may not, and what reading a document throws.
   */
  readonly join: <D, Op>(
    definition: DocumentDefinition<D, Op>,
    id: string,
    options?: LiveJoinOptions,
  ) => Promise<Membership<D, Op>>;
  /**
   * Watches rows of Postgres for as long as the view lives, as `watch` of the definition does, and by
   * hand: it is rendered again after every transaction that changes them, once. `getSnapshot()` of what it answers has the rows and whether
   * they are kept current; `await` its `ready()` to have them in the first HTML. With another key
   * open another, and close the one before.
   *
   * @param source What `createSync()` of `holdfast/postgres` makes.
   * @param options What is watched. Views that hand in the same object share what is loaded.
   * @param key Whom the rows belong to; from the session, never from what a page has sent.
   * @throws {TypeError} If there is no key, or it is not a text or an integer.
   * @throws {HoldfastError} `ERR_CLOSED` if the sync is closed.
   */
  readonly watch: <Value, Sql>(
    source: WatchSource<Sql>,
    options: WatchOptions<Value, Sql>,
    key: Key,
  ) => OpenWatch<Value>;
  /** Stores what changed once the view is rendered, also with `autoStash: false`. */
  readonly stash: () => void;
  /**
   * Renders, and stores what changed. Durable once it resolves.
   *
   * @throws What `render` throws, and what `Stash.stash()` throws.
   */
  readonly flush: () => Promise<void>;
  /** Removes what this view has stored in the session, drafts included; the state is the default again. */
  readonly resetStash: () => Promise<void>;
  /**
   * Changes the address without leaving the view; `params` is called with the new one.
   *
   * @param to Path and query, or only `?query`, on this origin.
   */
  readonly patch: (to: string, options?: NavigateOptions) => void;
  /** Goes to another live page over the same connection. */
  readonly navigate: (to: string, options?: NavigateOptions) => void;
  /** Loads another page. While a page is rendered for a GET, the answer is a redirect (303). */
  readonly redirect: (to: string) => void;
  /** Sets the title of the page. */
  readonly title: (text: string) => void;
  /** Sends something to the hooks of the page. */
  readonly push: (name: string, data?: unknown) => void;
  /** Moves the focus to an element. */
  readonly focus: (id: string) => void;
  /** Puts a form back to what is rendered, typed text included. */
  readonly resetForm: (id: string) => void;
  /**
   * Sends a message to this view: `info` gets it, after everything that is waiting.
   *
   * @param delayMs Milliseconds to wait, 0 or more. @default {0}
   * @returns A function that takes it back; harmless after it was handled.
   */
  readonly send: (message: unknown, delayMs?: number) => () => void;
}

/** Options of `patch` and `navigate`. */
export interface NavigateOptions {
  /** Replace the entry in the history instead of adding one. @default {false} */
  readonly replace?: boolean;
}

/** What a handler is told about an event beside its input. */
export interface LiveEvent {
  /** Names it for good: page instance and number. The same after a reconnect, for idempotency. */
  readonly id: string;
  /** What set it off. */
  readonly type: EventType;
  /** Path of the control that set it off: `user[name]` is `["user", "name"]`. */
  readonly target: readonly string[];
  /** Names of the controls the user has been in. */
  readonly touched: ReadonlySet<string>;
  /** `id` of the form; `undefined` for an event without one. */
  readonly form: string | undefined;
  /** Whether form recovery sent it. */
  readonly recovering: boolean;
}

/** What an event brings, as JSON: the fields of a form, `data-live-value-*`, or what a hook pushed. */
export type EventInput = JsonValue | undefined;

/** Handles an event whose input nobody has checked. */
export type EventHandler<S extends object, W extends object = object> = (
  ctx: ViewContext<S, W>,
  input: EventInput,
  event: LiveEvent,
) => unknown;

/** A handler with the schema of its input. */
export interface CheckedHandler<S extends object, I, W extends object = object> {
  /** Checks the input; what it makes of it is what the handler gets. */
  readonly input: StandardSchema<I>;
  /** The handler. */
  run(ctx: ViewContext<S, W>, input: I, event: LiveEvent): unknown;
}

/** An event as it is written in a definition. */
export type ViewEvent<S extends object, I, W extends object = object> =
  | EventHandler<S, W>
  | CheckedHandler<S, I, W>;

/** Text, or what becomes text: a string, a template of hono/html, an element of hono/jsx. */
export type Rendered = RenderedNow | Promise<RenderedNow>;

/** {@linkcode Rendered} that has not to be waited for. */
export type RenderedNow = string | { toString(): string | Promise<string> };

/** Why a page instance is over. */
export type LeaveReason = "navigate" | "unload";

/** A view with everything filled in and checked, its types forgotten. @internal */
export interface ViewSpec {
  readonly name: string;
  readonly stash: StashDefinition<JsonObject>;
  readonly autoStash: AutoStash;
  readonly watch: WatchSpecs;
  readonly mount: ((ctx: ViewContext<JsonObject>) => unknown) | undefined;
  readonly params: ((ctx: ViewContext<JsonObject>, url: URL) => unknown) | undefined;
  readonly events: ReadonlyMap<string, EventSpec>;
  readonly info: ((ctx: ViewContext<JsonObject>, message: unknown) => unknown) | undefined;
  readonly drain: ((ctx: ViewContext<JsonObject>) => unknown) | undefined;
  readonly leave:
    | ((ctx: ViewContext<JsonObject>, why: LeaveReason) => unknown)
    | undefined;
  readonly render: (from: { state: JsonObject; ctx: RenderContext }) => Rendered;
}

/** When a view stashes by itself. @internal */
export type AutoStash =
  | { readonly on: true; readonly debounceMs: number | undefined }
  | { readonly on: false };

/** An event of a view. @internal */
export interface EventSpec {
  readonly schema: StandardSchema | undefined;
  readonly run: (ctx: ViewContext<JsonObject>, input: unknown, event: LiveEvent) => unknown;
}

/** What was wrong with the input of an event. @internal */
export type InputProblems = readonly Problem[];

/** Any view, whatever its state. */
export interface AnyView {
  /** Name in storage and on the wire. */
  readonly name: string;
  /** @internal */
  readonly spec: ViewSpec;
}

/** A view as defined: inert, made by `defineView()`. */
export interface ViewDefinition<S extends object> extends AnyView {
  /** What it stores in the session: for `session.stash()` of a plain handler. */
  readonly stash: StashDefinition<S>;
}

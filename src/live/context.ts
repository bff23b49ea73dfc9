import { outOfRange, wrongArgument } from "../core/options.ts";
import { copyJson, type JsonObject, type JsonValue } from "../core/json.ts";
import { InvalidValueError } from "../core/errors.ts";
import type { Membership } from "../document/client.ts";
import type { DocumentDefinition } from "../document/model.ts";
import type { LiveSession, NavigateOptions, ViewContext } from "./model.ts";
import type { Effect, RecoveryStatus } from "./protocol.ts";
import type { LiveJoinOptions } from "./shared.ts";
import type { Key } from "../sync/key.ts";
import type { OpenWatch, WatchOptions, WatchSource } from "../sync/watch.ts";

/** Where the page shall go once the reply has left. */
export interface Destination {
  readonly kind: "patch" | "navigate" | "redirect";
  readonly to: string;
  readonly replace: boolean;
}

/** What the functions of a view have asked for beside changing the state. */
export class Outbox {
  effects: Effect[] = [];
  destinations: Destination[] = [];
  title: string | undefined;
  /** An address within the view that `params` has yet to hear of. */
  patched: URL | undefined;
  /** Store what changed, whatever `autoStash` says. */
  stash = false;

  /** Takes out the title. */
  takeTitle(): string | undefined {
    const { title } = this;
    this.title = undefined;
    return title;
  }

  /** Takes out whether to store, whatever `autoStash` says. */
  takeStash(): boolean {
    const { stash } = this;
    this.stash = false;
    return stash;
  }

  /** Takes out the effects. */
  takeEffects(): readonly Effect[] {
    const { effects } = this;
    if (effects.length > 0) this.effects = [];
    return effects;
  }

  /** Takes out where to go. */
  takeDestinations(): readonly Destination[] {
    const { destinations } = this;
    if (destinations.length > 0) this.destinations = [];
    return destinations;
  }
}

/** What stands behind a context: a view on a connection, or one rendered for a request. */
export interface ContextHost {
  state: JsonObject;
  readonly connected: boolean;
  readonly mounts: number;
  readonly recovery: RecoveryStatus;
  readonly page: string;
  readonly url: URL;
  readonly params: JsonObject;
  readonly session: LiveSession;
  readonly rows: Of<"rows">;
  readonly recovering: boolean;
  readonly eventId: string;
  readonly signal: AbortSignal;
  /** Whether the view is over: then nothing is asked for any more. */
  readonly over: boolean;
  readonly outbox: Outbox;
  now(): number;
  flush(): Promise<void>;
  resetStash(): Promise<void>;
  send(message: unknown, delayMs: number): () => void;
  join<S, Op>(
    definition: DocumentDefinition<S, Op>,
    id: string,
    options: LiveJoinOptions,
  ): Promise<Membership<S, Op>>;
  watch<Value, Sql>(
    source: WatchSource<Sql>,
    options: WatchOptions<Value, Sql>,
    key: Key,
  ): OpenWatch<Value>;
}

type Of<K extends keyof ViewContext<JsonObject>> = ViewContext<JsonObject>[K];

/** What the functions of a view work with: one for the life of the view. */
export class Context implements ViewContext<JsonObject> {
  readonly #host: ContextHost;

  constructor(host: ContextHost) {
    this.#host = host;
  }

  get state(): JsonObject {
    return this.#host.state;
  }

  set state(state: JsonObject) {
    this.#host.state = state;
  }

  get connected(): boolean {
    return this.#host.connected;
  }

  get mounts(): number {
    return this.#host.mounts;
  }

  get recovery(): RecoveryStatus {
    return this.#host.recovery;
  }

  get page(): string {
    return this.#host.page;
  }

  get url(): URL {
    return new URL(this.#host.url);
  }

  get params(): JsonObject {
    return this.#host.params;
  }

  get session(): LiveSession {
    return this.#host.session;
  }

  get rows(): Of<"rows"> {
    return this.#host.rows;
  }

  get recovering(): boolean {
    return this.#host.recovering;
  }

  get eventId(): string {
    return this.#host.eventId;
  }

  get signal(): AbortSignal {
    return this.#host.signal;
  }

  readonly now: Of<"now"> = () => this.#host.now();
  readonly join: Of<"join"> = (definition, id, options = {}) =>
    this.#host.join(definition, id, options);
  readonly watch: Of<"watch"> = (source, options, key) => this.#host.watch(source, options, key);
  readonly stash: Of<"stash"> = () => void (this.#host.outbox.stash = true);
  readonly flush: Of<"flush"> = () => this.#host.flush();
  readonly resetStash: Of<"resetStash"> = () => this.#host.resetStash();
  readonly patch: Of<"patch"> = (to, options) => this.#go("patch", to, options);
  readonly navigate: Of<"navigate"> = (to, options) => this.#go("navigate", to, options);
  readonly redirect: Of<"redirect"> = (to) => {
    const url = destination(to, this.#host.url);
    this.#send({ kind: "redirect", to: url, replace: false });
  };
  readonly title: Of<"title"> = (text) => void (this.#host.outbox.title = String(text));
  readonly push: Of<"push"> = (name, data) =>
    this.#effect({ k: "push", name: String(name), data: jsonOf(name, data) });
  readonly focus: Of<"focus"> = (id) => this.#effect({ k: "focus", id: String(id) });
  readonly resetForm: Of<"resetForm"> = (id) => this.#effect({ k: "reset", form: String(id) });
  readonly send: Of<"send"> = (message, delayMs = 0) => {
    if (delayMs >= 0) return this.#host.send(message, delayMs);
    throw outOfRange(`Cannot send a message: its delay is ${delayMs} ms, not 0 or more`);
  };

  #effect(effect: Effect): void {
    if (!this.#host.over) this.#host.outbox.effects.push(effect);
  }

  #go(kind: "patch" | "navigate", to: string, options: NavigateOptions = {}): void {
    const url = sameOrigin(kind, to, this.#host.url);
    if (kind === "patch") this.#host.outbox.patched = url;
    this.#send({ kind, to: pathOf(url), replace: options.replace === true });
  }

  #send(destination: Destination): void {
    if (!this.#host.over) this.#host.outbox.destinations.push(destination);
  }
}

function jsonOf(name: string, data: unknown): JsonValue {
  if (data === undefined) return null;
  const copied = copyJson(data);
  if (!copied.ok) throw new InvalidValueError(`what is pushed as "${name}"`, copied.problems);
  return copied.value;
}

/** Path, query and fragment, so that they lead to the same origin: two slashes would begin a host. */
export function pathOf({ pathname, search, hash }: URL): string {
  return (pathname.startsWith("//") ? "/." : "") + pathname + search + hash;
}

/** The address a page says it is at, if it is one of this origin. */
export function urlOf(path: string, origin: string): URL | undefined {
  // Put together: alone, "//", "/\\" and "/", a tab and "/" would all begin a host.
  const url = path.startsWith("/") ? parse(origin + path) : undefined;
  return url?.origin === origin ? url : undefined;
}

function sameOrigin(kind: string, to: string, base: URL): URL {
  const url = parse(to, base);
  if (url?.origin === base.origin) return url;
  throw wrongArgument(`Cannot ${kind}: the address is not one of this origin`);
}

function destination(to: string, base: URL): string {
  const url = parse(to, base);
  if (url?.origin === base.origin) return pathOf(url);
  if (url?.protocol === "https:" || url?.protocol === "http:") return url.href;
  throw wrongArgument("Cannot redirect: the address is not one of http or https");
}

function parse(to: string, base?: URL): URL | undefined {
  try {
    return new URL(String(to), base);
  } catch {
    return undefined;
  }
}

import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Problem } from "../core/errors.ts";
import type { Session } from "../stash/session.ts";
import { Context, type ContextHost, Outbox, pathOf } from "./context.ts";
import type { Membership } from "../document/client.ts";
import type { DocumentDefinition } from "../document/model.ts";
import type { ViewEnv } from "./env.ts";
import { HeldRows } from "./rows.ts";
import { type LiveJoinOptions, Subscriptions } from "./shared.ts";
import { checkInput } from "./input.ts";
import type { LiveSession, ViewContext, ViewSpec } from "./model.ts";
import type { RecoveryStatus } from "./protocol.ts";
import { textOf } from "./text.ts";
import type { Key } from "../sync/key.ts";
import type { OpenWatch, WatchOptions, WatchSource } from "../sync/watch.ts";

/** What a request asks of a view: a page, or, without JavaScript, an event. */
export interface PageRequest {
  readonly spec: ViewSpec;
  readonly session: Session;
  readonly url: URL;
  /** The page instance, new. */
  readonly page: string;
  /** What a form posted. */
  readonly posted?: { readonly event: string; readonly input: JsonObject };
}

/** What becomes of it. */
export type PageOutcome =
  | { readonly kind: "page"; readonly html: string; readonly title: string }
  | { readonly kind: "redirect"; readonly to: string }
  | { readonly kind: "refused"; readonly why: "unknown_event" }
  | {
    readonly kind: "refused";
    readonly why: "invalid_event";
    readonly html: string;
    readonly title: string;
    readonly problems: readonly Problem[];
  };

/**
 * Renders a view for a request: recovered, mounted and never written. With a posted form it also
 * handles the event, stores what changed before it answers, and says where to look at it.
 *
 * @throws What the functions of the view throw, and for a posted form what storing throws.
 */
export async function renderPage(env: ViewEnv, request: PageRequest): Promise<PageOutcome> {
  const view = new PageView(env, request);
  try {
    return await view.run(request);
  } catch (error) {
    view.crashed(error);
    throw error;
  } finally {
    view.end();
  }
}

/** A stash as far as a page needs it; without one the state is nowhere stored. */
interface Held {
  state: JsonObject;
  stash(): Promise<boolean>;
  reset(): Promise<void>;
}

class PageView implements ContextHost {
  readonly connected = false;
  readonly mounts = -1;
  readonly params: JsonObject = {};
  readonly page: string;
  readonly session: LiveSession;
  readonly outbox: Outbox = new Outbox();
  readonly #env: ViewEnv;
  readonly #spec: ViewSpec;
  readonly #session: Session;
  readonly #context: ViewContext<JsonObject>;
  readonly #controller: AbortController = new AbortController();
  readonly #subscriptions: Subscriptions = new Subscriptions(() => {});
  readonly #rows: HeldRows;
  #url: URL;
  #held: Held;
  #recovery: RecoveryStatus = "new";
  #recoveredAt: number | undefined;
  #isHandling = false;
  over = false;

  constructor(env: ViewEnv, { spec, session, url, page }: PageRequest) {
    this.#env = env;
    this.#spec = spec;
    this.#session = session;
    this.#url = url;
    this.page = page;
    this.session = {
      get ref() {
        return session.ref;
      },
      stash: (definition, use) => session.stash(definition, use),
    };
    this.#held = unstored(spec);
    this.#context = new Context(this);
    this.#rows = new HeldRows(spec.watch, () => {});
  }

  get state(): JsonObject {
    return this.#held.state;
  }

  set state(state: JsonObject) {
    this.#held.state = state;
  }

  get url(): URL {
    return this.#url;
  }

  get recovery(): RecoveryStatus {
    return this.#recovery;
  }

  get rows(): ContextHost["rows"] {
    return this.#rows.snapshots;
  }

  get recovering(): boolean {
    return false;
  }

  get eventId(): string {
    return this.#isHandling ? `${this.page}:1` : "";
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  now(): number {
    return this.#env.clock.now();
  }

  async flush(): Promise<void> {
    if (!this.#isHandling) return;
    await this.#render();
    await this.#held.stash();
  }

  async resetStash(): Promise<void> {
    if (this.#isHandling) await this.#held.reset();
  }

  /** There is nobody who could hear of it later. */
  async join<S, Op>(
    definition: DocumentDefinition<S, Op>,
    id: string,
    options: LiveJoinOptions,
  ): Promise<Membership<S, Op>> {
    const document = this.#env.document(definition, id);
    const membership = await this.#subscriptions.join(document, options);
    membership.leave();
    return membership;
  }

  watch<Value, Sql>(
    source: WatchSource<Sql>,
    options: WatchOptions<Value, Sql>,
    key: Key,
  ): OpenWatch<Value> {
    return this.#subscriptions.watch(source, options, key);
  }

  send(): () => void {
    return () => {};
  }

  async run({ posted }: PageRequest): Promise<PageOutcome> {
    await this.#recover(posted !== undefined);
    await this.#spec.mount?.(this.#context);
    if (this.#elsewhere() === undefined) await this.#spec.params?.(this.#context, this.#url);
    const to = this.#elsewhere();
    if (to !== undefined) return { kind: "redirect", to };
    return posted === undefined ? await this.#asPage() : await this.#handle(posted);
  }

  /** Counts a failure that what was recovered may be to blame for. */
  crashed(error: unknown): void {
    this.#env.poison.crashed(this.#poisonKey, this.#recoveredAt);
    this.#env.emit?.({
      name: "holdfast.live.crash",
      ref: this.#session.ref,
      view: this.#spec.name,
      mounts: -1,
      error,
    });
  }

  end(): void {
    this.over = true;
    this.#rows.close();
    this.#subscriptions.end();
    this.#controller.abort();
  }

  /** Reads nothing if there is nothing a request could recover. */
  async #recover(stores: boolean): Promise<void> {
    const scopes = [...this.#spec.stash.scopes.values()];
    if (!scopes.includes("session") && !(stores && scopes.length > 0)) return;
    const stash = await this.#session.stash(this.#spec.stash);
    const skip = this.#env.poison.skip(this.#poisonKey);
    if (skip === "all" && (stash.status === "recovered" || stash.status === "migrated")) {
      this.#recovery = "discarded";
      return;
    }
    this.#held = stash;
    this.#recovery = this.#session.ref === "" && stash.status === "not_found"
      ? "new"
      : stash.status;
    if (stash.status === "recovered" || stash.status === "migrated") {
      this.#recoveredAt = this.#env.clock.monotonic();
    }
  }

  /** Each page has a page instance of its own, so what counts is the session. */
  get #poisonKey(): string {
    return `session ${this.#session.ref} ${this.#spec.name}`;
  }

  async #asPage(): Promise<Extract<PageOutcome, { kind: "page" }>> {
    const html = await this.#render();
    return { kind: "page", html, title: this.outbox.title ?? "" };
  }

  async #render(): Promise<string> {
    await this.#rows.settle(this.#context);
    return await textOf(this.#spec.render({ state: this.state, ctx: this.#context }));
  }

  async #handle(posted: { event: string; input: JsonObject }): Promise<PageOutcome> {
    const event = this.#spec.events.get(posted.event);
    if (event === undefined) return { kind: "refused", why: "unknown_event" };
    const given: JsonValue = posted.input;
    const checked = event.schema === undefined
      ? { ok: true as const, input: given }
      : await checkInput(event.schema, given);
    if (!checked.ok) {
      const { html, title } = await this.#asPage();
      const { problems } = checked;
      return { kind: "refused", why: "invalid_event", html, title, problems };
    }
    this.#isHandling = true;
    await event.run(this.#context, checked.input, {
      id: this.eventId,
      type: "submit",
      target: [],
      touched: new Set(Object.keys(posted.input)),
      form: undefined,
      recovering: false,
    });
    // What cannot be rendered is not stored.
    await this.#render();
    if (this.#spec.autoStash.on || this.outbox.stash) await this.#held.stash();
    const [last] = this.outbox.destinations.slice(-1);
    return { kind: "redirect", to: last?.to ?? pathOf(this.#url) };
  }

  #elsewhere(): string | undefined {
    return this.outbox.destinations.at(-1)?.to;
  }
}

function unstored(spec: ViewSpec): Held {
  return {
    state: spec.stash.state(),
    stash: () => Promise.resolve(false),
    reset() {
      this.state = spec.stash.state();
      return Promise.resolve();
    },
  };
}

// Longer than 400 lines because all of it decides on the private state of one view.
import { HoldfastError, InvalidValueError } from "../core/errors.ts";
import { copyJson, type JsonObject, type JsonValue } from "../core/json.ts";
import type { StashHandle } from "../stash/handle.ts";
import type { LiveSession as SessionSeat } from "../stash/live_session.ts";
import { Context, type ContextHost, Outbox } from "./context.ts";
import type { Membership } from "../document/client.ts";
import type { DocumentDefinition } from "../document/model.ts";
import type { ViewEnv } from "./env.ts";
import { HeldRows } from "./rows.ts";
import { type LiveJoinOptions, Subscriptions } from "./shared.ts";
import { checkInput, inputOf } from "./input.ts";
import type { ViewLink, ViewStart } from "./link.ts";
import { Mailbox } from "./mailbox.ts";
import type { LeaveReason, LiveEvent, LiveSession, ViewSpec } from "./model.ts";
import type { EventFrame, JoinFrame, LiveErrorCode, RecoveryStatus } from "./protocol.ts";
import type { ReplyFrame } from "./protocol.ts";
import { Shown } from "./shown.ts";
import { Stasher, type StoreOutcome } from "./stasher.ts";
import { textOf } from "./text.ts";
import { UserCode } from "./user_code.ts";
import type { Key } from "../sync/key.ts";
import type { OpenWatch, WatchOptions, WatchSource } from "../sync/watch.ts";

/** Most addresses that `params` may patch to, one after the other. */
const maxPatches = 10;

/** A view on a connection: one thing at a time, in the order in which things came. */
export class LiveView implements ContextHost {
  readonly spec: ViewSpec;
  readonly id: string;
  readonly pageBuild: string;
  readonly mounts: number;
  readonly params: JsonObject;
  readonly session: LiveSession;
  readonly connected = true;
  readonly outbox: Outbox = new Outbox();
  readonly #env: ViewEnv;
  /** It is going to be rendered anyway. */
  #isRefreshing = false;
  readonly #link: ViewLink;
  readonly #seat: SessionSeat;
  readonly #join: JoinFrame;
  readonly #mailbox: Mailbox;
  readonly #code: UserCode;
  readonly #shown: Shown = new Shown();
  readonly #subscriptions: Subscriptions = new Subscriptions(() => this.refreshed());
  readonly #timers: Set<() => void> = new Set();
  readonly #rows: HeldRows;
  readonly #context: Context;
  #page: string;
  #url: URL;
  #handle: StashHandle<JsonObject> | undefined;
  #stasher: Stasher | undefined;
  #recovery: RecoveryStatus = "new";
  #recoveredAt: number | undefined;
  /** Number of the last submit that has been handled. */
  #submitted = 0;
  /** What is being handled. */
  #event: EventFrame | undefined;
  #controller: AbortController | undefined;
  /** A newer version of the application has stored what this one must not write over. */
  #isOutdated = false;
  #over = false;
  #tellEnd: (kept: boolean) => void = () => {};
  /**
   * Resolves when the view is over and nothing of it will be stored any more; with `false` if something
   * could not be stored.
   */
  readonly whenOver: Promise<boolean>;

  constructor(env: ViewEnv, link: ViewLink, start: ViewStart) {
    const { clock, timing, limits } = env;
    this.#env = env;
    this.#link = link;
    this.spec = start.spec;
    this.id = start.id;
    this.pageBuild = start.pageBuild;
    this.mounts = start.join.mounts;
    this.params = start.join.params ?? {};
    this.#page = start.page;
    this.#url = start.url;
    this.#join = start.join;
    this.#seat = start.session;
    this.#mailbox = new Mailbox(limits.mailbox);
    this.#code = new UserCode(clock, timing.handlerMs, `view "${this.spec.name}"`);
    this.whenOver = new Promise((resolve) => this.#tellEnd = resolve);
    this.session = this.#sessionOf(start.session);
    this.#context = new Context(this);
    this.#rows = new HeldRows(start.spec.watch, () => this.refreshed());
    this.#do(() => this.#mount());
  }

  get state(): JsonObject {
    if (this.#handle === undefined) {
      throw new TypeError("Cannot use the state: it is not there yet");
    }
    return this.#handle.state;
  }

  set state(state: JsonObject) {
    if (this.#handle !== undefined) this.#handle.state = state;
  }

  get page(): string {
    return this.#page;
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
    return this.#event?.recover === true;
  }

  get eventId(): string {
    return this.#event === undefined ? "" : `${this.#page}:${this.#event.ref}`;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#over) this.#controller.abort();
    return this.#controller.signal;
  }

  get over(): boolean {
    return this.#over;
  }

  now(): number {
    return this.#env.clock.now();
  }

  /** Handles an event of the page. */
  event(frame: EventFrame): void {
    this.#do(() => this.#onEvent(frame));
  }

  /** The address has changed within the view. */
  moved(ref: number, url: URL): void {
    this.#do(async () => {
      this.#url = url;
      await this.#user(() => this.spec.params?.(this.#context, url));
      await this.#answer({ t: "reply", id: this.id, ref, ok: true });
    });
  }

  /** The page has lost the text: it gets it whole. */
  whole(): void {
    this.#do(() => {
      const { rev, text: html } = this.#shown;
      this.#link.send({ t: "patch", id: this.id, rev, html });
      return Promise.resolve();
    });
  }

  /** Hands a message to `info`. */
  message(message: unknown): void {
    const { info } = this.spec;
    if (info === undefined) return;
    this.#do(async () => {
      await this.#user(() => info(this.#context, message));
      await this.#answer(undefined);
    });
  }

  /** The user went elsewhere: the page instance is over, and its drafts go. */
  leave(why: LeaveReason): void {
    this.#do(async () => {
      await this.#user(() => this.spec.leave?.(this.#context, why));
      let kept = true;
      if (this.#stores) {
        this.#take();
        kept = isKept(await this.#stasher?.store());
        // What cannot be removed now, its age will see to.
        if (this.#seat.ref !== "") await this.#handle?.leave().catch(() => {});
      }
      this.end(kept);
    });
  }

  /** The server goes away: stores what there is; tells whether all of it is durable. */
  drain(): Promise<boolean> {
    this.#do(async () => {
      await this.#user(() => this.spec.drain?.(this.#context));
      await this.#answer(undefined);
      if (this.#stores) this.#take();
      this.end(isKept(await this.#stasher?.finish()));
    });
    return this.whenOver;
  }

  /** The connection is gone: does what has come, stores what there is, and ends. */
  detach(): void {
    if (this.#over) return;
    const finish = () => {
      void this.#finish();
      return Promise.resolve();
    };
    if (!this.#mailbox.push(() => this.#run(finish))) void this.#finish();
  }

  /** Makes room for the same page instance on a connection, this or a newer one. */
  replace(by: ViewLink): void {
    if (this.#over) return;
    if (this.#link === by) this.detach();
    else this.#link.replaced();
  }

  /**
   * Ends, and stores nothing more.
   *
   * @param kept Everything is stored that shall be.
   */
  end(kept = true): void {
    this.#stop();
    this.#stasher?.stop();
    this.#link.ended(this);
    this.#tellEnd(kept);
  }

  async flush(): Promise<void> {
    const text = await this.#render();
    if (!this.#stores || !this.#take(text)) return;
    const outcome = await this.#stasher?.store();
    if (outcome?.kind === "failed") throw outcome.error;
  }

  async resetStash(): Promise<void> {
    this.#stasher?.forget();
    await this.#handle?.reset();
  }

  send(message: unknown, delayMs: number): () => void {
    if (this.#over) return () => {};
    const cancel = this.#env.clock.timer(delayMs, () => {
      this.#timers.delete(cancel);
      this.message(message);
    }, { background: true });
    this.#timers.add(cancel);
    return () => {
      this.#timers.delete(cancel);
      cancel();
    };
  }

  join<S, Op>(
    definition: DocumentDefinition<S, Op>,
    id: string,
    options: LiveJoinOptions,
  ): Promise<Membership<S, Op>> {
    return this.#subscriptions.join(this.#env.document(definition, id), options);
  }

  watch<Value, Sql>(
    source: WatchSource<Sql>,
    options: WatchOptions<Value, Sql>,
    key: Key,
  ): OpenWatch<Value> {
    return this.#subscriptions.watch(source, options, key);
  }

  /** @internal The page is alive: so is who it stands for in documents. */
  heard(): void {
    this.#subscriptions.heard();
  }

  /** @internal Something that `render` shows has changed. */
  refreshed(): void {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    this.#do(() => {
      this.#isRefreshing = false;
      return this.#answer(undefined);
    });
  }

  /** @internal */
  stashed(rev: number, outcome: StoreOutcome): void {
    const { id } = this;
    if (outcome.kind === "stored") this.#link.send({ t: "stash", id, rev, durable: true });
    if (outcome.kind !== "failed") return;
    const code = outcome.error instanceof HoldfastError ? outcome.error.code : "ERR_UNKNOWN";
    // What gave way to what was stored is gone from everything that was shown.
    const upTo = code === "ERR_UNRECOVERED" ? this.#shown.rev : rev;
    this.#link.send({ t: "stash", id, rev: upTo, durable: false, code });
    if (code === "ERR_SESSION_ENDED") this.#link.sessionOver();
    if (code === "ERR_SUPERSEDED") this.#superseded();
    if (code !== "ERR_NEWER_VERSION" || this.#isOutdated) return;
    this.#isOutdated = true;
    this.#link.outdated();
  }

  #sessionOf(seat: SessionSeat): LiveSession {
    return {
      get ref() {
        return seat.ref;
      },
      stash: (definition, { page = this.#page } = {}) =>
        seat.stash(definition, {
          page,
          begins: false,
          mounts: page === this.#page ? this.mounts : 0,
          skip: "nothing",
          blind: false,
          by: this,
        }),
    };
  }

  #do(work: () => Promise<void>): void {
    if (this.#over) return;
    if (!this.#mailbox.push(() => this.#run(work))) this.#link.overflow();
  }

  async #run(work: () => Promise<void>): Promise<void> {
    if (this.#over) return;
    this.#code.begin();
    try {
      await work();
    } catch (error) {
      this.#crash(error);
    } finally {
      this.#event = undefined;
    }
  }

  /** Does nothing more. */
  #stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#mailbox.clear();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#rows.close();
    this.#subscriptions.end();
    this.#controller?.abort();
    this.#env.emit?.({ name: "holdfast.live.leave", ref: this.#seat.ref, view: this.spec.name });
    this.#link.left(this);
  }

  /** Does nothing more, and stores what was shown. */
  async #finish(): Promise<void> {
    this.#stop();
    this.end(isKept(await this.#stasher?.finish()));
  }

  /** Another connection of the page has gone on: whoever still listens here has to join again. */
  #superseded(ref?: number): void {
    if (this.#over) return;
    const { id } = this;
    const about = ref === undefined ? {} : { ref };
    this.#link.send({ t: "error", id, ...about, code: "replaced", retry: true });
    this.end();
  }

  /** A view that failed is not to be trusted any more: the page asks for another. */
  #crash(error: unknown): void {
    if (this.#over) return;
    const { id } = this;
    const isLate = error instanceof HoldfastError && error.code === "ERR_DEADLINE";
    const hasJoined = this.#shown.rev > 0;
    const code: LiveErrorCode = isLate ? "timeout" : hasJoined ? "crash" : "mount_failed";
    const { name } = this.spec;
    this.#env.poison.crashed(this.#poisonKey, this.#recoveredAt);
    const event = this.#event === undefined ? {} : { event: this.#event.name };
    this.#env.emit?.({
      name: "holdfast.live.crash",
      ref: this.#seat.ref,
      view: name,
      ...event,
      error,
    });
    const ref = this.#event?.ref ?? (hasJoined ? undefined : this.#join.ref);
    this.#link.send({ t: "error", id, ...(ref === undefined ? {} : { ref }), code, retry: true });
    // What was shown before has been acknowledged.
    void this.#finish();
  }

  get #poisonKey(): string {
    return `${this.#page} ${this.spec.name}`;
  }

  async #user<T>(run: () => T | Promise<T>): Promise<T> {
    const result = await this.#code.run(run);
    if (this.#over) throw new TypeError("Cannot go on: the view is over");
    return result;
  }

  async #mount(): Promise<void> {
    const start = this.#env.clock.monotonic();
    if (!await this.#recover()) return;
    const { spec } = this;
    await this.#user(() => spec.mount?.(this.#context));
    if (!this.#isLeaving) await this.#user(() => spec.params?.(this.#context, this.#url));
    if (this.#redirected()) return;
    await this.#settleAddress();
    const html = await this.#render();
    const token = await this.#link.token(this);
    if (this.#over) return;
    this.#shown.begin(html, this.outbox);
    const stashes = this.#wantsStash(html);
    this.#tellJoined(html, token);
    this.#tellDestinations();
    if (stashes) this.#stasher?.later();
    this.#env.emit?.({
      name: "holdfast.live.join",
      ref: this.#seat.ref,
      view: spec.name,
      mounts: this.mounts,
      status: this.#recovery,
      durationMs: this.#env.clock.monotonic() - start,
    });
  }

  /** Tells whether the view may go on. */
  async #recover(): Promise<boolean> {
    const { stash, autoStash } = this.spec;
    const begins = this.mounts === 0;
    const scopes = [...stash.scopes.values()];
    const blind = scopes.length === 0 || (begins && !scopes.includes("session"));
    const skip = this.#env.poison.skip(this.#poisonKey);
    const use = { page: this.#page, begins, mounts: this.mounts, skip, blind, by: this };
    const handle = await this.#seat.stash(stash, use);
    if (this.#seat.over) {
      this.#link.sessionOver();
      return false;
    }
    const before = this.#page;
    this.#handle = handle;
    this.#page = handle.page;
    if (before !== handle.page) this.#link.renamed(this, before);
    this.#submitted = handle.submitted;
    const isUnborn = this.#seat.ref === "" && handle.status === "not_found";
    this.#recovery = blind || isUnborn ? "new" : handle.status;
    if (this.#recovery === "recovered" || this.#recovery === "migrated") {
      this.#recoveredAt = this.#env.clock.monotonic();
    }
    const delayMs = autoStash.on ? autoStash.debounceMs : undefined;
    this.#stasher = new Stasher(handle, this.#env, this, delayMs);
    return true;
  }

  get #isLeaving(): boolean {
    return this.outbox.destinations.some(({ kind }) => kind !== "patch");
  }

  /** A view whose mount goes elsewhere never comes to be. */
  #redirected(): boolean {
    const elsewhere = this.outbox.destinations.find(({ kind }) => kind !== "patch");
    if (elsewhere === undefined) return false;
    const { id } = this;
    const { ref } = this.#join;
    this.#link.send({ t: "error", id, ref, code: "mount_failed", retry: false, to: elsewhere.to });
    this.end();
    return true;
  }

  #tellJoined(html: string, token: string): void {
    const fx = this.outbox.takeEffects();
    const { title, rev } = this.#shown;
    this.#link.send({
      t: "joined",
      id: this.id,
      ref: this.#join.ref,
      rev,
      html,
      ...(title === "" ? {} : { title }),
      token,
      status: this.#recovery,
      mounts: this.mounts,
      submitted: this.#submitted,
      node: this.#link.node,
      build: this.#link.build,
      heartbeatMs: this.#env.timing.heartbeatMs,
      ...(fx.length === 0 ? {} : { fx }),
      ...(this.#link.isStale(this.#join, this.pageBuild) ? { stale: true as const } : {}),
    });
  }

  async #onEvent(frame: EventFrame): Promise<void> {
    const start = this.#env.clock.monotonic();
    this.#event = frame;
    this.#seat.active();
    this.#outlive(start);
    const { id, spec } = this;
    const { ref, name } = frame;
    const isSubmit = frame.type === "submit";
    const event = spec.events.get(name);
    // Its effect is stored: only the answer was lost.
    if (isSubmit && ref <= this.#submitted) {
      return this.#link.send({ t: "reply", id, ref, ok: true });
    }
    if (event === undefined) {
      return this.#link.send({ t: "reply", id, ref, ok: false, code: "unknown_event" });
    }
    const given = inputOf(frame);
    const checked = event.schema === undefined
      ? { ok: true as const, input: given }
      : await checkInput(event.schema, given);
    if (!checked.ok) {
      const { problems } = checked;
      return this.#link.send({ t: "reply", id, ref, ok: false, code: "invalid_event", problems });
    }
    const told = this.#tellEvent(frame);
    const value = await this.#user(() => event.run(this.#context, checked.input, told));
    const reply: ReplyFrame = { t: "reply", id, ref, ok: true, ...valueOf(value) };
    await this.#answer(reply, isSubmit ? ref : undefined, frame.type === "blur");
    this.#env.emit?.({
      name: "holdfast.live.event",
      ref: this.#seat.ref,
      view: spec.name,
      event: name,
      durationMs: this.#env.clock.monotonic() - start,
    });
  }

  #outlive(now: number): void {
    if (this.#recoveredAt === undefined) return;
    if (now - this.#recoveredAt <= this.#env.timing.poisonMs) return;
    this.#recoveredAt = undefined;
    this.#env.poison.survived(this.#poisonKey);
  }

  #tellEvent({ type, form, recover }: EventFrame): LiveEvent {
    return {
      id: this.eventId,
      type,
      target: form?.target ?? [],
      touched: new Set(form?.touched),
      form: form?.id,
      recovering: recover === true,
    };
  }

  /** Renders, sends what changed (as a reply or by itself), and stores it. */
  async #answer(reply: ReplyFrame | undefined, submit?: number, atOnce = false): Promise<void> {
    await this.#settleAddress();
    const text = await this.#render();
    if (submit !== undefined && !await this.#storeSubmit(submit, text)) return;
    const isAsked = this.outbox.stash;
    // What cannot be stored is the handler's fault, and crashes it before anybody hears of it.
    const stashes = submit === undefined && this.#wantsStash(text);
    const { id } = this;
    const change = this.#shown.changeTo(text, this.outbox);
    if (reply !== undefined) this.#link.send({ ...reply, ...change });
    else if (change !== undefined) this.#link.send({ t: "patch", id, ...change });
    this.#tellDestinations();
    if (!stashes) return;
    if (atOnce || isAsked) this.#stasher?.now();
    else this.#stasher?.later();
  }

  /** Lets `params` hear of the addresses that were patched to. */
  async #settleAddress(): Promise<void> {
    for (let patches = 0; this.outbox.patched !== undefined; patches++) {
      if (patches === maxPatches) {
        throw new TypeError(`Cannot patch: params() of view "${this.spec.name}" keeps patching`);
      }
      const url = this.outbox.patched;
      this.outbox.patched = undefined;
      this.#url = url;
      await this.#user(() => this.spec.params?.(this.#context, url));
    }
  }

  async #render(): Promise<string> {
    if (this.spec.watch.size > 0) await this.#user(() => this.#rows.settle(this.#context));
    return await this.#user(() =>
      textOf(this.spec.render({ state: this.state, ctx: this.#context }))
    );
  }

  #tellDestinations(): void {
    for (const destination of this.outbox.takeDestinations()) {
      this.#link.send({ t: "nav", id: this.id, ...destination });
    }
  }

  /** Whether the view stores anything, and may. */
  get #stores(): boolean {
    return this.spec.stash.scopes.size > 0 && this.#recovery !== "newer" && !this.#isOutdated;
  }

  /** Takes the state as it was rendered; `false` if there is nothing to store. */
  #take(text: string = this.#shown.text, always?: boolean): boolean {
    return this.#stasher?.take(this.#shown.revOf(text), always) ?? false;
  }

  /** Whether what changed is to be stored; `ctx.stash()` counts once. */
  #wantsStash(text: string): boolean {
    const isAsked = this.outbox.takeStash();
    return this.#stores && (isAsked || this.spec.autoStash.on) && this.#take(text);
  }

  /** Stores the effect of a submit before it is acknowledged; `false` if the view must not go on. */
  async #storeSubmit(submit: number, text: string): Promise<boolean> {
    const isAsked = this.outbox.takeStash() || this.spec.autoStash.on;
    if (this.#stasher === undefined || !this.#stores || !isAsked) {
      this.#submitted = submit;
      return true;
    }
    this.#take(text, true);
    const outcome = await this.#stasher.store(submit);
    if (this.#over) return false;
    const isUnread = this.#handle?.unreadable === true;
    if (outcome.kind === "failed" && (isUnread || isHandlersFault(outcome.error))) {
      // What it has done without what is stored must be neither stored nor acknowledged.
      this.#stasher.forget();
      throw outcome.error;
    }
    if (outcome.kind === "known") {
      this.#superseded(submit);
      return false;
    }
    this.#submitted = submit;
    return true;
  }
}

/** Whether what was to be stored is, or is for another connection of the page to store. */
function isKept(outcome: StoreOutcome | undefined): boolean {
  return outcome?.kind !== "failed" || isSuperseded(outcome.error);
}

/** Whether the page has gone on elsewhere, which knows of everything that its user was told. */
function isSuperseded(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === "ERR_SUPERSEDED";
}

/** Whether what a submit has done cannot be stored at all, or gave way to what was stored. */
function isHandlersFault(error: unknown): boolean {
  return error instanceof InvalidValueError ||
    (error instanceof HoldfastError && error.code === "ERR_UNRECOVERED");
}

function valueOf(value: unknown): { readonly value?: JsonValue } {
  if (value === undefined) return {};
  const copied = copyJson(value);
  return copied.ok ? { value: copied.value } : {};
}

import { HoldfastError, InvalidValueError } from "../core/errors.ts";
import { copyJson, type JsonObject, type JsonValue } from "../core/json.ts";
import type { StashHandle } from "../stash/handle.ts";
import type { LiveSession as SessionSeat } from "../stash/live_session.ts";
import { Context, type ContextHost, Outbox } from "./context.ts";
import type { ViewEnv } from "./env.ts";
import { checkInput, inputOf } from "./input.ts";
import { Mailbox } from "./mailbox.ts";
import type { LeaveReason, LiveEvent, LiveSession, ViewContext, ViewSpec } from "./model.ts";
import type {
  Change,
  EventFrame,
  JoinFrame,
  LiveErrorCode,
  RecoveryStatus,
  ReplyFrame,
  ServerFrame,
} from "./protocol.ts";
import { splice } from "./splice.ts";
import { Stasher, type StoreOutcome } from "./stasher.ts";
import { textOf } from "./text.ts";

// Longer than 400 lines because all of it decides on the private state of one view.

/** The connection a view is on. */
export interface ViewLink {
  /** Name of this node. */
  readonly node: string;
  /** Name of this build. */
  readonly build: string;
  send(frame: ServerFrame): void;
  /** A renewed token for the page instance. */
  token(view: LiveView): Promise<string>;
  /** Whether a page of some build has other assets than this build. */
  isStale(join: JoinFrame, build: string): boolean;
  /** The view is over. */
  ended(view: LiveView): void;
  /** The page instance of the view goes by another name than the page said. */
  renamed(view: LiveView, before: string): void;
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
  readonly session: SessionSeat;
}

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
  readonly #link: ViewLink;
  readonly #seat: SessionSeat;
  readonly #join: JoinFrame;
  readonly #mailbox: Mailbox;
  readonly #timers: Set<() => void> = new Set();
  readonly #context: ViewContext<JsonObject>;
  #page: string;
  #url: URL;
  #handle: StashHandle<JsonObject> | undefined;
  #stasher: Stasher | undefined;
  #recovery: RecoveryStatus = "new";
  #recoveredAt: number | undefined;
  #text = "";
  #rev = 0;
  #title = "";
  #submitted = 0;
  #event: EventFrame | undefined;
  #deadline = 0;
  #controller: AbortController | undefined;
  /** A newer version of the application has stored what this one must not write over. */
  #isOutdated = false;
  #over = false;
  #tellEnd: () => void = () => {};
  /** Resolves when the view is over and nothing of it will be stored any more. */
  readonly whenOver: Promise<void>;

  constructor(env: ViewEnv, link: ViewLink, start: ViewStart) {
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
    this.#mailbox = new Mailbox(env.limits.mailbox);
    this.whenOver = new Promise((resolve) => this.#tellEnd = resolve);
    this.session = {
      get ref() {
        return start.session.ref;
      },
      stash: (definition, { page = this.#page } = {}) =>
        this.#seat.stash(definition, {
          page,
          begins: false,
          skip: "nothing",
          blind: false,
          by: this,
        }),
    };
    this.#context = new Context(this);
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
      this.#link.send({ t: "patch", id: this.id, rev: this.#rev, html: this.#text });
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
      if (this.#handle !== undefined && this.#stores) {
        await this.#stasher?.store(this.#rev);
        // That it could not be removed, its age will see to.
        if (this.#seat.ref !== "") await this.#handle.leave().catch(() => {});
      }
      this.end();
    });
  }

  /** The server goes away: stores what there is; tells whether all of it is durable. */
  drain(): Promise<boolean> {
    return new Promise((resolve) => {
      void this.whenOver.then(() => resolve(false));
      this.#do(async () => {
        await this.#user(() => this.spec.drain?.(this.#context));
        await this.#answer(undefined);
        resolve(await this.#storeAll());
      });
    });
  }

  /** The connection is gone: does what has come, stores what there is, and ends. */
  detach(): void {
    const last = async () => {
      await this.#storeAll();
      this.end();
    };
    if (!this.#over && !this.#mailbox.push(() => this.#run(last))) this.end();
  }

  /** Makes room for the same page instance on a connection, this or a newer one. */
  replace(by: ViewLink): void {
    if (this.#link === by) this.detach();
    else this.#link.replaced();
  }

  /** Ends without doing anything more. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#mailbox.clear();
    this.#stasher?.stop();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#controller?.abort();
    this.#env.emit?.({ name: "holdfast.live.leave", ref: this.#seat.ref, view: this.spec.name });
    this.#link.ended(this);
    this.#tellEnd();
  }

  async flush(): Promise<void> {
    const text = await this.#render();
    if (!this.#stores) return;
    const outcome = await this.#stasher?.store(this.#revOf(text));
    if (outcome?.kind === "failed") throw outcome.error;
  }

  async resetStash(): Promise<void> {
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

  /** @internal Runs something between two steps. */
  between(run: () => void): void {
    this.#do(() => {
      run();
      return Promise.resolve();
    });
  }

  /** @internal */
  refreshed(): void {
    this.#do(() => this.#answer(undefined));
  }

  /** @internal */
  stashed(rev: number, outcome: StoreOutcome): void {
    const { id } = this;
    if (outcome.kind !== "failed") {
      if (outcome.kind === "stored") this.#link.send({ t: "stash", id, rev, durable: true });
      return;
    }
    const code = outcome.error instanceof HoldfastError ? outcome.error.code : "ERR_UNKNOWN";
    this.#link.send({ t: "stash", id, rev, durable: false, code });
    if (code === "ERR_NEWER_VERSION" && !this.#isOutdated) {
      this.#isOutdated = true;
      this.#link.outdated();
    }
    if (code === "ERR_SESSION_ENDED") this.#link.sessionOver();
  }

  #do(work: () => Promise<void>): void {
    if (this.#over) return;
    if (!this.#mailbox.push(() => this.#run(work))) this.#link.overflow();
  }

  async #run(work: () => Promise<void>): Promise<void> {
    if (this.#over) return;
    this.#deadline = this.#env.clock.monotonic() + this.#env.timing.handlerMs;
    try {
      await work();
    } catch (error) {
      this.#crash(error);
    } finally {
      this.#event = undefined;
    }
  }

  /** A view that failed is not to be trusted any more: the page asks for another. */
  #crash(error: unknown): void {
    if (this.#over) return;
    const { id } = this;
    const late = error instanceof HoldfastError && error.code === "ERR_DEADLINE";
    const failed: LiveErrorCode = late ? "timeout" : this.#rev === 0 ? "mount_failed" : "crash";
    this.#env.poison.crashed(this.#poisonKey, this.#recoveredAt);
    this.#env.emit?.({
      name: "holdfast.live.crash",
      ref: this.#seat.ref,
      view: this.spec.name,
      error,
      ...(this.#event === undefined ? {} : { event: this.#event.name }),
    });
    const ref = this.#event?.ref ?? (this.#rev === 0 ? this.#join.ref : undefined);
    const about = ref === undefined ? {} : { ref };
    this.#link.send({ t: "error", id, ...about, code: failed, retry: true });
    this.end();
  }

  get #poisonKey(): string {
    return `${this.#page} ${this.spec.name}`;
  }

  /** Runs a function of the user's, within the time of the step. */
  async #user<T>(run: () => T | Promise<T>): Promise<T> {
    const value = run();
    const result = isThenable(value) ? await this.#inTime(value) : value;
    if (this.#over) throw new TypeError("Cannot go on: the view is over");
    return result;
  }

  #inTime<T>(promise: PromiseLike<T>): Promise<T> {
    const { clock, timing } = this.#env;
    return new Promise((resolve, reject) => {
      const leftMs = Math.max(0, this.#deadline - clock.monotonic());
      const cancel = clock.timer(leftMs, () => {
        const seconds = timing.handlerMs / 1000;
        const what = `Cannot wait for view "${this.spec.name}": no end within ${seconds} s`;
        reject(new HoldfastError("ERR_DEADLINE", what));
      }, { background: true });
      promise.then((value) => {
        cancel();
        resolve(value);
      }, (error) => {
        cancel();
        reject(error);
      });
    });
  }

  async #mount(): Promise<void> {
    const start = this.#env.clock.monotonic();
    if (!await this.#recover()) return;
    const { spec } = this;
    await this.#user(() => spec.mount?.(this.#context));
    if (!this.#isLeaving()) await this.#user(() => spec.params?.(this.#context, this.#url));
    if (this.#redirected()) return;
    await this.#settleAddress();
    const html = await this.#render();
    const token = await this.#link.token(this);
    if (this.#over) return;
    this.#text = html;
    this.#rev = 1;
    this.#title = this.outbox.title ?? "";
    this.#tellJoined(html, token);
    this.#tellDestinations();
    if (this.#wantsStash(false) !== false) this.#stasher?.later(this.#rev);
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
    const use = { page: this.#page, begins, skip, blind, by: this };
    const handle = await this.#seat.stash(stash, use);
    if (this.#seat.over) {
      this.#link.sessionOver();
      return false;
    }
    this.#handle = handle;
    const before = this.#page;
    this.#page = handle.page;
    if (before !== handle.page) this.#link.renamed(this, before);
    this.#submitted = handle.submitted;
    const unborn = this.#seat.ref === "" && handle.status === "not_found";
    this.#recovery = blind || unborn ? "new" : handle.status;
    if (this.#recovery === "recovered" || this.#recovery === "migrated") {
      this.#recoveredAt = this.#env.clock.monotonic();
    }
    const delayMs = autoStash.on ? autoStash.debounceMs : undefined;
    this.#stasher = new Stasher(handle, this.#env, this, delayMs);
    return true;
  }

  #isLeaving(): boolean {
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
    this.#link.send({
      t: "joined",
      id: this.id,
      ref: this.#join.ref,
      rev: this.#rev,
      html,
      ...(this.#title === "" ? {} : { title: this.#title }),
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
    // Its effect is stored: only the answer was lost.
    if (isSubmit && ref <= this.#submitted) {
      this.#link.send({ t: "reply", id, ref, ok: true });
      return;
    }
    const event = spec.events.get(name);
    if (event === undefined) {
      this.#link.send({ t: "reply", id, ref, ok: false, code: "unknown_event" });
      return;
    }
    const given = inputOf(frame);
    const checked = event.schema === undefined
      ? { ok: true as const, input: given }
      : await checkInput(event.schema, given);
    if (!checked.ok) {
      const { problems } = checked;
      this.#link.send({ t: "reply", id, ref, ok: false, code: "invalid_event", problems });
      return;
    }
    const value = await this.#user(() =>
      event.run(this.#context, checked.input, this.#tellEvent(frame))
    );
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
    if (submit !== undefined && !await this.#storeSubmit(submit, this.#revOf(text))) return;
    // What cannot be stored is the handler's fault, and crashes it before anybody hears of it.
    const stashes = submit === undefined && this.#wantsStash(atOnce);
    const { id } = this;
    const change = this.#changeTo(text);
    if (reply !== undefined) this.#link.send({ ...reply, ...change });
    else if (change !== undefined) this.#link.send({ t: "patch", id, ...change });
    this.#tellDestinations();
    if (stashes === "soon") this.#stasher?.later(this.#rev);
    else if (stashes === "now") this.#stasher?.now(this.#rev);
  }

  /** The version that a text is, or will be once it is sent. */
  #revOf(text: string): number {
    return text === this.#text ? this.#rev : this.#rev + 1;
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
    return await this.#user(() =>
      textOf(this.spec.render({ state: this.state, ctx: this.#context }))
    );
  }

  /** What the page has to be told to get to this text; `undefined` if nothing. */
  #changeTo(text: string): Change | undefined {
    const fx = this.outbox.takeEffects();
    const title = this.outbox.title;
    this.outbox.title = undefined;
    const isNewTitle = title !== undefined && title !== this.#title;
    if (isNewTitle) this.#title = title;
    if (text === this.#text && !isNewTitle && fx.length === 0) return undefined;
    return {
      ...(text === this.#text ? {} : this.#nextText(text)),
      ...(isNewTitle ? { title } : {}),
      ...(fx.length === 0 ? {} : { fx }),
    };
  }

  #nextText(text: string): Change {
    const base = this.#rev++;
    const splices = splice(this.#text, text);
    this.#text = text;
    // Eight for what stands around the numbers.
    const cost = splices.reduce((sum, [, , insert]) => sum + insert.length + 24, 0);
    return cost < text.length / 2
      ? { rev: this.#rev, base, splice: splices }
      : { rev: this.#rev, html: text };
  }

  #tellDestinations(): void {
    for (const destination of this.outbox.takeDestinations()) {
      this.#link.send({ t: "nav", id: this.id, ...destination });
    }
  }

  /** Whether what changed is to be stored, and when; `ctx.stash()` counts once. */
  #wantsStash(atOnce: boolean): "soon" | "now" | false {
    const asked = this.outbox.stash;
    this.outbox.stash = false;
    if (!this.#stores || !(asked || this.spec.autoStash.on)) return false;
    if (this.#stasher?.dirty !== true) return false;
    return atOnce || asked ? "now" : "soon";
  }

  /** Whether the view stores anything, and may. */
  get #stores(): boolean {
    return this.spec.stash.scopes.size > 0 && this.#recovery !== "newer" && !this.#isOutdated;
  }

  /** Stores the effect of a submit before it is acknowledged; `false` if the view must not go on. */
  async #storeSubmit(submit: number, rev: number): Promise<boolean> {
    const asked = this.spec.autoStash.on || this.outbox.stash;
    this.outbox.stash = false;
    if (this.#stasher === undefined || !this.#stores || !asked) {
      this.#submitted = submit;
      return true;
    }
    const outcome = await this.#stasher.store(rev, submit);
    if (this.#over) return false;
    if (outcome.kind === "failed" && outcome.error instanceof InvalidValueError) {
      throw outcome.error;
    }
    if (outcome.kind === "known") {
      const { id } = this;
      this.#link.send({ t: "error", id, ref: submit, code: "replaced", retry: true });
      this.end();
      return false;
    }
    this.#submitted = submit;
    return true;
  }

  async #storeAll(): Promise<boolean> {
    if (this.#stasher === undefined || !this.#stores) return true;
    let outcome: StoreOutcome = { kind: "stored" };
    for (let tries = 0; tries < 2; tries++) {
      outcome = await this.#stasher.store(this.#rev);
      if (outcome.kind !== "failed" || !outcome.retryable) break;
    }
    return outcome.kind !== "failed";
  }
}

function valueOf(value: unknown): { readonly value?: JsonValue } {
  if (value === undefined) return {};
  const copied = copyJson(value);
  return copied.ok ? { value: copied.value } : {};
}

function isThenable<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}

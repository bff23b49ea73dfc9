import { utf8Length } from "../core/json.ts";
import type { Clock } from "../ports/clock.ts";
import type { LiveSession } from "../stash/live_session.ts";
import type { SessionEnd } from "../stash/notices.ts";
import { urlOf } from "./context.ts";
import type { ViewEnv } from "./env.ts";
import type { LinkedView, ViewLink } from "./link.ts";
import type { DrainTiming } from "./limits.ts";
import { Mailbox } from "./mailbox.ts";
import type { ViewSpec } from "./model.ts";
import { pause } from "./pause.ts";
import type { LivePorts, LiveSettings } from "./settings.ts";
import type { LiveSocket, PageClaims } from "./ports.ts";
import {
  type ClientFrame,
  closeCode,
  type JoinFrame,
  type LiveErrorCode,
  protocolVersion,
  type ServerFrame,
} from "./protocol.ts";
import { Rate } from "./rate.ts";
import { LiveView } from "./view.ts";

/** Milliseconds for a response to reach the browser, before pages of the session it ended go on. */
const responseMs = 400;

/** What a connection was opened with. */
export interface Handshake {
  /** What the addresses of its pages are relative to. */
  readonly origin: string;
  /**
   * Opens the session of its cookie.
   *
   * @param until Until when a session may begin under its id.
   */
  openSession(until: number): Promise<LiveSession | undefined>;
}

/** The node a connection is on. */
export interface ConnectionHost extends ViewEnv {
  readonly clock: Clock;
  readonly settings: LiveSettings;
  readonly ports: LivePorts;
  readonly drainTiming: DrainTiming;
  readonly draining: boolean;
  readonly views: ReadonlyMap<string, ViewSpec>;
  /** The page instances that are connected here. */
  readonly pages: Map<string, LiveView>;
  closed(connection: Connection): void;
  enter(sessionKey: string): boolean;
  exit(sessionKey: string): void;
}

/** What the drain of a connection came to. */
export interface ConnectionDrain {
  readonly flushed: number;
  readonly failed: number;
  readonly timedOut: boolean;
}

/** Why a connection is closed: the name of a close code. */
export type CloseReason = Exclude<keyof typeof closeCode, "noHeartbeat">;

/** One connection of a page, and the views on it. */
export class Connection implements ViewLink {
  readonly #host: ConnectionHost;
  readonly #socket: LiveSocket;
  readonly #handshake: Handshake;
  readonly #views: Map<string, LiveView> = new Map();
  readonly #mailbox: Mailbox;
  readonly #rate: Rate;
  readonly #openedAt: number;
  #session: LiveSession | undefined;
  #unwatch: () => void = () => {};
  #looking = false;
  /** Joins done and being worked on: a slow server is not the fault of the page. */
  #joins = 0;
  #closed = false;
  /** Its session is over; the page will hear of it. */
  #isOver = false;
  #drained: () => void = () => {};
  #draining: Promise<ConnectionDrain> | undefined;

  constructor(host: ConnectionHost, socket: LiveSocket, handshake: Handshake) {
    const { limits, clock } = host;
    this.#host = host;
    this.#socket = socket;
    this.#handshake = handshake;
    this.#mailbox = new Mailbox(limits.mailbox);
    this.#rate = new Rate(clock, limits.eventsPerSecond, limits.eventBurst);
    this.#openedAt = clock.monotonic();
  }

  get node(): string {
    return this.#host.settings.node;
  }

  get build(): string {
    return this.#host.settings.build;
  }

  /** The views there are. */
  get views(): readonly LiveView[] {
    return [...this.#views.values()];
  }

  /** Takes in a message. */
  receive(data: unknown): void {
    if (this.#closed || this.#isOver) return;
    if (typeof data !== "string") return this.#refuse("badMessage", "bad_message");
    const { maxFrameBytes } = this.#host.limits;
    if (data.length > maxFrameBytes || utf8Length(data) > maxFrameBytes) {
      return this.#refuse("tooLarge", "too_large");
    }
    if (!this.#rate.take()) return this.#refuse("rate", "rate");
    const frame = this.#host.ports.frames.read(data);
    if ("problem" in frame) return this.#refuse("badMessage", "bad_message");
    if (frame.t === "ping") {
      for (const view of this.#views.values()) view.heard();
      return this.send({ t: "pong", n: frame.n });
    }
    if (frame.t === "drained") return this.#drained();
    if (frame.t === "join") this.#joins++;
    if (!this.#mailbox.push(() => this.#route(frame))) this.overflow();
  }

  /** The socket is closed. */
  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const view of this.#views.values()) view.detach();
    this.#forget();
  }

  /** Refuses a connection too many. */
  refuseAll(): void {
    this.#refuse("rate", "rate");
  }

  /** Closes the connection; views store what there is, unless their session is over. */
  close(reason: CloseReason): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const view of [...this.#views.values()]) {
      if (reason === "unauthorized") view.end();
      else view.detach();
    }
    this.#socket.close(closeCode[reason], reason);
    this.#forget();
  }

  /** Looks after the connection now and then. */
  tick(): void {
    const { clock, timing } = this.#host;
    if (this.#joins === 0 && clock.monotonic() - this.#openedAt >= timing.joinMs) {
      return this.#refuse("noJoin", "timeout");
    }
    const session = this.#session;
    const isDue = session !== undefined && session.lookAt <= clock.now();
    if (!isDue || this.#isOver || this.#looking) return;
    this.#looking = true;
    session.look().then((standing) => {
      if (standing === "over") this.sessionOver();
    }, () => {
      // Storage told telemetry; the next tick tries again.
    }).finally(() => this.#looking = false);
  }

  /** Takes leave of the page: takes in what it has pending, stores all, and closes. */
  drain(reason: "shutdown" | "stale", hurry?: AbortSignal): Promise<ConnectionDrain> {
    return this.#draining ??= this.#drain(reason, hurry);
  }

  send(frame: ServerFrame): void {
    if (!this.#closed) this.#socket.send(JSON.stringify(frame));
  }

  token(view: LinkedView): Promise<string> {
    const { ports } = this.#host;
    return Promise.resolve(ports.tokens.sessionOf(this.#session?.sid ?? "")).then((session) =>
      ports.tokens.sign({
        view: view.spec.name,
        page: view.page,
        session,
        path: view.url.pathname,
        build: view.pageBuild,
        until: this.#session?.until ?? 0,
      })
    );
  }

  isStale(join: JoinFrame, build: string): boolean {
    return this.#host.settings.isStale(join, build);
  }

  left(view: LinkedView): void {
    if (this.#views.get(view.id) === view) this.#views.delete(view.id);
  }

  ended(view: LinkedView): void {
    const { pages } = this.#host;
    if (pages.get(view.page) === view) pages.delete(view.page);
  }

  renamed({ page }: LinkedView, before: string): void {
    const { pages } = this.#host;
    const view = pages.get(before);
    if (view?.page !== page) return;
    pages.delete(before);
    pages.set(page, view);
  }

  replaced(): void {
    this.#refuse("replaced", "replaced");
  }

  overflow(): void {
    this.#refuse("rate", "rate");
  }

  outdated(): void {
    void this.drain("stale");
  }

  sessionOver(): void {
    this.#refuse("unauthorized", "unauthorized");
  }

  /** A page that fetched itself before the response with the new cookie would undo a login. */
  #outlived(): void {
    if (this.#closed || this.#isOver) return;
    this.#isOver = true;
    for (const view of [...this.#views.values()]) view.end();
    this.#host.clock.timer(responseMs, () => this.sessionOver(), { background: true });
  }

  async #route(frame: Exclude<ClientFrame, { t: "ping" | "drained" }>): Promise<void> {
    if (this.#closed || this.#isOver) return;
    if (frame.t === "join") {
      // Whatever fails here is not the page's fault, and it may try again.
      return await this.#join(frame).catch((error) => {
        this.#joins--;
        this.#tellRefused("failed", error);
        this.send({ t: "error", id: frame.id, ref: frame.ref, code: "mount_failed", retry: true });
      });
    }
    const view = this.#views.get(frame.id);
    if (view === undefined) return;
    switch (frame.t) {
      case "event":
        return view.event(frame);
      case "params": {
        const url = urlOf(frame.url, this.#handshake.origin);
        return url === undefined
          ? this.#refuse("badMessage", "bad_message")
          : view.moved(frame.ref, url);
      }
      case "leave":
        return view.leave(frame.why);
      case "full":
        return view.whole();
    }
  }

  async #join(frame: JoinFrame): Promise<void> {
    const { ports, limits, views, draining } = this.#host;
    if (draining || this.#draining !== undefined) {
      return this.#refuse("draining", "draining", frame);
    }
    if (frame.v !== protocolVersion && frame.v !== protocolVersion - 1) {
      return this.#refuse("version", "version", frame);
    }
    const url = urlOf(frame.url, this.#handshake.origin);
    if (url === undefined) return this.#refuse("badMessage", "bad_message", frame);
    const verified = await ports.tokens.verify(frame.token);
    if (!verified.ok && verified.why === "unauthorized") {
      return this.#refuse("unauthorized", "unauthorized", frame);
    }
    const { claims } = verified;
    const session = await this.#enter(claims, frame);
    if (session === undefined || this.#closed) return;
    // Only now: under the cookie of another user it is not theirs to go on with what is on the page.
    if (!verified.ok) return this.#refuse("unauthorized", "expired", frame);
    const spec = views.get(claims.view);
    if (spec === undefined) return this.#refuse("unknownView", "unknown_view", frame);
    if (!this.#views.has(frame.id) && this.#views.size >= limits.viewsPerConnection) {
      return this.#refuse("rate", "rate", frame);
    }
    const page = await this.#takeOver(claims.page, frame);
    if (this.#closed) return;
    const { build } = claims;
    const start = { spec, id: frame.id, page, pageBuild: build, join: frame, url, session };
    const view = new LiveView(this.#host, this, start);
    this.#views.set(frame.id, view);
    this.#host.pages.set(page, view);
  }

  /** Opens the session of the cookie, once, if it is the one the page is bound to. */
  async #enter(claims: PageClaims, frame: JoinFrame): Promise<LiveSession | undefined> {
    const { ports } = this.#host;
    const session = this.#session ?? await this.#handshake.openSession(claims.until);
    const isBound = session !== undefined &&
      await ports.tokens.sessionOf(session.sid) === claims.session;
    if (!isBound) {
      this.#refuse("unauthorized", "unauthorized", frame);
      return undefined;
    }
    if (this.#session !== undefined || this.#closed) return session;
    if (!this.#host.enter(session.key)) {
      this.#refuse("rate", "rate", frame);
      return undefined;
    }
    this.#session = session;
    this.#unwatch = session.watch({
      ended: (why: SessionEnd) => {
        this.#tellRefused(why);
        this.#outlived();
      },
      changed: (stash, by) => {
        for (const view of this.#views.values()) {
          if (view !== by) view.message({ type: "stash-changed", stash });
        }
      },
    });
    // Storage that does not answer is no reason to turn a page away: its views go on from memory.
    const standing = this.#host.clock.now() < session.until
      ? "unborn"
      : await session.look().catch(() => "begun" as const);
    if (standing !== "over") {
      session.active();
      return session;
    }
    this.#refuse("unauthorized", "expired", frame);
    return undefined;
  }

  /** Of two connections with one page instance the newer goes on with it. */
  async #takeOver(claimed: string, { id, mounts }: JoinFrame): Promise<string> {
    const { pages, ports, clock, timing } = this.#host;
    const same = this.#views.get(id);
    const older = pages.get(claimed);
    // A page that begins is another instance than the one that is there already.
    const page = older !== undefined && older !== same && mounts === 0 ? ports.newPage() : claimed;
    for (const view of new Set([same, pages.get(page)])) {
      if (view === undefined) continue;
      view.replace(this);
      await Promise.race([view.whenOver, pause(clock, timing.handoverMs, undefined)]);
      view.end(false);
    }
    return page;
  }

  /** Says why, and closes. */
  #refuse(reason: CloseReason, code: LiveErrorCode, join?: JoinFrame): void {
    if (this.#closed) return;
    this.#tellRefused(code);
    const about = join === undefined ? {} : { id: join.id, ref: join.ref };
    const retry = reason === "draining" || reason === "rate";
    this.send({ t: "error", ...about, code, retry });
    this.close(reason);
  }

  #tellRefused(status: string, error?: unknown): void {
    this.#host.emit?.({
      name: "holdfast.live.refuse",
      ref: this.#session?.ref ?? "",
      status,
      ...(error === undefined ? {} : { error }),
    });
  }

  async #drain(
    reason: "shutdown" | "stale",
    hurry: AbortSignal | undefined,
  ): Promise<ConnectionDrain> {
    const { clock, drainTiming: { answerMs, spreadMs } } = this.#host;
    let timedOut = false;
    if (this.#views.size > 0) {
      const answered = new Promise<true>((resolve) => this.#drained = () => resolve(true));
      this.send({ t: "drain", withinMs: answerMs, spreadMs, reason });
      timedOut = await Promise.race([answered, pause(clock, answerMs, hurry)]) !== true;
    }
    // Joins that were under way, and events that came before the answer.
    await this.#mailbox.whenIdle();
    const results = await Promise.all(Array.from(this.#views.values(), (view) => view.drain()));
    const flushed = results.filter((durable) => durable).length;
    this.close("draining");
    return { flushed, failed: results.length - flushed, timedOut };
  }

  #forget(): void {
    this.#unwatch();
    this.#mailbox.clear();
    this.#drained();
    if (this.#session !== undefined) this.#host.exit(this.#session.key);
    this.#host.closed(this);
  }
}

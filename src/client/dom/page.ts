import {
  type ConnectionAction,
  type ConnectionInput,
  type ConnectionState,
  connectionStep,
  newConnection,
  type TransportKind,
} from "../connection.ts";
import type {
  ClientFrame,
  Effect,
  ErrorFrame,
  JoinedFrame,
  NavFrame,
  Navigation,
  ServerFrame,
} from "../../live/protocol.ts";
import type { ConnectOptions } from "../options.ts";
import { defaultTiming, type Timing } from "../timing.ts";
import type { JoinFacts, ShownState } from "../view.ts";
import { Controls } from "./controls.ts";
import { Events } from "./events.ts";
import { emit, type HooksPort, type LatePort, type LiveView } from "./host.ts";
import { Listeners } from "./listeners.ts";
import { keys, type LoadMore, type More, type MorePage, recall, tracked } from "./more_port.ts";
import type { Morph } from "./morph.ts";
import { Status } from "./status.ts";
import { Timers } from "./timers.ts";
import { openSocket, type Transport } from "./transport.ts";
import { View } from "./view.ts";

/** The live views of a page and their connection: carries out what the deciders say. */
export class Page implements MorePage {
  readonly options: ConnectOptions;
  readonly morph: Morph;
  readonly timing: Timing;
  readonly controls: Controls = new Controls();
  readonly scrolled: Set<Element> = new Set();
  readonly views: Map<string, LiveView> = new Map();
  connection: ConnectionState;
  /** A drain is on, or was until the connection is back. */
  draining = false;
  ref = 0;
  answered: MorePage["answered"];
  readonly listeners: Listeners = new Listeners();
  readonly #load: LoadMore;
  readonly #events: Events;
  readonly #status = new Status(this);
  readonly #timers = new Timers();
  #transport: Transport | undefined;
  #more: More | undefined;
  #loading: Promise<More> | undefined;

  constructor(options: ConnectOptions, morph: Morph, load: LoadMore) {
    this.options = options;
    this.morph = morph;
    this.#load = load;
    this.timing = { ...defaultTiming, ...options.timing };
    const kind: TransportKind = recall(keys.stream) === null ? "socket" : "stream";
    this.connection = newConnection(kind, !document.hidden, navigator.onLine);
    this.#events = new Events({
      controls: this.controls,
      viewOf: (element) => this.viewOf(element),
      interacted: () => this.step({ on: "interacted" }),
    }, this.listeners);
    this.#listen();
  }

  async start(): Promise<void> {
    const handed = recall(keys.handover) !== null;
    // Views are made with their hooks.
    const more = handed || this.options.hooks ? await this.more() : undefined;
    if (more && handed) more.takeOver();
    else this.addRoots(navigationType());
    this.step({ on: "start" });
  }

  addRoots(
    nav: Navigation,
    known?: (id: string) => { token: string; mounts: number } | undefined,
  ): void {
    for (const root of document.querySelectorAll("[data-live-view]")) {
      const { token, mounts } = known?.(root.id) ?? {};
      this.views.set(root.id, new View(this, root, nav, token, mounts));
    }
  }

  #listen(): void {
    const { listeners } = this;
    const world = (): void =>
      this.step({ on: "world", visible: !document.hidden, online: navigator.onLine });
    listeners.on(document, "visibilitychange", () => {
      if (document.hidden) this.#events.flush();
      world();
    });
    listeners.on(window, "focus online offline", world);
    listeners.on(window, "pageshow", (event: PageTransitionEvent) => {
      if (event.persisted) world();
      else if (navigationType() !== "navigate") {
        this.more().then((more) => more.restored(), () => {});
      }
    });
    listeners.on(window, "pagehide", (event: PageTransitionEvent) => this.#leave(event.persisted));
  }

  #leave(persisted: boolean): void {
    this.#events.flush();
    if (!persisted) this.leaveViews("unload");
    this.step({ on: "suspend" });
  }

  /** The page instance is over, unless it is to be taken over after a reload of ours. */
  leaveViews(why: "navigate" | "unload"): void {
    if (recall(keys.handover) !== null) return;
    for (const { state } of this.views.values()) {
      if (this.connection.phase === "open") this.send({ t: "leave", id: state.id, why });
    }
  }

  viewOf(element: Element): LiveView | undefined {
    const root = element.closest("[data-live-view]");
    return root ? this.views.get(root.id) : undefined;
  }

  step(input: ConnectionInput): void {
    const [state, actions] = connectionStep(this.connection, input, this.timing);
    this.connection = state;
    for (const action of actions) this.#act(action);
    for (const view of this.views.values()) this.changed(view);
  }

  #act(action: ConnectionAction): void {
    const { timer } = action as { timer?: unknown };
    switch (action.do) {
      case "open":
        return void this.#open(action.kind);
      case "close":
        this.#transport?.close(action.code);
        this.#transport = undefined;
        return;
      case "wait":
        return this.#timers.set(
          timer,
          action.ms,
          () => this.step({ on: "timer", timer: action.timer, chance: this.chance() }),
        );
      case "forget":
        return timer ? this.#timers.clear(timer) : this.#timers.clearAll();
      case "ping":
        return this.send({ t: "ping", n: action.n });
      case "up":
        for (const view of this.views.values()) view.step({ on: "up", facts: this.facts() });
        return;
      case "down":
        return this.#down();
      case "tell":
        return this.all(action.name, action.detail);
      case "refetch":
        return this.refetch();
      case "reload":
        return this.reload();
    }
  }

  all(name: string, detail: unknown): void {
    for (const { root } of this.views.values()) emit(root, name, detail);
  }

  async #open(kind: TransportKind): Promise<void> {
    const open = kind === "socket" ? openSocket : (await this.more()).openStream;
    // Things may have changed while it was loaded.
    if (this.connection.phase !== "opening") return;
    const { path = "/live" } = this.options;
    this.#transport?.close(1000);
    const transport = open(new URL(path, location.href).href, {
      opened: () => this.step({ on: "opened" }),
      received: (text) => this.#received(JSON.parse(text)),
      closed: (code) => {
        if (this.#transport === transport) this.#transport = undefined;
        this.step({ on: "closed", code, chance: this.chance() });
      },
    });
    this.#transport = transport;
  }

  #down(): void {
    this.#events.drop();
    for (const view of this.views.values()) view.step({ on: "down" });
    // What was done meanwhile is not held for ever.
    if (this.draining) setTimeout(() => this.#giveUp(), this.timing.holdMs);
  }

  #giveUp(): void {
    if (this.connection.phase === "open") return;
    this.draining = false;
    for (const view of this.views.values()) view.dropHeld();
  }

  #received(frame: ServerFrame): void {
    if (frame.t === "pong") this.step({ on: "pong", n: frame.n });
    else if (frame.t === "drain") {
      this.#events.flush();
      this.draining = true;
      this.step({ on: "drain", spreadMs: frame.spreadMs });
      this.send({ t: "drained" });
      this.all("drain", frame);
    } else if (frame.id === undefined) this.all("error", frame);
    else this.views.get(frame.id)?.step({ on: "frame", frame, chance: this.chance() });
  }

  /** The rarely needed part; loaded once. */
  more(): Promise<More> {
    return this.#loading ??= this.#load().then(({ createMore }) => this.#more = createMore(this));
  }

  chance(): number {
    return (this.options.chance ?? Math.random)();
  }

  nextRef(): number {
    return ++this.ref;
  }

  send(frame: ClientFrame): void {
    this.#transport?.send(JSON.stringify(frame));
  }

  facts(): JoinFacts {
    const { params } = this.options;
    return {
      ref: this.nextRef(),
      url: location.pathname + location.search + location.hash,
      ...(params ? { params: typeof params === "function" ? params() : params } : {}),
      assets: trackedAssets(document),
    };
  }

  holds(): boolean {
    const { phase, failed, socketWorks } = this.connection;
    return this.draining || phase === "open" || (failed === 0 && !socketWorks);
  }

  joined(view: LiveView, frame: JoinedFrame): void {
    this.draining = false;
    this.step({ on: "joined", heartbeatMs: frame.heartbeatMs });
    if (frame.stale) {
      view.root.setAttribute("data-live-update", "");
      emit(view.root, "update-available", { build: frame.build });
    }
    // While it can still be had: the next server may have another one.
    setTimeout(() => this.more().catch(() => {}), 100);
  }

  changed(view: LiveView): void {
    this.#status.show(view);
  }

  hooksFor(view: LiveView): HooksPort | undefined {
    return this.#more?.hooksFor(view);
  }

  lateFor(view: LiveView): LatePort | undefined {
    return this.#more?.lateFor(view);
  }

  effects(view: LiveView, fx: readonly Effect[]): void {
    this.more().then((more) => more.effects(view, fx), () => {});
  }

  announce(before: ShownState, now: ShownState): void {
    this.#more?.announce(before, now);
  }

  navigate(view: LiveView, nav: NavFrame): void {
    this.more().then((more) => more.navigate(view, nav), () => location.assign(nav.to));
  }

  refetch(error?: ErrorFrame): void {
    this.more().then((more) => more.refetch(error?.code), () => location.reload());
  }

  reload(): void {
    this.more().then((more) => more.reload(), () => location.reload());
  }

  /** Connects now, and joins what has been given up. */
  reconnect(): void {
    for (const view of this.views.values()) {
      if (view.state.phase === "failed") view.step({ on: "down" });
    }
    if (this.connection.phase !== "open") return this.step({ on: "reconnect" });
    for (const view of this.views.values()) {
      if (view.state.phase === "out") view.step({ on: "up", facts: this.facts() });
    }
  }

  close(): void {
    this.step({ on: "stop" });
    this.listeners.close();
    this.#events.drop();
    this.#status.close();
    this.#more?.close();
    for (const view of this.views.values()) view.close();
  }
}

/** The addresses of the assets that a page tracks; its own script is one. */
function trackedAssets(within: Document): readonly string[] {
  return [...within.querySelectorAll(tracked)].map((element) =>
    element.getAttribute("href") ?? element.getAttribute("src") ?? ""
  );
}

function navigationType(): Navigation {
  const [entry] = performance.getEntriesByType("navigation");
  const { type } = (entry ?? {}) as Partial<PerformanceNavigationTiming>;
  return type === "reload" || type === "back_forward" ? type : "navigate";
}

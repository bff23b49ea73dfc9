import {
  type ConnectionAction,
  type ConnectionInput,
  type ConnectionState,
  connectionStep,
  newConnection,
} from "../connection.ts";
import type {
  ClientFrame,
  ErrorFrame,
  JoinedFrame,
  NavFrame,
  ServerFrame,
} from "../../live/protocol.ts";
import type { ConnectOptions } from "../options.ts";
import { defaultTiming, type Timing } from "../timing.ts";
import type { JoinFacts } from "../view.ts";
import { Controls } from "./controls.ts";
import { Events } from "./events.ts";
import { emit, type Host, type LiveView } from "./host.ts";
import { Listeners } from "./listeners.ts";
import type { Morph } from "./morph.ts";
import { Status } from "./status.ts";
import { Timers } from "./timers.ts";
import { openSocket, type Transport } from "./transport.ts";
import { View } from "./view.ts";

/** The live views of a page and their connection: carries out what the deciders say. */
export class Page implements Host {
  readonly options: ConnectOptions;
  readonly morph: Morph;
  readonly timing: Timing;
  readonly controls: Controls = new Controls();
  readonly scrolled: Set<Element> = new Set();
  readonly views: Map<string, View> = new Map();
  readonly #listeners = new Listeners();
  readonly #events: Events;
  readonly #status: Status;
  readonly #timers = new Timers();
  #connection: ConnectionState;
  #transport: Transport | undefined;
  #ref = 0;
  /** A drain is on, or was until the connection is back. */
  #draining = false;

  constructor(options: ConnectOptions, morph: Morph) {
    this.options = options;
    this.morph = morph;
    this.timing = { ...defaultTiming, ...options.timing };
    this.#connection = newConnection({
      visible: !document.hidden,
      online: navigator.onLine,
      transport: "socket",
    });
    this.#status = new Status(this);
    this.#events = new Events({
      controls: this.controls,
      viewOf: (element) => this.viewOf(element),
      now: () => performance.now(),
      interacted: () => this.#step({ on: "interacted" }),
    }, this.#listeners);
    this.#listen();
  }

  start(): void {
    for (const root of document.querySelectorAll("[data-live-view]")) {
      this.views.set(root.id, new View(this, root, navigationType(), 0));
    }
    if (this.views.size > 0) this.#step({ on: "start" });
  }

  #listen(): void {
    const on = <E extends Event>(
      target: EventTarget,
      types: string,
      listener: (event: E) => void,
    ) => this.#listeners.on(target, types, listener);
    on(document, "visibilitychange", () => {
      if (document.hidden) this.#events.flush();
      this.#step({ on: document.hidden ? "hidden" : "visible" });
    });
    on(window, "focus", () => this.#step({ on: "visible" }));
    on(window, "online", () => this.#step({ on: "online" }));
    on(window, "offline", () => this.#step({ on: "offline" }));
    on(window, "pagehide", (event: PageTransitionEvent) => this.#leave(event.persisted));
    on(window, "pageshow", (event: PageTransitionEvent) => {
      if (event.persisted) this.#step({ on: "visible" });
    });
    this.#listeners.on<Event>(document, "scroll", ({ target }) => {
      if (target instanceof Element && this.viewOf(target)) this.scrolled.add(target);
    }, true);
  }

  #leave(persisted: boolean): void {
    this.#events.flush();
    if (!persisted) {
      for (const { state } of this.views.values()) {
        if (state.phase === "live") this.send({ t: "leave", id: state.id, why: "unload" });
      }
    }
    this.#step({ on: "suspend" });
  }

  viewOf(element: Element): View | undefined {
    const root = element.closest("[data-live-view]");
    return root === null ? undefined : this.views.get(root.id);
  }

  get connection(): ConnectionState {
    return this.#connection;
  }

  get draining(): boolean {
    return this.#draining;
  }

  #step(input: ConnectionInput): void {
    const [state, actions] = connectionStep(this.#connection, input, this.timing);
    this.#connection = state;
    for (const action of actions) this.#act(action);
    for (const view of this.views.values()) this.changed(view);
  }

  #act(action: ConnectionAction): void {
    switch (action.do) {
      case "open":
        return this.#open();
      case "close":
        this.#transport?.close(action.code);
        this.#transport = undefined;
        return;
      case "wait":
        return this.#timers.set(
          action.timer,
          action.ms,
          () => this.#step({ on: "timer", timer: action.timer, chance: this.chance() }),
        );
      case "forget":
        for (const timer of ["retry", "connect", "beat", "pong", "stable"]) {
          if (action.timer === undefined || action.timer === timer) this.#timers.clear(timer);
        }
        return;
      case "ping":
        return this.send({ t: "ping", n: action.n });
      case "up":
        return this.#up();
      case "down":
        return this.#down();
      case "retrying":
        return this.#all("reconnecting", action);
      case "stopped":
        return this.#all("error", { code: action.why });
      case "refetch":
      case "reload":
        return this.reload();
    }
  }

  #all(name: string, detail: unknown): void {
    for (const { root } of this.views.values()) emit(root, name, detail);
  }

  #open(): void {
    this.#transport?.close(1000);
    const path = this.options.path ?? "/live";
    const transport = openSocket(new URL(`${path}/socket`, location.href).href, {
      opened: () => this.#step({ on: "opened" }),
      received: (text) => this.#received(text),
      closed: (code) => {
        if (this.#transport !== transport) return;
        this.#transport = undefined;
        this.#step({ on: "closed", code, chance: this.chance() });
      },
    });
    this.#transport = transport;
  }

  #up(): void {
    for (const view of this.views.values()) view.step({ on: "up", facts: this.facts() });
  }

  #down(): void {
    this.#events.drop();
    if (this.#draining) {
      this.#timers.set("hold", this.timing.holdMs, () => {
        this.#draining = false;
        for (const view of this.views.values()) view.dropHeld();
      });
    }
    for (const view of this.views.values()) view.step({ on: "down" });
  }

  #received(text: string): void {
    const frame: ServerFrame = JSON.parse(text);
    if (frame.t === "pong") return this.#step({ on: "pong", n: frame.n });
    if (frame.t === "drain") return this.#drain(frame.spreadMs, frame);
    if ("id" in frame && frame.id !== undefined) {
      this.views.get(frame.id)?.step({ on: "frame", frame, chance: this.chance() });
    } else this.#all("error", frame);
  }

  #drain(spreadMs: number, detail: unknown): void {
    this.#step({ on: "drain", spreadMs });
    this.#events.flush();
    this.#draining = true;
    this.send({ t: "drained" });
    this.#all("drain", detail);
    for (const view of this.views.values()) this.changed(view);
  }

  // What views ask for.

  chance(): number {
    return (this.options.chance ?? Math.random)();
  }

  nextRef(): number {
    return ++this.#ref;
  }

  send(frame: ClientFrame): void {
    this.#transport?.send(JSON.stringify(frame));
  }

  facts(): JoinFacts {
    const { params } = this.options;
    return {
      ref: this.nextRef(),
      url: location.pathname + location.search + location.hash,
      params: typeof params === "function" ? params() : params,
      assets: trackedAssets(document),
    };
  }

  warn(text: string): void {
    if (this.options.dev) console.warn(`holdfast: ${text}`);
  }

  holds(): boolean {
    const { phase, failed, socketWorks } = this.#connection;
    return this.#draining || phase === "open" || (failed === 0 && !socketWorks);
  }

  joined(view: LiveView, frame: JoinedFrame): void {
    this.#draining = false;
    this.#timers.clear("hold");
    this.#step({ on: "joined", heartbeatMs: frame.heartbeatMs });
    if (frame.stale) {
      view.root.setAttribute("data-live-update", "");
      emit(view.root, "update-available", { build: frame.build });
    }
  }

  changed(view: LiveView): void {
    this.#status.show(view);
  }

  navigate(_view: LiveView, nav: NavFrame): void {
    this.redirect(nav.to);
  }

  redirect(to: string): void {
    location.assign(to);
  }

  failed(_view: LiveView, _error: ErrorFrame): void {}

  refetch(): void {
    this.reload();
  }

  reload(): void {
    location.reload();
  }

  reconnect(): void {
    this.#step({ on: "reconnect" });
  }

  close(): void {
    this.#step({ on: "stop" });
    this.#listeners.close();
    this.#events.close();
    this.#timers.clearAll();
    this.#status.close();
    for (const view of this.views.values()) view.close();
  }
}

/** The addresses of the assets that a page tracks. */
export function trackedAssets(within: Document): readonly string[] {
  return [...within.querySelectorAll("[data-live-track]")].map((element) =>
    element.getAttribute("href") ?? element.getAttribute("src") ?? ""
  );
}

function navigationType(): "navigate" | "reload" | "back_forward" {
  const [entry] = performance.getEntriesByType("navigation");
  const type = (entry as PerformanceNavigationTiming | undefined)?.type;
  return type === "reload" || type === "back_forward" ? type : "navigate";
}

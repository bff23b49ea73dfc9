import type { ConnectionState } from "../connection.ts";
import { announcement, defaultMessages } from "../messages.ts";
import type { ConnectOptions } from "../options.ts";
import type { Timing } from "../timing.ts";
import { type ShownState, shownState } from "../view.ts";
import { emit, type LiveView } from "./host.ts";
import { Timers } from "./timers.ts";

/** What the state of a page is read from. */
interface Shown {
  readonly connection: ConnectionState;
  readonly draining: boolean;
  readonly timing: Timing;
  readonly options: ConnectOptions;
}

const unseen: Partial<CSSStyleDeclaration> = {
  position: "absolute",
  width: "1px",
  height: "1px",
  overflow: "hidden",
  clipPath: "inset(50%)",
  whiteSpace: "nowrap",
};

/** Shows on each root how its view is connected, tells scripts, and says it to screen readers. */
export class Status {
  readonly #page: Shown;
  readonly #timers = new Timers();
  #region: HTMLElement | undefined;

  constructor(page: Shown) {
    this.#page = page;
  }

  show(view: LiveView): void {
    const { connection, draining, timing } = this.#page;
    const { phase } = view.state;
    const state = shownState(view.state, { ...connection, draining });
    const live = phase === "live";
    if (state === view.shown && (state !== "connecting" || phase !== "joining")) {
      this.#timers.clear(view);
      if (live) view.root.removeAttribute("aria-busy");
      return;
    }
    // A connection that is back before anybody has noticed was never lost.
    const wait = view.shown === "connected" || view.shown === "draining"
      ? state === "draining" || state === "failed" ? 0 : timing.quietMs
      : 0;
    if (wait === 0) this.#set(view, state);
    else if (!this.#pending.has(view)) {
      this.#pending.add(view);
      this.#timers.set(view, wait, () => {
        this.#pending.delete(view);
        this.#set(view, shownState(view.state, { ...this.#page.connection, draining: false }));
      });
    }
  }

  readonly #pending = new Set<LiveView>();

  #set(view: LiveView, state: ShownState): void {
    const { root } = view;
    const before = view.shown as ShownState;
    this.#timers.clear(view);
    this.#pending.delete(view);
    view.shown = state;
    root.setAttribute("data-live-state", state);
    root.toggleAttribute("aria-busy", false);
    if (state === "connecting" || state === "reconnecting") root.setAttribute("aria-busy", "true");
    const lost = (one: ShownState) => one !== "connected" && one !== "draining";
    if (state === "connected" && before !== state) {
      emit(root, "connected", { mounts: view.state.mounts });
      if (before !== "connecting") view.hooks.all("reconnected");
    } else if (lost(state) && !lost(before)) {
      emit(root, "disconnected", {});
      view.hooks.all("disconnected");
    }
    const text = announcement(
      { ...defaultMessages, ...this.#page.options.messages },
      before,
      state,
    );
    if (text !== undefined) this.#say(text);
  }

  #say(text: string): void {
    if (this.#region === undefined || !this.#region.isConnected) {
      this.#region = document.createElement("div");
      this.#region.setAttribute("role", "status");
      this.#region.setAttribute("aria-live", "polite");
      Object.assign(this.#region.style, unseen);
      document.body.append(this.#region);
    }
    this.#region.textContent = text;
  }

  close(): void {
    this.#timers.clearAll();
    this.#region?.remove();
  }
}

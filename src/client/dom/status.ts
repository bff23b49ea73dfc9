import type { ConnectionState } from "../connection.ts";
import type { Timing } from "../timing.ts";
import { type ShownState, shownState } from "../view.ts";
import { emit, type LiveView } from "./host.ts";
import { Timers } from "./timers.ts";

/** What the state of a page is read from. */
interface Shown {
  readonly connection: ConnectionState;
  readonly draining: boolean;
  readonly timing: Timing;
  announce(before: ShownState, now: ShownState): void;
}

function isFine(state: ShownState): boolean {
  return state === "connected" || state === "draining";
}

/** Shows on each root how its view is connected, and tells scripts. */
export class Status {
  readonly #page: Shown;
  readonly #timers = new Timers();

  constructor(page: Shown) {
    this.#page = page;
  }

  /** @param late A loss has lasted long enough to be shown. */
  show(view: LiveView, late = false): void {
    const { connection, draining, timing } = this.#page;
    const state = shownState(view.state, { ...connection, draining });
    if (state === view.shown && state !== "connecting") return this.#timers.clear(view);
    // A connection that is back before anybody has noticed was never lost.
    if (isFine(state) || state === "failed" || late || !isFine(view.shown)) this.#set(view, state);
    else if (!this.#timers.has(view)) {
      this.#timers.set(view, timing.quietMs, () => this.show(view, true));
    }
  }

  #set(view: LiveView, state: ShownState): void {
    const { root, shown: before } = view;
    this.#timers.clear(view);
    view.shown = state;
    root.setAttribute("data-live-state", state);
    if (state === "connecting" || state === "reconnecting") root.setAttribute("aria-busy", "true");
    else root.removeAttribute("aria-busy");
    if (state === before) return;
    if (state === "connected") {
      emit(root, "connected", { mounts: view.state.mounts });
      if (!isFine(before) && before !== "connecting") view.hooks?.all("reconnected");
    } else if (isFine(before) && !isFine(state)) {
      emit(root, "disconnected", {});
      view.hooks?.all("disconnected");
    }
    this.#page.announce(before, state);
  }

  close(): void {
    this.#timers.clearAll();
  }
}

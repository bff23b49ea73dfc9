import type { Effect, LiveErrorCode, StashFrame } from "../../live/protocol.ts";
import { type HandedControl, isSecret, mostReloads, readHandover } from "../handover.ts";
import { announcement, defaultMessages } from "../messages.ts";
import type { ShownState } from "../view.ts";
import { type Control, controlsIn, controlsOf, idOf, isControl, saysNothing } from "./controls.ts";
import { emit, type HooksPort, type LatePort, type LiveView } from "./host.ts";
import { Hooks } from "./hooks.ts";
import { Late } from "./late.ts";
import { keys, type More, type MorePage, recall } from "./more_port.ts";
import { fetchPage, Navigation } from "./navigation.ts";
import { identify } from "./parse.ts";
import { restoreControls, saveControls } from "./saved.ts";
import { Stored } from "./stored.ts";
import { openStream } from "./stream.ts";
import { attempt, warn } from "./warn.ts";

/** Where a page is, without the place on it. */
function address(): string {
  return location.pathname + location.search;
}

/** A control that has got no id because another one of its name and row has it. */
function isOneOfSeveral(control: Control): boolean {
  const { form, name, id, type } = control;
  return name !== "" && id === "" && type !== "hidden" && idOf(form) !== "" &&
    control.closest("[data-live-ignore]") === null;
}

const editable =
  "[contenteditable]:not([contenteditable=false],[data-live-ignore],[data-live-ignore] *)";

const unseen: Partial<CSSStyleDeclaration> = {
  position: "absolute",
  width: "1px",
  height: "1px",
  overflow: "hidden",
  clipPath: "inset(50%)",
  whiteSpace: "nowrap",
};

/** Carries out what {@linkcode More} promises. */
class Rare implements More {
  readonly openStream = openStream;
  readonly navigate: Navigation["follow"];
  readonly #page: MorePage;
  readonly #late = new WeakMap<LiveView, LatePort>();
  #region: HTMLElement | undefined;
  readonly #stored: Stored;
  readonly #warned = new Set<string>();
  #reloads = 0;
  #fetching: Promise<void> | undefined;

  constructor(page: MorePage) {
    this.#page = page;
    const navigation = new Navigation(page);
    this.navigate = (view, nav) => navigation.follow(view, nav);
    this.#stored = new Stored(page.controls);
    const { listeners } = page;
    listeners.on(document, "input change", ({ target }) => {
      if (isControl(target)) this.#stored.edits(target);
    }, true);
    listeners.on(window, "live:saved", (event: CustomEvent<StashFrame>) => {
      const { rev, durable, id } = event.detail;
      const view = page.views.get(id);
      if (view && durable && rev >= view.state.rev) this.#stored.saved(view.root);
    });
    listeners.on(window, "beforeunload", (event: Event) => this.#guard(event));
    listeners.on(window, "live:connected", () => void (this.#reloads = 0));
    listeners.on(document, "scroll", ({ target }) => {
      if (target instanceof Element && page.viewOf(target)) page.scrolled.add(target);
    }, true);
    listeners.on(
      window,
      "live:error",
      ({ detail }: CustomEvent) =>
        warn(page.options, `${detail.name ?? "the view"}: ${detail.code}`),
    );
    if (page.options.dev) {
      this.#check();
      listeners.on(window, "live:patch", () => this.#check());
    }
  }

  /** Asks before something is lost that the server does not have and cannot get. */
  #guard(event: Event): void {
    const { options, connection, views } = this.#page;
    if (options.guardUnload === false || connection.phase === "open") return;
    if (
      recall(keys.handover) === null && [...views.values()].some((view) => this.#isUnsaved(view))
    ) {
      event.preventDefault();
    }
  }

  #isUnsaved({ kept, root }: LiveView): boolean {
    const { controls } = this.#page;
    return kept > 0 ||
      controlsIn(root).some((one) =>
        controls.isDirty(one) && one.form?.hasAttribute("data-live-change") === true
      );
  }

  /** Once for each text: a page is looked at after every patch. */
  #warn(text: string): void {
    if (!this.#warned.has(text)) warn(this.#page.options, text);
    this.#warned.add(text);
  }

  /** Looks for what will not work. */
  #check(): void {
    for (const { root } of this.#page.views.values()) {
      for (const form of root.querySelectorAll("form[data-live-change]")) {
        if (!form.getAttribute("id")) this.#warn("a form without id is not recovered");
      }
      if (root.querySelector(editable)) {
        this.#warn(
          "what is typed into a contenteditable goes with the next patch: it needs data-live-ignore",
        );
      }
      for (
        const control of root.querySelectorAll(
          ":is(form[data-live-change] *, [data-live-change]):is(input,select,textarea)",
        )
      ) {
        if (!control.getAttribute("name")) this.#warn("a control without name is not sent");
      }
      for (const { form, name } of controlsIn(root).filter(isOneOfSeveral)) {
        this.#warn(
          `several controls of the form "${
            idOf(form)
          }" are named "${name}", and are told apart by ` +
            "their place: give each an id, or its row an id or a data-live-key",
        );
      }
    }
  }

  hooksFor(view: LiveView): HooksPort {
    return new Hooks(view, this.#page);
  }

  lateFor(view: LiveView): LatePort {
    let late = this.#late.get(view);
    if (late === undefined) {
      this.#late.set(view, late = new Late(view, this.#page, this.#stored));
    }
    return late;
  }

  effects(view: LiveView, fx: readonly Effect[]): void {
    for (const effect of fx) attempt(() => this.#effect(view, effect));
  }

  #effect({ root, hooks }: LiveView, effect: Effect): void {
    const { k } = effect;
    if (k === "push") {
      const { name, data } = effect;
      hooks?.hear(name, data);
      return void emit(root, "push", { name, data });
    }
    const id = k === "focus" ? effect.id : k === "reset" ? effect.form : effect.to;
    const element = document.getElementById(id);
    if (k === "focus") element?.focus();
    else if (k === "reset" && element) this.#reset(element as HTMLFormElement);
    else if (element) element.scrollIntoView();
    else scrollTo(0, 0);
  }

  /** Back to what the server rendered, as if nobody had been in it. */
  #reset(form: HTMLFormElement): void {
    // The form's own, unless it has a control of that name.
    HTMLFormElement.prototype.reset.call(form);
    for (const control of controlsOf(form)) this.#page.controls.forget(control);
    const view = this.#page.viewOf(form);
    if (view) this.lateFor(view).forget(idOf(form));
  }

  announce(before: ShownState, now: ShownState): void {
    const messages = { ...defaultMessages, ...this.#page.options.messages };
    const { connected } = messages;
    // A page that began anew meanwhile shows "connecting" in between; what was said is over.
    const saidOther = (this.#region?.textContent ?? connected) !== connected;
    const text = announcement(messages, before, now) ??
      (now === "connected" && saidOther ? connected : undefined);
    if (text === undefined) return;
    if (!this.#region?.isConnected) {
      this.#region = document.createElement("div");
      this.#region.setAttribute("role", "status");
      Object.assign(this.#region.style, unseen);
      document.body.append(this.#region);
    }
    this.#region.textContent = text;
  }

  /** Once for the error of each view and the close that follows: every answer may bring another session. */
  refetch(code?: LiveErrorCode): Promise<void> {
    return this.#fetching ??= this.#refetch(code).finally(() => this.#fetching = undefined);
  }

  async #refetch(code?: LiveErrorCode): Promise<void> {
    const got = await fetchPage(location.href);
    const { views } = this.#page;
    const found = [...views.values()].map((view) => {
      const fresh = got?.found.getElementById(view.root.id);
      return [view, fresh, fresh?.getAttribute("data-live-token")] as const;
    });
    const same = code === "expired";
    // Sent elsewhere, as to a log-in.
    if (got !== undefined && found.every(([, , token]) => !token)) {
      if (!same) this.#empty();
      return location.assign(got.url);
    }
    if (found.some(([, , token]) => !token)) return this.reload(same);
    for (const [view, fresh, token] of found) {
      if (!same) this.#forget(view, [...fresh?.childNodes ?? []]);
      view.step({ on: "token", token: token ?? "" });
    }
    if (this.#page.connection.phase !== "open") return this.#page.step({ on: "fetched", ok: true });
    for (const [view] of found) view.step({ on: "up", facts: this.#page.facts() });
  }

  /**
   * Another session is another user, perhaps: what this one typed, did and saw is not theirs, be it
   * in a control, in what hooks and the browser were left, or under way. All of it goes.
   */
  #forget(view: LiveView, fresh: readonly Node[] = []): void {
    const { root } = view;
    const active = document.activeElement;
    const id = root.contains(active) ? idOf(active) : "";
    view.hooks?.close();
    view.forget();
    this.#late.delete(view);
    root.replaceChildren(...fresh);
    identify(root);
    document.getElementById(id)?.focus({ preventScroll: true });
  }

  /** Leaves nothing for the browser to keep either, which puts back what was typed. */
  #empty(): void {
    for (const view of this.#page.views.values()) this.#forget(view);
  }

  /** @param same The session goes on, and so does what was typed. */
  async reload(same = true): Promise<void> {
    const { ok } = await fetch(location.href, { method: "HEAD" }).catch(() => ({ ok: false }));
    // A page that cannot be had is worse than this one.
    if (!ok || this.#reloads >= mostReloads) return this.#page.step({ on: "fetched", ok: false });
    if (!same) this.#empty();
    this.#handOver();
    location.reload();
  }

  #handOver(): void {
    const { views, controls, ref } = this.#page;
    const states = [...views.values()].map(({ state }) => state);
    const forms: Record<string, HandedControl[]> = {};
    for (const { root } of views.values()) {
      for (const form of root.querySelectorAll<HTMLFormElement>("form[id]")) {
        const mine = controlsOf(form).filter((one) =>
          controls.isMine(one, false) && !isSecret(one.type, one.autocomplete)
        );
        if (mine.length > 0) forms[form.getAttribute("id") ?? ""] = saveControls(form, mine);
      }
    }
    const left = {
      url: address(),
      ref,
      reloads: this.#reloads + 1,
      views: Object.fromEntries(states.map(({ id, token, mounts }) => [id, { token, mounts }])),
      forms,
    };
    try {
      sessionStorage.setItem(keys.handover, JSON.stringify(left));
    } catch {
      // Then the page begins anew.
    }
  }

  takeOver(): void {
    const left = readHandover(recall(keys.handover), address());
    sessionStorage.removeItem(keys.handover);
    if (left === undefined) return this.#page.addRoots("reload");
    this.#reloads = left.reloads;
    this.#page.ref = left.ref;
    this.#page.addRoots("resume", (id) => left.views[id]);
    for (const [id, saved] of Object.entries(left.forms)) {
      const form = document.getElementById(id);
      if (form instanceof HTMLFormElement) {
        restoreControls(form, saved, (control) => this.#page.controls.edit(control));
      }
    }
  }

  /**
   * What the browser has put in is the user's where the HTML says nothing; what it says is newer.
   * That is known when the view is joined: the browser may have kept the page as well.
   */
  restored(): void {
    for (const view of this.#page.views.values()) {
      const { root, state } = view;
      root.addEventListener("live:patch", () => this.#tell(root), { once: true });
      if (state.phase === "live") view.restored();
    }
  }

  #tell(root: Element): void {
    for (const one of controlsIn(root)) {
      if (this.#page.controls.isNews(one) && saysNothing(one)) {
        one.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }
  }

  close(): void {
    this.#region?.remove();
  }
}

/** Makes what a page needs rarely. */
export function createMore(page: MorePage): More {
  return new Rare(page);
}

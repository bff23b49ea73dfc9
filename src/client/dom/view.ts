import type { JsonValue } from "../../core/json.ts";
import type {
  Effect,
  ErrorFrame,
  EventFrame,
  JoinedFrame,
  Navigation,
  ReplyFrame,
} from "../../live/protocol.ts";
import { pathOf } from "../entries.ts";
import { newView, type ViewAction, type ViewInput, type ViewState, viewStep } from "../view.ts";
import { type Control, controlsIn, controlsOf, entriesOf, type Progress } from "./controls.ts";
import { emit, type Host, type LiveView, type Outgoing } from "./host.ts";
import { Hooks } from "./hooks.ts";
import { morphView, noteOpen } from "./morph.ts";
import { identify, parseView } from "./parse.ts";
import { Recovery } from "./recovery.ts";
import { Timers } from "./timers.ts";

/** An event the server has not answered. */
interface Pending {
  readonly out: Outgoing;
  readonly frame: EventFrame;
  readonly progress: Progress;
}

/** A frame the server takes. */
const maxFrameLength = 60_000;

/** One view on the page: carries out what {@linkcode viewStep} decides. */
export class View implements LiveView {
  readonly root: Element;
  readonly hooks: Hooks;
  readonly timers: Timers = new Timers();
  /** The state its root shows. */
  shown = "connecting";
  readonly #host: Host;
  readonly #recovery: Recovery;
  readonly #pending = new Map<number, Pending>();
  /** Done while the view was not live, to be sent when it is. */
  #held: Outgoing[] = [];
  /** Submits whose answer was lost with the connection. */
  #unsure: Pending[] = [];
  #released: Set<Control> = new Set();
  readonly #locked = new Set<Element>();
  /** What buttons said before they were locked. */
  readonly #texts = new Map<Element, string>();
  #state: ViewState;

  constructor(host: Host, root: Element, nav: Navigation, mounts: number, token?: string) {
    this.#host = host;
    this.root = root;
    this.#state = newView(
      root.id,
      token ?? root.getAttribute("data-live-token") ?? "",
      nav,
      mounts,
    );
    this.hooks = new Hooks(
      host.options.hooks ?? {},
      (name, value) => this.push(name, value),
      (text) => host.warn(text),
    );
    this.#recovery = new Recovery(this, host);
    identify(root);
    noteOpen(root);
  }

  get state(): ViewState {
    return this.#state;
  }

  step(input: ViewInput): void {
    const [state, actions] = viewStep(this.#state, input, this.#host.timing);
    this.#state = state;
    if (input.on === "down") this.#lose();
    if (input.on === "frame" && input.frame.t === "error") {
      this.#recovery.crashed();
      this.#lose();
    }
    for (const action of actions) this.#act(action);
    this.#host.changed(this);
  }

  #act(action: ViewAction): void {
    const host = this.#host;
    switch (action.do) {
      case "send":
        return host.send(action.frame);
      case "recover":
        return this.#joined(action.html, action.joined);
      case "render":
        return this.#render(action.html);
      case "title":
        document.title = action.title;
        return;
      case "effects":
        return action.fx.forEach((effect) => this.#effect(effect));
      case "settle":
        return this.#settle(action.reply);
      case "wait":
        return this.timers.set("join", action.ms, () =>
          this.step(
            action.timer === "join" ? { on: "late" } : { on: "up", facts: host.facts() },
          ));
      case "forget":
        return this.timers.clear("join");
      case "saved":
        return void emit(this.root, "saved", action.stash);
      case "nav":
        return host.navigate(this, action.nav);
      case "error":
        return this.#failed(action.error);
      case "redirect":
        return host.redirect(action.to);
      case "refetch":
        return host.refetch();
      case "reload":
        return host.reload();
    }
  }

  #joined(html: string, frame: JoinedFrame): void {
    this.#host.joined(this, frame);
    this.timers.set("stable", this.#host.timing.stableMs, () => this.step({ on: "stable" }));
    for (const lost of this.#unsure) {
      const { frame: event, out } = lost;
      if (frame.submitted >= event.ref) this.#finish(lost, true);
      else if (!out.form?.hasAttribute("data-live-retry")) this.#unsent(out);
    }
    this.#unsure = this.#unsure.filter(({ frame: event, out }) =>
      frame.submitted < event.ref && out.form?.hasAttribute("data-live-retry")
    );
    this.#recovery.start(html, frame);
  }

  /** The forms have been told: show the page, then send what waited for it. */
  recovered(forms: readonly string[], status: JoinedFrame["status"]): void {
    this.step({ on: "recovered" });
    emit(this.root, "recovered", { status, forms });
    for (const pending of this.#unsure.splice(0)) this.#transmit(pending);
    for (const out of this.#held.splice(0)) this.event(out);
  }

  /** Sends an event, now or when the view is live; or drops it, and says so. */
  event(out: Outgoing): void {
    const { phase } = this.#state;
    if (phase === "live" || (out.recover && phase === "recovering")) return this.#sendNow(out);
    // What a form holds is told when the view is joined again.
    if (out.type === "change" && phase !== "recovering") return;
    const kept = out.el.closest("[data-live-queue]") !== null;
    if (!kept && phase === "out" && !this.#host.holds()) return this.#drop(out);
    if (out.type === "change") this.#held = this.#held.filter(({ el }) => el !== out.el);
    this.#held.push(out);
    out.el.setAttribute("data-live-pending", "");
  }

  push(name: string, value?: JsonValue): Promise<JsonValue | undefined> {
    return new Promise((done, lost) =>
      this.event({ type: "hook", name, el: this.root, value, done, lost })
    );
  }

  #sendNow(out: Outgoing): void {
    const { form } = out;
    const ref = this.#host.nextRef();
    const touched = form ? this.#host.controls.touchedNames(form) : [];
    const frame: EventFrame = {
      t: "event",
      id: this.#state.id,
      ref,
      name: out.name,
      type: out.type,
      ...(out.value === undefined ? {} : { value: out.value }),
      ...(form
        ? {
          form: {
            id: form.getAttribute("id") ?? "",
            data: this.#recovery.entriesFor(out) ?? entriesOf(form, out.submitter ?? null),
            ...(out.target === undefined ? {} : { target: pathOf(out.target) }),
            ...(touched.length > 0 ? { touched } : {}),
          },
        }
        : {}),
      ...(out.recover ? { recover: true } : {}),
    };
    if (JSON.stringify(frame).length > maxFrameLength) {
      out.lost?.(new Error("The event is too large"));
      return void emit(out.el, "error", { code: "too_large", name: out.name });
    }
    const progress = this.#host.controls.progress(form ? controlsOf(form) : []);
    this.#transmit({ out, frame, progress });
  }

  #transmit(pending: Pending): void {
    const { out, frame } = pending;
    this.#pending.set(frame.ref, pending);
    out.el.setAttribute("data-live-pending", "");
    if (out.type === "submit") this.#lock(out);
    this.#host.send(frame);
  }

  #lock({ el, submitter, form }: Outgoing): void {
    form?.removeAttribute("data-live-unsent");
    const button = submitter ?? el.querySelector("button:not([type=button]),[type=submit]");
    if (button === null) return;
    this.#locked.add(button);
    button.setAttribute("aria-disabled", "true");
    const text = button.getAttribute("data-live-disable-with");
    if (text === null) return;
    const before = button.textContent;
    button.textContent = text;
    this.#texts.set(button, before ?? "");
  }

  #unlock({ submitter, el }: Outgoing): void {
    for (const button of this.#locked) {
      if (button !== submitter && !el.contains(button)) continue;
      this.#locked.delete(button);
      button.removeAttribute("aria-disabled");
      const text = this.#texts.get(button);
      if (text !== undefined) button.textContent = text;
      this.#texts.delete(button);
    }
  }

  /** Tells whether a submit of this form is on its way. */
  isSubmitting(form: HTMLFormElement): boolean {
    const all = [...this.#pending.values(), ...this.#unsure].map(({ out }) => out);
    return [...all, ...this.#held].some((out) => out.type === "submit" && out.form === form);
  }

  #settle(reply: ReplyFrame): void {
    const pending = this.#pending.get(reply.ref);
    if (pending === undefined) return;
    this.#pending.delete(reply.ref);
    if (!reply.ok) {
      const { code, problems } = reply;
      emit(pending.out.el, "error", { code, problems, name: pending.out.name });
      this.#host.warn(`Event "${pending.out.name}" was refused: ${code}`);
    }
    this.#finish(pending, reply.ok, reply.value);
    if (pending.out.recover) this.#recovery.told(pending.out, reply.ok);
  }

  #finish({ out, progress }: Pending, ok: boolean, value?: JsonValue): void {
    if (ok) this.#host.controls.answer(progress, out.type);
    if (ok && out.type === "submit") {
      const { controls } = this.#host;
      this.#released = new Set(
        [...progress].filter(([control, made]) => controls.of(control).made === made)
          .map(([control]) => control),
      );
    }
    this.#unlock(out);
    if (![...this.#pending.values()].some((other) => other.out.el === out.el)) {
      out.el.removeAttribute("data-live-pending");
    }
    if (ok) out.done?.(value);
    else out.lost?.(new Error("The event was refused"));
  }

  /** What was under way is lost: with the connection, or with the view. */
  #lose(): void {
    this.#recovery.interrupt();
    for (const pending of this.#pending.values()) {
      const { out } = pending;
      if (out.type === "submit") this.#unsure.push(pending);
      else if (out.type === "change") out.el.removeAttribute("data-live-pending");
      else this.#drop(out, true);
    }
    this.#pending.clear();
    if (!this.#host.holds()) this.dropHeld();
  }

  /** Lets go of what nobody asked to keep. */
  dropHeld(): void {
    const held = this.#held.splice(0);
    for (const out of held) {
      if (out.el.closest("[data-live-queue]") !== null) this.#held.push(out);
      else this.#drop(out);
    }
  }

  #drop(out: Outgoing, sent = false): void {
    out.el.removeAttribute("data-live-pending");
    out.lost?.(new Error("The view is not connected"));
    if (out.type === "submit") this.#unsent(out);
    if (out.type !== "change") emit(out.el, "dropped", { name: out.name, type: out.type, sent });
  }

  #unsent(out: Outgoing): void {
    this.#unlock(out);
    out.el.removeAttribute("data-live-pending");
    out.form?.setAttribute("data-live-unsent", "");
    emit(out.el, "unsent", { name: out.name });
  }

  /** Tells whether something would be lost with the page. */
  isUnsaved(): boolean {
    const { controls } = this.#host;
    return this.#held.length > 0 || this.#unsure.length > 0 ||
      controlsIn(this.root).some((one) =>
        controls.isDirty(one) && one.form?.hasAttribute("data-live-change")
      );
  }

  #failed(error: ErrorFrame): void {
    emit(this.root, "error", error);
    this.#host.failed(this, error);
  }

  #render(html: string): void {
    const released = this.#released;
    this.#released = new Set();
    const { morph, controls, scrolled } = this.#host;
    morphView(this.root, parseView(this.root, html), {
      morph,
      controls,
      scrolled,
      released,
      locked: this.#locked,
      beforeUpdate: (element, fresh) => this.hooks.beforeUpdate(element, fresh),
      removed: (element) => this.#recovery.vanished(element),
    });
    this.#recovery.appeared();
    this.hooks.sync(this.root);
    emit(this.root, "patch", { rev: this.#state.rev });
  }

  #effect(effect: Effect): void {
    switch (effect.k) {
      case "push":
        this.hooks.hear(effect.name, effect.data);
        return void emit(this.root, "push", { name: effect.name, data: effect.data });
      case "focus":
        return document.getElementById(effect.id)?.focus();
      case "reset":
        return this.#reset(document.getElementById(effect.form));
      case "scroll":
        return effect.to === "top"
          ? scrollTo(0, 0)
          : document.getElementById(effect.to)?.scrollIntoView();
    }
  }

  #reset(form: HTMLElement | null): void {
    if (!(form instanceof HTMLFormElement)) return;
    form.reset();
    for (const control of controlsOf(form)) this.#host.controls.forget(control);
    this.#recovery.forget(form.id);
  }

  close(): void {
    this.timers.clearAll();
    this.hooks.close();
    this.#recovery.interrupt();
  }
}

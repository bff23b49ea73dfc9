import type { JsonValue } from "../../core/json.ts";
import type { EventFrame, JoinedFrame, Navigation, ReplyFrame } from "../../live/protocol.ts";
import { pathOf } from "../entries.ts";
import {
  newView,
  type ShownState,
  type ViewAction,
  type ViewInput,
  type ViewState,
  viewStep,
} from "../view.ts";
import {
  type Control,
  controlsIn,
  controlsOf,
  entriesOf,
  formFor,
  idOf,
  type Progress,
} from "./controls.ts";
import {
  emit,
  type HooksPort,
  type Host,
  type LiveView,
  notPushed,
  type Outgoing,
} from "./host.ts";
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

/** What the page is to show; see `ViewAction`. */
type Shown = Omit<Extract<ViewAction, { do: "show" }>, "do">;

const nothing: Shown = { html: undefined, title: undefined, fx: [] };

/** A patch that takes longer is followed by a rest, in milliseconds. */
const longMs = 50;

/** A frame the server takes has 64 KiB. */
const maxFrameLength = 60_000;
const pending = "data-live-pending";

/** One view on the page: carries out what {@linkcode viewStep} decides. */
export class View implements LiveView {
  readonly root: Element;
  readonly hooks: HooksPort | undefined;
  readonly timers: Timers = new Timers();
  shown: ShownState = "connecting";
  state: ViewState;
  readonly #host: Host;
  readonly #recovery: Recovery;
  readonly #pending = new Map<number, Pending>();
  /** Done while the view was not live, to be sent when it is. */
  #held: Outgoing[] = [];
  /** Submits whose answer was lost with the connection. */
  #unsure: Pending[] = [];
  #released: Set<Control> = new Set();
  /** What was recovered: the user's until the page has been rendered, then the server's. */
  readonly #claims: Progress[] = [];
  /** Waits to be shown, because the page had to be given time for its user. */
  #waiting = nothing;
  #restsUntil = 0;
  /** Buttons of a submit under way, and what they said before if they say something else now. */
  readonly #locked = new Map<Element, string | null>();

  constructor(host: Host, root: Element, nav: Navigation, token?: string, mounts?: number) {
    this.#host = host;
    this.root = root;
    const own = root.getAttribute("data-live-token") ?? "";
    this.state = newView(root.id, token ?? own, nav, mounts);
    this.hooks = host.hooksFor(this);
    this.#recovery = new Recovery(this, host);
    identify(root);
    noteOpen(root);
    // Typed before this ran. After a reload, or on the way back, the browser puts things in, later.
    const { controls } = host;
    if (nav === "navigate") {
      for (const one of controlsIn(root)) if (controls.isNews(one)) controls.edit(one);
    }
  }

  restored(): void {
    if (this.state.phase === "live") this.#render(this.state.html ?? "");
  }

  step(input: ViewInput): void {
    const crashed = input.on === "frame" && input.frame.t === "error";
    const [state, actions] = viewStep(this.state, input, this.#host.timing);
    this.state = state;
    if (crashed) this.#recovery.crashed();
    if (crashed || input.on === "down") this.#lose();
    for (const action of actions) this.#act(action);
    if (input.on === "frame" && input.frame.t === "reply") this.#host.answered?.(input.frame.ref);
    this.#host.changed(this);
  }

  #act(action: ViewAction): void {
    const host = this.#host;
    switch (action.do) {
      case "send":
        return host.send(action.frame);
      case "recover":
        return this.#joined(action.joined);
      case "show":
        return this.#show(action);
      case "settle":
        return this.#settle(action.reply);
      case "wait":
        return this.timers.set("join", action.ms, () =>
          this.step(
            action.timer === "join" ? { on: "late" } : { on: "up", facts: host.facts() },
          ));
      case "forget":
        return this.timers.clear("join");
      case "tell":
        return void emit(this.root, action.name, action.detail);
      case "nav":
        return host.navigate(this, action.nav);
      case "redirect":
        return location.assign(action.to);
      case "refetch":
        return host.refetch(action.error);
      case "reload":
        return host.reload();
    }
  }

  #joined(frame: JoinedFrame): void {
    const { timing } = this.#host;
    this.#host.joined(this, frame);
    this.timers.set("stable", timing.stableMs, () => this.step({ on: "stable" }));
    this.#unsure = this.#unsure.filter((lost) => {
      const done = frame.submitted >= lost.frame.ref;
      const retry = lost.out.form?.hasAttribute("data-live-retry");
      if (done) this.#finish(lost, true);
      else if (!retry) this.#unsent(lost.out);
      return !done && retry;
    });
    this.#recovery.start(frame);
  }

  recovered(forms: readonly string[], status: JoinedFrame["status"]): void {
    this.step({ on: "recovered" });
    emit(this.root, "recovered", { status, forms });
    for (const lost of this.#unsure.splice(0)) this.#transmit(lost);
    for (const out of this.#held.splice(0)) this.event(out);
  }

  /** Sends an event, now or when the view is live; or drops it, and says so. */
  event(out: Outgoing): void {
    const { phase } = this.state;
    const { type, el, form } = out;
    if (phase === "live" || (out.recover && phase === "recovering")) return this.#sendNow(out);
    if (type === "change") {
      // What a form holds is told when the view is joined again.
      if (form && phase !== "recovering") return;
      this.#held = this.#held.filter((held) => held.el !== el);
    } else if (!this.#isKept(out) && phase === "out" && !this.#host.holds()) return this.#drop(out);
    this.#held.push(out);
    el.setAttribute(pending, "");
  }

  #isKept({ el, form }: Outgoing): boolean {
    return form === null || el.closest("[data-live-queue]") !== null;
  }

  push(name: string, value?: JsonValue): Promise<JsonValue | undefined> {
    const answer = new Promise<JsonValue | undefined>((done, reject) =>
      this.event({
        type: "hook",
        name,
        el: this.root,
        value,
        done,
        lost: (code) => reject(notPushed(code)),
      })
    );
    // Who does not look at the answer does not want to hear that there is none.
    answer.catch(() => {});
    return answer;
  }

  #sendNow(out: Outgoing): void {
    const { controls } = this.#host;
    const { el, name, type, value, target, recover } = out;
    const alone = out.form === null;
    const form = alone ? formFor(el as Control) : out.form;
    const own = alone ? [el as Control] : form ? controlsOf(form) : [];
    const submitter = out.submitter?.isConnected ? out.submitter : null;
    const frame = {
      t: "event",
      id: this.state.id,
      ref: this.#host.nextRef(),
      name,
      type,
      ...(form && {
        form: {
          id: idOf(form),
          data: out.entries ?? entriesOf(form, submitter),
          touched: controls.touchedNames(own),
          ...(target && { target: pathOf(target) }),
        },
      }),
      // What is undefined does not travel.
      value,
      recover,
    } as EventFrame;
    if (JSON.stringify(frame).length > maxFrameLength) {
      emit(el, "error", { code: "too_large", name });
      return this.#drop(out);
    }
    this.#transmit({ out, frame, progress: controls.progress(own) });
  }

  #transmit(event: Pending): void {
    const { out, frame } = event;
    this.#pending.set(frame.ref, event);
    out.el.setAttribute(pending, "");
    if (out.type === "submit") this.#lock(out);
    this.#host.send(frame);
  }

  #lock({ el, submitter }: Outgoing): void {
    el.removeAttribute("data-live-unsent");
    const button = submitter ?? el.querySelector("button:not([type=button]),[type=submit]");
    if (!button || this.#locked.has(button)) return;
    const text = button.getAttribute("data-live-disable-with");
    this.#locked.set(button, text && button.textContent);
    button.setAttribute("aria-disabled", "true");
    if (text) button.textContent = text;
  }

  #unlock({ el, submitter }: Outgoing): void {
    for (const [button, text] of this.#locked) {
      if (button !== submitter && !el.contains(button)) continue;
      this.#locked.delete(button);
      button.removeAttribute("aria-disabled");
      if (text) button.textContent = text;
    }
    el.removeAttribute(pending);
  }

  isSubmitting(form: HTMLFormElement): boolean {
    const outs = [...this.#pending.values(), ...this.#unsure].map(({ out }) => out);
    return [...outs, ...this.#held].some(({ type, el }) => type === "submit" && el === form);
  }

  #settle({ ref, ok, value, code, problems }: ReplyFrame): void {
    const event = this.#pending.get(ref);
    if (event === undefined) return;
    const { out } = event;
    this.#pending.delete(ref);
    if (!ok) {
      emit(out.el, "error", { code, problems, name: out.name });
    }
    this.#finish(event, ok, value, code);
    if (out.recover) this.#recovery.told(out, ok);
  }

  #finish({ out, progress }: Pending, ok: boolean, value?: JsonValue, code?: string): void {
    if (ok && out.recover) this.#claims.push(progress);
    else if (ok) {
      const still = this.#host.controls.answer(progress, out.type);
      if (out.type === "submit") this.#released = still;
    }
    if (![...this.#pending.values()].some((other) => other.out.el === out.el)) this.#unlock(out);
    if (ok) out.done?.(value);
    else out.lost?.(code);
  }

  /** What was under way is lost: with the connection, or with the view. */
  #lose(): void {
    this.#recovery.interrupt();
    for (const event of this.#pending.values()) {
      const { out } = event;
      if (out.type === "submit") this.#unsure.push(event);
      else if (out.form === null) this.#held.push(out);
      else this.#drop(out, true);
    }
    this.#pending.clear();
    if (!this.#host.holds()) this.dropHeld();
  }

  dropHeld(): void {
    for (const out of this.#held.splice(0)) {
      if (this.#isKept(out)) this.#held.push(out);
      else this.#drop(out);
    }
  }

  forget(): void {
    this.#waiting = nothing;
    for (const { out } of this.#unsure.splice(0)) this.#drop(out);
    for (const out of this.#held.splice(0)) this.#drop(out);
  }

  #drop(out: Outgoing, sent = false): void {
    const { el, name, type } = out;
    el.removeAttribute(pending);
    out.lost?.("disconnected");
    if (type === "submit") this.#unsent(out);
    if (type !== "change") emit(el, "dropped", { name, type, sent });
  }

  #unsent(out: Outgoing): void {
    this.#unlock(out);
    out.el.setAttribute("data-live-unsent", "");
    emit(out.el, "unsent", { name: out.name });
  }

  get kept(): number {
    return this.#held.length + this.#unsure.length;
  }

  /** Shows what the server says; of what comes faster than the page can show it, only the last. */
  #show({ html, title, fx }: Shown): void {
    const before = this.#waiting;
    this.#waiting = {
      html: html ?? before.html,
      title: title ?? before.title,
      fx: [...before.fx, ...fx],
    };
    const ms = this.#restsUntil - performance.now();
    if (ms < 0) this.#showNow();
    else if (!this.timers.has("show")) this.timers.set("show", ms, () => this.#showNow());
  }

  #showNow(): void {
    const { html, title, fx } = this.#waiting;
    this.#waiting = nothing;
    if (html !== undefined) this.#render(html);
    for (const progress of this.#claims.splice(0)) this.#host.controls.answer(progress, "change");
    if (title !== undefined) document.title = title;
    if (fx.length > 0) this.#host.effects(this, fx);
  }

  #render(html: string): void {
    const { morph, controls, scrolled } = this.#host;
    const since = performance.now();
    const late = this.#host.lateFor(this);
    const released = this.#released;
    this.#released = new Set();
    morphView(this.root, parseView(this.root, html), {
      morph,
      controls,
      scrolled,
      released,
      locked: this.#locked,
      beforeUpdate: (element, fresh) => this.hooks?.beforeUpdate(element, fresh),
      removed: (element) => late?.vanished(element),
    });
    late?.appeared();
    this.hooks?.sync();
    const now = performance.now();
    if (now - since > longMs) this.#restsUntil = 2 * now - since;
    emit(this.root, "patch", { rev: this.state.rev });
  }

  close(): void {
    this.timers.clearAll();
    this.hooks?.close();
    this.#lose();
    this.forget();
  }
}

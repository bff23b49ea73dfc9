import type { JsonObject } from "../../core/json.ts";
import type { EventType } from "../../live/protocol.ts";
import { paceOf, waitFor } from "../pace.ts";
import { type Control, type Controls, isControl } from "./controls.ts";
import type { LiveView } from "./host.ts";
import type { Listeners } from "./listeners.ts";
import { Timers } from "./timers.ts";

/** What the events of a page are handed to. */
export interface EventTargets {
  readonly controls: Controls;
  viewOf(element: Element): LiveView | undefined;
  /** The user did something here. */
  interacted(): void;
}

/** What an element is bound to, `null` if to nothing. */
function bound(element: Element | null, to: string): string | null {
  return element?.getAttribute(`data-live-${to}`) ?? null;
}

/** The `data-live-value-*` of an element, and more, or `undefined` if there are none. */
function valuesOf(element: Element, more: JsonObject = {}): JsonObject | undefined {
  const prefix = "data-live-value-";
  const values = { ...more };
  for (const { name, value } of element.attributes) {
    if (name.startsWith(prefix)) values[name.slice(prefix.length)] = value;
  }
  return Object.keys(values).length > 0 ? values : undefined;
}

/**
 * Listens at the document for what the elements of the views are bound to, so that a patch loses no
 * listener and leaves none behind.
 */
export class Events {
  readonly #to: EventTargets;
  readonly #timers = new Timers();
  /** Events held back by a debounce or a throttle: how to send them. */
  readonly #waiting = new Map<Element, () => void>();
  readonly #sent = new WeakMap<Element, number>();

  constructor(to: EventTargets, listeners: Listeners) {
    this.#to = to;
    const on = <E extends Event>(types: string, listener: (el: Element, event: E) => void): void =>
      listeners.on<E>(document, types, (event) => {
        if (event.target instanceof Element) listener(event.target, event);
      });
    on("click", (el, event) => this.#click(el, event));
    on("input", (el, event: InputEvent) => this.#input(el, event.isComposing));
    on("change", (el) => {
      if (isControl(el) && to.controls.isNews(el)) this.#input(el, false);
    });
    on("submit", (el, event: SubmitEvent) => this.#submit(el as HTMLFormElement, event));
    on("focusin", (el) => this.#plain("focus", el));
    on("focusout", (el) => this.#left(el));
    on("keydown keyup", (el, event: KeyboardEvent) => this.#key(el, event));
    on("compositionstart", (el) => void (to.controls.composing = el));
    on("compositionend", (el) => {
      to.controls.composing = undefined;
      this.#input(el, false);
    });
  }

  /** Sends an event as its element, or the form around it, wants it paced. */
  #paced(el: Element, type: EventType, send: () => void): void {
    const { form } = el as Control;
    const said = (what: string) => bound(el, what) ?? bound(form, what);
    const pace = paceOf(said("debounce"), said("throttle"));
    const ms = waitFor(pace, performance.now(), this.#sent.get(el));
    const { waiting } = this.#to.controls;
    const go = (): void => {
      this.#waiting.delete(el);
      this.#timers.clear(el);
      waiting.delete(el);
      this.#sent.set(el, performance.now());
      send();
    };
    if (ms === 0) return go();
    const throttled = pace.throttle !== undefined;
    // A click that comes too soon is none; what is typed is sent in the end.
    if (type === "change") waiting.add(el);
    else if (throttled) return;
    const running = throttled && this.#waiting.has(el);
    this.#waiting.set(el, go);
    if (!running) this.#timers.set(el, ms, () => this.#waiting.get(el)?.());
  }

  /** Sends what is held back. */
  flush(which: (element: Control) => boolean = () => true): void {
    for (const [element, send] of [...this.#waiting]) if (which(element as Control)) send();
  }

  /** Forgets what is held back: the next join tells it. */
  drop(): void {
    this.#timers.clearAll();
    this.#waiting.clear();
    this.#to.controls.waiting.clear();
  }

  /** An event that carries nothing but its element's values. */
  #plain(type: EventType, at: Element, more?: JsonObject): boolean {
    const el = at.closest(`[data-live-${type}]`);
    const view = el && this.#to.viewOf(el);
    if (!view) return false;
    const name = bound(el, type) ?? "";
    const value = valuesOf(el, more);
    this.#paced(el, type, () => view.event({ type, name, el, value }));
    return true;
  }

  #click(at: Element, event: Event): void {
    this.#to.interacted();
    if (event.defaultPrevented) return;
    if (this.#plain("click", at) && at.closest("a[href]")) event.preventDefault();
  }

  #key(at: Element, { type, key }: KeyboardEvent): void {
    const only = bound(at.closest(`[data-live-${type}]`), "keys");
    if (!only || only.split(" ").includes(key)) this.#plain(type as EventType, at, { key });
  }

  #input(at: Element, composing: boolean): void {
    const view = isControl(at) && this.#to.viewOf(at.form ?? at);
    if (!view) return;
    const { form, name: target } = at;
    this.#to.controls.edit(at);
    const by = bound(at, "change") === null ? form : at;
    const name = bound(by, "change");
    if (composing || by === null || name === null) return;
    // What waits in the same form goes first, so that the server hears of it in order.
    this.flush((other) => other !== at && other.form === form);
    const value = valuesOf(by);
    this.#paced(
      at,
      "change",
      () => view.event({ type: "change", name, el: at, value, form, target }),
    );
  }

  #left(at: Element): void {
    if (isControl(at)) {
      this.#to.controls.visit(at);
      this.flush((element) => element === at);
    }
    this.#plain("blur", at);
  }

  #submit(form: HTMLFormElement, event: SubmitEvent): void {
    const name = bound(form, "submit");
    const view = this.#to.viewOf(form);
    if (name === null || !view || event.defaultPrevented) return;
    event.preventDefault();
    if (view.isSubmitting(form)) return;
    this.flush((element) => element.form === form);
    const { submitter } = event;
    view.event({ type: "submit", name, el: form, value: valuesOf(form), form, submitter });
  }
}

import type { JsonObject } from "../../core/json.ts";
import type { EventType } from "../../live/protocol.ts";
import { paceOf, waitFor } from "../pace.ts";
import { type Control, type Controls, isControl } from "./controls.ts";
import type { Listeners } from "./listeners.ts";
import { Timers } from "./timers.ts";
import type { View } from "./view.ts";

/** What the events of a page are handed to. */
export interface EventTargets {
  readonly controls: Controls;
  viewOf(element: Element): View | undefined;
  now(): number;
  /** The user did something here. */
  interacted(): void;
}

/** The `data-live-value-*` of an element, or `undefined` if it has none. */
function valuesOf(element: Element): JsonObject | undefined {
  const prefix = "data-live-value-";
  const values = [...element.attributes].filter(({ name }) => name.startsWith(prefix))
    .map(({ name, value }) => [name.slice(prefix.length), value] as const);
  return values.length > 0 ? Object.fromEntries(values) : undefined;
}

interface Waiting {
  readonly control: Element;
  send(): void;
}

/**
 * Listens at the document for what the elements of the views are bound to, so that a patch loses no
 * listener and leaves none behind.
 */
export class Events {
  readonly #to: EventTargets;
  readonly #timers = new Timers();
  /** Events held back by a debounce or a throttle. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #sent = new WeakMap<Element, number>();

  constructor(to: EventTargets, listeners: Listeners) {
    this.#to = to;
    const on = <E extends Event>(types: string, listener: (event: E, el: Element) => void): void =>
      listeners.on<E>(document, types, (event) => {
        if (event.target instanceof Element) listener(event, event.target);
      });
    on("click", (event, el) => this.#click(event, el));
    on<InputEvent>("input", (event, el) => this.#input(el, event.isComposing));
    on("change", (_, el) => this.#change(el));
    on("submit", (event: SubmitEvent) => this.#submit(event));
    on("focusin", (_, el) => this.#plain("focus", el));
    on("focusout", (_, el) => this.#left(el));
    on("keydown keyup", (event: KeyboardEvent, el) => this.#key(event, el));
    on("compositionstart", (_, el) => void (to.controls.composing = el));
    on("compositionend", (_, el) => {
      to.controls.composing = null;
      this.#input(el, false);
    });
  }

  /** Sends an event as its element wants it paced. */
  #paced(el: Element, type: EventType, key: string, send: () => void): void {
    const said = (name: string) =>
      el.getAttribute(name) ?? (el as Control).form?.getAttribute(name) ?? null;
    const pace = paceOf(said("data-live-debounce"), said("data-live-throttle"));
    const now = this.#to.now();
    const ms = waitFor(pace, now, this.#sent.get(el));
    const go = (): void => {
      this.#waiting.delete(key);
      this.#timers.clear(key);
      if (isControl(el)) this.#to.controls.waiting.delete(el);
      this.#sent.set(el, this.#to.now());
      send();
    };
    if (ms === 0) return go();
    // A click that comes too soon is none; what is typed is sent in the end.
    if (pace.throttle !== undefined && type !== "change") return;
    if (isControl(el) && type === "change") this.#to.controls.waiting.add(el);
    const running = this.#waiting.has(key) && pace.throttle !== undefined;
    this.#waiting.set(key, { control: el, send: go });
    if (!running) this.#timers.set(key, ms, () => this.#waiting.get(key)?.send());
  }

  /** Sends what is held back: of a control, of a form except for a control, or everything. */
  flush(which: (element: Element) => boolean = () => true): void {
    for (const { control, send } of [...this.#waiting.values()]) if (which(control)) send();
  }

  /** Forgets what is held back: the next join tells it. */
  drop(): void {
    this.#timers.clearAll();
    this.#waiting.clear();
    this.#to.controls.waiting.clear();
  }

  #keys = 0;
  readonly #keyOf = new WeakMap<Element, number>();

  #keyFor(el: Element, type: string): string {
    let number = this.#keyOf.get(el);
    if (number === undefined) this.#keyOf.set(el, number = ++this.#keys);
    return `${type}${number}`;
  }

  /** An event that carries nothing but its element's values. */
  #plain(type: EventType, at: Element, more: JsonObject = {}): boolean {
    const el = at.closest(`[data-live-${type}]`);
    const view = el === null ? undefined : this.#to.viewOf(el);
    if (el === null || view === undefined) return false;
    const name = el.getAttribute(`data-live-${type}`) ?? "";
    const value = { ...valuesOf(el), ...more };
    this.#paced(el, type, this.#keyFor(el, type), () =>
      view.event({
        type,
        name,
        el,
        value: Object.keys(value).length > 0 ? value : undefined,
      }));
    return true;
  }

  #click(event: Event, at: Element): void {
    this.#to.interacted();
    if (event.defaultPrevented) return;
    if (this.#plain("click", at) && at.closest("a[href]") !== null) event.preventDefault();
  }

  #key(event: KeyboardEvent, at: Element): void {
    const type = event.type as "keydown" | "keyup";
    const el = at.closest(`[data-live-${type}]`);
    const only = el?.getAttribute("data-live-keys");
    if (only && !only.split(" ").includes(event.key)) return;
    this.#plain(type, at, { key: event.key });
  }

  #change(at: Element): void {
    if (isControl(at) && this.#to.controls.isNews(at)) this.#input(at, false);
  }

  #input(at: Element, composing: boolean): void {
    if (!isControl(at)) return;
    const view = this.#to.viewOf(at.form ?? at);
    if (view === undefined) return;
    this.#to.controls.edit(at);
    if (composing) return;
    const bound = at.hasAttribute("data-live-change") ? at : at.form;
    const name = bound?.getAttribute("data-live-change");
    if (!bound || name === null || name === undefined) return;
    const { form } = at;
    // What waits in the same form goes first, so that the server hears of it in order.
    this.flush((element) => element !== at && (element as Control).form === form);
    this.#paced(at, "change", this.#keyFor(at, "change"), () =>
      view.event({
        type: "change",
        name,
        el: at,
        value: valuesOf(bound),
        form,
        target: at.name,
      }));
  }

  #left(at: Element): void {
    if (isControl(at) && this.#to.viewOf(at.form ?? at) !== undefined) {
      this.#to.controls.visit(at);
      this.flush((element) => element === at);
    }
    this.#plain("blur", at);
  }

  #submit(event: SubmitEvent): void {
    const form = event.target as HTMLFormElement;
    const name = form.getAttribute("data-live-submit");
    const view = this.#to.viewOf(form);
    if (name === null || view === undefined || event.defaultPrevented) return;
    event.preventDefault();
    if (view.isSubmitting(form)) return;
    this.flush((element) => (element as Control).form === form);
    const { submitter } = event;
    view.event({ type: "submit", name, el: form, value: valuesOf(form), form, submitter });
  }

  close(): void {
    this.drop();
  }
}

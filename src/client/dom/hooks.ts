import type { JsonValue } from "../../core/json.ts";
import type { Hook, HookContext } from "../options.ts";
import { attempt, warn } from "./warn.ts";
import { type HooksPort, type Host, type LiveView, notPushed } from "./host.ts";

type Living = Hook & HookContext & { readonly el: HTMLElement };

/** The hooks of one view. */
export class Hooks implements HooksPort {
  readonly #view: LiveView;
  readonly #host: Host;
  readonly #living = new Map<Element, { readonly hook: Living; readonly name: string }>();
  readonly #listeners = new Set<
    { readonly el: Element; readonly name: string; readonly listener: (data: JsonValue) => void }
  >();
  #updating: Element[] = [];

  constructor(view: LiveView, host: Host) {
    this.#view = view;
    this.#host = host;
  }

  #call(element: Element, moment: keyof Hook): void {
    attempt(() => this.#living.get(element)?.hook[moment]?.());
  }

  sync(): void {
    const { root } = this.#view;
    for (const [element, { name }] of this.#living) {
      if (!root.contains(element) || element.getAttribute("data-live-hook") !== name) {
        this.#destroy(element);
      }
    }
    for (const element of root.querySelectorAll<HTMLElement>("[data-live-hook]")) {
      if (!this.#living.has(element)) this.#mount(element);
    }
    for (const element of this.#updating.splice(0)) this.#call(element, "updated");
  }

  #mount(el: HTMLElement): void {
    const name = el.getAttribute("data-live-hook") ?? "";
    const defined = this.#host.options.hooks?.[name];
    if (!defined) return warn(this.#host.options, `there is no hook "${name}"`);
    const context: HookContext = {
      el,
      // What goes on when its element is gone is of another page, or another user.
      pushEvent: (event, value) => {
        if (this.#living.get(el)?.hook === living) return this.#view.push(event, value);
        const answer = Promise.reject(notPushed("closed"));
        answer.catch(() => {});
        return answer;
      },
      handleEvent: (event, listener) => {
        const entry = { el, name: event, listener };
        this.#listeners.add(entry);
        return () => void this.#listeners.delete(entry);
      },
    };
    const living: Living = Object.assign(Object.create(defined), context);
    this.#living.set(el, { hook: living, name });
    this.#call(el, "mounted");
  }

  #destroy(element: Element): void {
    this.#call(element, "destroyed");
    this.#living.delete(element);
    for (const entry of this.#listeners) if (entry.el === element) this.#listeners.delete(entry);
  }

  beforeUpdate(element: Element, fresh: Element): void {
    if (!this.#living.has(element) || element.isEqualNode(fresh)) return;
    this.#call(element, "beforeUpdate");
    this.#updating.push(element);
  }

  all(moment: "disconnected" | "reconnected"): void {
    for (const element of this.#living.keys()) this.#call(element, moment);
  }

  hear(name: string, data: JsonValue): void {
    for (const entry of [...this.#listeners]) {
      if (entry.name === name) attempt(() => entry.listener(data));
    }
  }

  close(): void {
    for (const element of [...this.#living.keys()]) this.#destroy(element);
  }
}

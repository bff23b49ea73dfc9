import type { JsonValue } from "../../core/json.ts";
import type { Hook, HookContext } from "../options.ts";

type Push = (name: string, value?: JsonValue) => Promise<JsonValue | undefined>;
type Moment = keyof Hook;

interface Living {
  readonly hook: Hook & HookContext;
  readonly name: string;
}

/** The hooks of one view. */
export class Hooks {
  readonly #defined: Readonly<Record<string, Hook>>;
  readonly #push: Push;
  readonly #warn: (text: string) => void;
  readonly #living = new Map<Element, Living>();
  readonly #listeners = new Set<{
    readonly el: Element;
    readonly name: string;
    readonly listener: (data: JsonValue) => void;
  }>();
  #updating: Element[] = [];

  constructor(
    defined: Readonly<Record<string, Hook>>,
    push: Push,
    warn: (text: string) => void,
  ) {
    this.#defined = defined;
    this.#push = push;
    this.#warn = warn;
  }

  #call(element: Element, moment: Moment): void {
    const living = this.#living.get(element);
    try {
      living?.hook[moment]?.();
    } catch (error) {
      // A hook that fails must not keep the page from being patched.
      reportError(error);
    }
  }

  /** Mounts the hooks of elements that are new, destroys those of elements that are gone. */
  sync(root: Element): void {
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
    if (!Object.hasOwn(this.#defined, name)) return this.#warn(`There is no hook "${name}"`);
    const context: HookContext = {
      el,
      pushEvent: this.#push,
      handleEvent: (event, listener) => {
        const entry = { el, name: event, listener };
        this.#listeners.add(entry);
        return () => void this.#listeners.delete(entry);
      },
    };
    const hook = Object.assign(Object.create(this.#defined[name] ?? null), context);
    this.#living.set(el, { hook, name });
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

  /** Tells every hook of the view. */
  all(moment: "disconnected" | "reconnected"): void {
    for (const element of this.#living.keys()) this.#call(element, moment);
  }

  /** Hands what the view pushed to those who listen. */
  hear(name: string, data: JsonValue): void {
    for (const entry of [...this.#listeners]) if (entry.name === name) entry.listener(data);
  }

  close(): void {
    for (const element of [...this.#living.keys()]) this.#destroy(element);
  }
}

import type { JsonValue } from "../../src/core/json.ts";
import { Page } from "../../src/client/dom/page.ts";
import type { ConnectOptions } from "../../src/client/options.ts";
import type { ShownState } from "../../src/client/view.ts";
import { morph } from "./morph.ts";

/** The connection of a page. */
export interface Client {
  /** What the root of the first view shows in `data-live-state`. */
  readonly state: ShownState;
  /** Closes the connection and takes off every listener; the page stays as it is. */
  disconnect(): void;
  /** Connects now: after a failure, or instead of waiting. */
  reconnect(): void;
  /**
   * Sends an event to a view and answers what its handler returned.
   *
   * @param name The event, as the view defines it.
   * @param value What the handler gets as input.
   * @param options The `id` of the view's root; the first view of the page unless said.
   */
  push(
    name: string,
    value?: JsonValue,
    options?: { readonly target?: string },
  ): Promise<JsonValue | undefined>;
  /** Listens to a `live:` event of any view, named without the prefix; answers how to stop. */
  on(event: string, listener: (event: CustomEvent) => void): () => void;
}

/** Connects the live views of the page. */
export function connect(options: ConnectOptions = {}): Client {
  const page = new Page(options, morph);
  page.start();
  const first = () => [...page.views.values()][0];
  return {
    get state() {
      return (first()?.shown ?? "connecting") as ShownState;
    },
    disconnect: () => page.close(),
    reconnect: () => page.reconnect(),
    push: (name, value, { target } = {}) => {
      const view = target === undefined ? first() : page.views.get(target);
      return view?.push(name, value) ?? Promise.reject(new Error("There is no such view"));
    },
    on(event, listener) {
      const type = `live:${event}`;
      addEventListener(type, listener as EventListener);
      return () => removeEventListener(type, listener as EventListener);
    },
  };
}

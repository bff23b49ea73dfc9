import type { JsonValue } from "../../src/core/json.ts";
import { notPushed } from "../../src/client/dom/host.ts";
import type { LoadMore } from "../../src/client/dom/more_port.ts";
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
   * Sends an event to a view and answers what its handler returned; rejects as `pushEvent` of hooks
   * does, and with the code `unknown_view` where there is none.
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

/** Connects with what is rarely needed loaded as told. */
export function connectWith(options: ConnectOptions, load: LoadMore): Client {
  const page = new Page(options, morph, load);
  void page.start();
  const view = (id = [...page.views.keys()][0]) => page.views.get(id ?? "");
  return {
    get state() {
      return view()?.shown ?? "connecting";
    },
    disconnect: () => page.close(),
    reconnect: () => page.reconnect(),
    push: (name, value, { target } = {}) =>
      view(target)?.push(name, value) ?? Promise.reject(notPushed("unknown_view")),
    on(event, listener) {
      const type = `live:${event}`;
      addEventListener(type, listener as EventListener);
      return () => removeEventListener(type, listener as EventListener);
    },
  };
}

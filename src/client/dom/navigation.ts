import type { NavFrame } from "../../live/protocol.ts";
import { entryOf, followLink, type HistoryEntry, isPage } from "../url.ts";
import { emit, type LiveView } from "./host.ts";
import { type MorePage, tracked } from "./more_port.ts";
import { parsePage } from "./parse.ts";

/** Gets a page as a document, or `undefined` if it is none that can be put in here. */
export async function fetchPage(
  url: string,
  signal?: AbortSignal,
): Promise<{ readonly found: Document; readonly url: string } | undefined> {
  try {
    const headers = { "x-live-navigation": "1", accept: "text/html" };
    const response = await fetch(url, { headers, ...(signal ? { signal } : {}) });
    const type = response.headers.get("content-type");
    if (!isPage({ ok: response.ok, url: response.url, type }, location.origin)) return undefined;
    return { found: parsePage(await response.text()), url: response.url };
  } catch {
    return undefined;
  }
}

/** The tracked assets of a document, as one text. */
function assetsOf(page: Document): string {
  return [...page.querySelectorAll(tracked)].map(({ outerHTML }) => outerHTML).join();
}

/** Live navigation: between addresses of a view, and between pages over one connection. */
export class Navigation {
  readonly #page: MorePage;
  /** Where each entry of the history was scrolled to. */
  readonly #scrolls = new Map<number, readonly [number, number]>();
  #here: HistoryEntry;
  #last = 0;
  #abort = new AbortController();
  /** Where to scroll once the view has answered that it knows its address, or its page is there. */
  #scrollTo: { readonly ref?: number; readonly entry: HistoryEntry } | undefined;

  constructor(page: MorePage) {
    this.#page = page;
    this.#here = entryOf(history.state) ?? { page: Date.now(), entry: 0 };
    this.#last = this.#here.entry;
    const { listeners } = page;
    listeners.on(document, "click", (event: MouseEvent) => this.#click(event));
    listeners.on(window, "popstate", ({ state }: PopStateEvent) => this.#pop(entryOf(state)));
    page.answered = (ref) => {
      if (ref === this.#scrollTo?.ref) this.#scroll(this.#scrollTo.entry);
    };
    // A full load is the browser's to scroll.
    listeners.on(window, "pagehide", () => void (history.scrollRestoration = "auto"));
  }

  #click(event: MouseEvent): void {
    const at = event.target instanceof Element ? event.target : null;
    const link = at?.closest<HTMLAnchorElement>("a[data-live-link]");
    const view = link && this.#page.viewOf(link);
    if (!link || event.defaultPrevented) return;
    const kind = followLink({
      link: link.getAttribute("data-live-link"),
      href: link.href,
      here: location.href,
      target: link.target,
      download: link.hasAttribute("download"),
      modified: event.button > 0 || event.metaKey || event.ctrlKey || event.shiftKey ||
        event.altKey,
      live: (view ?? this.#first())?.state.phase === "live",
    });
    if (kind === "browser") return;
    event.preventDefault();
    const replace = link.hasAttribute("data-live-replace");
    if (kind === "patch" && view) this.#patch(view, link.href, replace);
    else void this.#navigate(link.href, replace ? "replace" : "push");
  }

  #first(): LiveView | undefined {
    return [...this.#page.views.values()][0];
  }

  /** Notes where the entry is scrolled to that is left; a scroll event would come with a frame. */
  #note(): void {
    if (!this.#scrollTo) this.#scrolls.set(this.#here.entry, [scrollX, scrollY]);
    this.#scrollTo = undefined;
  }

  /** Puts an address into the history. */
  #write(to: string, replace: boolean, page: number, view?: string): void {
    this.#note();
    if (this.#last === this.#here.entry && entryOf(history.state) === undefined) {
      history.replaceState({ ...history.state, live: this.#here }, "");
    }
    history.scrollRestoration = "manual";
    this.#here = { page, entry: replace ? this.#here.entry : ++this.#last, view };
    history[replace ? "replaceState" : "pushState"]({ live: this.#here }, "", to);
  }

  #patch(view: LiveView, to: string, replace: boolean): void {
    if (!emit(view.root, "navigate", { kind: "patch", to })) return;
    this.#write(to, replace, this.#here.page, view.root.id);
    this.#params(view);
  }

  /** Tells a view that its address has changed. */
  #params(view: LiveView): number {
    const { ref, url } = this.#page.facts();
    this.#page.send({ t: "params", id: view.state.id, ref, url });
    return ref;
  }

  /** A view goes where its server side said. */
  follow(view: LiveView, { kind, to, replace }: NavFrame): void {
    if (kind === "patch") this.#write(to, replace, this.#here.page, view.root.id);
    else if (kind === "navigate") void this.#navigate(to, replace ? "replace" : "push");
    else if (replace) location.replace(to);
    else location.assign(to);
  }

  #pop(entry: HistoryEntry | undefined): void {
    const manual = history.scrollRestoration === "manual";
    if (entry ?? manual) this.#note();
    if (entry === undefined) {
      // A place on the page: the browser goes there, but will not come back to it by itself.
      if (manual) {
        this.#here = { ...this.#here, entry: ++this.#last };
        history.replaceState({ ...history.state, live: this.#here }, "");
      }
      return;
    }
    const { page } = this.#here;
    this.#here = entry;
    const view = this.#page.views.get(entry.view ?? "") ?? this.#first();
    if (entry.page !== page) void this.#navigate(location.href, "pop");
    else if (view === undefined || view.shown === "failed" || view.state.mounts === 0) {
      location.reload();
    } else if (view.state.phase === "live") this.#arrive(view, entry);
    else {
      // To load the page again would lose what is being typed; the address can wait for the connection.
      const arrive = (): void => void (this.#here === entry && this.#arrive(view, entry));
      view.root.addEventListener("live:recovered", arrive, { once: true });
    }
  }

  /** On the way back: scrolls when the view has answered. */
  #arrive(view: LiveView, entry: HistoryEntry): void {
    this.#scrollTo = { ref: this.#params(view), entry };
  }

  #scroll({ entry }: HistoryEntry): void {
    this.#scrollTo = undefined;
    scrollTo(...this.#scrolls.get(entry) ?? [0, 0]);
  }

  async #navigate(to: string, how: "push" | "replace" | "pop"): Promise<void> {
    const root = this.#first()?.root ?? document;
    if (!emit(root, "navigate", { kind: "navigate", to })) return;
    this.#abort.abort();
    const { signal } = this.#abort = new AbortController();
    if (how === "pop") this.#scrollTo = { entry: this.#here };
    const live = this.#page.connection.phase === "open" &&
      document.querySelector("[data-live-update]") === null;
    const got = live ? await fetchPage(to, signal) : undefined;
    if (signal.aborted) return;
    const fits = got !== undefined && got.found.querySelector("[data-live-view]") !== null &&
      assetsOf(got.found) === assetsOf(document);
    if (!fits) return how === "replace" ? location.replace(to) : location.assign(to);
    this.#page.leaveViews("navigate");
    const left = [...this.#page.views.values()];
    this.#page.views.clear();
    const { hash } = new URL(to, location.href);
    // First: what the page names relative to its address is got as it is put in.
    if (how !== "pop") {
      this.#write(got.url.replace(/#.*/, "") + hash, how === "replace", Date.now());
    }
    this.#swap(got.found);
    // Off the page, so that nobody there hears what has become of what was under way.
    for (const view of left) view.close();
    const place = document.getElementById(hash.slice(1));
    if (how === "pop") this.#scroll(this.#here);
    else if (place) place.scrollIntoView();
    else scrollTo(0, 0);
    this.#page.addRoots("live");
    for (const view of this.#page.views.values()) {
      view.step({ on: "up", facts: this.#page.facts() });
    }
  }

  #swap({ title, body }: Document): void {
    document.title = title;
    for (const { name } of [...document.body.attributes]) document.body.removeAttribute(name);
    for (const { name, value } of body.attributes) document.body.setAttribute(name, value);
    document.body.replaceChildren(...body.childNodes);
    document.querySelector<HTMLElement>("[autofocus]")?.focus();
  }
}

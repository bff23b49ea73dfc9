/** A click on a link, as far as it matters. */
export interface LinkClick {
  /** `data-live-link`. */
  readonly link: string | null;
  /** Where it leads. */
  readonly href: string;
  /** Where the page is. */
  readonly here: string;
  /** `target` of the link. */
  readonly target: string;
  readonly download: boolean;
  /** Another button, or a key was held: the user wants something else than to go there. */
  readonly modified: boolean;
  /** The view is connected. */
  readonly live: boolean;
}

/** What becomes of a click on a link; `browser` leaves it to the browser. */
export function followLink(click: LinkClick): "browser" | "patch" | "navigate" {
  const { link, href, here, target, download, modified, live } = click;
  if (link !== "patch" && link !== "navigate") return "browser";
  if (modified || download || !live || (target !== "" && target !== "_self")) return "browser";
  const to = new URL(href, here);
  const from = new URL(here);
  if (to.origin !== from.origin) return "browser";
  // To a place on this page the browser knows the way.
  const samePage = to.pathname === from.pathname && to.search === from.search;
  return samePage && to.hash !== "" ? "browser" : link;
}

/** What an entry of the history knows about the page it is of. */
export interface HistoryEntry {
  /** Counts the pages that were put in by live navigation. */
  readonly page: number;
  /** Counts the entries, for where each was scrolled to. */
  readonly entry: number;
  /** The view whose address changed. */
  readonly view?: string | undefined;
}

/** Reads the state of a history entry, or `undefined` if it is none of ours. */
export function entryOf(state: unknown): HistoryEntry | undefined {
  const entry = (state as { readonly live?: HistoryEntry } | null)?.live;
  return typeof entry?.page === "number" && typeof entry.entry === "number" ? entry : undefined;
}

/** Tells whether an answer is a page to be put in here. */
export function isPage(
  answer: { readonly ok: boolean; readonly url: string; readonly type: string | null },
  origin: string,
): boolean {
  return answer.ok && /^text\/html\b/.test(answer.type ?? "") &&
    new URL(answer.url).origin === origin;
}

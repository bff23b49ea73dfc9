import { HoldfastError } from "../../src/core/errors.ts";
import { defineView } from "../../src/live/definition.ts";
import type { AnyView, ViewContext } from "../../src/live/model.ts";
import type { Desk } from "./desk.ts";
import { html, Markup } from "./markup.ts";
import { masked } from "./mask.ts";
import { type Place, placeOf } from "./places.ts";
import { viewPrefix } from "./recorder.ts";

/** How often a page that is connected is made anew, in milliseconds. */
const pageEveryMs = 2000;

/** The same for a list, each of whose entries costs a read of storage. */
const listEveryMs = 10_000;

/** What a page shows. */
export interface Sheet {
  readonly title: string;
  readonly body: Markup;
}

/** Makes what is shown of a place; `undefined` if the place is another page's. */
export type MakeSheet = (desk: Desk, place: Place, url: URL) => Promise<Sheet | undefined>;

interface SheetState {
  title: string;
  body: string;
  /** Why what is shown is not what is. */
  trouble: string;
  paused: boolean;
}

type Context = ViewContext<SheetState>;

/** The entries of the navigation. */
const entries = [
  { to: "", pages: ["overview"], label: "Overview" },
  { to: "/objects", pages: ["objects", "object"], label: "Objects" },
  { to: "/documents", pages: ["documents", "document"], label: "Documents" },
  { to: "/sessions", pages: ["sessions"], label: "Sessions" },
  { to: "/node", pages: ["node"], label: "Node" },
] as const;

/** What was done, as an address says it: a word of this list, never a text of somebody else. */
const notices: Readonly<Record<string, string>> = {
  stopped: "It has left memory. The next call brings it back.",
  unconfirmed: "Nothing was done: what was typed is not the name of this node.",
  draining: "This node takes leave of its pages.",
};

/** Makes the live view of one page. It stores nothing. */
export function sheetView(desk: Desk, page: Place["page"], make: MakeSheet): AnyView {
  const load = (ctx: Context) => reload(desk, make, ctx);
  const everyMs = page === "objects" || page === "documents" ? listEveryMs : pageEveryMs;
  return defineView({
    name: viewPrefix + page,
    state: (): SheetState => ({ title: "", body: "", trouble: "", paused: false }),
    mount(ctx) {
      if (ctx.connected) ctx.send("again", everyMs);
    },
    params: load,
    async info(ctx) {
      if (!ctx.state.paused) await load(ctx);
      ctx.send("again", everyMs);
    },
    events: {
      pause: async (ctx) => {
        ctx.state.paused = !ctx.state.paused;
        if (!ctx.state.paused) await load(ctx);
      },
    },
    render: ({ state, ctx }) => frame(desk, page, state, ctx.url),
  });
}

async function reload(desk: Desk, make: MakeSheet, ctx: Context): Promise<void> {
  const { url, state } = ctx;
  const place = placeOf(desk.parts.path, url);
  try {
    const sheet = place && await make(desk, place, url);
    state.title = sheet?.title ?? "Nothing is here";
    state.body = String(sheet?.body ?? "");
    state.trouble = "";
  } catch (error) {
    state.trouble = troubleOf(error);
    state.title ||= "Something is wrong";
  }
  ctx.title(`${state.title} · Holdfast`);
}

/** A message of ours holds no stored value; any other may. */
function troubleOf(error: unknown): string {
  if (!(error instanceof HoldfastError)) return "This page could not be made.";
  return `${masked(error.message)} (${error.code}).`;
}

function frame(desk: Desk, page: Place["page"], state: SheetState, url: URL): Markup {
  const { path, node } = desk.parts;
  const links = entries.map(({ to, pages, label }) => {
    const isHere = (pages as readonly string[]).includes(page);
    return html`<li><a href="${path}${to}"${
      isHere ? new Markup(' aria-current="page"') : undefined
    }>${label}</a></li>`;
  });
  const done = url.searchParams.get("done") ?? "";
  const notice = Object.hasOwn(notices, done) ? notices[done] : undefined;
  return html`
    <a class="quiet skip" href="#main">Skip to the content</a>
    <header class="top">
      <div>
        <p class="brand">Holdfast<small class="status">node ${node}${desk.draining
          ? ", draining"
          : undefined}</small></p>
        <nav aria-label="Inspector">
          <ul>${links}</ul>
        </nav>
      </div>
    </header>
    <main id="main" tabindex="-1">
      <div class="head">
        <h1>${state.title}</h1>
        <button type="button" data-live-click="pause" aria-pressed="${String(
          state.paused,
        )}">${state.paused ? "Go on" : "Pause"}</button>
      </div>
      ${notice === undefined ? undefined : html`<p class="notice" role="status">${notice}</p>`}
      ${state.trouble === ""
        ? undefined
        : html`<p class="notice bad" role="alert">${state.trouble} What is below may be old.</p>`}
      ${new Markup(state.body)}
    </main>
  `;
}

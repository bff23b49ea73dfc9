import { wrongArgument } from "../../src/core/options.ts";
import type { AnyView } from "../../src/live/model.ts";
import { formFields } from "../../src/live/input.ts";
import { type PageOutcome, type PageRequest, renderPage } from "../../src/live/page.ts";
import type { TokenPort } from "../../src/live/ports.ts";
import type { LiveServer } from "../../src/live/server.ts";
import { textOf } from "../../src/live/text.ts";
import type { RequestSession } from "../../src/stash/request_session.ts";
import { expireCookie, readCookie, serializeCookie } from "../web/cookies.ts";
import { withCookie } from "../web/handle.ts";
import type { Internals } from "../web/internals.ts";
import { readForm } from "./body.ts";
import { asHtml, attributes, escapeHtml } from "./html.ts";
import { askedUrl, mayPost, type OriginRules, tellRefused } from "../web/origin.ts";
import { scriptElement } from "./script.ts";
import { refusal } from "./transport.ts";
import type { Html, LiveOptions, LiveRequestContext, PageOptions } from "./types.ts";

/** Largest form that is taken in without JavaScript, in bytes. */
const maxFormBytes = 1024 * 1024;

/** What pages stand on. */
export interface PageParts {
  readonly server: LiveServer;
  readonly internals: Internals;
  readonly tokens: TokenPort;
  readonly rules: OriginRules;
  readonly path: string;
  readonly admit: LiveOptions["admit"];
}

/** The session a page is rendered with, and whether its cookie is ours to set. */
interface PageSession {
  readonly session: RequestSession;
  finish(response: Response): Response;
}

/** Renders views for requests. */
export class Pages {
  readonly #parts: PageParts;

  constructor(parts: PageParts) {
    this.#parts = parts;
  }

  /** Answers a request for a page of one view. */
  async page(c: LiveRequestContext, view: AnyView, options: PageOptions): Promise<Response> {
    const { raw } = c.req;
    const opened = this.#session(c);
    const { method } = raw;
    if (method === "POST") {
      return opened.finish(await this.#post(raw, view, options, opened.session));
    }
    if (method !== "GET" && method !== "HEAD") {
      return new Response(null, { status: 405, headers: { allow: "GET, HEAD, POST" } });
    }
    return opened.finish(await this.#get(raw, view, options, opened.session));
  }

  /** Renders a view into a page with several. */
  async root(c: LiveRequestContext, view: AnyView, id: string): Promise<Html> {
    const { session } = this.#session(c, true);
    const request = this.#requestOf(c.req.raw, view, session);
    const outcome = await renderPage(this.#parts.server, request);
    if (outcome.kind === "redirect") throw new RedirectError(outcome.to);
    if (outcome.kind === "refused") throw wrongArgument("Cannot render: nothing was posted");
    return await this.#rootOf(request, outcome.html, id, session, isRefetch(c.req.raw));
  }

  async #get(
    raw: Request,
    view: AnyView,
    options: PageOptions,
    session: RequestSession,
  ): Promise<Response> {
    const request = this.#requestOf(raw, view, session);
    const outcome = await renderPage(this.#parts.server, request);
    return await this.#answer(request, outcome, options, session, isRefetch(raw));
  }

  /** What a form does without JavaScript: the event named `_event`, then back to the page. */
  async #post(
    raw: Request,
    view: AnyView,
    options: PageOptions,
    session: RequestSession,
  ): Promise<Response> {
    if (!mayPost(raw, this.#parts.rules)) {
      tellRefused(this.#parts.internals, "live", raw, this.#parts.rules);
      return refusal(403, "This origin may not post");
    }
    const fields = await readForm(raw, maxFormBytes);
    const event = fields?.findLast(([name]) => name === "_event")?.[1];
    if (fields === undefined || event === undefined) {
      return refusal(400, "A form with a field _event is needed here");
    }
    const input = formFields(fields.filter(([name]) => name !== "_event"));
    const request = { ...this.#requestOf(raw, view, session), posted: { event, input } };
    const outcome = await renderPage(this.#parts.server, request);
    return await this.#answer(request, outcome, options, session, isRefetch(raw));
  }

  #requestOf(raw: Request, { spec }: AnyView, session: RequestSession): PageRequest {
    const url = askedUrl(raw, this.#parts.rules.trustForwardedHost);
    return { spec, session, url, page: this.#parts.server.ports.newPage() };
  }

  async #answer(
    request: PageRequest,
    outcome: PageOutcome,
    { layout = plainLayout, id = `live-${request.spec.name}` }: PageOptions,
    session: RequestSession,
    refetches: boolean,
  ): Promise<Response> {
    if (outcome.kind === "redirect") return seeOther(outcome.to);
    if (outcome.kind === "refused" && outcome.why === "unknown_event") {
      return refusal(400, "The view has no such event");
    }
    const { html, title } = outcome as { html: string; title: string };
    const content = await this.#rootOf(request, html, id, session, refetches);
    const script = scriptElement(this.#parts.path);
    const text = await textOf(layout({ content, script, title }) as string);
    return new Response(text, {
      status: outcome.kind === "refused" ? 422 : 200,
      headers: {
        "content-type": "text/html; charset=UTF-8",
        // It has a token in it, and another state each time.
        "cache-control": "private, no-cache",
      },
    });
  }

  async #rootOf(
    { spec, page, url }: PageRequest,
    html: string,
    id: string,
    session: RequestSession,
    refetches: boolean,
  ): Promise<Html> {
    const { tokens, server } = this.#parts;
    const { sid, until } = await session.reserve(refetches);
    const token = await tokens.sign({
      view: spec.name,
      page,
      session: await tokens.sessionOf(sid),
      path: url.pathname,
      build: server.settings.build,
      until,
    });
    const given = {
      id,
      "data-live-view": spec.name,
      "data-live-token": token,
      "data-live-state": "connecting",
    };
    return asHtml(`<div${attributes(given)}>${html}</div>`);
  }

  /** The session of the middleware, or one of our own if there is none on this root. */
  #session(c: LiveRequestContext, needed = false): PageSession {
    const { internals, admit } = this.#parts;
    const mounted = c.get("session");
    if (internals.sessions.owns(mounted)) {
      return { session: mounted, finish: (response) => response };
    }
    if (needed) {
      throw wrongArgument("Cannot render a live root: the request has no session of this holdfast");
    }
    const { raw } = c.req;
    const { cookie } = internals;
    const session = internals.sessions.open(
      readCookie(raw.headers.get("cookie"), cookie.name),
      admit === undefined ? {} : { admit: () => admit(raw) },
    );
    return {
      session,
      finish: (response) => {
        const change = session.seal();
        if (change === undefined) return response;
        const value = change.kind === "set"
          ? serializeCookie(cookie, change.token)
          : expireCookie(cookie);
        return withCookie(response, value);
      },
    };
  }
}

/** A view that goes elsewhere while a page of several is rendered; Hono answers with the response. */
class RedirectError extends Error {
  readonly #to: string;

  constructor(to: string) {
    super("Cannot render a live root: its view goes elsewhere");
    this.name = "RedirectError";
    this.#to = to;
  }

  getResponse(): Response {
    return seeOther(this.#to);
  }
}

/** Whether the script asks, perhaps because the tokens it has are refused: then the session is looked at. */
function isRefetch(request: Request): boolean {
  return request.headers.has("x-live-navigation");
}

function seeOther(location: string): Response {
  return new Response(null, { status: 303, headers: { location, "cache-control": "no-store" } });
}

function plainLayout(
  { content, script, title }: { content: Html; script: Html; title: string },
): string {
  return "<!DOCTYPE html>" +
    `<html><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>` +
    '<meta name="viewport" content="width=device-width">' +
    `</head><body>${content}${script}</body></html>`;
}

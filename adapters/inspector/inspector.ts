import { encodeBase64url } from "../../src/core/base64url.ts";
import type { AnyView } from "../../src/live/model.ts";
import { createLive } from "../live/live.ts";
import { refusal } from "../live/transport.ts";
import type { LayoutParts, Live, LiveOptions, LiveRequestContext } from "../live/types.ts";
import type { Holdfast } from "../web/holdfast.ts";
import { internalsOf } from "../web/internals.ts";
import type { OriginRules } from "../web/origin.ts";
import {
  type Authorize,
  guarded,
  type InspectorAction,
  type InspectorContext,
  type InspectorVerdict,
  type Judge,
  judgeOf,
} from "./access.ts";
import { act } from "./actions.ts";
import { Desk, type InspectedLive, type InspectedSync } from "./desk.ts";
import { mortalSockets, mortalStream } from "./lifetime.ts";
import { html, Markup } from "./markup.ts";
import { hidden, type Redact } from "./mask.ts";
import { documents, objects } from "./pages/lists.ts";
import { overview } from "./pages/overview.ts";
import { node, sessions } from "./pages/process.ts";
import { document, object } from "./pages/records.ts";
import { type Place, placeOf } from "./places.ts";
import { style } from "./style.ts";
import { type MakeSheet, sheetView } from "./view.ts";
import { checkKnown, type OptionNames, outOfRange, wrongArgument } from "../../src/core/options.ts";

/** Options of {@linkcode createInspector}. */
export interface InspectorOptions {
  /**
   * Says who may see the inspector and who may do what in it: asked for every request, for every
   * connection anew after `reauthorizeMs`, and again for each action. Anything but `true` or
   * `{ operator }` refuses. May be left out outside of production only; then requests that come from
   * this very machine are let in.
   */
  authorize?(
    c: InspectorContext,
    action: InspectorAction,
  ): InspectorVerdict | Promise<InspectorVerdict>;
  /** Where it is mounted: `app.all("/_holdfast/*", inspector.routes())`. @default {"/_holdfast"} */
  readonly path?: string;
  /** The application's live views: their sockets are counted, and the drain button drains them. */
  readonly live?: InspectedLive | readonly InspectedLive[];
  /** The application's sync: how it is doing. */
  readonly sync?: InspectedSync;
  /** How a request becomes a socket; without it pages use the fallback over plain requests. */
  readonly upgradeWebSocket?: LiveOptions["upgradeWebSocket"];
  /** What of states and operations is kept back, beside texts whose key has the name of a secret. */
  readonly redact?: Redact;
  /** Name of this node. @default {that of the live views, or one made at random} */
  readonly node?: string;
  /** Origins that pages may connect and post from. @default {the host that was asked} */
  readonly origins?: LiveOptions["origins"];
  /** Take the host that was asked from `X-Forwarded-Host`: behind a proxy that sets it. @default {false} */
  readonly trustForwardedHost?: boolean;
  /** Milliseconds after which a connection is asked for its rights again, 1000 to 86,400,000. @default {900000} */
  readonly reauthorizeMs?: number;
}

/** A handler for Hono. */
export type InspectorHandler = (
  c: InspectorContext,
  next: () => Promise<void>,
) => Promise<Response>;

/** A look into one process. */
export interface Inspector extends Disposable {
  /** Name of this node, which the drain button asks for. */
  readonly node: string;
  /** The pages and what they need, below `path`. */
  routes(): InspectorHandler;
  /** Stops listening to events. Pages that look begin it again. */
  close(): void;
}

const optionNames: OptionNames<InspectorOptions> = {
  authorize: true,
  path: "a string",
  live: true,
  sync: "an object",
  upgradeWebSocket: "a function",
  redact: true,
  node: "a string",
  origins: true,
  trustForwardedHost: "a boolean",
  reauthorizeMs: true,
};

const sheets: Readonly<Record<Place["page"], MakeSheet>> = {
  overview,
  objects,
  object,
  documents,
  document,
  sessions,
  node,
};

/**
 * Makes the inspector of a process: pages that show what it holds and does, as live views of the
 * library itself, for operators, behind the application's own login.
 *
 * No page has a session id, a cookie, a token or a secret in it.
 *
 * @param holdfast The composition root.
 * @param options Who may, and where it is mounted.
 * @returns The inspector.
 * @throws {HoldfastError} `ERR_NO_AUTHORIZE` if there is no `authorize` and `NODE_ENV` is `production`.
 * @throws {TypeError} If an option makes no sense.
 * @throws {RangeError} If a number is out of range.
 *
 * @example For those who are signed in as operators
 * ```ts
 * import { createHoldfast } from "@holdfast/holdfast";
 * import { createInspector } from "@holdfast/holdfast/inspector";
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { assertEquals } from "@std/assert";
 * import { Hono } from "hono";
 *
 * const secret = crypto.getRandomValues(new Uint8Array(32));
 * await using holdfast = createHoldfast({ storage: memoryStorage(), secrets: [secret] });
 * using inspector = createInspector(holdfast, {
 *   authorize: (c, action) =>
 *     c.req.header("authorization") === "Bearer of-an-operator" && action.name !== "drain",
 * });
 * const app = new Hono();
 * app.all("/_holdfast/*", inspector.routes());
 *
 * assertEquals((await app.request("/_holdfast")).status, 403);
 * const headers = { authorization: "Bearer of-an-operator" };
 * assertEquals((await app.request("/_holdfast", { headers })).status, 200);
 * ```
 */
export function createInspector(holdfast: Holdfast, options: InspectorOptions = {}): Inspector {
  const internals = internalsOf(holdfast, "an inspector");
  checkKnown(options, optionNames, "create an inspector");
  const { path = "/_holdfast", live: given = [], trustForwardedHost = false, origins } = options;
  const judge = judgeOf(options satisfies Authorize, trustForwardedHost);
  const lives = livesOf(given);
  const reauthorizeMs = lifeOf(options.reauthorizeMs ?? 900_000);
  const desk = new Desk({
    holdfast,
    internals,
    path,
    node: options.node ?? lives[0]?.node ?? encodeBase64url(internals.random.bytes(6)),
    lives,
    sync: options.sync,
    isHidden: hidden(options.redact),
  });
  const views = viewsOf(desk);
  const upgrade = options.upgradeWebSocket;
  const live = createLive(holdfast, {
    views: Object.values(views),
    path: `${path}/live`,
    node: desk.parts.node,
    trustForwardedHost,
    ...(origins === undefined ? {} : { origins }),
    ...(upgrade === undefined
      ? {}
      : { upgradeWebSocket: mortalSockets(upgrade, internals.clock, reauthorizeMs) }),
  });
  const rules: OriginRules = {
    origins,
    trustForwardedHost,
    allowMissingOrigin: false,
    isSecure: internals.cookie.secure,
  };
  const routes = new Routes({ desk, judge, rules, views, live, reauthorizeMs });
  return {
    node: desk.parts.node,
    routes: () => async (c) => guarded(await routes.answer(c)),
    close: () => desk.recorder.close(),
    [Symbol.dispose]: () => desk.recorder.close(),
  };
}

function livesOf(given: NonNullable<InspectorOptions["live"]>): readonly InspectedLive[] {
  const lives: readonly InspectedLive[] = Array.isArray(given) ? given : [given];
  if (lives.every((live) => typeof live?.drain === "function")) return lives;
  throw wrongArgument('Cannot create an inspector: "live" is not what createLive() made');
}

function lifeOf(ms: number): number {
  if (Number.isInteger(ms) && ms >= 1000 && ms <= 86_400_000) return ms;
  throw outOfRange(
    `Cannot create an inspector: "reauthorizeMs" is ${ms}, not a whole number from 1000 to 86400000`,
  );
}

function viewsOf(desk: Desk): Readonly<Record<Place["page"], AnyView>> {
  const pages = Object.keys(sheets) as Place["page"][];
  const views = pages.map((page) => [page, sheetView(desk, page, sheets[page])] as const);
  return Object.fromEntries(views) as Record<Place["page"], AnyView>;
}

/** What the routes stand on. */
interface RouteParts {
  readonly desk: Desk;
  readonly judge: Judge;
  readonly rules: OriginRules;
  readonly views: Readonly<Record<Place["page"], AnyView>>;
  readonly live: Live;
  readonly reauthorizeMs: number;
}

const ready: () => Promise<void> = () => Promise.resolve();

class Routes {
  readonly #parts: RouteParts;

  constructor(parts: RouteParts) {
    this.#parts = parts;
  }

  async answer(c: InspectorContext): Promise<Response> {
    const { desk: { parts: { path } }, judge } = this.#parts;
    const { raw } = c.req;
    const url = new URL(raw.url);
    const name = url.pathname.startsWith(`${path}/`) ? url.pathname.slice(path.length + 1) : "";
    const isGet = raw.method === "GET" || raw.method === "HEAD";
    if (isGet && name === "style.css") return styleSheet();
    // The script is the same for everybody, and everything else is for whom it may concern.
    if (isGet && /^live\/(?:client|more)\.js$/.test(name)) return await this.#connect(c);
    if (raw.method === "POST" && (name === "stop" || name === "drain")) {
      return await act(this.#parts, c, name);
    }
    if (await judge(c, { name: "view" }) === undefined) return refusal(403, "This is not allowed");
    if (name.startsWith("live/")) return await this.#connect(c);
    const place = placeOf(path, url);
    if (place === undefined) return refusal(404, "There is nothing here");
    if (!isGet) {
      return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
    }
    return await this.#page(c, place);
  }

  async #page(c: InspectorContext, place: Place): Promise<Response> {
    const { desk: { parts: { path } }, live, views } = this.#parts;
    const layout = (parts: LayoutParts) => wholePage(path, parts);
    return await live.page(views[place.page], { layout })(requestOf(c), ready);
  }

  async #connect(c: InspectorContext): Promise<Response> {
    const { live, desk, reauthorizeMs } = this.#parts;
    const response = await live.routes()(requestOf(c), ready);
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
    const { clock } = desk.parts.internals;
    return isStream === true ? mortalStream(response, clock, reauthorizeMs) : response;
  }
}

/** The live layer needs a session of this root, if there is one, and asks for nothing else. */
function requestOf(c: InspectorContext): LiveRequestContext {
  return c as unknown as LiveRequestContext;
}

function styleSheet(): Response {
  return new Response(style, {
    headers: { "content-type": "text/css; charset=utf-8", "cache-control": "no-cache" },
  });
}

function wholePage(path: string, { content, script, title }: LayoutParts): string {
  return String(html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${title}</title>
        <link rel="stylesheet" href="${path}/style.css">
        <link rel="icon" href="data:,">
      </head>
      <body>
    ${new Markup(String(content))}
    ${new Markup(String(script))}
      </body>
    </html>
  `);
}

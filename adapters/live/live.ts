import { encodeBase64url } from "../../src/core/base64url.ts";
import { checkDrainTiming, checkLiveLimits, checkLiveTiming } from "../../src/live/limits.ts";
import type { AnyView } from "../../src/live/model.ts";
import { LiveServer } from "../../src/live/server.ts";
import type { LiveSettings } from "../../src/live/settings.ts";
import type { Holdfast } from "../web/holdfast.ts";
import { internalsOf } from "../web/internals.ts";
import { frames } from "./frames.ts";
import type { OriginRules } from "../web/origin.ts";
import { Pages } from "./pages.ts";
import { isOtherScript, scriptElement, serveScript } from "./script.ts";
import { pageTokens } from "./tokens.ts";
import { refusal, Transport } from "./transport.ts";
import type { Live, LiveHandler, LiveOptions, LiveRequestContext, PageOptions } from "./types.ts";
import { checkKnown, kindOf, type OptionNames, wrongArgument } from "../../src/core/options.ts";

/**
 * Puts live views on a root: their pages, the routes they connect by, and the drain.
 *
 * @param holdfast The composition root.
 * @param options The views, and how pages connect.
 * @returns The handlers for Hono.
 * @throws {TypeError} If an option makes no sense.
 * @throws {RangeError} If a number is out of range.
 *
 * @example A page with a counter
 * ```ts
 * import { createHoldfast } from "@holdfast/holdfast";
 * import { session, type SessionEnv } from "@holdfast/holdfast/hono";
 * import { createLive, defineView } from "@holdfast/holdfast/live";
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { assertEquals, assertStringIncludes } from "@std/assert";
 * import { Hono } from "hono";
 *
 * const secret = crypto.getRandomValues(new Uint8Array(32));
 * await using holdfast = createHoldfast({ storage: memoryStorage(), secrets: [secret] });
 * const Counter = defineView({
 *   name: "counter",
 *   stored: ["count"],
 *   state: () => ({ count: 0 }),
 *   events: {
 *     add: ({ state }) => void state.count++,
 *   },
 *   render: ({ state }) => `<button data-live-click="add">${state.count}</button>`,
 * });
 * const live = createLive(holdfast, { views: [Counter] });
 *
 * const app = new Hono<SessionEnv>();
 * app.use(session(holdfast));
 * app.all("/live/*", live.routes());
 * app.all("/", live.page(Counter));
 *
 * const page = await app.request("/");
 * assertEquals(page.status, 200);
 * assertStringIncludes(await page.text(), ">0</button>");
 * ```
 */
export function createLive(holdfast: Holdfast, options: LiveOptions): Live {
  const internals = internalsOf(holdfast, "live views");
  checkKnown(options, optionNames, "create live views");
  const path = checkPath(options.path ?? "/live");
  const settings = settingsOf(options, path, () => encodeBase64url(internals.random.bytes(6)));
  const tokens = pageTokens(internals, settings.timing.tokenMs);
  const server = new LiveServer(settings, {
    clock: internals.clock,
    tokens,
    frames: frames(settings.limits.maxFrameBytes),
    newPage: () => encodeBase64url(internals.random.bytes(12)),
    document: (definition, id) => holdfast.document(definition, id),
    get emit() {
      return internals.emit;
    },
  });
  const rules: OriginRules = {
    origins: checkOrigins(options.origins),
    trustForwardedHost: options.trustForwardedHost === true,
    allowMissingOrigin: options.allowMissingOrigin === true,
    isSecure: internals.cookie.secure,
  };
  const { upgradeWebSocket: upgrade, admit } = options;
  const transport = new Transport({ server, internals, rules, upgrade, admit });
  const pages = new Pages({ server, internals, tokens, rules, path, admit });
  const known = (view: AnyView): AnyView => {
    if (server.views.get(view?.name) === view?.spec && view?.spec !== undefined) return view;
    throw wrongArgument(`Cannot use view "${String(view?.name)}": it is not one of "views"`);
  };
  return {
    node: settings.node,
    get draining() {
      return server.draining;
    },
    get connections() {
      return server.size;
    },
    routes: () => routesOf(path, server, transport),
    page: (view, pageOptions = {}) => {
      known(view);
      checkKnown(pageOptions, pageNames, `make a page of view "${view.name}"`);
      return (c) => pages.page(c, view, pageOptions);
    },
    root: async (c, view, rootOptions = {}) => {
      known(view);
      const task = `render view "${view.name}"`;
      checkKnown(rootOptions, rootNames, task);
      if (typeof c?.get !== "function" || c.req?.raw === undefined) {
        throw wrongArgument(`Cannot ${task}: the context is not one of Hono`);
      }
      return await pages.root(c, view, rootOptions.id ?? `live-${view.name}`);
    },
    script: () => scriptElement(path),
    drain: async (drainOptions = {}) => {
      checkKnown(drainOptions, drainNames, "drain live views");
      return await server.drain(drainOptions.hurry);
    },
  };
}

const rootNames: OptionNames<{ readonly id?: string }> = { id: "a string" };

const drainNames: OptionNames<{ readonly hurry?: AbortSignal }> = { hurry: ".addEventListener" };

const optionNames: OptionNames<LiveOptions> = {
  views: true,
  upgradeWebSocket: "a function",
  path: true,
  origins: true,
  trustForwardedHost: "a boolean",
  allowMissingOrigin: "a boolean",
  admit: "a function",
  node: true,
  build: true,
  limits: true,
  drain: true,
  timing: true,
};

const pageNames: OptionNames<PageOptions> = { layout: "a function", id: "a string" };

function routesOf(path: string, server: LiveServer, transport: Transport): LiveHandler {
  return async (c: LiveRequestContext) => {
    const { raw } = c.req;
    const { pathname } = new URL(raw.url);
    const name = pathname.startsWith(`${path}/`) ? pathname.slice(path.length + 1) : "";
    const isGet = raw.method === "GET" || raw.method === "HEAD";
    if (name === "socket" && isGet) return await transport.socket(c);
    if (name === "sse" && raw.method === "GET") return await transport.listen(raw);
    if (name === "send" && raw.method === "POST") return await transport.receive(raw);
    if (name === "ready" && isGet) {
      return server.draining ? refusal(503, "draining") : refusal(200, "ready");
    }
    return serveScript(name, raw) ?? refusal(404, "There is nothing here");
  };
}

function settingsOf(options: LiveOptions, path: string, newNode: () => string): LiveSettings {
  const { views, node = newNode(), build = "" } = options;
  if (!Array.isArray(views) || views.some((view: Partial<AnyView>) => view?.spec === undefined)) {
    throw wrongArgument('Cannot create live views: "views" is not a list of views');
  }
  if (typeof node !== "string" || typeof build !== "string") {
    throw wrongArgument('Cannot create live views: "node" or "build" is not a string');
  }
  return {
    views,
    node,
    build,
    limits: checkLiveLimits(options.limits),
    timing: checkLiveTiming(options.timing),
    drain: checkDrainTiming(options.drain),
    isStale: ({ assets = [] }, pageBuild) =>
      pageBuild !== build || assets.some((asset) => isOtherScript(path, asset)),
  };
}

function checkPath(path: unknown): string {
  if (typeof path === "string" && /^(?:\/[A-Za-z0-9_.~-]+)+$/.test(path)) return path;
  throw wrongArgument('Cannot create live views: "path" is not a path such as "/live"');
}

function checkOrigins(origins: LiveOptions["origins"]): LiveOptions["origins"] {
  if (origins === undefined || typeof origins === "function") return origins;
  if (!Array.isArray(origins)) {
    const is = kindOf(origins);
    throw wrongArgument(`Cannot create live views: "origins" is ${is}, not a list or a function`);
  }
  for (const origin of origins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw wrongArgument(
        `Cannot create live views: "origins" has ${JSON.stringify(origin)}, which is no origin`,
      );
    }
  }
  return origins;
}

import { RequestSession } from "../../src/stash/request_session.ts";
import type { Session } from "../../src/stash/session.ts";
import { withCookie } from "../web/handle.ts";
import type { Holdfast } from "../web/holdfast.ts";
import { findInternals, type Internals } from "../web/internals.ts";
import type { OpenSession } from "../web/opened.ts";
import { checkKnown, type OptionNames, wrongArgument } from "../../src/core/options.ts";

/** Options of {@linkcode session}. */
export interface SessionMiddlewareOptions {
  /**
   * Store every stash whose state has changed when the handler is done, unless it threw. What
   * storing throws goes to `app.onError`.
   * @default {false}
   */
  readonly autoStash?: boolean;
  /** Asked before a session is created; `false` refuses it. The place for a rate limit. */
  readonly admit?: (request: Request) => boolean | Promise<boolean>;
}

/** The environment of an app whose handlers have a session: `new Hono<SessionEnv>()`. */
export interface SessionEnv {
  /** What `c.var` holds. */
  Variables: {
    /** The browser session of the request. */
    session: Session;
  };
}

/** What the middleware needs of a Hono context. */
export interface SessionContext {
  /** Holds the request as it came. */
  readonly req: { readonly raw: Request };
  /** What a handler threw, if `app.onError` has answered for it. */
  readonly error: Error | undefined;
  /** Whether there is a response. */
  readonly finalized: boolean;
  /** The response; setting it merges the headers of the one before, unless that is `undefined`. */
  get res(): Response;
  set res(response: Response | undefined);
  /** Reads a variable. */
  get(key: "session"): Session | undefined;
  /** Sets a variable. */
  set(key: "session", value: Session): void;
}

/** The middleware that {@linkcode session} makes. */
export type SessionMiddleware = (c: SessionContext, next: () => Promise<void>) => Promise<void>;

/** One mount of the middleware at work on a request. */
interface Mount {
  readonly c: SessionContext;
  readonly open: OpenSession;
  /** Another mount around it sets the cookie. */
  readonly isInner: boolean;
}

/** What sessions are opened with. */
interface Root {
  readonly holdfast: Holdfast;
  /** To open one without checks and closures, which cost each request as much as the rest of it. */
  readonly internals: Internals | undefined;
}

/** The mount of the middleware that has opened a session for a request: nearly always the only one. */
class Opened implements Mount {
  readonly c: SessionContext;
  readonly isInner = false;
  readonly holdfast: Holdfast;
  readonly open: OpenSession;
  /** What a mount for another root has opened before. */
  readonly before: Opened | undefined;
  readonly #request: Request;
  #admits: readonly Admit[] = noAdmits;

  constructor(
    { holdfast, internals }: Root,
    c: SessionContext,
    before: Opened | undefined,
  ) {
    this.holdfast = holdfast;
    this.c = c;
    this.before = before;
    // As it came: a middleware may put another one in its place.
    this.#request = c.req.raw;
    const cookies = this.#request.headers.get("cookie");
    this.open = internals?.open(cookies, this) ??
      holdfast.open(cookies, { admit: () => this.admit() });
    RequestSession.leaveNote(this.open.session, this);
  }

  /** Has a mount asked before the session is created. */
  ask(admit: Admit): void {
    this.#admits = [...this.#admits, admit];
  }

  /** Asks them all. */
  async admit(): Promise<boolean> {
    for (const ask of this.#admits) if (await ask(this.#request) !== true) return false;
    return true;
  }
}

const noAdmits: readonly Admit[] = [];

type Admit = NonNullable<SessionMiddlewareOptions["admit"]>;

const optionNames: OptionNames<SessionMiddlewareOptions> = {
  autoStash: "a boolean",
  admit: "a function",
};

/** Headers that would be wrong on the error page that replaces a response. */
const ofTheBody = [
  "accept-ranges",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-range",
  "content-type",
  "etag",
  "last-modified",
  "location",
  "refresh",
  "transfer-encoding",
];

/**
 * Makes the middleware that opens the session of each request as `c.var.session`, and sets its
 * cookie on whatever response comes of it, if the session began or changed its id: also on the
 * error page, on a redirect, and on a stream. Nothing is read before a handler asks for a stash.
 *
 * Mounted twice, the inner one uses the session of the outer one; what either asks for is done. A
 * response of status 101 is never touched.
 *
 * `c.var.session` is typed in an app made as `new Hono<SessionEnv>()`. For a single route, let
 * `createMiddleware<SessionEnv>(session(holdfast))` of `hono/factory` carry the type.
 *
 * @param holdfast The composition root.
 * @param options What to do beside opening the session.
 * @returns The middleware.
 * @throws {TypeError} If there is no composition root.
 *
 * @example A cart
 * ```ts
 * import { createHoldfast, defineStash } from "@holdfast/holdfast";
 * import { session, type SessionEnv } from "@holdfast/holdfast/hono";
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { assertEquals } from "@std/assert";
 * import { Hono } from "hono";
 *
 * const secret = crypto.getRandomValues(new Uint8Array(32));
 * await using holdfast = createHoldfast({ storage: memoryStorage(), secrets: [secret] });
 * const Cart = defineStash({
 *   name: "cart",
 *   vsn: 1,
 *   stored: ["items"],
 *   state: () => ({ items: [] as string[] }),
 * });
 *
 * const app = new Hono<SessionEnv>();
 * app.use(session(holdfast));
 * app.post("/cart", async (c) => {
 *   const cart = await c.var.session.stash(Cart);
 *   cart.state.items.push("kelp");
 *   await cart.stash();
 *   return c.redirect("/cart", 303);
 * });
 * app.get("/cart", async (c) => c.json((await c.var.session.stash(Cart)).state));
 *
 * const posted = await app.request("/cart", { method: "POST" });
 * const cookie = posted.headers.get("set-cookie")!.split(";")[0]!;
 * const got = await app.request("/cart", { headers: { cookie } });
 * assertEquals(await got.json(), { items: ["kelp"] });
 * ```
 */
export function session(
  holdfast: Holdfast,
  options: SessionMiddlewareOptions = {},
): SessionMiddleware {
  if (typeof holdfast?.open !== "function") {
    throw wrongArgument("Cannot make the session middleware: it needs what createHoldfast() made");
  }
  checkKnown(options, optionNames, "make the session middleware");
  const { autoStash = false, admit } = options;
  const root = { holdfast, internals: findInternals(holdfast) };
  // Without `async`: each request pays for it, and most have nothing to do in the end.
  return (c, next) => {
    const last = lastOpened(c);
    const outer = findOpened(last, holdfast);
    const opened = outer ?? new Opened(root, c, last);
    if (admit !== undefined) opened.ask(admit);
    c.set("session", opened.open.session);
    const mount: Mount = outer === undefined ? opened : { c, open: outer.open, isInner: true };
    return autoStash
      ? stashAfter(mount, next())
      : next().then(() => finish(mount), (error) => giveUp(mount, error));
  };
}

async function stashAfter(mount: Mount, answering: Promise<void>): Promise<void> {
  try {
    await answering;
    // What a handler that threw had changed so far is nobody's wish.
    if (mount.c.error === undefined) await mount.open.stashChanged();
  } catch (error) {
    giveUp(mount, error);
  }
  finish(mount);
}

function finish({ c, open, isInner }: Mount): void {
  if (!isInner) setCookie(c, open.seal());
}

function giveUp({ c, open, isInner }: Mount, error: unknown): never {
  // The error page has yet to be made: a session that has begun must not be lost over it.
  giveUpResponse(c, isInner ? undefined : open.seal());
  throw error;
}

/** What a mount around this one, or around that, has opened; told by the session it left. */
function findOpened(last: Opened | undefined, holdfast: Holdfast): Opened | undefined {
  let opened = last;
  while (opened !== undefined && opened.holdfast !== holdfast) opened = opened.before;
  return opened;
}

function lastOpened(c: SessionContext): Opened | undefined {
  return RequestSession.noteOn(c.get("session")) as Opened | undefined;
}

/** Adds the cookie to the response there is. */
function setCookie(c: SessionContext, cookie: string | undefined): void {
  // An upgraded connection has no headers left to set, and such a response cannot be copied.
  if (cookie === undefined || c.res.status === 101) return;
  replaceResponse(c, withCookie(c.res, cookie));
}

/** Leaves a cookie, and what else is not about the body, for the error page to be merged with. */
function giveUpResponse(c: SessionContext, cookie: string | undefined): void {
  if (!c.finalized) {
    if (cookie !== undefined) c.res = withCookie(new Response(null), cookie);
    return;
  }
  const { status, headers: given, body, bodyUsed } = c.res;
  if (status === 101) return;
  // Nobody will read it any more.
  if (!bodyUsed) body?.cancel().catch(() => {});
  const headers = new Headers(given);
  for (const name of ofTheBody) headers.delete(name);
  replaceResponse(c, withCookie(new Response(null, { headers }), cookie));
}

/** Hono would put the cookies of the response before in the place of the new one's. */
function replaceResponse(c: SessionContext, response: Response): void {
  c.res = undefined;
  c.res = response;
}

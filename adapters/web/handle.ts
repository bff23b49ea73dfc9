import type { Session } from "../../src/stash/session.ts";
import type { Holdfast } from "./holdfast.ts";
import { checkKnown, kindOf, type OptionNames, wrongArgument } from "../../src/core/options.ts";

/** Options of {@linkcode handleSession}. */
export interface HandleOptions {
  /** Store every stash whose state has changed when the handler is done. @default {false} */
  readonly autoStash?: boolean;
  /** Asked before a session is created; anything but `true` refuses it. The place for a rate limit. */
  readonly admit?: (request: Request) => boolean | Promise<boolean>;
  /**
   * Makes the response for what the handler, or storing, has thrown. A session that began or changed
   * its id before the error keeps its cookie only on a response made here.
   * @default {the error is passed on}
   */
  readonly onError?: (error: unknown) => Response | Promise<Response>;
}

/**
 * Handles a request with its session, on anything that speaks `Request` and `Response`.
 *
 * @param holdfast The composition root.
 * @param request The request.
 * @param handler Makes the response.
 * @param options What to do beside opening the session.
 * @returns The response, with a Set-Cookie header if the session began or changed its id.
 * @throws What the handler throws, and with `autoStash` what storing throws, unless there is an
 *   `onError`.
 *
 * @example A visit counter
 * ```ts
 * import { createHoldfast, defineStash, handleSession } from "@holdfast/holdfast";
 * import { memoryStorage } from "@holdfast/holdfast/memory";
 * import { assertEquals } from "@std/assert";
 *
 * const secret = crypto.getRandomValues(new Uint8Array(32));
 * await using holdfast = createHoldfast({ storage: memoryStorage(), secrets: [secret] });
 * const Visits = defineStash({
 *   name: "visits",
 *   vsn: 1,
 *   stored: ["count"],
 *   state: () => ({ count: 0 }),
 * });
 * const fetch = (request: Request) =>
 *   handleSession(holdfast, request, async (session) => {
 *     const visits = await session.stash(Visits);
 *     const { count } = await visits.update((state) => void state.count++);
 *     return new Response(`visit ${count}`);
 *   });
 *
 * const first = await fetch(new Request("https://example.com/"));
 * const cookie = first.headers.get("set-cookie")!.split(";")[0]!;
 * const second = await fetch(new Request("https://example.com/", { headers: { cookie } }));
 * assertEquals(await second.text(), "visit 2");
 * ```
 */
export async function handleSession(
  holdfast: Holdfast,
  request: Request,
  handler: (session: Session) => Response | Promise<Response>,
  options: HandleOptions = {},
): Promise<Response> {
  checkArguments(holdfast, request, handler);
  checkKnown(options, optionNames, "handle a request");
  const { autoStash = false, admit, onError } = options;
  const open = holdfast.open(
    request.headers.get("cookie"),
    admit === undefined ? {} : { admit: () => admit(request) },
  );
  try {
    const response = await handler(open.session);
    if (autoStash) await open.stashChanged();
    return withCookie(response, open.seal());
  } catch (error) {
    const setCookie = open.seal();
    if (onError === undefined) throw error;
    return withCookie(await onError(error), setCookie);
  }
}

const optionNames: OptionNames<HandleOptions> = {
  autoStash: "a boolean",
  admit: "a function",
  onError: "a function",
};

function checkArguments(holdfast: Holdfast, request: Request, handler: unknown): void {
  if (typeof holdfast?.open !== "function") {
    throw wrongArgument("Cannot handle a request: it needs what createHoldfast() made");
  }
  if (typeof request?.headers?.get !== "function") {
    throw wrongArgument("Cannot handle a request: it is not a Request");
  }
  if (typeof handler === "function") return;
  throw wrongArgument("Cannot handle a request: its handler is not a function");
}

/**
 * Adds a session cookie to a response, and keeps the response out of shared caches: whoever got it
 * from one would get the session too.
 *
 * @param setCookie The Set-Cookie value; `undefined` returns the response as it is.
 */
export function withCookie(response: Response, setCookie: string | undefined): Response {
  if (typeof response?.headers?.get !== "function") {
    throw wrongArgument("Cannot set the session cookie: what was answered is not a Response");
  }
  if (setCookie !== undefined && typeof setCookie !== "string") {
    throw wrongArgument(`Cannot set the session cookie: it is ${kindOf(setCookie)}, not a string`);
  }
  // An upgraded connection has no headers left to set, and such a response cannot be copied.
  if (setCookie === undefined || response.status === 101) return response;
  // The headers of some responses (redirects, fetched ones) cannot be changed.
  const own = new Response(response.body, response);
  own.headers.append("set-cookie", setCookie);
  const caching = own.headers.get("cache-control") ?? "";
  if (!/\b(?:no-store|private)\b/i.test(caching)) own.headers.set("cache-control", "no-store");
  return own;
}

import { wrongArgument } from "../../src/core/options.ts";
import { HoldfastError } from "../../src/core/errors.ts";
import { askedUrl, isLocal } from "../web/origin.ts";

/** What the inspector needs of a Hono context. */
export interface InspectorContext {
  readonly req: {
    /** The request as it came. */
    readonly raw: Request;
    /** Reads a header. */
    header(name: string): string | undefined;
  };
  /** Reads a variable. */
  get(key: never): unknown;
}

/** What somebody wants to do. */
export type InspectorAction =
  /** See a page, or have it kept current. */
  | { readonly name: "view" }
  /** Have an object or a document leave memory. */
  | {
    readonly name: "stop";
    readonly kind: "object" | "document";
    readonly class: string;
    readonly id: string;
  }
  /** Have this node take leave of its pages. */
  | { readonly name: "drain"; readonly node: string };

/** What was said about it: `true`, or who the operator is, for telemetry. Anything else refuses. */
export type InspectorVerdict = boolean | { readonly operator: string };

/** A verdict that was looked at. */
export type Judged = { readonly operator: string | undefined } | undefined;

/** Judges who may do what. */
export type Judge = (c: InspectorContext, action: InspectorAction) => Promise<Judged>;

/** Says who may do what. */
export interface Authorize {
  /** Written as a method, so that a function of a whole Hono context fits. */
  authorize?(
    c: InspectorContext,
    action: InspectorAction,
  ): InspectorVerdict | Promise<InspectorVerdict>;
}

/**
 * Makes the judge. Without an `authorize` there is one for development: it lets in who asks for this
 * very machine, and nobody who came through a proxy.
 *
 * @throws {HoldfastError} `ERR_NO_AUTHORIZE` if there is none in production.
 */
export function judgeOf(options: Authorize, trustForwardedHost: boolean): Judge {
  if (options.authorize !== undefined) {
    if (typeof options.authorize !== "function") {
      throw wrongArgument('Cannot create an inspector: "authorize" is not a function');
    }
    return async (c, action) => readVerdict(await options.authorize?.(c, action));
  }
  if (isProduction()) {
    throw new HoldfastError(
      "ERR_NO_AUTHORIZE",
      'Cannot create an inspector: in production it needs "authorize", a function that says who may ' +
        "see it",
    );
  }
  return (c) => Promise.resolve(isAtHome(c.req.raw, trustForwardedHost) ? anybody : undefined);
}

const anybody = { operator: undefined };

function readVerdict(verdict: unknown): Judged {
  if (verdict === true) return anybody;
  if (typeof verdict !== "object" || verdict === null) return undefined;
  const { operator } = verdict as { readonly operator?: unknown };
  return typeof operator === "string" ? { operator } : undefined;
}

/** Whether a request comes from a page of this machine, straight. */
function isAtHome(request: Request, trustForwardedHost: boolean): boolean {
  const { headers } = request;
  if (headers.has("forwarded") || headers.has("x-forwarded-for")) return false;
  const host = headers.get("host");
  if (
    host !== null &&
    !(URL.canParse(`http://${host}`) && isLocal(new URL(`http://${host}`).hostname))
  ) {
    return false;
  }
  return isLocal(askedUrl(request, trustForwardedHost).hostname);
}

function isProduction(): boolean {
  const { process } = globalThis as {
    readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
  };
  try {
    return process?.env?.["NODE_ENV"] === "production";
  } catch {
    // Deno has not been allowed to tell: taken for the worse.
    return true;
  }
}

/** What every answer says: nobody keeps it, nobody frames it, and nothing foreign is loaded. */
export function guarded(response: Response): Response {
  if (response.status === 101) return response;
  const headers = new Headers(response.headers);
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  headers.set("content-security-policy", policy);
  headers.set("referrer-policy", "same-origin");
  headers.set("x-content-type-options", "nosniff");
  headers.set("x-frame-options", "DENY");
  headers.set("x-robots-tag", "noindex");
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

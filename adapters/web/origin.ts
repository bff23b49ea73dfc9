import type { OriginEvent, TelemetryEvent } from "../../src/ports/telemetry.ts";

/** Which origins pages may ask from. */
export interface OriginRules {
  /** In place of the host that was asked. */
  readonly origins: readonly string[] | ((origin: string, request: Request) => boolean) | undefined;
  readonly trustForwardedHost: boolean;
  readonly allowMissingOrigin: boolean;
  /** The session's cookie is one of https only. */
  readonly isSecure: boolean;
}

/** Names by which a machine calls itself; browsers trust them without https. */
const local = /^(?:localhost|127\.0\.0\.1|\[::1\]|[a-z0-9-]+\.localhost)$/;

/** Whether a host is this machine, as it calls itself. */
export function isLocal(hostname: string): boolean {
  return local.test(hostname);
}

/** Whether a page may open a socket: cookies alone do not tell, any port of this host has them. */
export function mayConnect(request: Request, rules: OriginRules): boolean {
  const origin = request.headers.get("origin");
  return origin === null ? rules.allowMissingOrigin : isAllowed(origin, request, rules);
}

/** Whether a page may post: browsers say where from, unless a policy of the page keeps them from it. */
export function mayPost(request: Request, rules: OriginRules): boolean {
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  if (origin === null || origin === "null") {
    return site === "same-origin" || (origin === null && site === null && rules.allowMissingOrigin);
  }
  return isAllowed(origin, request, rules);
}

/** Whether a page may listen to events: a request of the same origin names none. */
export function mayListen(request: Request, rules: OriginRules): boolean {
  const origin = request.headers.get("origin");
  if (origin !== null) return isAllowed(origin, request, rules);
  const site = request.headers.get("sec-fetch-site");
  return site === null || site === "same-origin";
}

function isAllowed(origin: string, request: Request, rules: OriginRules): boolean {
  const { origins } = rules;
  if (origin === "null") return false;
  if (typeof origins === "function") return origins(origin, request) === true;
  if (origins !== undefined) return origins.includes(origin);
  return isSameHost(origin, request, rules);
}

/** Host and port, not the scheme: behind a proxy that ends TLS this server sees another one. */
function isSameHost(
  origin: string,
  request: Request,
  { isSecure, trustForwardedHost }: OriginRules,
): boolean {
  const host = hostOf(request, trustForwardedHost);
  try {
    const { protocol, hostname, host: asked, origin: exact } = new URL(origin);
    if (exact !== origin || (protocol !== "https:" && protocol !== "http:")) return false;
    if (isSecure && protocol === "http:" && !local.test(hostname)) return false;
    return new URL(`${protocol}//${host}`).host === asked;
  } catch {
    return false;
  }
}

function hostOf(request: Request, trustForwardedHost: boolean): string {
  const forwarded = trustForwardedHost
    ? request.headers.get("x-forwarded-host")?.split(",", 1)[0]?.trim()
    : undefined;
  return forwarded || request.headers.get("host") || new URL(request.url).host;
}

/** Characters of a header that are told. */
const mostTold = 200;

/** Tells that a request was refused for where its page is from: that, and the host that was asked. */
export function tellRefused(
  { emit }: { readonly emit: ((event: TelemetryEvent) => void) | undefined },
  what: OriginEvent["what"],
  request: Request,
  { trustForwardedHost }: OriginRules,
): void {
  emit?.({
    name: "holdfast.origin.refuse",
    what,
    origin: (request.headers.get("origin") ?? "").slice(0, mostTold),
    host: hostOf(request, trustForwardedHost).slice(0, mostTold),
  });
}

/** The address that was asked for, as the page has it if the proxy says so. */
export function askedUrl(request: Request, trustForwardedHost: boolean): URL {
  const url = new URL(request.url);
  if (!trustForwardedHost) return url;
  const scheme = request.headers.get("x-forwarded-proto")?.split(",", 1)[0]?.trim();
  const host = hostOf(request, true);
  const prefix = `${
    scheme === "https" || scheme === "http" ? scheme : url.protocol.slice(0, -1)
  }://`;
  return new URL(prefix + host + url.pathname + url.search);
}

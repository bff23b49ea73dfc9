import type { JsonValue } from "../../src/core/json.ts";
import type { DocumentClient } from "../../src/document/client.ts";
import {
  type ConnectionLimits,
  type ConnectionPorts,
  defaultConnectionLimits,
  DocumentConnection,
} from "../../src/document/connection.ts";
import type { DocumentDefinition } from "../../src/document/model.ts";
import { encodeBase64url } from "../../src/core/base64url.ts";
import type { LiveSession } from "../../src/stash/live_session.ts";
import type { Session } from "../../src/stash/session.ts";
import { watchForEnd } from "../../src/stash/session_end.ts";
import { readCookie } from "../web/cookies.ts";
import type { Holdfast } from "../web/holdfast.ts";
import { internalsOf } from "../web/internals.ts";
import { mayConnect, type OriginRules, tellRefused } from "../web/origin.ts";
import type { SocketHandle, UpgradeHandler, UpgradeWebSocket } from "../web/sockets.ts";
import { checkKnown, type OptionNames, wrongArgument } from "../../src/core/options.ts";

/** What the route needs of a Hono context. */
export interface DocumentContext {
  /** The request. */
  readonly req: { readonly raw: Request; param(name: string): string | undefined };
  /** What the server passes beside it. */
  readonly env: unknown;
  /** Reads a variable. */
  get(key: "session"): Session | undefined;
}

/** Who may join a document over a route, and as whom. */
export interface DocumentAccess {
  /** Who: told to everybody in history and presence. `null` for nobody in particular. */
  readonly actor: string | null;
  /** May only look. @default {false} */
  readonly readOnly?: boolean;
}

/** Options of {@linkcode documentSocket}. */
export interface DocumentSocketOptions {
  /** Turns a request into a socket: that of `holdfast/bun`, `/deno` or `/node`, or Hono's own. */
  readonly upgradeWebSocket: UpgradeWebSocket;
  /** Which document. @default {the parameter "id" of the route} */
  readonly id?: (c: DocumentContext) => string | undefined;
  /**
   * Who may join; `undefined` refuses with 403. A socket is closed when the session of its request is
   * over, and joins again with the rights there are then.
   */
  readonly access: (c: DocumentContext) =>
    | DocumentAccess
    | undefined
    | Promise<DocumentAccess | undefined>;
  /** Origins beside that of the server itself whose pages may connect: `https://app.example`. */
  readonly origins?: readonly string[];
  /** Take the host that was asked from `X-Forwarded-Host`: behind a proxy that sets it. @default {false} */
  readonly trustForwardedHost?: boolean;
  /** Let in clients that send no Origin header, which browsers always do. @default {false} */
  readonly allowMissingOrigin?: boolean;
  /** Sizes and rates. @default {frames of 64 KiB or the largest operation, 100 a second} */
  readonly limits?: Partial<ConnectionLimits>;
}

const optionNames: OptionNames<DocumentSocketOptions> = {
  upgradeWebSocket: true,
  id: "a function",
  access: true,
  origins: "an array",
  trustForwardedHost: "a boolean",
  allowMissingOrigin: "a boolean",
  limits: "an object",
};

/** Names members for all to see, from what only the member knows. Not a secret: it is fixed. */
const memberKey = new TextEncoder().encode("holdfast/document/v1/member");

/**
 * Makes the handler of a route that connects clients to documents.
 *
 * @param holdfast The composition root.
 * @param definition Which documents.
 * @param options Who may join.
 * @returns A handler for a GET route.
 *
 * @example Boards for those who are signed in
 * ```ts ignore
 * import { documentSocket, session, type SessionEnv } from "@holdfast/holdfast/hono";
 * import { upgradeWebSocket } from "@holdfast/holdfast/bun";
 *
 * app.use(session(holdfast));
 * app.get(
 *   "/documents/board/:id",
 *   documentSocket(holdfast, Board, {
 *     upgradeWebSocket,
 *     access: async (c) => {
 *       const { state } = await c.get("session")!.stash(Account);
 *       return state.user === "" ? undefined : { actor: state.user };
 *     },
 *   }),
 * );
 * ```
 */
export function documentSocket<S, Op>(
  holdfast: Holdfast,
  definition: DocumentDefinition<S, Op>,
  options: DocumentSocketOptions,
): UpgradeHandler<DocumentContext> {
  if (typeof definition?.spec?.apply !== "function") {
    throw wrongArgument(
      "Cannot make a document route: its definition is not one of defineDocument()",
    );
  }
  checkKnown(options, optionNames, "make a document route");
  const { upgradeWebSocket, access, id = (c) => c.req.param("id") } = options;
  if (typeof upgradeWebSocket !== "function" || typeof access !== "function") {
    throw wrongArgument('Cannot make a document route: it needs "upgradeWebSocket" and "access"');
  }
  const limits = { ...limitsOf(definition), ...options.limits };
  const internals = internalsOf(holdfast, "a document route");
  const rules: OriginRules = {
    origins: undefined,
    trustForwardedHost: options.trustForwardedHost === true,
    allowMissingOrigin: options.allowMissingOrigin === true,
    isSecure: internals.cookie.secure,
  };
  const others: OriginRules = { ...rules, origins: options.origins ?? [] };
  return async (c, next) => {
    const { raw } = c.req;
    // Pages of other origins must not act for a user who visits them: cookies come along regardless.
    if (!mayConnect(raw, rules) && !mayConnect(raw, others)) {
      tellRefused(internals, "document", raw, rules);
      return refused();
    }
    // Before its rights are looked up: what ends in between must not go unnoticed.
    const session = await livingSession(holdfast, c);
    const allowed = await access(c);
    const name = id(c);
    if (allowed === undefined || name === undefined) return refused();
    // What state and operations are the definition says; here they are JSON on their way.
    const document = holdfast.document(definition, name) as unknown as DocumentClient<
      JsonValue,
      JsonValue
    >;
    // Not the session: its name changes with a secret or a login, and what was not answered would be done twice.
    const owner = `${allowed.actor ?? ""}|`;
    return await upgradeWebSocket<DocumentContext>(() =>
      socketEvents(
        holdfast,
        { document, vsn: definition.spec.vsn, session },
        allowed,
        owner,
        limits,
      )
    )(c, next);
  };
}

/** The session of a request, if there is one: rights that come from none end with none. */
async function livingSession(
  holdfast: Holdfast,
  c: DocumentContext,
): Promise<LiveSession | undefined> {
  const { sessions, cookie } = internalsOf(holdfast, "a document route");
  if (!sessions.owns(c.get("session"))) return undefined;
  const tokens = readCookie(c.req.raw.headers.get("cookie"), cookie.name);
  const session = await sessions.openLive(tokens, 0, {});
  // Where storage does not answer, what can be found out later counts.
  if (await session?.look().catch(() => "begun") !== "begun") return undefined;
  session?.active();
  return session;
}

interface Joined extends Pick<ConnectionPorts, "document" | "vsn"> {
  readonly session: LiveSession | undefined;
}

function socketEvents(
  holdfast: Holdfast,
  { session, ...joined }: Joined,
  { actor, readOnly = false }: DocumentAccess,
  owner: string,
  limits: ConnectionLimits,
): ReturnType<Parameters<UpgradeWebSocket>[0]> {
  const { clock, hmac } = internalsOf(holdfast, "a document route");
  let connection: DocumentConnection | undefined;
  let unwatch = (): void => {};
  return {
    onOpen(_: object, socket: SocketHandle) {
      const opened = connection = new DocumentConnection({
        clock,
        ...joined,
        actor,
        readOnly,
        nameOf: async (client) => {
          const tag = await hmac(memberKey, new TextEncoder().encode(owner + client));
          return encodeBase64url(tag.slice(0, 12));
        },
        active: () => session?.active(),
        send: (text) => socket.send(text),
        buffered: () => buffered(socket.raw),
        close: (code, reason) => socket.close(code, reason),
      }, limits);
      if (session === undefined) return;
      unwatch = watchForEnd(session, clock, () => opened.sessionOver());
    },
    onMessage(event: { readonly data: unknown }) {
      if (typeof event.data === "string") connection?.received(event.data);
    },
    onClose() {
      unwatch();
      connection?.closed();
    },
  };
}

/** What an operation takes in a frame beside itself, with some to spare. */
const aroundOperation = 1024;

/** The limits of a document's connections: its largest operation fits into a frame. */
function limitsOf<S, Op>({ spec }: DocumentDefinition<S, Op>): ConnectionLimits {
  const { maxFrameBytes } = defaultConnectionLimits;
  return {
    ...defaultConnectionLimits,
    maxFrameBytes: Math.max(maxFrameBytes, spec.maxOpBytes + aroundOperation),
  };
}

/** Bytes that wait in a socket, whichever runtime's it is. */
function buffered(raw: unknown): number {
  if (typeof raw !== "object" || raw === null) return 0;
  const { bufferedAmount, getBufferedAmount } = raw as {
    bufferedAmount?: unknown;
    getBufferedAmount?: () => number;
  };
  if (typeof bufferedAmount === "number") return bufferedAmount;
  return typeof getBufferedAmount === "function" ? getBufferedAmount.call(raw) : 0;
}

function refused(): Response {
  return new Response("Forbidden", { status: 403 });
}

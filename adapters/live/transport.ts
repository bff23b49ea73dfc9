import { encodeBase64url } from "../../src/core/base64url.ts";
import type { Connection, Handshake } from "../../src/live/connection.ts";
import type { LiveServer } from "../../src/live/server.ts";
import { readCookie } from "../web/cookies.ts";
import type { Internals } from "../web/internals.ts";
import { readBody } from "./body.ts";
import { EventStream } from "./event_stream.ts";
import {
  askedUrl,
  mayConnect,
  mayListen,
  mayPost,
  type OriginRules,
  tellRefused,
} from "../web/origin.ts";
import type { LiveOptions, LiveRequestContext, SocketEvents } from "./types.ts";

/** What the ways to connect stand on. */
export interface TransportParts {
  readonly server: LiveServer;
  readonly internals: Internals;
  readonly rules: OriginRules;
  readonly upgrade: LiveOptions["upgradeWebSocket"];
  readonly admit: LiveOptions["admit"];
}

/** Connects pages: by a socket, or by events down and posts up. */
export class Transport {
  readonly #parts: TransportParts;
  readonly #streams: Map<string, { readonly connection: Connection; readonly sid: string }> =
    new Map();
  readonly #socket: ((c: never, next: () => Promise<void>) => Promise<Response | void>) | undefined;

  constructor(parts: TransportParts) {
    this.#parts = parts;
    this.#socket = parts.upgrade?.((c) => this.#events(c as LiveRequestContext));
  }

  /** Answers the request for a socket. */
  async socket(c: LiveRequestContext): Promise<Response> {
    const { raw } = c.req;
    // Before anything is read: any page on any port of this host sends the cookie along.
    if (!mayConnect(raw, this.#parts.rules)) return this.#refused(raw);
    if (this.#socket === undefined || !/^websocket$/i.test(raw.headers.get("upgrade") ?? "")) {
      return new Response("A WebSocket is needed here", {
        status: 426,
        headers: { "upgrade": "websocket", "connection": "upgrade", "cache-control": "no-store" },
      });
    }
    return await this.#socket(c as never, () => Promise.resolve()) ??
      refusal(426, "The request could not be upgraded");
  }

  #refused(request: Request): Response {
    const { internals, rules } = this.#parts;
    tellRefused(internals, "live", request, rules);
    return refusal(403, "This origin may not connect");
  }

  /** Answers the request for a stream of events. */
  async listen(request: Request): Promise<Response> {
    const { server, internals, rules } = this.#parts;
    if (!mayListen(request, rules)) return this.#refused(request);
    const sid = await internals.sessions.sidOf(cookiesOf(request, internals));
    if (sid === undefined) return refusal(401, "There is no session");
    const id = encodeBase64url(internals.random.bytes(24));
    const stream = new EventStream(id, internals.clock, () => {
      this.#streams.get(id)?.connection.closed();
      this.#streams.delete(id);
    });
    this.#streams.set(id, { connection: server.open(stream, this.#handshake(request)), sid });
    return stream.response;
  }

  /** Takes in what a page posts. */
  async receive(request: Request): Promise<Response> {
    const { server, internals, rules } = this.#parts;
    if (!mayPost(request, rules)) return this.#refused(request);
    const stream = this.#streams.get(request.headers.get("x-live-connection") ?? "");
    // Another node has it, or had: the page connects anew, to whichever node it reaches.
    if (stream === undefined) return refusal(409, "This node has no such connection");
    const sid = await internals.sessions.sidOf(cookiesOf(request, internals));
    if (sid !== stream.sid) return refusal(403, "The connection is another session's");
    const body = await readBody(request, server.limits.maxFrameBytes * 4);
    const frames = body === undefined ? undefined : parseList(body);
    if (frames === undefined) return refusal(body === undefined ? 413 : 400, "No list of frames");
    for (const frame of frames) stream.connection.receive(frame);
    return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
  }

  #events(c: LiveRequestContext): SocketEvents {
    let connection: Connection | undefined;
    // Not once it is open: Deno lets go of the request then.
    const handshake = this.#handshake(c.req.raw);
    return {
      onOpen: (_event, socket) => {
        connection ??= this.#parts.server.open({
          send: (text) => quietly(() => socket.send(text)),
          close: (code, reason) => quietly(() => socket.close(code, reason)),
        }, handshake);
      },
      onMessage: ({ data }) => connection?.receive(data),
      onClose: () => connection?.closed(),
      onError: () => connection?.closed(),
    };
  }

  #handshake(request: Request): Handshake {
    const { internals: { sessions, ...internals }, rules, admit } = this.#parts;
    const tokens = readCookie(request.headers.get("cookie"), internals.cookie.name);
    const { origin } = askedUrl(request, rules.trustForwardedHost);
    const asked = admit === undefined ? undefined : request.clone();
    const options = admit === undefined || asked === undefined ? {} : { admit: () => admit(asked) };
    return { origin, openSession: (until) => sessions.openLive(tokens, until, options) };
  }
}

function cookiesOf(request: Request, { cookie }: Internals): readonly string[] {
  return readCookie(request.headers.get("cookie"), cookie.name);
}

/** The frames of a list, each as text: what is nested too deep to be written again is none. */
function parseList(body: Uint8Array): readonly string[] | undefined {
  try {
    const list: unknown = JSON.parse(new TextDecoder().decode(body));
    return Array.isArray(list) ? list.map((frame) => JSON.stringify(frame)) : undefined;
  } catch {
    return undefined;
  }
}

/** A socket that is closing throws on some runtimes; there is nobody to tell. */
function quietly(run: () => void): void {
  try {
    run();
  } catch {
    // It is gone.
  }
}

/** A short answer that nobody keeps. */
export function refusal(status: number, why: string): Response {
  return new Response(why, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  });
}

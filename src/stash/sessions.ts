import type { SessionContext } from "./context.ts";
import { LiveSession } from "./live_session.ts";
import { RequestSession } from "./request_session.ts";
import type { SessionOptions } from "./session.ts";
import { sweep, type SweepOptions, type SweepReport } from "./sweep.ts";

/** The sessions of one process: opens one per request, and cleans up after those that are over. */
export class Sessions {
  readonly #context: SessionContext;
  readonly #prefix: string;

  constructor(context: SessionContext, namespace: string) {
    this.#context = context;
    this.#prefix = `${namespace}/session/`;
  }

  /**
   * Opens the session of a request. Reads nothing until the session is used.
   *
   * @param tokens Values of the session cookie, as received.
   */
  open(tokens: readonly string[], options: SessionOptions): RequestSession {
    return new RequestSession(this.#context, tokens, options);
  }

  /** The session id that a cookie proves, if it proves one; reads nothing of storage. */
  async sidOf(tokens: readonly string[]): Promise<string | undefined> {
    const identity = await this.#context.identities.resolve(tokens);
    return identity === "ambiguous" ? undefined : identity?.sid;
  }

  /**
   * Opens the session of a page's connection. Reads nothing until it is used.
   *
   * @param tokens Values of the session cookie, as received.
   * @param until Until when a session may begin under the id, as the page's own token says; 0 for
   *   never.
   * @returns The session; `undefined` if the cookie proves none.
   */
  async openLive(
    tokens: readonly string[],
    until: number,
    { admit }: SessionOptions,
  ): Promise<LiveSession | undefined> {
    const identity = await this.#context.identities.resolve(tokens);
    if (identity === undefined || identity === "ambiguous") return undefined;
    const { reservedUntil } = identity;
    return new LiveSession(this.#context, identity, Math.max(until, reservedUntil), admit);
  }

  /** Tells whether a session is one of ours. */
  owns(session: unknown): session is RequestSession {
    return RequestSession.isOf(session, this.#context);
  }

  /** Sweeps a bounded part of the records. */
  sweep(options: SweepOptions): Promise<SweepReport> {
    return sweep(this.#context, this.#prefix, options);
  }
}

import type { SessionContext } from "./context.ts";
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

  /** Sweeps a bounded part of the records. */
  sweep(options: SweepOptions): Promise<SweepReport> {
    return sweep(this.#context, this.#prefix, options);
  }
}

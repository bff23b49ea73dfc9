/** What a feed tells while it is open. */
export interface FeedHandlers {
  /**
   * One message of the stream, as the server framed it. The bytes may be a view into a buffer that
   * is used again: whoever keeps them copies them.
   */
  message(bytes: Uint8Array): void;
  /** The stream has ended, by itself or by a failure; nothing follows. Not called after a close. */
  ended(error: unknown): void;
}

/** Where a stream begins, and what is known about its past. */
export interface FeedStart {
  /**
   * Names the history the stream belongs to: another system, timeline or slot is another history,
   * and so is a slot that has passed over something.
   */
  readonly epoch: string;
  /** Everything committed from here on is in the stream. */
  readonly from: bigint;
  /**
   * Transactions that were under way when the stream began, as text of a snapshot, if the stream
   * may lack some of them: they may have committed before it, and be invisible still.
   */
  readonly underway?: string;
}

/** An open stream of a database's log. */
export interface FeedConnection extends FeedStart {
  /** Stops the messages until {@linkcode FeedConnection.resume}; the server is held back too. */
  pause(): void;
  /** Lets them come again. */
  resume(): void;
  /** Sends one message to the server. Harmless when the stream has ended. */
  send(bytes: Uint8Array): void;
  /** Ends the stream. Safe to call twice. */
  close(): Promise<void>;
}

/** The log of a database as a port. */
export interface Feed {
  /**
   * Opens the stream.
   *
   * @param handlers What happens with it.
   * @param after How far the caller has come in its last stream, and which history that was;
   * `undefined` for the first one. A feed that can go on from there without a gap keeps the epoch.
   * @param signal Gives up opening it.
   */
  open(
    handlers: FeedHandlers,
    after: { readonly epoch: string; readonly lsn: bigint } | undefined,
    signal: AbortSignal,
  ): Promise<FeedConnection>;
}

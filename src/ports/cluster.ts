/** What a node hears from the others. Its functions must not throw. */
export interface ClusterReceiver {
  /** Answers a request; what it rejects with is for this node's own telemetry only. */
  request(text: string): Promise<string>;
  /** Takes what another node has told to all. */
  broadcast(text: string): void;
  /** Told when the link to the others comes up, or is lost. */
  linked(up: boolean): void;
}

/** What became of a request that was not answered. */
export type Unanswered =
  /** Nobody got it, for certain. */
  | "undelivered"
  /** Somebody may have got it, and may have done what it asks for. */
  | "unknown";

/** Answer of a request: that there is none is an answer, not an exception. */
export type ClusterReply =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly why: Unanswered };

/** The place of one node among the others. */
export interface ClusterLink {
  /** Largest text of a request or an answer, in bytes of UTF-8. */
  readonly maxBytes: number;
  /**
   * Asks one node.
   *
   * @param timeoutMs How long to wait for the answer, in milliseconds, above 0.
   */
  request(address: string, text: string, timeoutMs: number): Promise<ClusterReply>;
  /** Tells all other nodes, as well as it can: nothing is kept for who cannot hear it. */
  broadcast(text: string): void;
  /** Leaves. Requests under way are answered as `"unknown"`. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Messages between the nodes of one application, each at most once, in any order, possibly lost.
 *
 * Nothing has to be true about it for data to be safe: storage decides who writes (SPEC CU1). What an
 * implementation promises is what makes nodes fast (SPEC CP): that `"undelivered"` is never said of
 * a request somebody got, and that a node hears no broadcast of its own.
 */
export interface Cluster {
  /**
   * Begins to listen, without waiting for a connection: until the receiver is told that it is
   * linked, requests are `"undelivered"` and broadcasts lost.
   *
   * @param address Where this node is reached: 1 to 64 of `A-Z a-z 0-9 _ -`, never used before.
   */
  join(address: string, receiver: ClusterReceiver): ClusterLink;
}

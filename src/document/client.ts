import type { JsonValue } from "../core/json.ts";
import type { Present } from "./frame.ts";
import type { Deliver } from "./members.ts";
import type {
  CatchUp,
  DocumentInfo,
  HistoryOptions,
  LogEntry,
  MutateAnswer,
  MutateOptions,
} from "./model.ts";

/** Options of {@linkcode DocumentClient.join}. */
export interface JoinOptions {
  /** Who. @default {null} */
  readonly actor?: string | null;
  /**
   * Names the client, 1 to 128 characters: a later subscription of the same name replaces it, and its
   * operations are told apart by their `clientSeq`. @default {a random name}
   */
  readonly client?: string;
  /** May only look. @default {false} */
  readonly readOnly?: boolean;
  /** Where it was before, to be brought to the present with less than everything. */
  readonly since?: { readonly epoch: string; readonly seq: number };
  /**
   * Gets every frame from now on. `false` says that too much waits to be sent: nothing comes until
   * `resume()`.
   */
  readonly deliver: Deliver;
}

/** A subscription to a document. */
export interface Membership<S, Op> {
  /** Names the client. */
  readonly client: string;
  /** Names the log; with `seq` it is where a later join goes on from. */
  readonly epoch: string;
  /** What brings the subscriber to the present; frames go on from there. */
  readonly catchUp: CatchUp;
  /** Who is here now. */
  readonly presence: Readonly<Record<string, Present>>;
  /** The highest `clientSeq` of this client that was accepted before; 0 for none. */
  readonly acked: number;
  /** The durable state, as shared by everybody: not to be changed. */
  readonly state: S;
  /** Its number. */
  readonly seq: number;
  /**
   * Does an operation, as {@linkcode DocumentClient.mutate} does.
   *
   * @param clientSeq Its number at the client, for one that may be sent again.
   */
  mutate(op: Op, clientSeq?: number): Promise<MutateAnswer<Op>>;
  /** Takes back the last step of this actor that still can be. */
  undo(clientSeq?: number): Promise<MutateAnswer<Op>>;
  /** Takes back the last undo of this actor. */
  redo(clientSeq?: number): Promise<MutateAnswer<Op>>;
  /** Says where this subscriber is: a cursor, a selection. JSON of at most 4 KiB. */
  here(data: JsonValue): void;
  /** Says that the connection is alive. */
  heard(): void;
  /** What had to be sent has been sent: goes on, with what was missed. */
  resume(): void;
  /** Ends the subscription. Harmless when it has ended, or was replaced. */
  leave(): void;
}

/** What callers see of a document. */
export interface DocumentClient<S, Op> {
  /** Its id. */
  readonly id: string;
  /**
   * Reads the durable state.
   *
   * @throws {HoldfastError} `ERR_DELETED`, `ERR_CORRUPT_RECORD`, `ERR_NEWER_VERSION`.
   * @throws {StorageUnavailableError} If storage fails.
   */
  state(): Promise<S>;
  /**
   * Does an operation. Resolves when it is durable, or when it is certain that it will not be.
   *
   * @throws {HoldfastError} `ERR_INVALID_VALUE`, `ERR_TOO_LARGE`, `ERR_MAILBOX_FULL`, and
   *   `ERR_DEADLINE` if storage does not answer in time: the operation may be done later, and can be
   *   sent again with the same `client`.
   * @throws What `apply` throws.
   */
  mutate(op: Op, options?: MutateOptions): Promise<MutateAnswer<Op>>;
  /** Takes back the last step of an actor that still can be. */
  undo(actor: string): Promise<MutateAnswer<Op>>;
  /** Takes back the last undo of an actor. */
  redo(actor: string): Promise<MutateAnswer<Op>>;
  /**
   * Subscribes: one answer with what there is, and every frame after it.
   *
   * @throws {HoldfastError} `ERR_REFUSED` if the actor may not.
   */
  join(options: JoinOptions): Promise<Membership<S, Op>>;
  /** Lists accepted operations, oldest first. */
  history(options?: HistoryOptions<Op>): Promise<readonly LogEntry<Op>[]>;
  /**
   * The state as it was after an operation.
   *
   * @throws {RangeError} If the log does not go back that far, or not on that far.
   */
  stateAt(seq: number): Promise<S>;
  /** Puts a former state in the place of the present one, as a new entry. */
  restore(seq: number, options?: MutateOptions): Promise<MutateAnswer<Op>>;
  /** What it is and how it is doing. */
  info(): Promise<DocumentInfo>;
  /** Makes what is in memory durable in the shortest form, tells the subscribers, and lets go of it. */
  stop(): Promise<void>;
  /** Deletes it for good: its id is not used again. @returns Whether there was anything. */
  delete(): Promise<boolean>;
}

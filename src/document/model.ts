import type { JsonValue } from "../core/json.ts";
import type { StandardSchema } from "../core/schema.ts";

/** What an operation is applied with; together with state and operation it decides the result. */
export interface ApplyContext {
  /** Who made it, as the caller said; `null` if nobody in particular. */
  readonly actor: string | null;
  /** When it was accepted, in ms since the epoch. The same when the log is replayed. */
  readonly at: number;
  /** The number the operation gets. */
  readonly seq: number;
}

/** What applying an operation came to. */
export type Applied<S, Op> =
  | {
    /** The state after it; the one before must not have changed. */
    readonly state: S;
    /** What to store and send instead of what was asked for, if it had to be put right. */
    readonly op?: Op;
    /** What undoes it. Without it the operation cannot be undone. */
    readonly inverse?: Op;
  }
  /** It has no effect any more: what it is about is gone. Nothing is stored. */
  | { readonly discard: string }
  /** It is not allowed. Nothing is stored. */
  | { readonly reject: string };

/**
 * Applies an operation. Pure: the same state, operation and context give the same result, because
 * the log is replayed with it.
 */
export type Apply<S, Op> = (state: S, op: Op, ctx: ApplyContext) => Applied<S, Op>;

/** Who wants to do something, for {@linkcode Authorize}. */
export interface Access<Op> {
  /** Who, as the caller said. */
  readonly actor: string | null;
  /** `"join"`, `"mutate"`, `"restore"`. */
  readonly what: "join" | "mutate" | "restore";
  /** The operation, when there is one. */
  readonly op?: Op;
  /** Id of the document. */
  readonly id: string;
  /** Names the client it is from, if one has sent it: nobody else has the name. */
  readonly client?: string;
  /** When, in ms since the epoch. */
  readonly at: number;
}

/** Tells whether somebody may do something; anything but `true` refuses it. */
export type Authorize<S, Op> = (access: Access<Op>, state: S) => boolean | Promise<boolean>;

/** Settings of a document class with everything filled in. */
export interface DocumentSpec<S = unknown, Op = unknown> {
  readonly name: string;
  readonly vsn: number;
  readonly state: () => S;
  readonly apply: Apply<S, Op>;
  readonly schema: StandardSchema | undefined;
  readonly migrate: ((fromVsn: number, state: unknown) => unknown) | undefined;
  readonly migrateOp: ((fromVsn: number, op: unknown) => unknown) | undefined;
  readonly authorize: Authorize<S, Op> | undefined;
  /** Names of the parts an operation touches, so that a late client gets the parts and not the log. */
  readonly parts: PartsOf<S, Op> | undefined;
  readonly gracePeriodMs: number;
  readonly snapshotIntervalMs: number | null;
  readonly snapshotOps: number;
  readonly historyOps: number;
  readonly historyMs: number;
  readonly maxOpBytes: number;
  readonly maxDocumentBytes: number;
  readonly maxUnsavedBytes: number;
}

/** How a state falls into parts that can be sent one by one. */
export interface PartsOf<S, Op> {
  /** Names of the parts an operation may change. */
  touched(op: Op): readonly string[];
  /** The part, `undefined` if there is none of that name. */
  part(state: S, name: string): JsonValue | undefined;
  /** Puts parts in their place and removes those that are gone, on a client that is behind. */
  merge(state: S, parts: Readonly<Record<string, JsonValue>>, gone: readonly string[]): S;
}

/** A document class, as `defineDocument()` makes it. */
export interface DocumentDefinition<S, Op> {
  /** Its settings. */
  readonly spec: DocumentSpec<S, Op>;
}

/** Any document class. */
export interface AnyDocumentDefinition {
  /** Its settings. */
  readonly spec: { readonly name: string; readonly vsn: number };
}

/** One accepted operation. */
export interface LogEntry<Op = unknown> {
  /** Its number; the first is 1, and none is left out. */
  readonly seq: number;
  /** When it was accepted, in ms since the epoch. */
  readonly at: number;
  /** Who made it. */
  readonly actor: string | null;
  /** The operation as applied; absent in an entry that restores. */
  readonly op?: Op;
  /** The whole state this entry puts in the place of the one before. */
  readonly restore?: JsonValue;
  /** The `seq` this entry undoes, or with `redo` brings back. */
  readonly undoes?: number;
  /** The `seq` of the undo this entry takes back. */
  readonly redoes?: number;
}

/** What became of an operation. */
export type MutateAnswer<Op = unknown> =
  /** Accepted as it was, and durable. */
  | { readonly status: "commit"; readonly seq: number }
  /** Accepted in another form, and durable. */
  | { readonly status: "rectified"; readonly seq: number; readonly op: Op }
  /** Without effect: what it is about is gone, or there is nothing to undo. */
  | { readonly status: "discard"; readonly reason: string }
  /** Not allowed. */
  | { readonly status: "rejected"; readonly reason: string };

/** Options of a mutation. */
export interface MutateOptions {
  /** Who. @default {null} */
  readonly actor?: string | null;
  /**
   * Names the operation among those of one client, so that the same one sent again after a lost
   * answer is not done twice: `seq` grows by at least one from operation to operation.
   */
  readonly client?: { readonly id: string; readonly seq: number };
}

/** What a document is and how it is doing. */
export interface DocumentInfo {
  readonly id: string;
  /** Number of the last durable operation. */
  readonly seq: number;
  /** Names the log; another one means that it began anew. */
  readonly epoch: string;
  readonly subscribers: number;
  /** Number of the last operation in the snapshot. */
  readonly snapshotSeq: number;
  /** Bytes of the snapshot and the operations after it as JSON: no less than the document has. */
  readonly bytes: number;
  /** Bytes of operations that are not durable yet. */
  readonly unsavedBytes: number;
}

/** Which entries of the history. */
export interface HistoryOptions<Op = unknown> {
  /** Only entries after this number. */
  readonly sinceSeq?: number;
  /** Only entries accepted at or after this time, in ms since the epoch. */
  readonly since?: number;
  /** Only entries accepted before this time, in ms since the epoch. */
  readonly until?: number;
  /** Only entries that touch this part (a node of a tree). */
  readonly part?: string;
  /** Only entries this returns `true` for. */
  readonly where?: (entry: LogEntry<Op>) => boolean;
  /** Most entries, 1 to 10,000. @default {1000} */
  readonly limit?: number;
}

/** What a late or new subscriber needs to be at the present. */
export type CatchUp =
  /** The operations it has missed. */
  | { readonly kind: "ops"; readonly from: number; readonly entries: readonly LogEntry[] }
  /** The parts that have changed since, each as it is now; `null` for one that is gone. */
  | {
    readonly kind: "parts";
    readonly seq: number;
    readonly parts: Readonly<Record<string, JsonValue>>;
    readonly gone: readonly string[];
  }
  /** Everything: what it had counts for nothing. */
  | { readonly kind: "snapshot"; readonly seq: number; readonly state: JsonValue };

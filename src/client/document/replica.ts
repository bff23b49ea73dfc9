import { rowOf } from "../../document/in_row.ts";
import type { Present } from "../../document/frame.ts";
import type { CatchUp, DocumentSpec, LogEntry } from "../../document/model.ts";
import type { WireAnswer } from "../../document/wire.ts";

/** What of a definition a client needs. */
export type ReplicaSpec<S, Op> = Pick<
  DocumentSpec<S, Op>,
  "name" | "vsn" | "state" | "apply" | "parts" | "migrateOp"
>;

/** Something the user did that the server has not answered. */
export interface Pending<Op> {
  /** The client's number for it. */
  readonly seq: number;
  /** An operation, or taking one back. */
  readonly kind: "op" | "undo" | "redo";
  readonly op?: Op;
  /** It has been sent over the connection there is. */
  readonly sent: boolean;
  /** It is in what is certain already; only its answer was lost. */
  readonly settled?: true;
}

/** An operation of the log as others sent it, with the name of the client it came from. */
export type WireEntry = LogEntry & {
  readonly client?: { readonly id: string; readonly seq: number };
};

/** A document in a browser: what is certain, what was done since, and how that looks. Immutable. */
export interface Replica<S, Op> {
  /** Names the log; `undefined` before the first join. */
  readonly epoch: string | undefined;
  /** Number of the last operation that is certain. */
  readonly seq: number;
  /** What is certain. */
  readonly confirmed: S;
  /** What the user has done since, oldest first. */
  readonly pending: readonly Pending<Op>[];
  /** What is certain with what was done since: what the user sees. */
  readonly view: S;
  /** What is certain, or what was done, is another than the view was made of. */
  readonly stale: boolean;
  /** The client's name as others see it. */
  readonly you: string | undefined;
  /** The number of the next thing the user does. */
  readonly next: number;
  /** Who is here. */
  readonly presence: Readonly<Record<string, Present>>;
}

/** Thrown when operations are missing: the connection has to be made anew. */
export class GapError extends Error {
  /** @internal */
  constructor(name: string, seq: number, next: number) {
    super(`Cannot go on with document "${name}": after operation ${seq} comes ${next}`);
    this.name = "GapError";
  }
}

/** A replica that has heard of nothing yet. */
export function newReplica<S, Op>(spec: ReplicaSpec<S, Op>): Replica<S, Op> {
  const state = spec.state();
  return {
    epoch: undefined,
    seq: 0,
    confirmed: state,
    pending: [],
    view: state,
    stale: false,
    you: undefined,
    next: 1,
    presence: {},
  };
}

/** The user does something: it shows at once, and is sent. */
export function did<S, Op>(
  spec: ReplicaSpec<S, Op>,
  replica: Replica<S, Op>,
  what: Pick<Pending<Op>, "kind" | "op">,
): Replica<S, Op> {
  const pending: Pending<Op> = { ...what, seq: replica.next, sent: false };
  const view = what.op === undefined ? replica.view : applied(spec, replica.view, what.op, replica);
  return { ...replica, pending: [...replica.pending, pending], next: replica.next + 1, view };
}

/** The server has answered the join. What is not answered has to be sent again, in order. */
export function joined<S, Op>(
  spec: ReplicaSpec<S, Op>,
  replica: Replica<S, Op>,
  frame: {
    readonly you: string;
    readonly epoch: string;
    readonly catchUp: CatchUp;
    readonly presence: Readonly<Record<string, Present>>;
    readonly acked: number;
  },
): Replica<S, Op> {
  const { you, epoch, presence, catchUp, acked } = frame;
  const unsent = replica.pending.map((each): Pending<Op> =>
    each.seq > acked ? { ...each, sent: false } : { ...each, sent: false, settled: true }
  );
  // Another page may have gone on under this name: what it has numbered must not be numbered again.
  const next = Math.max(replica.next, acked + 1);
  const mine = { ...replica, you, presence, pending: unsent, next };
  return caughtUp(spec, mine, epoch, catchUp);
}

/** Brings what is certain to the present. */
export function caughtUp<S, Op>(
  spec: ReplicaSpec<S, Op>,
  replica: Replica<S, Op>,
  epoch: string,
  catchUp: CatchUp,
): Replica<S, Op> {
  switch (catchUp.kind) {
    case "ops":
      return heard(spec, { ...replica, epoch }, catchUp.entries);
    case "parts": {
      const { parts } = spec;
      if (parts === undefined) return replica;
      const confirmed = parts.merge(replica.confirmed, catchUp.parts, catchUp.gone);
      return { ...replica, epoch, confirmed, seq: catchUp.seq, stale: true };
    }
    case "snapshot":
      // What the server has stored is a state of this definition.
      return {
        ...replica,
        epoch,
        confirmed: catchUp.state as S,
        seq: catchUp.seq,
        stale: true,
      };
  }
}

/** Operations are certain. Those of this client are not pending any more. */
export function heard<S, Op>(
  spec: ReplicaSpec<S, Op>,
  replica: Replica<S, Op>,
  entries: readonly WireEntry[],
): Replica<S, Op> {
  let { confirmed, seq, pending } = replica;
  const inRow = { ...spec, apply: rowOf(spec) };
  for (const entry of entries) {
    // What a snapshot has brought comes once more with the frames that were on their way.
    if (entry.seq <= seq) continue;
    if (entry.seq > seq + 1) throw new GapError(spec.name, seq, entry.seq);
    seq = entry.seq;
    confirmed = entry.restore === undefined ? certain(inRow, confirmed, entry) : entry.restore as S;
    const { client } = entry;
    // Its answer is still to come, for whoever waits for it.
    if (client !== undefined && client.id === replica.you) {
      pending = pending.map((each) => each.seq === client.seq ? { ...each, settled: true } : each);
    }
  }
  return { ...replica, confirmed, seq, pending, stale: true };
}

/** The server has answered something; whether it came to something says the log. */
export function answered<S, Op>(
  replica: Replica<S, Op>,
  seq: number,
  answer: WireAnswer,
): Replica<S, Op> {
  // It is tried again over this connection or the next, and with it what came after it: that is refused
  // until it has come (SPEC DC15).
  if (answer.status === "error" && answer.retry) {
    const again = replica.pending.map((each) => each.seq >= seq ? { ...each, sent: false } : each);
    return { ...replica, pending: again };
  }
  const of = replica.pending.find((each) => each.seq === seq);
  if (of === undefined) return replica;
  const pending = replica.pending.filter((each) => each !== of);
  // What is certain already was not in the view beside it.
  return { ...replica, pending, stale: replica.stale || of.settled === undefined };
}

/**
 * What is to be sent now, in order, and the replica once it is.
 *
 * @param most Of them.
 */
export function toSend<S, Op>(
  replica: Replica<S, Op>,
  most: number = Infinity,
): readonly [replica: Replica<S, Op>, pending: readonly Pending<Op>[]] {
  const unsent: Pending<Op>[] = [];
  const pending = replica.pending.map((each) => {
    if (each.sent || unsent.length >= most) return each;
    unsent.push(each);
    return { ...each, sent: true };
  });
  return unsent.length === 0 ? [replica, unsent] : [{ ...replica, pending }, unsent];
}

/** Who came, changed and went. */
export function saw<S, Op>(
  replica: Replica<S, Op>,
  set: Readonly<Record<string, Present>>,
  gone: readonly string[],
): Replica<S, Op> {
  const presence = { ...replica.presence, ...set };
  for (const id of gone) delete presence[id];
  return { ...replica, presence };
}

/** Nobody tells who is here. */
export function alone<S, Op>(replica: Replica<S, Op>): Replica<S, Op> {
  return Object.keys(replica.presence).length === 0 ? replica : { ...replica, presence: {} };
}

/** Does again what is not certain, on what is. */
export function fresh<S, Op>(
  spec: ReplicaSpec<S, Op>,
  replica: Replica<S, Op>,
): Replica<S, Op> {
  if (!replica.stale) return replica;
  let view = replica.confirmed;
  const inRow = { ...spec, apply: rowOf(spec) };
  for (const { op, settled } of replica.pending) {
    if (op !== undefined && settled === undefined) view = applied(inRow, view, op, replica);
  }
  return { ...replica, view, stale: false };
}

/** What the user did, as it looks; it shows nothing if it cannot be done. */
function applied<S, Op>(
  spec: ReplicaSpec<S, Op>,
  state: S,
  op: Op,
  { seq }: Replica<S, Op>,
): S {
  try {
    const outcome = spec.apply(state, op, { actor: null, at: 0, seq: seq + 1 });
    return "state" in outcome ? outcome.state : state;
  } catch {
    return state;
  }
}

function certain<S, Op>(spec: ReplicaSpec<S, Op>, state: S, entry: WireEntry): S {
  const { actor, at, seq } = entry;
  const outcome = spec.apply(state, entry.op as Op, { actor, at, seq });
  if ("state" in outcome) return outcome.state;
  throw new Error(
    `Cannot apply operation ${seq} of document "${spec.name}": this page has another definition`,
  );
}

import { ConflictError, HoldfastError, TooLargeError } from "../core/errors.ts";
import { type JsonObject, utf8Length } from "../core/json.ts";
import { expiry, type Lifetime } from "../core/ttl.ts";
import type { Engine } from "../object/engine.ts";
import type { Current, Decision, Turn } from "../object/types.ts";
import type { TelemetryEvent } from "../ports/telemetry.ts";
import type { Identities } from "./identities.ts";
import type { SessionNotices } from "./notices.ts";
import type { DraftLimits, Recovery } from "./slices.ts";
import { newSession, readSession, type SessionState, storeSession } from "./state.ts";

/** What all sessions of one process share. */
export interface SessionContext {
  readonly engine: Engine;
  readonly identities: Identities;
  readonly lifetime: Lifetime;
  readonly drafts: DraftLimits;
  /** Largest stored session in bytes of JSON text. */
  readonly maxSessionBytes: number;
  readonly now: () => number;
  /** Makes a page instance id. */
  readonly newPage: () => string;
  /** Whoever has to hear what becomes of a session. */
  readonly notices: SessionNotices;
  readonly emit: ((event: TelemetryEvent) => void) | undefined;
}

/** A session that lives. Made once per record, and kept with it for as long as it is in memory. */
export interface Living {
  readonly state: SessionState;
  readonly gone?: undefined;
  readonly endedAt?: undefined;
  /** When it expires if nothing happens, in ms since the epoch. */
  readonly expiresAt: number;
  /** What the stash asked for last recovers of it, if that is as it was stored. */
  recovered: { readonly definition: object; readonly recovery: Recovery } | undefined;
}

/** A session as it is, or why there is none. */
export type Alive =
  | Living
  | {
    readonly state: undefined;
    readonly gone: "absent" | "ended" | "expired";
    /** When it ended, in ms since the epoch. */
    readonly endedAt?: number;
  };

/**
 * Judges what a key holds: expiry is decided here, from the record, whatever the cookie says
 * (SPEC SE9). A record that moved away does not expire: whether its session has, the live one says.
 *
 * @throws {HoldfastError} If the record cannot be used.
 */
export function judge(current: Current, lifetime: Lifetime, now: number): Alive {
  const found = current.view === undefined ? readLiving(current, lifetime) : current.view as Living; // Nobody else reads these records.
  if (found.state === undefined) return found;
  return now < found.expiresAt ? found : expired;
}

const expired: Alive = { state: undefined, gone: "expired" };

function readLiving(current: Current, lifetime: Lifetime): Alive {
  if (current.problem !== undefined) throw current.problem;
  if (current.ended !== undefined) {
    return { state: undefined, gone: "ended", endedAt: current.ended };
  }
  if (current.state === undefined) return { state: undefined, gone: "absent" };
  const state = readSession(current.state);
  if (state === undefined) {
    throw new HoldfastError(
      "ERR_CORRUPT_RECORD",
      "Cannot use a stored session: it does not have the shape of one",
    );
  }
  // One without readable times is expired: they compare with nothing.
  const expiresAt = state.moved === undefined ? expiry(state, lifetime) : Infinity;
  const living: Living = { state, expiresAt, recovered: undefined };
  current.view = living;
  return living;
}

/** Encodes a session and checks its size. */
export function decideWrite<R>(
  context: SessionContext,
  session: SessionState,
  reply: R,
): Decision<R> {
  const decision = decideMove(session, reply);
  const bytes = utf8Length(decision.text);
  if (bytes > context.maxSessionBytes) {
    throw new TooLargeError(
      `Cannot store a session of ${bytes} bytes: at most ${context.maxSessionBytes} are allowed`,
    );
  }
  return decision;
}

/**
 * Encodes a session that only changes its place: it must be possible to move one that is as large as
 * allowed, and the envelope of a record has room for what moving adds.
 */
export function decideMove<R>(
  session: SessionState,
  reply: R,
): Extract<Decision<R>, { kind: "write" }> & { readonly text: string } {
  const state: JsonObject = storeSession(session);
  return { kind: "write", state, text: JSON.stringify(state), reply };
}

/** What a turn on a session makes of it; the same session for no change. */
export type SessionTurn<R> = (
  session: SessionState,
  now: number,
) => Change<R> | Promise<Change<R>>;

/** A changed session (or the same) and what to answer. */
export interface Change<R> {
  readonly session: SessionState;
  readonly reply: R;
}

/** What became of a turn on a session. */
export interface Turned<R> {
  readonly reply: R;
  /** Something was written. */
  readonly wrote: boolean;
  /** The session began with it. */
  readonly began: boolean;
}

/** How a request stands to the session it writes to. */
export interface Standing {
  /** Until when the session may begin if its key is absent, in ms since the epoch; 0 for never. */
  readonly createUntil: number;
  /** The client has shown the session's cookie, so it keeps cookies. */
  readonly shown: boolean;
}

/** Thrown by a turn on a record whose session lives under another key by now. */
export class MovedError extends ConflictError {
  constructor() {
    super("Cannot write to the session: other nodes keep moving it to another key");
  }
}

/**
 * A turn on a living session. A write to a session that has ended meanwhile is refused, so that
 * nothing brings it back (SPEC SE7).
 */
export function onSession<R>(
  context: SessionContext,
  { createUntil, shown }: Standing,
  turn: SessionTurn<R>,
): Turn<Turned<R>> {
  return (current) => {
    const now = context.now();
    const alive = judge(current, context.lifetime, now);
    if (alive.gone !== undefined && !(now < createUntil && alive.gone === "absent")) {
      throw sessionEnded();
    }
    if (alive.state?.moved !== undefined) throw new MovedError();
    const before = alive.state ?? newSession(now);
    const began = alive.state === undefined;
    const change = turn(before, now);
    const decide = ({ session, reply }: Change<R>): Decision<Turned<R>> => {
      if (session === before) return { kind: "keep", reply: { reply, wrote: false, began: false } };
      const seen = Math.max(session.seen, now);
      const confirmed = session.confirmed || shown;
      return decideWrite(context, { ...session, seen, confirmed }, { reply, wrote: true, began });
    };
    return change instanceof Promise ? change.then(decide) : decide(change);
  };
}

/** The error of every use of a session that is over. */
export function sessionEnded(): HoldfastError {
  return new HoldfastError("ERR_SESSION_ENDED", "Cannot write to the session: it has ended");
}

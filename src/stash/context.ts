import { ConflictError, HoldfastError, TooLargeError } from "../core/errors.ts";
import { type JsonObject, utf8Length } from "../core/json.ts";
import { isExpired, type Lifetime } from "../core/ttl.ts";
import type { Engine } from "../object/engine.ts";
import type { Current, Decision, Turn } from "../object/types.ts";
import type { TelemetryEvent } from "../ports/telemetry.ts";
import type { Identities } from "./identities.ts";
import type { DraftLimits } from "./slices.ts";
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
  readonly emit: ((event: TelemetryEvent) => void) | undefined;
}

/** A session as it is, or why there is none. */
export type Alive =
  | { readonly state: SessionState; readonly gone?: undefined }
  | { readonly state: undefined; readonly gone: "absent" | "ended" | "expired" };

/**
 * Judges what a key holds: expiry is decided here, from the record, whatever the cookie says
 * (SPEC SE9).
 *
 * @throws {HoldfastError} If the record cannot be used.
 */
export function judge(current: Current, lifetime: Lifetime, now: number): Alive {
  if (current.problem !== undefined) throw current.problem;
  if (current.ended !== undefined) return { state: undefined, gone: "ended" };
  if (current.state === undefined) return { state: undefined, gone: "absent" };
  const state = readSession(current.state);
  if (state === undefined) {
    throw new HoldfastError(
      "ERR_CORRUPT_RECORD",
      "Cannot use a stored session: it does not have the shape of one",
    );
  }
  if (isExpired(state, lifetime, now)) return { state: undefined, gone: "expired" };
  return { state };
}

/** Encodes a session and checks its size. */
export function decideWrite<R>(
  context: SessionContext,
  session: SessionState,
  reply: R,
): Decision<R> {
  const state: JsonObject = storeSession(session);
  const text = JSON.stringify(state);
  const bytes = utf8Length(text);
  if (bytes > context.maxSessionBytes) {
    throw new TooLargeError(
      `Cannot store a session of ${bytes} bytes: at most ${context.maxSessionBytes} are allowed`,
    );
  }
  return { kind: "write", state, text, reply };
}

/** What a turn on a session makes of it; `undefined` for no change. */
export type SessionTurn<R> = (
  session: SessionState,
  now: number,
) => Change<R> | Promise<Change<R>>;

/** A changed session (or the same) and what to answer. */
export interface Change<R> {
  readonly session: SessionState;
  readonly reply: R;
}

/**
 * A turn on a living session. A write to a session that has ended meanwhile is refused, so that
 * nothing brings it back (SPEC SE7).
 *
 * @param create The session is new: begin it if its key is absent.
 */
export function onSession<R>(
  context: SessionContext,
  create: boolean,
  turn: SessionTurn<R>,
): Turn<R> {
  return (current) => {
    const now = context.now();
    const alive = judge(current, context.lifetime, now);
    if (alive.gone !== undefined && !(create && alive.gone === "absent")) throw sessionEnded();
    if (alive.state?.moved === true) {
      throw new ConflictError("Cannot write to the session: its record has moved to another key");
    }
    const before = alive.state ?? newSession(now);
    const change = turn(before, now);
    const decide = ({ session, reply }: Change<R>): Decision<R> => {
      if (session === before) return { kind: "keep", reply };
      const seen = Math.max(session.seen, now);
      return decideWrite(
        context,
        { ...session, seen, confirmed: !create || session.confirmed },
        reply,
      );
    };
    return change instanceof Promise ? change.then(decide) : decide(change);
  };
}

/** The error of every use of a session that is over. */
export function sessionEnded(): HoldfastError {
  return new HoldfastError("ERR_SESSION_ENDED", "Cannot write to the session: it has ended");
}

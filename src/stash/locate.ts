import { type Current, logReference } from "../object/types.ts";
import { type Alive, decideWrite, judge, type SessionContext } from "./context.ts";
import type { Identity } from "./identities.ts";
import type { SessionState } from "./state.ts";

/**
 * Finds the session of an identity, and brings it under the current secret's key if it is under an
 * older one.
 *
 * With one secret, or a cookie of the current one, that is one read. Otherwise the record is frozen
 * where it is and revived under the current key; each step is a compare-and-set and can be repeated,
 * so that two nodes may do it at once and either may die in between. Two nodes that disagree on which
 * secret is current (a rolling deploy) move it back and forth without losing it: `hop` says which copy
 * is the later one (SPEC SE15 to SE17).
 *
 * @throws {StorageUnavailableError} If storage fails.
 * @throws {HoldfastError} If the record cannot be used.
 */
export async function locate(context: SessionContext, identity: Identity): Promise<Alive> {
  const [currentKey, ...otherKeys] = identity.keys as [string, ...string[]];
  const here = judgeMoved(context, await context.engine.read(currentKey));
  if (here.live || here.alive.gone === "ended" || here.alive.gone === "expired") return here.alive;
  if (identity.keyIndex === 0 && here.frozen === undefined) return here.alive;

  let source = here.frozen === undefined ? undefined : { key: currentKey, session: here.frozen };
  for (const key of otherKeys) {
    const there = judgeMoved(context, await context.engine.read(key));
    if (there.alive.gone === "ended") return there.alive;
    const session = there.live ? there.alive.state : there.frozen;
    if (session === undefined) continue;
    if (source === undefined || session.hop > source.session.hop) source = { key, session };
  }
  if (source === undefined) return { state: undefined, gone: "absent" };
  const frozen = source.key === currentKey ? source.session : await freeze(context, source.key);
  return frozen === undefined
    ? { state: undefined, gone: "ended" }
    : await revive(context, currentKey, frozen);
}

interface Judged {
  readonly alive: Alive;
  readonly live: boolean;
  /** The session as it was when its record moved away from here. */
  readonly frozen: SessionState | undefined;
}

function judgeMoved(context: SessionContext, current: Current): Judged {
  const alive = judge(current, context.lifetime, context.now());
  if (alive.state?.moved === true) {
    return { alive: { state: undefined, gone: "absent" }, live: false, frozen: alive.state };
  }
  return { alive, live: alive.state !== undefined, frozen: undefined };
}

/** Stops all writes to a record that is about to live elsewhere; replies its last state. */
function freeze(context: SessionContext, key: string): Promise<SessionState | undefined> {
  return context.engine.run<SessionState | undefined>(key, (current) => {
    const { state } = judge(current, context.lifetime, context.now());
    if (state === undefined || state.moved) return { kind: "keep", reply: state };
    const frozen = { ...state, moved: true };
    return decideWrite(context, frozen, frozen);
  });
}

async function revive(
  context: SessionContext,
  key: string,
  frozen: SessionState,
): Promise<Alive> {
  const alive = await context.engine.run<Alive>(key, (current) => {
    const here = judge(current, context.lifetime, context.now());
    if (here.gone === "ended" || here.gone === "expired") return { kind: "keep", reply: here };
    if (here.state !== undefined && !(here.state.moved && here.state.hop <= frozen.hop)) {
      const reply: Alive = here.state.moved ? { state: undefined, gone: "absent" } : here;
      return { kind: "keep", reply };
    }
    const state = { ...frozen, moved: false, hop: frozen.hop + 1 };
    return decideWrite<Alive>(context, state, { state });
  }, { fresh: true });
  if (alive.state !== undefined) {
    context.emit?.({ name: "holdfast.session.move", ref: logReference(key) });
  }
  return alive;
}

/**
 * Ends a session for good, wherever its record and older copies of it are.
 *
 * @throws {StorageUnavailableError} If storage fails; the session may then still be alive.
 */
export async function end(context: SessionContext, identity: Identity): Promise<void> {
  for (const key of identity.keys.toReversed()) {
    await context.engine.run<undefined>(
      key,
      (current) =>
        isThere(current) ? { kind: "end", reply: undefined } : { kind: "keep", reply: undefined },
      {
        fresh: true,
      },
    );
  }
}

function isThere(current: Current): boolean {
  return current.state !== undefined || current.problem !== undefined;
}

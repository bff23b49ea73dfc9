import { ConflictError } from "../core/errors.ts";
import { isExpired } from "../core/ttl.ts";
import { type Current, logReference } from "../object/types.ts";
import { type Alive, decideMove, judge, type SessionContext } from "./context.ts";
import type { Identity } from "./identities.ts";
import type { SessionState } from "./state.ts";

/** How often a session that other nodes keep moving is brought back before giving up. */
const triesToMove = 10;

/**
 * Finds the session of an identity, and brings it under the current secret's key if it is under
 * another one.
 *
 * With one secret, or a cookie of the current one, that is one read. Otherwise the record is frozen
 * where it is and revived under the current key. A frozen record says where its session goes on, and
 * it goes on nowhere else: who finds it there first makes that move complete, and then one of its
 * own. So each step is a compare-and-set that can be repeated, by several nodes at once, also by nodes
 * that disagree on which secret is current (a rolling deploy), and any may die in between
 * (SPEC SE15 to SE17).
 *
 * @param now The time, if the caller has asked for it: each look at the clock costs.
 * @throws {StorageUnavailableError} If storage fails.
 * @throws {ConflictError} If other nodes keep moving the session.
 * @throws {HoldfastError} If the record cannot be used.
 */
export function locate(
  context: SessionContext,
  identity: Identity,
  now: number = context.now(),
): Alive | Promise<Alive> {
  const reading = context.engine.readNow(identity.keys[0] ?? "");
  return reading instanceof Promise
    ? reading.then((current) => locateFrom(context, identity, current, context.now()))
    : locateFrom(context, identity, reading, now);
}

function locateFrom(
  context: SessionContext,
  identity: Identity,
  current: Current,
  now: number,
): Alive | Promise<Alive> {
  const here = judge(current, context.lifetime, now);
  const isHere = here.state !== undefined && here.state.moved === undefined;
  return isHere ? here : bringHere(context, identity, here);
}

async function bringHere(
  context: SessionContext,
  identity: Identity,
  found: Alive,
): Promise<Alive> {
  const { keys, keyIndex, reservedUntil } = identity;
  const [currentKey = ""] = keys;
  // A reserved one may have begun on a node that took another secret for the current one.
  const isHereOrNowhere = keyIndex === 0 && (reservedUntil === 0 || keys.length === 1);
  let here = found;
  for (let tries = 0; tries < triesToMove; tries++) {
    if (here.gone === "ended" || here.gone === "expired") return here;
    if (here.state !== undefined && here.state.moved === undefined) return here;
    if (here.gone === "absent" && isHereOrNowhere && tries === 0) return here;
    const latest = await latestCopy(context, keys);
    if (latest.gone !== undefined) return latest;
    const gone = await moveOn(context, latest, identity);
    if (gone !== undefined) return { state: undefined, gone };
    here = await look(context, currentKey);
  }
  throw new ConflictError("Cannot find the session: other nodes keep moving it to another key");
}

/** A session and the key it was found under. */
interface Copy {
  readonly key: string;
  readonly session: SessionState;
  readonly gone?: undefined;
}

async function look(context: SessionContext, key: string): Promise<Alive> {
  return judge(await context.engine.read(key), context.lifetime, context.now());
}

/** Of the copies of a session the one that has moved most often: the live one, if there is one. */
async function latestCopy(
  context: SessionContext,
  keys: readonly string[],
): Promise<Copy | Extract<Alive, { state: undefined }>> {
  let latest: Copy | undefined;
  for (const key of keys) {
    const there = await look(context, key);
    if (there.gone === "ended" || there.gone === "expired") return there;
    if (there.state === undefined) continue;
    if (latest === undefined || there.state.hop > latest.session.hop) {
      latest = { key, session: there.state };
    }
  }
  return latest ?? { state: undefined, gone: "absent" };
}

/** Takes a session one step nearer to the current key; answers why there is none to take. */
async function moveOn(
  context: SessionContext,
  { key, session }: Copy,
  { keys }: Identity,
): Promise<"absent" | "expired" | undefined> {
  const [currentKey = ""] = keys;
  const frozen = session.moved === undefined ? await freeze(context, key, currentKey) : session;
  // It has ended meanwhile, which the next look finds.
  if (frozen?.moved === undefined) return undefined;
  // Only a node with that secret may go on.
  if (!keys.includes(frozen.moved)) return "absent";
  if (isExpired(frozen, context.lifetime, context.now())) return "expired";
  await revive(context, frozen.moved, frozen);
  return undefined;
}

/** Stops all writes to a record whose session shall live elsewhere; replies its last state. */
function freeze(
  context: SessionContext,
  key: string,
  moved: string,
): Promise<SessionState | undefined> {
  return context.engine.run<SessionState | undefined>(key, (current) => {
    const { state } = judge(current, context.lifetime, context.now());
    if (state === undefined || state.moved !== undefined) return { kind: "keep", reply: state };
    const frozen = { ...state, moved };
    return decideMove(frozen, frozen);
  }, { fresh: true });
}

async function revive(context: SessionContext, key: string, frozen: SessionState): Promise<void> {
  const moved = await context.engine.run<boolean>(key, (current) => {
    const here = judge(current, context.lifetime, context.now());
    const over = here.gone === "ended" || here.gone === "expired";
    // Another node was first, and the session may have moved on since.
    if (over || (here.state !== undefined && here.state.hop > frozen.hop)) {
      return { kind: "keep", reply: false };
    }
    return decideMove({ ...frozen, moved: undefined, hop: frozen.hop + 1 }, true);
  }, { fresh: true });
  if (moved) context.emit?.({ name: "holdfast.session.move", ref: logReference(key) });
}

/**
 * Ends a session for good, wherever its record and older copies of it are.
 *
 * @throws {StorageUnavailableError} If storage fails; the session may then still be alive.
 */
export async function end(context: SessionContext, { keys }: Identity): Promise<void> {
  const absent: string[] = [];
  for (const key of keys.toReversed()) {
    if (!await endAt(context, key, isThere)) absent.push(key);
  }
  if (absent.length === keys.length) return;
  // A node that is moving the session may be about to write it under a key that held nothing.
  for (const key of absent) await endAt(context, key, () => true);
}

/** Answers whether there was anything under the key. */
function endAt(
  context: SessionContext,
  key: string,
  ends: (current: Current) => boolean,
): Promise<boolean> {
  return context.engine.run<boolean>(key, (current) => {
    if (current.ended !== undefined) return { kind: "keep", reply: true };
    return ends(current) ? { kind: "end", reply: true } : { kind: "keep", reply: false };
  }, { fresh: true });
}

function isThere(current: Current): boolean {
  return current.state !== undefined || current.problem !== undefined;
}

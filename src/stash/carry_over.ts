import { ConflictError } from "../core/errors.ts";
import { decideMove, judge, type SessionContext, sessionEnded } from "./context.ts";
import type { Identity } from "./identities.ts";
import { end, locate } from "./locate.ts";
import { newSession } from "./state.ts";

/** How often a copy is made again because somebody wrote to the original meanwhile. */
const triesToCopy = 20;

/** How often storage may fail between the copy and the end of the original. */
const triesToEnd = 2;

/** What became of carrying a session over to a new id. */
export interface CarriedOver {
  /** Why the old id may still be alive; `undefined` if it is dead. */
  readonly failure: unknown;
}

/**
 * Copies a session to a new id, then ends the old one if it is still what was copied: so a crash
 * in between leaves the old one alive, and a write in between is carried over too.
 *
 * @param shown The client has shown the old cookie, so it keeps cookies.
 * @throws {StorageUnavailableError} If the copy may not be there.
 * @throws {HoldfastError} `ERR_SESSION_ENDED` if there is no session any more.
 */
export async function carryOver(
  context: SessionContext,
  from: Identity,
  to: Identity,
  shown: boolean,
): Promise<CarriedOver> {
  const copying = () => copy(context, from, to, shown);
  let failure: unknown;
  for (let tries = 0, failures = 0; tries < triesToCopy; tries++) {
    const copied = failure === undefined ? await copying() : await copying().catch(() => undefined);
    // Whether the old one is dead storage does not say; the copy is what is there for sure.
    if (copied === undefined) return { failure };
    if (copied === "moved") continue;
    if (copied === "over") {
      // Our own end of it may have arrived late: it then bears the name of our copy.
      if (failure !== undefined && await isOurs(context, from, to)) {
        return await finish(context, from);
      }
      await end(context, to);
      throw sessionEnded();
    }
    try {
      if (await endAsCopied(context, from, to, copied)) return await finish(context, from);
    } catch (error) {
      failure = error;
      if (++failures === triesToEnd) return { failure };
    }
  }
  throw new ConflictError("Cannot give the session a new id: other requests keep changing it");
}

/** Ends what older copies there may be. */
async function finish(context: SessionContext, from: Identity): Promise<CarriedOver> {
  try {
    if (from.keys.length > 1) await end(context, from);
    return { failure: undefined };
  } catch (failure) {
    return { failure };
  }
}

/** Copies what there is now; answers its `rev`, or why there is nothing to copy. */
async function copy(
  context: SessionContext,
  from: Identity,
  to: Identity,
  shown: boolean,
): Promise<number | "moved" | "over"> {
  const { engine, lifetime, now } = context;
  const [oldKey = ""] = from.keys;
  const [newKey = ""] = to.keys;
  const current = await engine.read(oldKey);
  const { state } = judge(current, lifetime, now());
  if (state === undefined) return "over";
  if (state.moved !== undefined) {
    await locate(context, from);
    return "moved";
  }
  const { views, confirmed } = state;
  const copied = { ...newSession(now()), confirmed: confirmed || shown, views };
  await engine.run(newKey, () => decideMove(copied, undefined));
  return current.rev;
}

/** Whether it was we who ended the old session, and not another request that gave it a new id. */
async function isOurs(context: SessionContext, from: Identity, to: Identity): Promise<boolean> {
  const [oldKey = ""] = from.keys;
  const { ended, mark } = await context.engine.read(oldKey);
  return ended !== undefined && mark === to.keys[0];
}

/** Ends the old session unless it has changed since it was copied. */
function endAsCopied(
  context: SessionContext,
  from: Identity,
  to: Identity,
  rev: number,
): Promise<boolean> {
  const [oldKey = ""] = from.keys;
  const [mark] = to.keys;
  return context.engine.run<boolean>(
    oldKey,
    (latest) =>
      latest.rev === rev && latest.ended === undefined
        ? { kind: "end", reply: true, mark }
        : { kind: "keep", reply: false },
    { fresh: true },
  );
}

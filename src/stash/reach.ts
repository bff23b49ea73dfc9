import { HoldfastError } from "../core/errors.ts";
import { logReference, type Turn } from "../object/types.ts";
import type { TelemetryEvent } from "../ports/telemetry.ts";
import { type Alive, MovedError, type SessionContext, type Turned } from "./context.ts";
import type { StashDefinition } from "./definition.ts";
import type { Identity } from "./identities.ts";
import { locate } from "./locate.ts";
import type { Restored } from "./restore.ts";
import { recoverSlice, type Recovery } from "./slices.ts";
import { readSlice } from "./state.ts";

/** How often a write follows a session that other nodes keep moving. */
const triesToFollow = 5;

/** Runs a turn on a session, wherever nodes that disagree on the current secret move it. */
export function follow<R>(
  context: SessionContext,
  identity: Identity,
  turn: Turn<Turned<R>>,
  fresh: boolean,
  tries = 1,
): Promise<Turned<R>> {
  const [key = ""] = identity.keys;
  const running = context.engine.run(key, turn, { fresh });
  if (identity.keys.length === 1 || tries === triesToFollow) return running;
  return running.catch(async (error) => {
    if (!(error instanceof MovedError)) throw error;
    await locate(context, identity);
    return await follow(context, identity, turn, fresh, tries + 1);
  });
}

/** What a stash recovers from a session. */
export function recoverFrom<S extends object>(
  alive: Alive,
  definition: StashDefinition<S>,
  page: string | undefined,
): Recovery {
  return alive.state === undefined
    ? { status: "not_found", fields: {} }
    : recoverSlice(definition, readSlice(alive.state.views, definition.name), page);
}

/** What a stash recovers from a session that could not be read. */
export function unrecoverable(error: unknown): Recovery {
  const newer = error instanceof HoldfastError && error.code === "ERR_NEWER_VERSION";
  return { status: newer ? "newer" : "error", fields: {}, cause: error };
}

/** Log reference of a session. */
export function refOf(identity: Identity): string {
  return logReference(identity.keys[0] ?? "");
}

/** Tells what a stash recovered. */
export function tellRecovery(
  emit: (event: TelemetryEvent) => void,
  ref: string,
  stash: string,
  { status, cause, invalid }: Restored<object>,
): void {
  emit({
    name: "holdfast.stash.recover",
    ref,
    stash,
    status,
    ...(invalid.length > 0 ? { keys: invalid } : {}),
    ...(cause === undefined ? {} : { error: cause }),
  });
}

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
  if (alive.state === undefined) return { status: "not_found", fields: {} };
  const known = alive.recovered;
  if (page === undefined && known?.definition === definition) return known.recovery;
  const slice = readSlice(alive.state.views, definition.name);
  const recovery = recoverSlice(definition, slice, page);
  // What migrate() made is not kept: it may not be the same each time.
  const asStored = typeof slice === "object" && slice.vsn === definition.vsn;
  if (page === undefined && asStored) alive.recovered = { definition, recovery };
  return recovery;
}

/** The same of a session that has yet to be read; never rejects. */
export async function recoverLater<S extends object>(
  alive: Promise<Alive>,
  definition: StashDefinition<S>,
  page: string | undefined,
): Promise<Recovery> {
  try {
    return recoverFrom(await alive, definition, page);
  } catch (error) {
    return unrecoverable(error);
  }
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

import { HoldfastError } from "../core/errors.ts";
import type { TelemetryEvent } from "../ports/telemetry.ts";
import type { Change, SessionTurn } from "./context.ts";
import type { StashDefinition } from "./definition.ts";
import { type SliceAccess, type SliceStep, unrecovered } from "./handle.ts";
import { changeSlice, currentSlice, type DraftLimits } from "./slices.ts";
import { readSlice, type SessionState, type Slice, storeSlice } from "./state.ts";

/** What the access to a slice stands on. */
export interface SliceAccessPorts<S extends object> {
  readonly definition: StashDefinition<S>;
  readonly drafts: DraftLimits;
  readonly emit: ((event: TelemetryEvent) => void) | undefined;
  /** Log reference of the session as it is now. */
  readonly ref: () => string;
  /** Runs a turn on the session. */
  readonly write: <R>(turn: SessionTurn<R>, fresh: boolean) => Promise<R>;
  /** Whether there is no session that could hold the slice. */
  readonly isEmpty: () => Promise<boolean>;
  /** Keep what is stored under another name, and begin anew with the first write. @default {false} */
  readonly setAside?: boolean;
}

/** Reaches one slice of a session. */
export function sliceAccess<S extends object>(ports: SliceAccessPorts<S>): SliceAccess {
  const { definition: { name, vsn }, emit, ref, write, isEmpty } = ports;
  let setAside = ports.setAside === true;
  return {
    change: (make, fresh) => {
      const turn = changeTurn(ports, make, setAside);
      const writing = setAside
        ? write(turn, fresh).then((written) => {
          if (written) setAside = false;
          return written;
        })
        : write(turn, fresh);
      if (emit === undefined) return writing;
      return writing.then((written) => {
        if (written) emit({ name: "holdfast.stash.stash", ref: ref(), stash: name });
        return written;
      });
    },
    remove: async () => {
      if (await isEmpty()) return;
      await write((session) => {
        const stored = readSlice(session.views, name);
        if (stored === undefined) return { session, reply: undefined };
        if (stored !== "damaged" && stored.vsn > vsn) throw newerStored(name, stored.vsn, vsn);
        return { session: withSlice(session, name, undefined), reply: undefined };
      }, true);
    },
    skipped: (keys, problems) =>
      emit?.({ name: "holdfast.stash.skip", ref: ref(), stash: name, keys, error: problems }),
  };
}

function changeTurn<S extends object>(
  ports: SliceAccessPorts<S>,
  make: (slice: Slice) => SliceStep | Promise<SliceStep>,
  setAside: boolean,
): SessionTurn<boolean> {
  return (found, now) => {
    const session = setAside ? withAside(found, ports.definition.name) : found;
    const slice = sliceFor(ports, session);
    const finish = (step: SliceStep): Change<boolean> => {
      if (step === "keep") return { session: found, reply: false };
      const changed = changeSlice(slice, step, now, ports.drafts);
      return { session: withSlice(session, ports.definition.name, changed), reply: true };
    };
    const step = make(slice);
    return step instanceof Promise ? step.then(finish) : finish(step);
  };
}

function sliceFor<S extends object>(
  { definition, emit, ref }: SliceAccessPorts<S>,
  session: SessionState,
): Slice {
  const { name } = definition;
  const current = currentSlice(definition, readSlice(session.views, name));
  if (current.ok) return current.slice;
  emit?.({ name: "holdfast.stash.refuse", ref: ref(), stash: name, status: current.why });
  throw current.why === "newer"
    ? newerStored(name, current.found, definition.vsn)
    : unrecovered(name, current.cause);
}

function withSlice(session: SessionState, name: string, slice: Slice | undefined): SessionState {
  return { ...session, views: storeSlice(session.views, name, slice) };
}

/** A session whose slice goes by a name that no stash can have. */
function withAside(session: SessionState, name: string): SessionState {
  const { [name]: slice, ...views } = session.views;
  return slice === undefined ? session : { ...session, views: { ...views, [`~${name}`]: slice } };
}

function newerStored(name: string, found: number, vsn: number): HoldfastError {
  return new HoldfastError(
    "ERR_NEWER_VERSION",
    `Cannot store stash "${name}": a newer version of the application has stored it, ` +
      `with vsn ${found}, and this one has vsn ${vsn}`,
  );
}

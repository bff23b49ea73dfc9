import type { Identity } from "./identities.ts";

/** The place in a session that a request and its handles have; kept when the session moves on. */
export interface Seat {
  identity: Identity | undefined;
  /** Nothing is stored under it yet. */
  fresh: boolean;
  /** The client has shown its cookie. */
  shown: boolean;
  ended: boolean;
  seating: Promise<Identity> | undefined;
  /** The session is getting a new id. */
  rotating: Promise<void> | undefined;
}

/** The place of a request that has none yet. */
export function newSeat(): Seat {
  return {
    identity: undefined,
    fresh: true,
    shown: false,
    ended: false,
    seating: undefined,
    rotating: undefined,
  };
}

import type { Identity } from "./identities.ts";

/** The place in a session that a request and its handles have; kept when the session moves on. */
export interface Seat {
  identity: Identity | undefined;
  /** Nothing is stored under it yet. */
  fresh: boolean;
  /** Until when it may begin, while it is fresh; in ms since the epoch. */
  until: number;
  /** The client has the cookie already, or is about to get it: it was reserved for a page. */
  reserved: boolean;
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
    until: Infinity,
    reserved: false,
    shown: false,
    ended: false,
    seating: undefined,
    rotating: undefined,
  };
}

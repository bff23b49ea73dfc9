import { checkKnown, outOfRange, wrongArgument } from "./options.ts";

/** How long a record lives. */
export interface Lifetime {
  /** Milliseconds after it was last seen. `Infinity` for no limit. @default {86400000} 24 hours */
  readonly idleMs: number;
  /** Milliseconds after it was created, whatever happens. @default {2592000000} 30 days */
  readonly absoluteMs: number;
  /** Milliseconds until the client has to have come back with its cookie. @default {600000} */
  readonly unconfirmedMs: number;
}

/** The times of a record, in milliseconds since the Unix epoch. */
export interface Age {
  readonly created: number;
  readonly seen: number;
  /** The client has sent the cookie back, so it keeps cookies. */
  readonly confirmed: boolean;
}

const defaultLifetime: Lifetime = {
  idleMs: 24 * 3_600_000,
  absoluteMs: 30 * 24 * 3_600_000,
  unconfirmedMs: 600_000,
};

/** The instant at which a record is dead, in milliseconds since the Unix epoch; can be `Infinity`. */
export function expiry(age: Age, lifetime: Lifetime): number {
  const dead = Math.min(age.created + lifetime.absoluteMs, age.seen + lifetime.idleMs);
  return age.confirmed ? dead : Math.min(dead, age.created + lifetime.unconfirmedMs);
}

/** Tells whether a record is dead. A record without readable times is. */
export function isExpired(age: Age, lifetime: Lifetime, now: number): boolean {
  return !(now < expiry(age, lifetime));
}

/**
 * Tells whether a read is worth writing down: it confirms the client, or a quarter of the idle time
 * has passed. Never when `seen` is in the future: it would move it back.
 */
export function shouldTouch(age: Age, lifetime: Lifetime, now: number): boolean {
  if (now < age.seen) return false;
  return !age.confirmed || now - age.seen > lifetime.idleMs / 4;
}

/**
 * Fills in and checks a lifetime.
 *
 * @throws {TypeError} If a duration is not a number.
 * @throws {RangeError} If one is not above 0, or `unconfirmedMs` is infinite.
 */
export function checkLifetime(partial: Partial<Lifetime> = {}): Lifetime {
  checkKnown(partial, defaultLifetime, "create a holdfast", "lifetime");
  return {
    idleMs: checkDuration("idleMs", partial.idleMs),
    absoluteMs: checkDuration("absoluteMs", partial.absoluteMs),
    unconfirmedMs: checkDuration("unconfirmedMs", partial.unconfirmedMs),
  };
}

function checkDuration(name: keyof Lifetime, value: unknown = defaultLifetime[name]): number {
  if (typeof value !== "number") {
    throw wrongArgument(`Cannot set a lifetime: ${name} is not a number of milliseconds`);
  }
  if (!(value > 0)) throw outOfRange(`Cannot set a lifetime: ${name} is ${value}, not above 0`);
  if (value === Infinity && name === "unconfirmedMs") {
    throw outOfRange(`Cannot set a lifetime: ${name} is not finite`);
  }
  return value;
}

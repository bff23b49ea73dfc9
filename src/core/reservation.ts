import { decodeBase64url, encodeBase64url } from "./base64url.ts";
import type { Keys, Mac } from "./secret.ts";
import { isSid, sameBytes, whenDone } from "./token.ts";

/** A session id that a page was given before there was anything to store under it. */
export interface Reservation {
  /** The session id. */
  readonly sid: string;
  /** Which key signed it. */
  readonly keyIndex: number;
  /** Until when a session may begin under it, in ms since the epoch. */
  readonly until: number;
}

/** Characters: 2 + 6 + 43 + 8 + 43 and four dots. */
const LENGTH = 106;

const SHAPE: RegExp =
  /^r1\.([A-Za-z0-9_-]{6})\.([A-Za-z0-9_-]{43})\.([0-9a-z]{8})\.([A-Za-z0-9_-]{43})$/;

const encoder = new TextEncoder();

/**
 * Writes the token that stands in a cookie for a session that has not begun: like the one of
 * `signToken()`, and until when it may begin. A session that has begun is found by it for as long as
 * it lives.
 *
 * @param keys The current keys.
 * @param cookieName The name of the cookie it is for.
 * @param sid A session id.
 * @param until Milliseconds since the epoch; kept to the second.
 * @param hmac The Hmac port.
 * @returns 106 characters of `[A-Za-z0-9_.-]`, as a promise if the port answers with one.
 * @throws {TypeError} If `sid` is not a session id, or `until` is no time.
 */
export function signReservation(
  keys: Keys,
  cookieName: string,
  sid: string,
  until: number,
  hmac: Mac,
): Promise<string> | string {
  const time = Math.floor(until / 1000).toString(36).padStart(8, "0");
  if (!isSid(sid) || !/^[0-9a-z]{8}$/.test(time)) {
    throw new TypeError("Cannot sign a reservation: its session id or its time is malformed");
  }
  return whenDone(
    hmac(keys.cookieKey, signed(keys.kid, cookieName, sid, time)),
    (tag) => `r1.${keys.kid}.${sid}.${time}.${encodeBase64url(tag)}`,
  );
}

/**
 * Tells whether one of our keys signed a reservation for a cookie; whether its time is over, the
 * caller has to see. Does not throw, whatever the text is.
 *
 * @param keys The keys, the current one first.
 * @param cookieName The name of the cookie it came in.
 * @param text Untrusted text.
 * @param hmac The Hmac port.
 */
export function verifyReservation(
  keys: readonly Keys[],
  cookieName: string,
  text: string,
  hmac: Mac,
): Promise<Reservation | undefined> | Reservation | undefined {
  if (text.length !== LENGTH) return undefined;
  const [, kid, sid, time, tag] = SHAPE.exec(text) ?? [];
  if (kid === undefined || sid === undefined || time === undefined || tag === undefined) {
    return undefined;
  }
  const keyIndex = keys.findIndex((known) => known.kid === kid);
  const key = keys[keyIndex];
  const presented = decodeBase64url(tag);
  if (key === undefined || presented === undefined || !isSid(sid)) return undefined;
  return whenDone(
    hmac(key.cookieKey, signed(kid, cookieName, sid, time)),
    (expected) =>
      sameBytes(expected, presented)
        ? { sid, keyIndex, until: Number.parseInt(time, 36) * 1000 }
        : undefined,
  );
}

/** Never what a token of `signToken()` authenticates: that begins with another version. */
function signed(kid: string, cookieName: string, sid: string, time: string): Uint8Array {
  return encoder.encode(`r1|${kid}|${cookieName}|${sid}|${time}`);
}

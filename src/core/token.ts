import { assert } from "./assert.ts";
import { decodeBase64url, encodeBase64url } from "./base64url.ts";
import type { Keys, Mac } from "./secret.ts";

/**
 * The parts of a cookie token `v1.<kid>.<sid>.<tag>`, none of them verified.
 */
export interface ParsedToken {
  /** Which secret signed it, 6 characters. */
  readonly kid: string;
  /** The session id, 43 characters for 32 bytes. */
  readonly sid: string;
  /** What authenticates it, 43 characters for 32 bytes. */
  readonly tag: string;
}

/** A token that a key of ours signed. */
export interface Verified {
  /** The session id. */
  readonly sid: string;
  /** Which key signed it; anything but 0 means that the cookie should be issued anew. */
  readonly keyIndex: number;
}

const SID_BYTES = 32;

/** Characters of a token: 2 + 6 + 43 + 43 and three dots. */
const TOKEN_LENGTH = 97;

/**
 * The last of 43 characters carries four bits, so only 16 characters can stand there: without
 * this, a changed last character could be the same value (SPEC TK3).
 */
const ENCODED_32 = "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]";

const SID: RegExp = new RegExp(`^${ENCODED_32}$`);
const TOKEN: RegExp = new RegExp(`^v1\\.([A-Za-z0-9_-]{6})\\.(${ENCODED_32})\\.(${ENCODED_32})$`);

const encoder = new TextEncoder();

/**
 * Takes a token apart, looking at its shape only.
 *
 * @param text Untrusted text of any length; only a text of the right length is looked at further.
 * @returns The parts, `undefined` if it does not have the shape. Never throws.
 */
export function parseToken(text: string): ParsedToken | undefined {
  if (text.length !== TOKEN_LENGTH) return undefined;
  const [, kid, sid, tag] = TOKEN.exec(text) ?? [];
  if (kid === undefined || sid === undefined || tag === undefined) return undefined;
  return { kid, sid, tag };
}

/**
 * Makes a new session id.
 *
 * @param random The Random port.
 * @returns 32 unpredictable bytes as 43 characters of base64url.
 */
export function mintSid(random: { bytes(length: number): Uint8Array }): string {
  const bytes = random.bytes(SID_BYTES);
  assert(bytes.length === SID_BYTES, "the Random port returns as many bytes as asked for");
  return encodeBase64url(bytes);
}

/**
 * Writes the token that stands for a session id in a cookie.
 *
 * @param keys The current keys.
 * @param cookieName The name of the cookie it is for; the token is worth nothing in another.
 * @param sid A session id from {@linkcode mintSid}.
 * @param hmac The Hmac port.
 * @returns 97 characters of `[A-Za-z0-9_.-]`, as a promise if the port answers with one.
 * @throws {TypeError} If `sid` is not a session id.
 */
export function signToken(
  keys: Keys,
  cookieName: string,
  sid: string,
  hmac: Mac,
): Promise<string> | string {
  if (!isSid(sid)) throw new TypeError("Cannot sign a token: the session id is malformed");
  return whenDone(
    hmac(keys.cookieKey, signed(keys.kid, cookieName, sid)),
    (tag) => `v1.${keys.kid}.${sid}.${encodeBase64url(tag)}`,
  );
}

/**
 * Tells whether one of our keys signed a token for a cookie.
 *
 * Malformed, unknown key and wrong tag all give `undefined`, and at most one HMAC is computed
 * whatever the text is (SPEC TK5, TK6).
 *
 * @param keys The keys, the current one first.
 * @param cookieName The name of the cookie it came in.
 * @param text Untrusted text.
 * @param hmac The Hmac port.
 * @returns The session id and the key, as a promise if the port answers with one.
 */
export function verifyToken(
  keys: readonly Keys[],
  cookieName: string,
  text: string,
  hmac: Mac,
): Promise<Verified | undefined> | Verified | undefined {
  const token = parseToken(text);
  if (token === undefined) return undefined;
  const keyIndex = keys.findIndex(({ kid }) => kid === token.kid);
  const key = keys[keyIndex];
  const presented = decodeBase64url(token.tag);
  if (key === undefined || presented === undefined) return undefined;
  return whenDone(
    hmac(key.cookieKey, signed(token.kid, cookieName, token.sid)),
    (expected) => sameBytes(expected, presented) ? { sid: token.sid, keyIndex } : undefined,
  );
}

/** Tells whether a text is a session id as {@linkcode mintSid} writes it. */
export function isSid(text: string): boolean {
  return text.length === 43 && SID.test(text);
}

/**
 * Compares bytes in a time that depends on their number only.
 *
 * @param a Bytes.
 * @param b Bytes.
 * @returns `true` if they are the same; `false` at once if the lengths differ.
 */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

/**
 * Calls on with a value now if it is there now: a synchronous Hmac costs no turn of the loop.
 *
 * @param value A value or a promise of it.
 * @param next What to make of it.
 * @returns What `next` returned, as a promise if `value` was one.
 */
export function whenDone<A, B>(value: A | Promise<A>, next: (value: A) => B): B | Promise<B> {
  return isPromise(value) ? value.then(next) : next(value);
}

/** By shape, not by class: a test runner may run this file in a realm of its own. */
function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { readonly then?: unknown }).then === "function";
}

/**
 * What a tag authenticates. A kid has 6 characters and a sid 43, so the boundaries are clear even
 * if the cookie's name has a bar in it.
 */
function signed(kid: string, cookieName: string, sid: string): Uint8Array {
  return encoder.encode(`v1|${kid}|${cookieName}|${sid}`);
}

import { outOfRange, wrongArgument } from "./options.ts";
import { encodeBase64url } from "./base64url.ts";

/** The Hmac port as core sees it: core imports no port, and the shapes are the same. */
export type Mac = (key: Uint8Array, data: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** A root secret: text, taken as UTF-8, or bytes. At least 32 bytes of it. */
export type Secret = string | Uint8Array;

/**
 * What one root secret is good for, each key for one purpose only (SPEC KY7). The key bytes are
 * not enumerable, so that logging or serialising the object shows the `kid` alone.
 */
export interface Keys {
  /** Names the secret in a cookie: 6 base64url characters, not secret. */
  readonly kid: string;
  /** Authenticates cookie tokens. 32 bytes. */
  readonly cookieKey: Uint8Array;
  /** Turns a session id into a storage key. 32 bytes. */
  readonly storeKey: Uint8Array;
  /** Root of the keys that encrypt records at rest. 32 bytes. */
  readonly dataKey: Uint8Array;
  /** Signs the tokens that bind a live page to its session. 32 bytes. */
  readonly liveKey: Uint8Array;
}

const MIN_BYTES = 32;
const MIN_DISTINCT_BYTES = 8;

/**
 * Phrases of the placeholders that documentation and templates carry. Compared in lower case with
 * everything but letters and digits removed; 8 or more characters, so that no random key has one.
 */
const SAMPLE_PHRASES: readonly string[] = [
  "atleast32",
  "changeit",
  "changeme",
  "changethis",
  "complexpassword",
  "examplesecret",
  "insertsecret",
  "keyboardcat",
  "livestash",
  "notasecret",
  "passwordpassword",
  "replaceme",
  "replacethis",
  "samplesecret",
  "secretsecret",
  "supersecret",
  "yoursecret",
];

const HASH_BYTES = 32;

const encoder = new TextEncoder();

/**
 * Derives a key with HKDF-SHA-256 (RFC 5869), one block of output.
 *
 * @param secret Input keying material.
 * @param salt Salt; empty for none.
 * @param info What the key is for.
 * @param hmac The Hmac port.
 * @returns 32 bytes.
 */
export async function hkdf(
  secret: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  hmac: Mac,
): Promise<Uint8Array> {
  // RFC 5869: no salt is a salt of zeros, which also spares WebCrypto the empty key it refuses.
  const pseudoRandomKey = await hmac(salt.length > 0 ? salt : new Uint8Array(HASH_BYTES), secret);
  const block = new Uint8Array(info.length + 1);
  block.set(info);
  block[info.length] = 1;
  return await hmac(pseudoRandomKey, block);
}

/**
 * Checks a list of root secrets without deriving anything, so that a caller can throw at once.
 *
 * @param secrets What the user passed as `secrets`.
 * @returns A private copy of the bytes of each, in order.
 * @throws {TypeError} If it is not an array, or an entry is neither text nor bytes.
 * @throws {RangeError} If the list is empty, or an entry is shorter than 32 bytes, has fewer than 8
 * distinct bytes, is a known sample, or is there twice. The message names the entry
 * (`secrets[1]`), never its content.
 */
export function checkSecrets(secrets: unknown): readonly Uint8Array[] {
  if (!Array.isArray(secrets)) throw wrongArgument("Cannot use secrets: they are not an array");
  if (secrets.length === 0) throw outOfRange("Cannot use secrets: the list is empty");
  const entries: readonly unknown[] = secrets;
  // Array.from visits the holes of a sparse array, map() would not.
  const checked = Array.from(entries, (entry, index) => checkSecret(entry, index));
  const seen = new Map<string, number>();
  for (const [index, bytes] of checked.entries()) {
    const text = encodeBase64url(bytes);
    const first = seen.get(text);
    if (first !== undefined) refuse(index, `it is the same as secrets[${first}]`);
    seen.set(text, index);
  }
  return checked;
}

function checkSecret(secret: unknown, index: number): Uint8Array {
  const bytes = secretBytes(secret, index);
  if (bytes.length < MIN_BYTES) {
    refuse(index, `it has ${bytes.length} bytes, not at least ${MIN_BYTES}`);
  }
  const distinct = new Set(bytes).size;
  if (distinct < MIN_DISTINCT_BYTES) {
    refuse(index, `it has ${distinct} distinct bytes, not at least ${MIN_DISTINCT_BYTES}`);
  }
  const words = new TextDecoder().decode(bytes).toLowerCase().replace(/[^a-z0-9]/g, "");
  if (SAMPLE_PHRASES.some((phrase) => words.includes(phrase))) {
    refuse(index, "it is a sample from documentation or a template");
  }
  return bytes;
}

function secretBytes(secret: unknown, index: number): Uint8Array {
  if (isBytes(secret)) return new Uint8Array(secret);
  if (secret === undefined) {
    throw wrongArgument(
      `Cannot use secrets[${index}]: it is undefined; if it comes from a variable of the environment, set that (openssl rand -base64 32)`,
    );
  }
  if (typeof secret !== "string") {
    throw wrongArgument(`Cannot use secrets[${index}]: it is neither a string nor a Uint8Array`);
  }
  // Every lone surrogate becomes the same three bytes: less of a secret than it looks.
  if (!secret.isWellFormed()) {
    throw wrongArgument(`Cannot use secrets[${index}]: it is not well-formed Unicode`);
  }
  return encoder.encode(secret);
}

/** By its brand, not by its class: a test runner may run this file in a realm of its own. */
function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && (value as Uint8Array)[Symbol.toStringTag] === "Uint8Array";
}

function refuse(index: number, reason: string): never {
  throw outOfRange(`Cannot use secrets[${index}]: ${reason}`);
}

/**
 * Checks root secrets and derives the keys of each. The first signs, all verify (SPEC KY6).
 *
 * @param secrets Root secrets, the current one first.
 * @param hmac The Hmac port.
 * @returns The keys in the order of the secrets.
 * @throws {TypeError} As {@linkcode checkSecrets}.
 * @throws {RangeError} As {@linkcode checkSecrets}, and if two secrets happen to get the same `kid`.
 */
export async function deriveKeys(
  secrets: readonly Secret[],
  hmac: Mac,
): Promise<readonly Keys[]> {
  const keys = await Promise.all(checkSecrets(secrets).map((secret) => keysOf(secret, hmac)));
  for (const [index, { kid }] of keys.entries()) {
    const first = keys.findIndex((other) => other.kid === kid);
    if (first < index) refuse(index, `it has the same key id as secrets[${first}]`);
  }
  return keys;
}

async function keysOf(secret: Uint8Array, hmac: Mac): Promise<Keys> {
  const derive = (label: string): Promise<Uint8Array> =>
    hkdf(secret, new Uint8Array(0), encoder.encode(`stash/v1/${label}`), hmac);
  const [kid, cookieKey, storeKey, dataKey, liveKey] = await Promise.all([
    derive("kid"),
    derive("cookie"),
    derive("store-key"),
    derive("data"),
    derive("live"),
  ]);
  const keys = { kid: encodeBase64url(kid).slice(0, 6), cookieKey, storeKey, dataKey, liveKey };
  for (const name of ["cookieKey", "storeKey", "dataKey", "liveKey"]) {
    Object.defineProperty(keys, name, { enumerable: false });
  }
  return Object.freeze(keys);
}

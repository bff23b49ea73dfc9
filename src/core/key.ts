import { outOfRange, wrongArgument } from "./options.ts";
import { encodeBase64url } from "./base64url.ts";
import type { Keys, Mac } from "./secret.ts";
import { isSid, whenDone } from "./token.ts";

const NAMESPACE = /^[a-z0-9][a-z0-9_-]{0,62}$/;

const MAX_KEY_BYTES = 1024;
const MAX_ID_BYTES = 512;

/** Leaves 256 bytes of a storage key to what stands before the id. */
const MAX_SEGMENT_LENGTH = 768;

const encoder = new TextEncoder();

/** Keeps a leading byte order mark: it is part of the id. */
const decoder: TextDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Turns a session id into the name its record is stored under. The namespace is part of what is
 * authenticated, so that two applications sharing a store and a secret still have different keys.
 *
 * @param keys The keys that signed the session's cookie.
 * @param namespace As {@linkcode checkNamespace} accepts it.
 * @param sid A session id.
 * @param hmac The Hmac port.
 * @returns 43 characters of base64url, as a promise if the port answers with one.
 * @throws {TypeError} If the namespace or the session id is malformed.
 */
export function sessionKeyHash(
  keys: Keys,
  namespace: string,
  sid: string,
  hmac: Mac,
): Promise<string> | string {
  checkNamespace(namespace);
  if (!isSid(sid)) throw wrongArgument("Cannot name a record: the session id is malformed");
  return whenDone(hmac(keys.storeKey, encoder.encode(`${namespace}|${sid}`)), encodeBase64url);
}

/**
 * Checks a namespace: 1 to 63 characters of `[a-z0-9_-]`, the first a letter or a digit.
 *
 * @param namespace What the user passed.
 * @returns It, unchanged.
 * @throws {TypeError} If it is anything else.
 */
export function checkNamespace(namespace: unknown): string {
  if (typeof namespace === "string" && NAMESPACE.test(namespace)) return namespace;
  throw wrongArgument(
    'Cannot use the namespace: it is not 1 to 63 of a-z, 0-9, "_" and "-", ' +
      "the first a letter or a digit",
  );
}

/** A whole key in one look: nearly every key that is checked is one. */
const STORAGE_KEY = /^(?!\.\.?(?:\/|$))[A-Za-z0-9_.~=-]+(?:\/(?!\.\.?(?:\/|$))[A-Za-z0-9_.~=-]+)*$/;

/**
 * Checks a storage key, as every storage does before it uses one: 1 to 1024 characters of
 * `[A-Za-z0-9_.~=-]` in segments joined by `/`, no segment empty, `.` or `..`.
 *
 * @param key What was passed.
 * @returns It, unchanged.
 * @throws {TypeError} If it is anything else. The message does not repeat the key.
 */
export function checkStorageKey(key: unknown): string {
  if (typeof key !== "string") throw wrongArgument("Cannot use the key: it is not a string");
  if (key.length > MAX_KEY_BYTES) {
    throw wrongArgument(`Cannot use the key: it is longer than ${MAX_KEY_BYTES} characters`);
  }
  if (!STORAGE_KEY.test(key)) throw wrongArgument(`Cannot use the key: ${whyNoKey(key)}`);
  return key;
}

function whyNoKey(key: string): string {
  if (key.length === 0) return "it is empty";
  return /^[A-Za-z0-9_.~=/-]+$/.test(key)
    ? 'it has a segment that is empty, "." or ".."'
    : "it has a character other than A-Z a-z 0-9 _ . ~ = - /";
}

/**
 * Writes an object id as one segment of a storage key. `[A-Za-z0-9_.-]` stay as they are, every
 * other UTF-8 byte becomes `~` and two hexadecimal digits; the ids `.` and `..` are escaped whole.
 * Different ids have different segments.
 *
 * @param id Any Unicode text of 1 to 512 bytes of UTF-8 whose segment has at most 768 characters.
 * @returns The segment.
 * @throws {TypeError} If it is not a string or has a lone surrogate.
 * @throws {RangeError} If it is empty or too long.
 */
export function encodeId(id: string): string {
  if (typeof id !== "string") throw wrongArgument("Cannot use the id: it is not a string");
  if (id === "") throw outOfRange("Cannot use the id: it is empty");
  if (!id.isWellFormed()) throw wrongArgument("Cannot use the id: it has a lone surrogate");
  if (id.length > MAX_ID_BYTES || encoder.encode(id).length > MAX_ID_BYTES) {
    throw outOfRange(`Cannot use the id: it is longer than ${MAX_ID_BYTES} bytes of UTF-8`);
  }
  const segment = escapeId(id);
  if (segment.length > MAX_SEGMENT_LENGTH) {
    throw outOfRange(
      `Cannot use the id: it is longer than ${MAX_SEGMENT_LENGTH} characters once escaped`,
    );
  }
  return segment;
}

/**
 * Writes the beginning of ids as the beginning of their segments; the ids `.` and `..` alone, which are
 * escaped whole, begin with nothing else.
 *
 * @param prefix Well-formed text of at most 512 characters, perhaps empty.
 * @throws {TypeError} If it has a lone surrogate.
 * @throws {RangeError} If no id is so long.
 */
export function encodeIdPrefix(prefix: string): string {
  if (!prefix.isWellFormed()) throw wrongArgument("Cannot use the prefix: it has a lone surrogate");
  const segment = escapeBytes(prefix);
  if (segment.length <= MAX_SEGMENT_LENGTH) return segment;
  throw outOfRange("Cannot use the prefix: no id is so long");
}

function escapeId(id: string): string {
  if (id === ".") return "~2E";
  if (id === "..") return "~2E~2E";
  return escapeBytes(id);
}

function escapeBytes(id: string): string {
  return id.replace(/[^A-Za-z0-9_.-]+/g, (run) => {
    const bytes = Array.from(encoder.encode(run), (byte) => byte.toString(16).padStart(2, "0"));
    return bytes.map((byte) => `~${byte.toUpperCase()}`).join("");
  });
}

/**
 * Reads back what {@linkcode encodeId} wrote.
 *
 * @param segment One segment of a storage key.
 * @returns The id; `undefined` if no id has that segment. Never throws.
 */
export function decodeId(segment: string): string | undefined {
  if (segment.length > MAX_SEGMENT_LENGTH || !/^(?:[A-Za-z0-9_.-]|~[0-9A-F]{2})+$/.test(segment)) {
    return undefined;
  }
  try {
    const id = decoder.decode(unescapeId(segment));
    // One id, one segment: an escape that was not needed, or too long an id, is not ours.
    return encodeId(id) === segment ? id : undefined;
  } catch {
    return undefined;
  }
}

function unescapeId(segment: string): Uint8Array<ArrayBuffer> {
  const parts = segment.match(/~..|[^~]/g) ?? [];
  return Uint8Array.from(
    parts,
    (part) => part.length === 3 ? parseInt(part.slice(1), 16) : part.charCodeAt(0),
  );
}

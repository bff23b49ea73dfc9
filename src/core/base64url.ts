const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const INVALID = 255;

/** Six bits per ASCII code, `INVALID` for what is not in the alphabet. */
const SEXTETS: Uint8Array = sextets();

function sextets(): Uint8Array {
  const table = new Uint8Array(128).fill(INVALID);
  for (let i = 0; i < ALPHABET.length; i++) table[ALPHABET.charCodeAt(i)] = i;
  return table;
}

/**
 * Encodes bytes as base64url without padding (RFC 4648, section 5).
 *
 * Written out here because `Uint8Array.prototype.toBase64` is missing on Node 24.
 *
 * @param bytes What to encode, any length.
 * @returns Text of `[A-Za-z0-9_-]`, four characters per three bytes, rounded up.
 */
export function encodeBase64url(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += ALPHABET[group >> 18]! + ALPHABET[(group >> 12) & 63]!;
    if (left > 1) text += ALPHABET[(group >> 6) & 63]!;
    if (left > 2) text += ALPHABET[group & 63]!;
  }
  return text;
}

/**
 * Decodes base64url, strictly: each byte string has exactly one text, so that a changed character
 * is always a changed value (SPEC TK3).
 *
 * @param text Untrusted text.
 * @returns The bytes; `undefined` if the text is padded, not in the alphabet, of an impossible
 * length, or not what {@linkcode encodeBase64url} would have written.
 */
export function decodeBase64url(text: string): Uint8Array | undefined {
  const tail = text.length % 4;
  if (tail === 1) return undefined;
  const bytes = new Uint8Array(Math.floor(text.length * 3 / 4));
  let buffer = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const sextet = SEXTETS[text.charCodeAt(i)] ?? INVALID;
    if (sextet === INVALID) return undefined;
    buffer = (buffer << 6) | sextet;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = buffer >> bits;
      buffer &= (1 << bits) - 1;
    }
  }
  // What is left over must be zero, or two texts would name the same bytes.
  return buffer === 0 ? bytes : undefined;
}

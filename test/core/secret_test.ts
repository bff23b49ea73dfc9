import fc from "fast-check";
import { fastestHmac, webHmac } from "../../adapters/web/hmac.ts";
import { checkSecrets, deriveKeys, hkdf, type Keys, type Secret } from "../../src/core/secret.ts";
import { sessionKeyHash } from "../../src/core/key.ts";
import { mintSid, signToken } from "../../src/core/token.ts";
import { webRandom } from "../../adapters/web/random.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
  runtime,
  test,
} from "../harness/mod.ts";

const HMACS = [fastestHmac(), webHmac()];

const K1 = "an old root secret, 32 bytes or more of it";
const K2 = "the new root secret, 32 bytes or more of it";

const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));

const range = (first: number, count: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, i) => first + i);

const isTypeError = (error: Error): boolean => error instanceof TypeError;
const isRangeError = (error: Error): boolean => error instanceof RangeError;

test("[KY1] HKDF agrees with RFC 5869, appendix A", async () => {
  const repeated = new Uint8Array(22).fill(0x0b);
  const none = new Uint8Array(0);
  // The first block, 32 bytes, of each test case's output.
  const vectors: [Uint8Array, Uint8Array, Uint8Array, string][] = [
    [
      repeated,
      range(0, 13),
      range(0xf0, 10),
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
    ],
    [
      range(0, 80),
      range(0x60, 80),
      range(0xb0, 80),
      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c",
    ],
    [
      repeated,
      none,
      none,
      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d",
    ],
  ];
  for (const hmac of HMACS) {
    for (const [secret, salt, info, expected] of vectors) {
      assertEquals(await hkdf(secret, salt, info, hmac), fromHex(expected));
    }
  }
});

test(`[KY1] HKDF agrees with the one WebCrypto has on ${runtime}`, async () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 80 });
  const property = fc.asyncProperty(bytes, bytes, bytes, async (ikm, salt, info) => {
    const key = await crypto.subtle.importKey("raw", new Uint8Array(ikm), "HKDF", false, [
      "deriveBits",
    ]);
    const theirs = await crypto.subtle.deriveBits(
      { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(salt), info: new Uint8Array(info) },
      key,
      256,
    );
    assertEquals(await hkdf(ikm, salt, info, fastestHmac()), new Uint8Array(theirs));
  });
  await fc.assert(property, { numRuns: 50 });
});

test("[KY2] secrets that are not a list of text or bytes are a TypeError that names the entry", () => {
  for (const secrets of [undefined, null, "x".repeat(64), { 0: K1 }, new Set([K1])]) {
    assertThrows(() => checkSecrets(secrets), isTypeError);
  }
  assertThrows(() => checkSecrets([K1, undefined]), /^Cannot use secrets\[1\]: it is undefined; /);
  for (const secret of [null, 42, [K1], new ArrayBuffer(32), new Uint16Array(32)]) {
    assertThrows(() => checkSecrets([K1, secret]), /^Cannot use secrets\[1\]: it is neither/);
  }
  const sparse: string[] = [];
  sparse[1] = K1;
  assertThrows(() => checkSecrets(sparse), /secrets\[0\]/);
  assertThrows(() => checkSecrets([`${K1}\ud800`]), /secrets\[0\]: it is not well-formed/);
});

test("[KY3] an empty list and a short secret are a RangeError", () => {
  assertThrows(() => checkSecrets([]), isRangeError);
  const short: Secret[] = ["", "secret", K1.slice(0, 31), range(0, 31), new Uint8Array(0)];
  for (const secret of short) {
    assertThrows(() => checkSecrets([secret]), isRangeError);
    assertThrows(
      () => checkSecrets([K1, secret]),
      /secrets\[1\]: it has \d+ bytes, not at least 32/,
    );
  }
  assertEquals(checkSecrets([range(0, 32), K1.slice(0, 32)]).length, 2);
  assertEquals(checkSecrets(["äöüßéèçñ".repeat(2)])[0]?.length, 32);
});

test("[KY3] a secret with fewer than 8 distinct bytes is a RangeError", () => {
  for (const secret of ["a".repeat(64), "abcdefg".repeat(9), new Uint8Array(32)]) {
    assertThrows(() => checkSecrets([secret]), /secrets\[0\]: it has \d distinct bytes/);
  }
  assertEquals(checkSecrets(["abcdefgh".repeat(4)]).length, 1);
});

test("[KY3] a sample from documentation is a RangeError, however it is spelled", () => {
  const samples = [
    "change-me-change-me-change-me-change-me",
    "CHANGE_ME please: 0123456789abcdefghijk",
    "your-secret-key-at-least-32-characters-long",
    "complex_password_at_least_32_characters_long",
    "replace this with openssl rand -base64 32",
    "my super secret session signing key 123",
  ];
  for (const sample of samples) {
    const error = assertThrows(() => checkSecrets([K1, sample]), /secrets\[1\]: it is a sample/);
    assert(isRangeError(error));
    assertThrows(() => checkSecrets([new TextEncoder().encode(sample)]), isRangeError);
  }
});

test("[KY4] the same secret twice is a RangeError, also as text and as bytes", () => {
  const twice = /^Cannot use secrets\[2\]: it is the same as secrets\[0\]$/;
  assertThrows(() => checkSecrets([K1, K2, K1]), twice);
  assertThrows(() => checkSecrets([K1, K2, new TextEncoder().encode(K1)]), twice);
});

test("[KY4] two secrets that get the same kid are a RangeError", async () => {
  const constant = () => new Uint8Array(32);
  const error = await assertRejects(() => deriveKeys([K1, K2], constant), /same key id as secrets/);
  assert(isRangeError(error));
});

test("[KY5] no message repeats a character of a secret that was refused", () => {
  const canary = "ZQ9";
  const refused = [canary, canary.repeat(20), `${canary} change-me ${canary.repeat(10)}`];
  for (const secret of refused) {
    const error = assertThrows(() => checkSecrets([secret]));
    assert(!error.message.includes(canary), error.message);
  }
});

test("[KY5] keys show nothing but their kid when logged or serialised", async () => {
  const [keys] = await deriveKeys([K1], fastestHmac());
  assert(keys !== undefined);
  assertEquals(JSON.parse(JSON.stringify(keys)), { kid: keys.kid });
  assertEquals(Object.keys(keys), ["kid"]);
  assertEquals(keys.cookieKey.length, 32);
});

test("[KY6] keys come in the order of the secrets and are the same with any Hmac", async () => {
  const [fast, web] = await Promise.all(HMACS.map((hmac) => deriveKeys([K2, K1], hmac)));
  assert(fast !== undefined && web !== undefined);
  const bytes = (all: readonly Keys[]): unknown =>
    all.map((k) => [k.kid, k.cookieKey, k.storeKey, k.dataKey, k.liveKey]);
  assertEquals(bytes(fast), bytes(web));
  const [old] = await deriveKeys([K1], fastestHmac());
  assertEquals(fast.length, 2);
  assertEquals(fast[1]?.kid, old?.kid);
  assert(/^[A-Za-z0-9_-]{6}$/.test(old?.kid ?? ""));
});

test("[KY6] a secret changed in place after it was passed changes nothing", async () => {
  const secret = range(7, 40);
  const before = checkSecrets([secret]);
  secret.fill(1);
  assertEquals(before, [range(7, 40)]);
  await assertRejects(() => deriveKeys([secret], fastestHmac()), isRangeError);
});

test("[KY7] the derived keys of one secret differ, and so do a cookie tag and a storage key", async () => {
  const hmac = fastestHmac();
  const [keys] = await deriveKeys([K1], hmac);
  assert(keys !== undefined);
  const derived = [
    keys.cookieKey,
    keys.storeKey,
    keys.dataKey,
    keys.liveKey,
    new TextEncoder().encode(K1),
  ];
  assertEquals(new Set(derived.map(String)).size, 5);
  const sid = mintSid(webRandom());
  const token = await signToken(keys, "app", sid, hmac);
  const stored = await sessionKeyHash(keys, "app", sid, hmac);
  assert(!token.includes(stored));
});

import fc from "fast-check";
import { readdir, readFile } from "node:fs/promises";
import { readCookie } from "../../adapters/web/cookies.ts";
import { fastestHmac, webHmac } from "../../adapters/web/hmac.ts";
import { webRandom } from "../../adapters/web/random.ts";
import { encodeBase64url } from "../../src/core/base64url.ts";
import { sessionKeyHash } from "../../src/core/key.ts";
import { deriveKeys, type Keys } from "../../src/core/secret.ts";
import {
  isSid,
  mintSid,
  parseToken,
  sameBytes,
  signToken,
  verifyToken,
} from "../../src/core/token.ts";
import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";

const HMACS = [fastestHmac(), webHmac()];
const NAME = "__Host-holdfast";
const K1 = "an old root secret, 32 bytes or more of it";
const K2 = "the new root secret, 32 bytes or more of it";

const hmac = fastestHmac();
const [old, current] = await deriveKeys([K1, K2], hmac) as [Keys, Keys];
const random = webRandom();

/** An Hmac that counts its calls. */
function counting(): { hmac: typeof hmac; calls: () => number } {
  let calls = 0;
  return { hmac: (key, data) => (calls++, hmac(key, data)), calls: () => calls };
}

/** The sources without their comments. */
async function sources(...folders: string[]): Promise<{ path: string; text: string }[]> {
  const found: { path: string; text: string }[] = [];
  for (const folder of folders) {
    const root = new URL(`../../${folder}/`, import.meta.url);
    for (const path of await readdir(root, { recursive: true })) {
      if (!path.endsWith(".ts")) continue;
      const text = await readFile(new URL(path, root), "utf8");
      found.push({ path, text: text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "") });
    }
  }
  assert(found.length > 5, "found no sources");
  return found;
}

test("[TK1] a session id is 32 bytes drawn at once from the Random port, in base64url", () => {
  const asked: number[] = [];
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
  const sid = mintSid({ bytes: (length) => (asked.push(length), bytes) });
  assertEquals(asked, [32]);
  assertEquals(sid, encodeBase64url(bytes));
  assert(isSid(sid));
  assertThrows(() => mintSid({ bytes: () => new Uint8Array(16) }), /Random port/);
});

test("[TK1] 100,000 session ids do not repeat and no bit is biased", () => {
  const count = 100_000;
  const seen = new Set<string>();
  const ones = new Uint32Array(256);
  for (let i = 0; i < count; i++) {
    const bytes = random.bytes(32);
    seen.add(mintSid({ bytes: () => bytes }));
    for (let bit = 0; bit < 256; bit++) ones[bit]! += (bytes[bit >> 3]! >> (bit & 7)) & 1;
  }
  assertEquals(seen.size, count);
  // 7 sigma: a fair source fails this once in a billion runs.
  const tolerance = 7 * Math.sqrt(count) / 2;
  for (const [bit, n] of ones.entries()) {
    assert(Math.abs(n - count / 2) < tolerance, `bit ${bit} was set ${n} times`);
  }
});

test("[TK1] no source draws from Math.random or randomUUID", async () => {
  // In the browser chance only spreads reconnects; the script is made of that.
  const inBrowser = /^client\/dom\/|^live\/client_script\.ts$/;
  const weak = (await sources("src", "adapters")).filter(({ path, text }) =>
    !inBrowser.test(path) && /Math\s*\.\s*random|randomUUID/.test(text)
  );
  assertEquals(weak.map(({ path }) => path), []);
});

test("[TK2] a token is v1, kid, sid and tag, 97 opaque characters", async () => {
  for (const mac of HMACS) {
    const sid = mintSid(random);
    const token = await signToken(current, NAME, sid, mac);
    assert(/^v1(\.[A-Za-z0-9_-]+){3}$/.test(token));
    assertEquals(token.length, 97);
    const tag = encodeBase64url(
      await mac(current.cookieKey, new TextEncoder().encode(`v1|${current.kid}|${NAME}|${sid}`)),
    );
    assertEquals(parseToken(token), { kid: current.kid, sid, tag });
    assertEquals(await verifyToken([current, old], NAME, token, mac), { sid, keyIndex: 0 });
  }
});

test("[TK2] a synchronous Hmac gives synchronous answers", () => {
  const token = signToken(current, NAME, mintSid(random), hmac);
  assert(typeof token === "string");
  assert(!(verifyToken([current], NAME, token, hmac) instanceof Promise));
  assert(verifyToken([current], NAME, token, webHmac()) instanceof Promise);
});

test("[TK2] what is no session id is not signed, and the error does not repeat it", () => {
  for (const sid of ["", "canary", "canary".repeat(8), `${mintSid(random)}.`]) {
    const error = assertThrows(() => signToken(current, NAME, sid, hmac), /malformed/);
    assert(error instanceof TypeError && !error.message.includes("canary"));
  }
});

test("[TK3] a token with any one character changed, removed or added is refused", async () => {
  const token = await signToken(current, NAME, mintSid(random), hmac);
  const others = [..."ABQgwxyz019-_.=+/ \u0000é"];
  for (const mac of HMACS) {
    for (let at = 0; at < token.length; at++) {
      const variants = mac === hmac ? others : others.slice(0, 3);
      for (const other of variants.filter((other) => other !== token[at])) {
        const changed = token.slice(0, at) + other + token.slice(at + 1);
        assertEquals(await verifyToken([current, old], NAME, changed, mac), undefined, `at ${at}`);
      }
      const shorter = token.slice(0, at) + token.slice(at + 1);
      assertEquals(await verifyToken([current, old], NAME, shorter, mac), undefined);
      const longer = token.slice(0, at) + "A" + token.slice(at);
      assertEquals(await verifyToken([current, old], NAME, longer, mac), undefined);
    }
  }
});

test("[TK3] the last characters of sid and tag have no second spelling", async () => {
  const token = await signToken(current, NAME, mintSid(random), hmac);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (const at of [52, 96]) {
    const accepted = [...alphabet].filter((last) => {
      const spelled = token.slice(0, at) + last + token.slice(at + 1);
      return verifyToken([current], NAME, spelled, hmac) !== undefined;
    });
    assertEquals(accepted, [token[at]]);
  }
});

test("[TK4] a session id that we did not sign for this cookie is refused", async () => {
  const sid = mintSid(random);
  const token = await signToken(current, NAME, sid, hmac);
  const [stranger] = await deriveKeys(["another application's own root secret"], hmac) as [Keys];
  const forged = await signToken({ ...pick(stranger), kid: current.kid }, NAME, sid, hmac);
  const refused = [
    sid,
    `v1.${current.kid}.${sid}.${mintSid(random)}`,
    `v1.${current.kid}.${mintSid(random)}.${parseToken(token)?.tag}`,
    `v1.${old.kid}.${sid}.${parseToken(token)?.tag}`,
    await signToken(stranger, NAME, sid, hmac),
    forged,
  ];
  for (const text of refused) {
    assertEquals(await verifyToken([current, old], NAME, text, hmac), undefined);
  }
  assertEquals(await verifyToken([current, old], "holdfast", token, hmac), undefined);
  assertEquals(await verifyToken([], NAME, token, hmac), undefined);
});

/** The key bytes are not enumerable, so a spread would lose them. */
function pick({ kid, cookieKey, storeKey, dataKey, liveKey }: Keys): Keys {
  return { kid, cookieKey, storeKey, dataKey, liveKey };
}

test("[TK4] nothing that a store holds makes a token", async () => {
  const sid = mintSid(random);
  const stored = await sessionKeyHash(current, "app", sid, hmac);
  const other = await sessionKeyHash(current, "app", mintSid(random), hmac);
  for (const text of [stored, `v1.${current.kid}.${stored}.${stored}`]) {
    assertEquals(await verifyToken([current], NAME, text, hmac), undefined);
  }
  for (const tag of [stored, other]) {
    assertEquals(
      await verifyToken([current], NAME, `v1.${current.kid}.${stored}.${tag}`, hmac),
      undefined,
    );
  }
});

test("[TK5] no HMAC is computed for a malformed token or an unknown key, one for any other", async () => {
  const { hmac: mac, calls } = counting();
  const token = await signToken(current, NAME, mintSid(random), hmac);
  const [, , sid, tag] = token.split(".");
  const malformed = [
    "",
    "v1",
    "...",
    token.slice(0, -1),
    `${token}A`,
    token.replace("v1", "v2"),
    token.replaceAll(".", "-"),
    `v1.${current.kid}.${sid}.`,
    `v1.${current.kid}.${sid}.${"!".repeat(43)}`,
    `v1.${current.kid}.${sid}.${"é".repeat(43)}`,
    `v1.......${sid}.${tag}`,
    ` ${token.slice(1)}`,
    "A".repeat(97),
    "A".repeat(8192),
    `${token}\n`,
    `v1.kidkid.${sid}.${tag}`,
  ];
  for (const text of malformed) {
    assertEquals(await verifyToken([current, old], NAME, text, mac), undefined);
  }
  assertEquals(calls(), 0);
  assert(await verifyToken([current, old], NAME, token, mac) !== undefined);
  assertEquals(calls(), 1);
  const wrong = `v1.${old.kid}.${sid}.${tag}`;
  assertEquals(await verifyToken([current, old], NAME, wrong, mac), undefined);
  assertEquals(calls(), 2);
});

/** Cookie headers from noise to nearly right; 8 KiB and more among them. */
function noise(token: string): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.constantFrom(";", "; ", "=", ",", '"', `${NAME}=`, `; ${NAME}=`, "v1.", token, ".", "\t"),
    fc.nat(96).map((at) => `${NAME}=${token.slice(0, at)}${token.slice(at + 1)}x`),
    fc.constantFrom(token, `${token.slice(0, 53)}.${"A".repeat(43)}`).map((t) => `${NAME}=${t}`),
    fc.nat(4000).map((length) => "A".repeat(length)),
  );
  const joint = fc.constantFrom("", "; ", ";");
  return fc.tuple(fc.array(piece, { maxLength: 12 }), joint).map(([all, by]) => all.join(by));
}

test("[TK5] 20,000 cookies of noise never throw and cost at most one HMAC per well-formed value", () => {
  const { hmac: mac, calls } = counting();
  const sid = mintSid(random);
  const token = signToken(current, NAME, sid, hmac) as string;
  let wellFormed = 0;
  const property = fc.property(noise(token), (header) => {
    const values = readCookie(header, NAME);
    assert(values.length <= 20);
    for (const value of values) {
      const known = [current.kid, old.kid].includes(parseToken(value)?.kid ?? "");
      if (known) wellFormed++;
      const verified = verifyToken([current, old], NAME, value, mac);
      assertEquals(verified, value === token ? { sid, keyIndex: 0 } : undefined);
    }
  });
  fc.assert(property, { numRuns: 20_000 });
  assertEquals(calls(), wellFormed);
  assert(wellFormed > 100, "the noise was never nearly right");
});

test("[TK6] tags are compared in constant time: no source compares one with an operator", async () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => i);
  assert(sameBytes(bytes, new Uint8Array(bytes)));
  for (let at = 0; at < 32; at++) {
    const changed = new Uint8Array(bytes);
    changed[at]! ^= 1 << (at & 7);
    assert(!sameBytes(bytes, changed));
  }
  assert(!sameBytes(bytes, bytes.subarray(1)) && !sameBytes(bytes, new Uint8Array(0)));
  const operator =
    /\b(?:tag|mac|signature|presented|expected)\b\s*[!=]==?(?!=|\s*undefined)|[!=]==?\s*(?:\w+\.)?(?:tag|mac|signature|presented|expected)\b/;
  const early = (await sources("src", "adapters/web")).filter(({ text }) => operator.test(text));
  assertEquals(early.map(({ path }) => path), []);
  assert(operator.test("if (tag === other)") && operator.test("a !== token.tag"));
});

test("[TK7] a token of a listed older secret verifies with its index, of a removed one not", async () => {
  for (const mac of HMACS) {
    const sid = mintSid(random);
    const token = await signToken(old, NAME, sid, mac);
    assertEquals(await verifyToken([current, old], NAME, token, mac), { sid, keyIndex: 1 });
    assertEquals(await verifyToken([old, current], NAME, token, mac), { sid, keyIndex: 0 });
    assertEquals(await verifyToken([current], NAME, token, mac), undefined);
    const reissued = await signToken(current, NAME, sid, mac);
    assertEquals(await verifyToken([current], NAME, reissued, mac), { sid, keyIndex: 0 });
  }
});

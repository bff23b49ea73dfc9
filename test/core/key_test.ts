import fc from "fast-check";
import { fastestHmac, webHmac } from "../../adapters/web/hmac.ts";
import { webRandom } from "../../adapters/web/random.ts";
import {
  checkNamespace,
  checkStorageKey,
  decodeId,
  encodeId,
  encodeIdPrefix,
  sessionKeyHash,
} from "../../src/core/key.ts";
import { deriveKeys, type Keys } from "../../src/core/secret.ts";
import { mintSid } from "../../src/core/token.ts";
import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";

const hmac = fastestHmac();
const [keys, others] = await deriveKeys([
  "an old root secret, 32 bytes or more of it",
  "the new root secret, 32 bytes or more of it",
], hmac) as [Keys, Keys];

const isTypeError = (error: Error): boolean => error instanceof TypeError;
const isRangeError = (error: Error): boolean => error instanceof RangeError;

test("[KY8] the same session has another storage key per namespace and per secret", async () => {
  const sid = mintSid(webRandom());
  const hashes = await Promise.all([
    sessionKeyHash(keys, "app", sid, hmac),
    sessionKeyHash(keys, "app2", sid, hmac),
    sessionKeyHash(others, "app", sid, hmac),
    sessionKeyHash(keys, "app", mintSid(webRandom()), hmac),
  ]);
  assertEquals(new Set(hashes).size, 4);
  for (const hash of hashes) {
    assert(/^[A-Za-z0-9_-]{43}$/.test(hash) && !hash.includes(sid));
    assertEquals(checkStorageKey(`app/session/${hash}`), `app/session/${hash}`);
  }
  assertEquals(await sessionKeyHash(keys, "app", sid, webHmac()), hashes[0]);
});

test("[KY8] a malformed session id has no storage key, and the error does not repeat it", () => {
  for (const sid of ["", "canary", "../canary", `${mintSid(webRandom())}canary`]) {
    const error = assertThrows(() => sessionKeyHash(keys, "app", sid, hmac), isTypeError);
    assert(!error.message.includes("canary"));
  }
  assertThrows(() => sessionKeyHash(keys, "a/b", mintSid(webRandom()), hmac), /namespace/);
});

test("[KY9] a namespace is 1 to 63 of a-z, 0-9, _ and -, so that no prefix is escaped", () => {
  for (const namespace of ["a", "0", "holdfast", "my-app_2", "a".repeat(63)]) {
    assertEquals(checkNamespace(namespace), namespace);
  }
  const refused = [
    "",
    "a".repeat(64),
    "/",
    "a/b",
    "..",
    ".",
    "a..b",
    "a\u0000",
    "\u0000",
    "A",
    "-a",
    "_a",
    "a b",
    "a|b",
    "a\n",
    "ä",
    "a~",
    undefined,
    null,
    1,
    ["a"],
  ];
  for (const namespace of refused) assertThrows(() => checkNamespace(namespace), isTypeError);
});

test("[KY10] a storage key is 1 to 1024 safe characters in segments that name no directory", () => {
  const longest = `${"a".repeat(511)}/${"b".repeat(512)}`;
  for (const key of ["a", "a/b/c", "A-Z_0.9~7E=", "...", "a.b/..c", longest]) {
    assertEquals(checkStorageKey(key), key);
  }
  const refused = [
    "",
    `${longest}c`,
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "a/../b",
    "a/.",
    "a/..",
    "../a",
    "a b",
    "a\\b",
    "a%2Fb",
    "a\u0000",
    "a\n",
    "ä",
    "a:b",
    "a?b",
    "a*b",
    undefined,
    null,
    7,
  ];
  for (const key of refused) assertThrows(() => checkStorageKey(key), isTypeError);
  assert(!assertThrows(() => checkStorageKey("canary//")).message.includes("canary"));
});

test("[KY11] every id comes back from its segment, and the segment is fit for a storage key", () => {
  const unit = fc.oneof(
    fc.constantFrom("grapheme", "binary").chain((unit) => fc.string({ unit, maxLength: 40 })),
    fc.string({ unit: fc.constantFrom(..."./\\~%=-_ aZ09\u0000\ufeffé漢😀"), maxLength: 40 }),
  );
  fc.assert(
    fc.property(unit.filter((id) => id !== "" && id.isWellFormed()), (id) => {
      const segment = encodeId(id);
      assertEquals(decodeId(segment), id);
      assert(/^[A-Za-z0-9_.~-]+$/.test(segment));
      assertEquals(checkStorageKey(`app/object/${segment}`), `app/object/${segment}`);
    }),
    { numRuns: 2000 },
  );
});

test("[KY11] different ids have different segments", () => {
  const ids = fc.uniqueArray(
    fc.string({ unit: fc.constantFrom(..."~.72E/a~"), minLength: 1, maxLength: 6 }),
    { minLength: 2, maxLength: 50 },
  );
  fc.assert(
    fc.property(ids, (ids) => {
      assertEquals(new Set(ids.map(encodeId)).size, ids.length);
    }),
    { numRuns: 500 },
  );
});

test("[KY11] the beginning of an id is written as the beginning of its segment", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), fc.string({ maxLength: 20 }), (
      beginning,
      rest,
    ) => {
      const id = beginning + rest;
      fc.pre(id !== "" && id !== "." && id !== ".." && id.isWellFormed());
      fc.pre(beginning.isWellFormed());
      assert(encodeId(id).startsWith(encodeIdPrefix(beginning)));
    }),
  );
  assertEquals(encodeIdPrefix(""), "");
  assertThrows(() => encodeIdPrefix("\ud800"), /lone surrogate/);
  assertThrows(() => encodeIdPrefix("é".repeat(200)), /no id is so long/);
});

test("[KY11] ids are escaped as written in the rule", () => {
  const table = [
    ["user-123_A.b", "user-123_A.b"],
    [".", "~2E"],
    ["..", "~2E~2E"],
    ["...", "..."],
    ["a/b", "a~2Fb"],
    ["~", "~7E"],
    ["~2E", "~7E2E"],
    ["é", "~C3~A9"],
    ["😀", "~F0~9F~98~80"],
    ["\ufeffa", "~EF~BB~BFa"],
    ["a=b", "a~3Db"],
  ] as const;
  for (const [id, segment] of table) {
    assertEquals(encodeId(id), segment);
    assertEquals(decodeId(segment), id);
  }
});

test("[KY11] a segment that no id has is undefined", () => {
  const foreign = [
    "",
    ".",
    "..",
    "~",
    "~7",
    "~7e",
    "~61",
    "~GG",
    "a b",
    "a/b",
    "~C3",
    "~FF",
    "~ED~A0~80",
    "~C0~AF",
    "~2E~2E~2E",
    "a~2E",
    "a=b",
    "a".repeat(513),
    "~2F".repeat(257),
  ];
  for (const segment of foreign) assertEquals(decodeId(segment), undefined, segment);
});

test("[KY12] an id is 1 to 512 bytes of UTF-8 and at most 768 characters once escaped", () => {
  for (const id of ["a".repeat(512), "/".repeat(256), "é".repeat(128), "漢".repeat(85)]) {
    assertEquals(decodeId(encodeId(id)), id);
  }
  for (const id of ["", "a".repeat(513), "é".repeat(257), "/".repeat(257), "漢".repeat(86)]) {
    assertThrows(() => encodeId(id), isRangeError);
  }
  for (const id of ["\ud800", "a\udc00b", 7 as unknown as string, undefined as unknown as string]) {
    assertThrows(() => encodeId(id), isTypeError);
  }
});

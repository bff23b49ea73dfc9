import fc from "fast-check";
import { decodeBase64url, encodeBase64url } from "../../src/core/base64url.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

test("[TK3] base64url agrees with the vectors of RFC 4648, without padding", () => {
  const vectors = [
    ["", ""],
    ["f", "Zg"],
    ["fo", "Zm8"],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg"],
    ["fooba", "Zm9vYmE"],
    ["foobar", "Zm9vYmFy"],
  ] as const;
  for (const [text, encoded] of vectors) {
    assertEquals(encodeBase64url(ascii(text)), encoded);
    assertEquals(decodeBase64url(encoded), ascii(text));
  }
  assertEquals(encodeBase64url(Uint8Array.of(0xfb, 0xff, 0xbf)), "-_-_");
});

test("[TK3] what base64url encodes it decodes to the same bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    assertEquals(decodeBase64url(encodeBase64url(bytes)), new Uint8Array(bytes));
  }));
});

test("[TK3] every text base64url accepts is the one it would have written", () => {
  const texts = fc.string({ unit: fc.constantFrom(..."AQgw09az-_=+/. \u0000é"), maxLength: 12 });
  let accepted = 0;
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = decodeBase64url(text);
      if (bytes === undefined) return;
      accepted++;
      assertEquals(encodeBase64url(bytes), text);
    }),
    { numRuns: 2000 },
  );
  assert(accepted > 10, "the property was never put to the test");
});

test("[TK3] base64url refuses padding, other alphabets, impossible lengths and left-over bits", () => {
  const malformed = [
    "Zg==",
    "Zm8=",
    "A",
    "AAAAA",
    "Zh",
    "Zm9",
    "-_-/",
    "+A",
    "Zm 9",
    "Zm9v\n",
    "é8",
  ];
  for (const text of malformed) assertEquals(decodeBase64url(text), undefined, text);
});

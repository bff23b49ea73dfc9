import fc from "fast-check";
import {
  type CookieOptions,
  cookieSettings,
  expireCookie,
  readCookie,
  serializeCookie,
} from "../../adapters/web/cookies.ts";
import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";

const NAME = "__Host-holdfast";

const isTypeError = (error: Error): boolean => error instanceof TypeError;
const isRangeError = (error: Error): boolean => error instanceof RangeError;

test("[CK1] with no options the cookie has every protection and ends with the browser session", () => {
  const settings = cookieSettings();
  assertEquals(
    serializeCookie(settings, "value"),
    "__Host-holdfast=value; Path=/; Secure; HttpOnly; SameSite=Lax",
  );
  assertEquals(cookieSettings({}), settings);
  assert(Object.isFrozen(settings));
});

test("[CK1] every attribute can be chosen", () => {
  const host = cookieSettings({ name: "__Host-id", sameSite: "Strict", maxAgeSeconds: 60 });
  assertEquals(
    serializeCookie(host, "v"),
    "__Host-id=v; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Strict",
  );
  const shared = cookieSettings({ name: "__Secure-id", domain: "example.com", sameSite: "None" });
  assertEquals(
    serializeCookie(shared, "v"),
    "__Secure-id=v; Domain=example.com; Path=/; Secure; HttpOnly; SameSite=None",
  );
});

test("[CK2] what is weaker than the default is a TypeError without dev", () => {
  const weaker: CookieOptions[] = [
    { secure: false },
    { httpOnly: false },
    { name: "sid" },
    { name: "__Secure-sid" },
    { name: "__Http-sid" },
    { name: "sid", domain: "example.com" },
    { secure: false, httpOnly: false, dev: false },
  ];
  for (const options of weaker) {
    assertThrows(() => cookieSettings(options), isTypeError);
    assertThrows(() => cookieSettings(options), /^Cannot set the session cookie: .*[^.]$/);
  }
});

test("[CK3] dev allows a cookie over http", () => {
  assertEquals(
    serializeCookie(cookieSettings({ dev: true }), "v"),
    "holdfast=v; Path=/; HttpOnly; SameSite=Lax",
  );
  assertEquals(
    serializeCookie(cookieSettings({ dev: true, name: "sid", httpOnly: false }), "v"),
    "sid=v; Path=/; SameSite=Lax",
  );
  assert(cookieSettings({ dev: true, secure: true }).secure);
});

test("[CK4] __Host-Http- can be chosen and refuses httpOnly: false", () => {
  const name = "__Host-Http-holdfast";
  assertEquals(
    serializeCookie(cookieSettings({ name }), "v"),
    `${name}=v; Path=/; Secure; HttpOnly; SameSite=Lax`,
  );
  assertThrows(() => cookieSettings({ name, httpOnly: false }), isTypeError);
  assertThrows(
    () => cookieSettings({ name, httpOnly: false, secure: true, dev: true }),
    /"__Host-Http-" requires httpOnly/,
  );
});

test("[CK4] what a browser would drop is a TypeError, with dev too", () => {
  const dropped: CookieOptions[] = [
    { domain: "example.com" },
    { name: NAME, domain: "example.com" },
    { name: NAME },
    { name: "__Secure-id" },
    { name: "__Http-id", secure: true, httpOnly: false },
    { name: "__Host-Http-id", secure: true, domain: "example.com" },
    { name: "__host-id", secure: true },
    { name: "__HOST-HTTP-id", secure: true },
    { name: "id", sameSite: "None" },
  ];
  for (const options of dropped) {
    assertThrows(() => cookieSettings({ name: NAME, dev: true, ...options }), isTypeError);
  }
});

test("[CK5] a malformed option is a TypeError, a lifetime out of range a RangeError", () => {
  const malformed: unknown[] = [
    { name: "" },
    { name: "__Host-a b" },
    { name: "__Host-a;b" },
    { name: "__Host-a=b" },
    { name: "__Host-ä" },
    { name: `__Host-${"a".repeat(122)}` },
    { name: 7 },
    { sameSite: "lax" },
    { sameSite: "Lax; Domain=evil.example" },
    { path: "/app" },
    { name: "__Secure-id", domain: "example.com; Path=/x" },
    { name: "__Secure-id", domain: ".example.com" },
    { name: "__Secure-id", domain: "" },
    { secure: "false" },
    { dev: 1 },
    { httpOnly: "yes" },
  ];
  for (const options of malformed) {
    assertThrows(() => cookieSettings(options as CookieOptions), isTypeError);
  }
  for (const maxAgeSeconds of [0, -1, 1.5, NaN, Infinity, 34_560_001]) {
    assertThrows(() => cookieSettings({ maxAgeSeconds }), isRangeError);
  }
  assertEquals(cookieSettings({ maxAgeSeconds: 34_560_000 }).maxAgeSeconds, 34_560_000);
});

test("[CK6] a value that would break out of its header is a TypeError, one too long a RangeError", () => {
  const settings = cookieSettings();
  const breaking = [
    "a;b",
    "a b",
    'a"b',
    "a,b",
    "a\\b",
    "a\r\nSet-Cookie: b=c",
    "a\u0000",
    "é",
    "\u007f",
  ];
  for (const value of breaking) assertThrows(() => serializeCookie(settings, value), isTypeError);
  const longest = "v".repeat(4096 - NAME.length);
  assert(serializeCookie(settings, longest).includes(longest));
  assertThrows(() => serializeCookie(settings, `${longest}v`), isRangeError);
});

test("[CK6] every printable character is either written as it is or refused", () => {
  const settings = cookieSettings();
  const refused: string[] = [];
  for (let code = 0; code < 256; code++) {
    const value = String.fromCharCode(code);
    try {
      assert(serializeCookie(settings, value).startsWith(`${NAME}=${value}; `));
    } catch {
      if (code > 0x1f && code < 0x7f) refused.push(value);
    }
  }
  assertEquals(refused, [...' ",;\\']);
});

test("[CK7] removing the cookie repeats its attributes with Max-Age=0", () => {
  assertEquals(
    expireCookie(cookieSettings({ maxAgeSeconds: 60 })),
    `${NAME}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax`,
  );
  const shared = cookieSettings({ name: "__Secure-id", domain: "example.com", sameSite: "Strict" });
  assertEquals(
    expireCookie(shared),
    "__Secure-id=; Max-Age=0; Domain=example.com; Path=/; Secure; HttpOnly; SameSite=Strict",
  );
});

test("[CK8] every value of the name is read, in order, and of no other name", () => {
  const table: [string | null | undefined, string[]][] = [
    [null, []],
    [undefined, []],
    ["", []],
    ["s=1", ["1"]],
    ["s=bad; s=good", ["bad", "good"]],
    ["a=0; s=1;s=2;  s=3 ;\ts\t=\t4\t", ["1", "2", "3", "4"]],
    ['s="quoted"; s="; s=""; s="a', ["quoted", '"', "", '"a']],
    ["s=a=b; s=", ["a=b", ""]],
    ["S=1; ss=2; as=3; s; =s; s s=4; $s=5", []],
    ["a=s=1; b=; s=2", ["2"]],
    ["s s=1; s; s=2; s", ["2"]],
    ["s=s=1;s =s; s=\t;s", ["s=1", "s", ""]],
    ["s=%41%zz; s=é", ["%41%zz", "é"]],
    [";;;; =; s=1;;", ["1"]],
  ];
  for (const [header, values] of table) assertEquals(readCookie(header, "s"), values, `${header}`);
});

/** The plain way to read a cookie: split, strip, compare. */
function splitCookie(header: string, name: string): string[] {
  const strip = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, "");
  return header.split(";").flatMap((pair) => {
    const equals = pair.indexOf("=");
    if (equals < 0 || strip(pair.slice(0, equals)) !== name) return [];
    return [strip(pair.slice(equals + 1)).replace(/^"(.*)"$/, "$1")];
  });
}

test("[CK8] reading from name to name gives what splitting at every semicolon gives", () => {
  const pieces = fc.constantFrom(...'sS;=, \t"a', "; s=", ";ss =", "as=");
  const headers = fc.array(pieces, { maxLength: 30 }).map((all) => all.join(""));
  let read = 0;
  fc.assert(
    fc.property(headers, fc.constantFrom("s", "ss", "as"), (header, name) => {
      const values = readCookie(header, name);
      read += values.length;
      assertEquals(values, splitCookie(header, name).slice(0, 20));
    }),
    { numRuns: 5000 },
  );
  assert(read > 500, "hardly a header had the name");
});

test("[CK9] a comma separates no cookies, and no quote hides a semicolon", () => {
  assertEquals(readCookie(`a=1, ${NAME}=evil`, NAME), []);
  assertEquals(readCookie(`${NAME}=good, b=2`, NAME), ["good, b=2"]);
  assertEquals(readCookie(`a="x; ${NAME}=seen"`, NAME), ['seen"']);
});

test("[CK9] nothing but spaces and tabs is stripped from a name", () => {
  for (const blank of ["\u00a0", "\u2000", "\ufeff", "\u0085", "\u000b", "\u000c", "\u0000"]) {
    assertEquals(readCookie(`a=1; ${blank}${NAME}=evil`, NAME), []);
    assertEquals(readCookie(`${NAME}${blank}=evil`, NAME), []);
  }
});

test("[CK10] at most 20 values are read, and none beyond 8192 characters or cut off there", () => {
  assertEquals(readCookie("s=1;".repeat(500), "s").length, 20);
  const filler = (length: number): string => `a=${"x".repeat(length - 3)};`;
  assertEquals(readCookie(`${filler(8188)}s=12`, "s"), ["12"]);
  assertEquals(readCookie(`${filler(8188)}s=12;b=3`, "s"), ["12"]);
  assertEquals(readCookie(`${filler(8188)}s=123`, "s"), []);
  assertEquals(readCookie(`${filler(8192)}s=1`, "s"), []);
  assertEquals(readCookie(`s=1; ${filler(100_000)}`, "s"), ["1"]);
});

test("[CK10] no header makes reading throw, and what was written is what is read", () => {
  const settings = cookieSettings();
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (header) => {
      assert(readCookie(header, NAME).length <= 20);
      const written = serializeCookie(settings, "abc-_.123").split(";")[0];
      assertEquals(readCookie(`${header.replaceAll(NAME, "")}; ${written}`, NAME), ["abc-_.123"]);
    }),
    { numRuns: 1000 },
  );
});

import fc from "fast-check";
import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";
import { webClock } from "../../adapters/web/clock.ts";
import { fastestHmac, webHmac } from "../../adapters/web/hmac.ts";
import { webRandom } from "../../adapters/web/random.ts";
import { assert, assertEquals, assertThrows, runtime, test } from "../harness/mod.ts";

const isRangeError = (error: Error): boolean => error instanceof RangeError;

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Replaces a global function until the test is over. */
function replace<K extends "setTimeout" | "clearTimeout">(name: K, by: unknown): () => void {
  const original = globalThis[name];
  Object.assign(globalThis, { [name]: by });
  return () => void Object.assign(globalThis, { [name]: original });
}

test("[WP1] random bytes come from crypto.getRandomValues, as many as asked for", (t) => {
  let drawn = 0;
  const original = crypto.getRandomValues;
  const spy = <T extends ArrayBufferView<ArrayBuffer>>(array: T): T => {
    drawn += array.byteLength;
    return original.call(crypto, array) as T;
  };
  Object.defineProperty(crypto, "getRandomValues", { value: spy, configurable: true });
  t.defer(() => void Reflect.deleteProperty(crypto, "getRandomValues"));
  const random = webRandom();
  for (const length of [0, 1, 32, 65_536, 200_000]) {
    drawn = 0;
    assertEquals(random.bytes(length).length, length);
    assertEquals(drawn, length);
  }
  assert(random.bytes(200_000).subarray(-64).some((byte) => byte !== 0), "the end was not filled");
  drawn = 0;
  random.number();
  assertEquals(drawn, 4);
});

test("[WP1] a number is in [0, 1), and a length that is none is a RangeError", () => {
  const random = webRandom();
  const numbers = Array.from({ length: 1000 }, () => random.number());
  assert(numbers.every((n) => n >= 0 && n < 1));
  assert(Math.max(...numbers) > 0.9 && Math.min(...numbers) < 0.1);
  for (const length of [-1, 1.5, NaN, Infinity, "8" as unknown as number]) {
    assertThrows(() => random.bytes(length), isRangeError);
  }
});

for (const [which, hmac] of [["fastest", fastestHmac()], ["web", webHmac()]] as const) {
  test(`[WP2] the ${which} HMAC agrees with RFC 4231`, async () => {
    const vectors: [Uint8Array, Uint8Array, string][] = [
      [
        new Uint8Array(20).fill(0x0b),
        ascii("Hi There"),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
      ],
      [
        ascii("Jefe"),
        ascii("what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      ],
      [
        new Uint8Array(20).fill(0xaa),
        new Uint8Array(50).fill(0xdd),
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
      ],
      [
        new Uint8Array(131).fill(0xaa),
        ascii("Test Using Larger Than Block-Size Key - Hash Key First"),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
      ],
    ];
    for (const [key, data, expected] of vectors) {
      const tag = await hmac(key, data);
      assertEquals(toHex(tag), expected);
      assertEquals(Object.getPrototypeOf(tag), Uint8Array.prototype);
    }
  });

  test(`[WP3] the ${which} HMAC notices a key or data array that was changed in place`, async () => {
    const key = new Uint8Array(32).fill(1);
    const data = ascii("data");
    const first = await hmac(key, data);
    const pending = hmac(key, data);
    data[0] = 0x44;
    assertEquals(await pending, first);
    data[0] = 0x64;
    key.fill(2);
    assertEquals(await hmac(key, data), await hmac(new Uint8Array(32).fill(2), data));
    assert(toHex(await hmac(key, data)) !== toHex(first));
  });
}

test("[WP2] the two HMACs agree on any key and data, views into a larger buffer included", async () => {
  const [fast, web] = [fastestHmac(), webHmac()];
  const bytes = fc.uint8Array({ maxLength: 200 });
  const property = fc.asyncProperty(bytes, bytes, fc.nat(20), async (key, data, skip) => {
    const [keyView, dataView] = [key.subarray(skip), data.subarray(skip)];
    assertEquals(await fast(keyView, dataView), await web(keyView, dataView));
  });
  await fc.assert(property, { numRuns: 200 });
});

test(`[WP4] the fastest HMAC is synchronous on ${runtime}`, () => {
  assert(fastestHmac()(ascii("key"), ascii("data")) instanceof Uint8Array);
});

test("[WP4] without Bun it is the one of node:crypto, without that the one of WebCrypto", async () => {
  const [key, data] = [ascii("Jefe"), ascii("what do ya want for nothing?")];
  for (const Deno of [undefined, {}]) {
    const node = fastestHmac({ process, Deno });
    const tag = node(key, data);
    assert(tag instanceof Uint8Array && toHex(tag).startsWith("5bdcc146"));
    assertEquals(node(key, data), tag);
  }
  for (const globals of [{}, { process: {} }, { process: { getBuiltinModule: () => undefined } }]) {
    const tag = fastestHmac(globals)(key, data);
    assert(tag instanceof Promise);
    assertEquals(toHex(await tag).slice(0, 8), "5bdcc146");
  }
});

test("[WP5] the clock says what Date and performance say", () => {
  const clock = webClock();
  const before = Date.now();
  const now = clock.now();
  assert(before <= now && now <= Date.now());
  const first = clock.monotonic();
  assert(clock.monotonic() >= first);
});

test("[WP5] a timer calls back once, and not after it was cancelled", async () => {
  const clock = webClock();
  const fired: string[] = [];
  const cancel = clock.timer(0, () => fired.push("cancelled"));
  cancel();
  const again = clock.timer(0, () => fired.push("fired"));
  await new Promise<void>((resolve) => void clock.timer(5, resolve));
  assertEquals(fired, ["fired"]);
  again();
  cancel();
});

test("[WP5] a delay longer than 32 bits waits in steps and can be cancelled in any of them", (t) => {
  const delays: number[] = [];
  const cleared: number[] = [];
  let fire: () => void = () => {};
  t.defer(replace("setTimeout", (callback: () => void, delayMs: number) => {
    fire = callback;
    return delays.push(delayMs);
  }));
  t.defer(replace("clearTimeout", (id: number) => void cleared.push(id)));
  const limit = 2 ** 31 - 1;
  let calls = 0;
  const cancel = webClock().timer(2 * limit + 10, () => calls++);
  fire();
  fire();
  assertEquals([delays, calls], [[limit, limit, 10], 0]);
  fire();
  assertEquals([delays.length, calls], [3, 1]);
  cancel();
  assertEquals(cleared, [3]);
});

test("[WP5] a delay that is negative or no number is a RangeError", () => {
  for (const delayMs of [-1, NaN, undefined as unknown as number]) {
    assertThrows(() => webClock().timer(delayMs, () => {}), isRangeError);
  }
});

test("[WP6] a background timer does not keep the process alive, another does", async () => {
  const clock = new URL("../../adapters/web/clock.ts", import.meta.url);
  const script = (background: boolean): string =>
    `const { webClock } = await import(${JSON.stringify(clock.href)});` +
    `webClock().timer(${
      background ? 600_000 : 20
    }, () => console.log("fired"), { background: ${background} });` +
    `console.log("started");`;
  const run = async (background: boolean): Promise<string[]> => {
    const flags = runtime === "deno" ? ["eval", "--ext=ts"] : ["-e"];
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, script(background)], {
      timeout: 20_000,
    });
    return stdout.trim().split(/\s+/);
  };
  assertEquals(await run(true), ["started"]);
  assertEquals(await run(false), ["started", "fired"]);
});

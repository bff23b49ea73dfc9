import fc from "fast-check";
import { fastestHmac, webHmac } from "../../adapters/web/hmac.ts";
import { webRandom } from "../../adapters/web/random.ts";
import { signReservation, verifyReservation } from "../../src/core/reservation.ts";
import { deriveKeys, type Keys } from "../../src/core/secret.ts";
import { mintSid, parseToken, signToken, verifyToken } from "../../src/core/token.ts";
import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";

const name = "__Host-holdfast";
const hmac = fastestHmac();
const [old, current] = await deriveKeys([
  "an old root secret, 32 bytes or more of it",
  "the new root secret, 32 bytes or more of it",
], hmac) as [Keys, Keys];
const random = webRandom();

test("[TK8] a reservation says whose it is and until when, to every key that is listed", async () => {
  const sid = mintSid(random);
  for (const mac of [hmac, webHmac()]) {
    const token = await signReservation(old, name, sid, 1_800_000_000_999, mac);
    assertEquals(token.length, 106);
    assert(/^[A-Za-z0-9_.-]+$/.test(token));
    assertEquals(await verifyReservation([current, old], name, token, mac), {
      sid,
      keyIndex: 1,
      until: 1_800_000_000_000,
    });
    assertEquals(await verifyReservation([current], name, token, mac), undefined);
    assertEquals(await verifyReservation([current, old], "__Host-other", token, mac), undefined);
  }
});

test("[TK8] neither kind of token passes for the other", async () => {
  const sid = mintSid(random);
  const reservation = await signReservation(current, name, sid, 1_800_000_000_000, hmac);
  const token = await signToken(current, name, sid, hmac);
  assertEquals(parseToken(reservation), undefined);
  assertEquals(await verifyToken([current], name, reservation, hmac), undefined);
  assertEquals(await verifyReservation([current], name, token, hmac), undefined);
  const [, kid, , time, tag] = reservation.split(".");
  for (
    const forged of [`v1.${kid}.${sid}.${tag}`, `r1.${kid}.${sid}.${time}.${token.slice(-43)}`]
  ) {
    assertEquals(await verifyToken([current], name, forged, hmac), undefined);
    assertEquals(await verifyReservation([current], name, forged, hmac), undefined);
  }
});

test("[TK8] any changed character is refused, and no text makes verifying throw", async () => {
  const token = await signReservation(current, name, mintSid(random), 1_800_000_000_000, hmac);
  for (let at = 0; at < token.length; at++) {
    const other = token[at] === "A" ? "B" : "A";
    const changed = token.slice(0, at) + other + token.slice(at + 1);
    assertEquals(await verifyReservation([current], name, changed, hmac), undefined, `${at}`);
  }
  await fc.assert(fc.asyncProperty(fc.string({ maxLength: 200 }), async (text) => {
    assertEquals(await verifyReservation([current], name, text, hmac), undefined);
  }));
});

test("[TK8] what is no session id or no time is not signed", () => {
  assertThrows(() => signReservation(current, name, "abc", 1, hmac), /malformed/);
  assertThrows(() => signReservation(current, name, mintSid(random), NaN, hmac), /malformed/);
  assertThrows(() => signReservation(current, name, mintSid(random), Infinity, hmac), /malformed/);
});

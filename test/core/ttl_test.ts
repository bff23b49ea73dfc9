import fc from "fast-check";
import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";
import {
  checkLifetime,
  expiry,
  isExpired,
  type Lifetime,
  shouldTouch,
} from "../../src/core/ttl.ts";

const lifetime: Lifetime = { idleMs: 1_000, absoluteMs: 5_000, unconfirmedMs: 100 };
const time = fc.integer({ min: 0, max: 10_000 });

test("[LT1] a record dies at its idle limit, and at its absolute limit whatever happens", () => {
  const age = { created: 0, seen: 0, confirmed: true };
  assertEquals(expiry(age, lifetime), 1_000);
  assertEquals(isExpired(age, lifetime, 999), false);
  assertEquals(isExpired(age, lifetime, 1_000), true);
  assertEquals(expiry({ ...age, seen: 3_000 }, lifetime), 4_000);
  assertEquals(expiry({ ...age, seen: 4_900 }, lifetime), 5_000);
  fc.assert(fc.property(time, time, fc.boolean(), time, (created, seen, confirmed, now) => {
    const dead = expiry({ created, seen, confirmed }, lifetime);
    assert(dead <= created + lifetime.absoluteMs);
    assertEquals(isExpired({ created, seen, confirmed }, lifetime, now), now >= dead);
  }));
});

test("[LT2] a record whose client never came back dies early", () => {
  const age = { created: 0, seen: 50, confirmed: false };
  assertEquals(expiry(age, lifetime), 100);
  assertEquals(isExpired(age, lifetime, 100), true);
  assertEquals(isExpired({ ...age, confirmed: true }, lifetime, 100), false);
});

test("[LT3] a record without readable times is expired", () => {
  for (const age of [{ created: NaN, seen: 0 }, { created: 0, seen: NaN }]) {
    assertEquals(isExpired({ ...age, confirmed: true }, lifetime, 1), true);
  }
  assertEquals(isExpired({ created: 0, seen: 0, confirmed: true }, lifetime, NaN), true);
});

test("[LT4] a read is written down when it confirms, or a quarter of the idle time has passed", () => {
  const age = { created: 0, seen: 100, confirmed: true };
  assertEquals(shouldTouch(age, lifetime, 350), false);
  assertEquals(shouldTouch(age, lifetime, 351), true);
  assertEquals(shouldTouch({ ...age, confirmed: false }, lifetime, 100), true);
  assertEquals(shouldTouch(age, { ...lifetime, idleMs: Infinity }, 1e15), false);
});

test("[LT4] 1000 reads in a quarter of the idle time touch at most once", () => {
  let seen = 0;
  let touches = 0;
  for (let read = 1; read <= 1_000; read++) {
    const now = 200 + read / 4;
    if (!shouldTouch({ created: 0, seen, confirmed: true }, lifetime, now)) continue;
    seen = now;
    touches++;
  }
  assertEquals(touches, 1);
});

test("[LT5] a clock that went back never touches", () => {
  for (const confirmed of [true, false]) {
    assertEquals(shouldTouch({ created: 0, seen: 100, confirmed }, lifetime, 99), false);
  }
});

test("[LT6] lifetimes have defaults and are above 0; only the limit of unconfirmed is finite", () => {
  assertEquals(checkLifetime(undefined), {
    idleMs: 86_400_000,
    absoluteMs: 2_592_000_000,
    unconfirmedMs: 600_000,
  });
  assertEquals(checkLifetime({ idleMs: Infinity, absoluteMs: Infinity }), {
    idleMs: Infinity,
    absoluteMs: Infinity,
    unconfirmedMs: 600_000,
  });
  for (const name of ["idleMs", "absoluteMs", "unconfirmedMs"] as const) {
    for (const value of [0, -1, NaN, -Infinity]) {
      const error = assertThrows(() => checkLifetime({ [name]: value }), new RegExp(name));
      assert(error instanceof RangeError);
    }
    for (const value of ["1", null, 1n]) {
      const error = assertThrows(
        () => checkLifetime({ [name]: value as unknown as number }),
        new RegExp(name),
      );
      assert(error instanceof TypeError);
    }
  }
  assertThrows(() => checkLifetime({ unconfirmedMs: Infinity }), /unconfirmedMs is not finite$/);
});

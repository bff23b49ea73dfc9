import assert from "node:assert/strict";
import { createHoldfast, defineObject } from "holdfast";
import { memoryStorage } from "holdfast/memory";
import { createVirtualClock } from "holdfast/testing";

const burst = 10;
const perSecond = 2;

/** One bucket of tokens per client: ten requests at once, then two a second. */
const RateLimiter = defineObject({
  name: "rate-limiter",
  vsn: 1,
  state: () => ({ tokens: burst, at: 0 }),
  handlers: {
    take({ state, now }, count = 1) {
      const tokens = Math.min(burst, state.tokens + (now() - state.at) / 1000 * perSecond);
      // Nothing is changed here, so a request that is turned away writes nothing.
      if (tokens < count) return { ok: false, retryAfterMs: (count - tokens) / perSecond * 1000 };
      state.tokens = tokens - count;
      state.at = now();
      return { ok: true, retryAfterMs: 0 };
    },
  },
  hibernateAfterMs: 60_000,
});

const clock = createVirtualClock({ now: 1_700_000_000_000 });
await using holdfast = createHoldfast({
  storage: memoryStorage(),
  secrets: [crypto.getRandomValues(new Uint8Array(32))],
  objects: [RateLimiter],
  clock,
});

const client = holdfast.object(RateLimiter, "203.0.113.7");
const answers = await Promise.all(Array.from({ length: 12 }, () => client.take()));
assert.equal(answers.filter(({ ok }) => ok).length, 10);
assert.deepEqual(answers.at(-1), { ok: false, retryAfterMs: 500 });

await clock.advance(500);
assert.equal((await client.take()).ok, true);
assert.equal((await holdfast.object(RateLimiter, "203.0.113.8").take()).ok, true);

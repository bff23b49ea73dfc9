import fc from "fast-check";
import { Pace, rateOf } from "../../src/client/document/pace.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { second, world } from "../object_model/world.ts";
import { defineDocument } from "../../src/document/definition.ts";
import type { DocumentDefinition } from "../../src/document/model.ts";
import { SimulatedClient } from "./simulated_client.ts";

/** Numbers that come in order. */
const Sum: DocumentDefinition<{ last: number; inOrder: number }, number> = defineDocument({
  name: "sum",
  vsn: 1,
  state: () => ({ last: 0, inOrder: 0 }),
  apply: ({ last, inOrder }, op: number) => ({
    state: { last: op, inOrder: inOrder + Number(op === last + 1) },
  }),
});

const network = { delayMs: () => 30, breaks: () => false };

test("[DC16] a thousand operations that have waited arrive at the pace the server has named, none refused", async () => {
  const w = world();
  const sum = w.node().document(Sum, "a");
  const ada = new SimulatedClient(Sum.spec, w.clock, "ada", network);
  for (let n = 1; n <= 1000; n++) ada.mutate(n);
  ada.connect(sum as never);
  await w.clock.advance(1 * second);
  const first = ada.answers.size;
  assert(first > 150 && first < 250, `${first} in the first second`);
  await w.clock.advance(9 * second);
  assertEquals([ada.replica.pending.length, ada.closes], [0, []]);
  assertEquals(await w.finish(sum.state()), { last: 1000, inOrder: 1000 });
});

test("[DC16] what a network holds back and lets go at once is never more than the server takes", () => {
  const rate = { perSecond: 100, burst: 200 };
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.nat(3000), fc.nat(3000)), { minLength: 1, maxLength: 20 }),
    (stalls) => {
      // In steps of 10 ms. A stall ends for all that was sent in it at once, each way.
      const pace = new Pace(rate, 0);
      let [tokens, unanswered] = [rate.burst - 1, 0];
      let [up, down] = [0, 0];
      const due = stalls.flatMap(([quiet, stall]) => [
        ...Array<boolean>(Math.ceil(quiet / 10)).fill(false),
        ...Array<boolean>(Math.ceil(stall / 10)).fill(true),
      ]);
      for (const [step, held] of [...due, false, false].entries()) {
        const now = step * 10;
        const room = pace.operations(unanswered, now);
        pace.sent(room, now);
        unanswered += room;
        up += room;
        tokens = Math.min(rate.burst, tokens + 1);
        if (held) continue;
        unanswered -= down;
        [tokens, down, up] = [tokens - up, up, 0];
        assert(tokens >= 0, `the server would have refused at ${now} ms`);
      }
    },
  ));
});

test("[DC16] a server that names no limit is sent everything, one that names nothing the usual", () => {
  const free = new Pace(rateOf({ perSecond: null, burst: null }), 0);
  assertEquals(free.operations(5000, 0), Infinity);
  free.sent(1000, 0);
  assertEquals([free.operations(6000, 0), free.waitMs(6000, 0)], [Infinity, 0]);
  const usual = new Pace(rateOf(undefined), 0);
  assertEquals([usual.operations(0, 0), usual.operations(90, 0), usual.hereEveryMs], [97, 7, 50]);
  usual.sent(97, 0);
  assertEquals([usual.operations(0, 0), usual.waitMs(0, 0), usual.waitMs(97, 0)], [
    0,
    10,
    undefined,
  ]);
  const slow = new Pace({ perSecond: 2, burst: 3 }, 0);
  assertEquals([slow.operations(0, 0), slow.hereEveryMs], [1, 1000]);
});

import assert from "node:assert/strict";
import { createHoldfast, defineObject } from "holdfast";
import { memoryStorage } from "holdfast/memory";
import * as v from "valibot";

class SoldOut extends Error {}

/** What is left of one product. */
const Stock = defineObject({
  name: "stock",
  vsn: 1,
  state: () => ({ left: 3 }),
  handlers: {
    take({ state }, count: number) {
      if (state.left < count) throw new SoldOut(`${state.left} left`);
      state.left -= count;
    },
    left: { readOnly: true, run: ({ state }) => state.left },
  },
});

const sent: string[] = [];

/** The cart of one customer. Version 1 kept bare product names. */
const Cart = defineObject({
  name: "cart",
  vsn: 2,
  state: () => ({ lines: [] as { product: string; count: number }[], ordered: false }),
  migrate: (_from, { products = [], ...rest }) => ({
    ...rest,
    lines: (products as string[]).map((product) => ({ product, count: 1 })),
  }),
  handlers: {
    add: {
      args: v.tuple([v.string(), v.pipe(v.number(), v.integer(), v.minValue(1))]),
      run({ state, schedule }, product: string, count: number) {
        const line = state.lines.find((line) => line.product === product);
        if (line === undefined) state.lines.push({ product, count });
        else line.count += count;
        // Set anew by each call: a cart is forgotten 30 days after the last one.
        schedule("forget", 30 * 24 * 60 * 60_000);
        return state.lines;
      },
    },
    lines: { readOnly: true, run: ({ state }) => state.lines },
    async order({ id, state, call, cancel, afterCommit }) {
      for (const { product, count } of state.lines) await call(Stock, product, "take", count);
      state.lines = [];
      state.ordered = true;
      cancel("forget");
      // Runs once, when the order is durable, however often the handler was run for it.
      afterCommit(() => void sent.push(id));
    },
  },
  alarms: {
    forget({ state }) {
      state.lines = [];
    },
  },
});

await using holdfast = createHoldfast({
  storage: memoryStorage(),
  secrets: [crypto.getRandomValues(new Uint8Array(32))],
  objects: [Cart, Stock],
});

const cart = holdfast.object(Cart, "ann");
await cart.add("kelp", 2);
assert.deepEqual(await cart.add("kelp", 2), [{ product: "kelp", count: 4 }]);

// What a handler throws reaches the caller as it is, and nothing of the call remains.
await assert.rejects(() => cart.order(), SoldOut);
assert.deepEqual(await cart.lines(), [{ product: "kelp", count: 4 }]);

await assert.rejects(
  () => holdfast.call("cart", "ann", "add", ["kelp", -1]),
  { code: "ERR_INVALID_ARGUMENTS" },
);

const other = holdfast.object(Cart, "bob");
await other.add("kelp", 1);
await other.order();
assert.deepEqual([await holdfast.object(Stock, "kelp").left(), sent], [2, ["bob"]]);

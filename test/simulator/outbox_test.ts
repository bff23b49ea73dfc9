import { defineObject } from "../../src/object/definition.ts";
import { simulate } from "../../adapters/testing/mod.ts";
import { assert, assertEquals, runtime, test } from "../harness/mod.ts";

const Till = defineObject({
  name: "till",
  vsn: 1,
  state: () => ({ total: 0, taken: [] as string[] }),
  handlers: {
    takeOnce({ state }, payment: string, amount: number) {
      if (state.taken.includes(payment)) return;
      state.taken.push(payment);
      state.total += amount;
    },
  },
});

/** Pays and remembers it in one write; the alarm delivers it, as often as it takes. */
const Wallet = defineObject({
  name: "wallet",
  vsn: 1,
  state: () => ({ paid: 0, payments: 0, outbox: {} as Record<string, number> }),
  handlers: {
    pay({ id, state, schedule }, amount: number) {
      state.paid += amount;
      state.outbox[`${id}-${state.payments++}`] = amount;
      schedule("deliver", 0);
    },
  },
  alarms: {
    async deliver({ state, call }) {
      for (const [payment, amount] of Object.entries(state.outbox)) {
        await call(Till, "main", "takeOnce", payment, amount);
        delete state.outbox[payment];
      }
    },
  },
});

test(
  "[OJ41] under all faults, what an alarm has delivered was stored, and all that was stored is delivered",
  async () => {
    // A seed has the same history everywhere, so one runtime goes through most of them.
    const seeds = runtime === "bun" ? 150 : 15;
    const happened = { crash: 0, conflictStorm: 0, deploy: 0 };
    for (let seed = 1; seed <= seeds; seed++) {
      const { problems, counts } = await simulate({
        seed,
        objects: [Wallet, Till],
        workload: async (client) => {
          await client.object(Wallet, client.pick(["ann", "bob"])).pay(1);
        },
        check({ stored }) {
          const paid = stored(Wallet).reduce((sum, { state }) => sum + Number(state["paid"]), 0);
          assertEquals(Number(stored(Till)[0]?.state["total"] ?? 0), paid);
        },
      });
      assertEquals(problems, [], `seed ${seed}`);
      for (const fault of Object.keys(happened) as (keyof typeof happened)[]) {
        happened[fault] += counts.faults[fault] ?? 0;
      }
    }
    for (const [fault, times] of Object.entries(happened)) {
      assert(times >= seeds / 3, `${fault}: ${times}`);
    }
  },
  { timeoutMs: 120_000 },
);

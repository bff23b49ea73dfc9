import type { SimulationOptions } from "../../../adapters/testing/mod.ts";
import { defineObject } from "../../../mod.ts";

/** Answers before it is durable: what was not flushed may be lost, but never half of it. */
const Draft = defineObject({
  name: "draft",
  vsn: 1,
  state: () => ({ keys: [] as string[], count: 0 }),
  handlers: {
    type({ state }, key: string) {
      state.keys.push(key);
      state.count++;
      return state.count;
    },
    length: { readOnly: true, run: ({ state }) => state.keys.length },
  },
  durability: "behind",
  hibernateAfterMs: 400,
});

/** Keystrokes, and a flush now and then. */
export function drafts(): Omit<SimulationOptions, "seed"> {
  return {
    objects: [Draft],
    steps: 8,
    workload: async (client) => {
      const draft = client.object(Draft, client.pick(["x", "y"]));
      const burst = Math.ceil(client.random() * 4);
      for (let n = 0; n < burst; n++) {
        await draft.type(`${client.name}.${client.step}.${n}`);
        if (client.random() < 0.3) await client.pause(client.random() * 50);
      }
      const lot = client.random();
      if (lot < 0.6) await draft.flush();
      else if (lot < 0.8) await draft.length();
    },
    invariant: ({ state: { keys, count } }) => {
      if ((keys as string[]).length !== count) throw new Error("half of a keystroke is stored");
    },
  };
}

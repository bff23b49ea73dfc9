import type { SimulationOptions } from "../../../adapters/testing/mod.ts";
import { defineObject } from "../../../mod.ts";

const Old = defineObject({
  name: "order",
  vsn: 1,
  state: () => ({ items: [] as string[] }),
  handlers: {
    add({ state, schedule }, item: string) {
      state.items.push(item);
      if (state.items.length % 5 === 0) schedule("remind", 700);
    },
    items: { readOnly: true, run: ({ state }) => state.items },
  },
  alarms: { remind: ({ state }) => void state.items.push("old reminder") },
  hibernateAfterMs: 1000,
});

const New = defineObject({
  name: "order",
  vsn: 2,
  state: () => ({ lines: [] as { item: string }[] }),
  unknownFields: "drop",
  migrate: (_from, { items }) => ({ lines: (items as string[]).map((item) => ({ item })) }),
  handlers: {
    add({ state, schedule }, item: string) {
      state.lines.push({ item });
      if (state.lines.length % 5 === 0) schedule("remind", 700);
    },
    items: { readOnly: true, run: ({ state }) => state.lines.map(({ item }) => item) },
  },
  alarms: { remind: ({ state }) => void state.lines.push({ item: "new reminder" }) },
  hibernateAfterMs: 1000,
});

/** Two versions of a definition side by side, as during a rolling deploy. */
export function deploy(): Omit<SimulationOptions<Map<string, number>>, "seed"> {
  return {
    objects: [Old],
    next: [New],
    faults: { deploy: 3 },
    notes: () => new Map(),
    workload: async (client) => {
      // By name: whoever answers does so in the version it serves.
      const order = client.object(Old, client.pick(["o1", "o2"]), {
        fresh: client.random() < 0.4,
      });
      if (client.random() < 0.7) await order.add(`${client.name}.${client.step}`);
      else await order.items();
    },
    invariant: ({ id, vsn }, versions) => {
      const before = versions.get(id) ?? 1;
      if (vsn < before) throw new Error(`version ${vsn} was written over version ${before}`);
      versions.set(id, vsn);
    },
  };
}

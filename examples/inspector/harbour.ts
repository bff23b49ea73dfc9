/** What the demo has to show: berths with alarms, a chart that people draw on, and a page. */
import {
  type AnyObjectDefinition,
  defineObject,
  type Holdfast,
  treeDocument,
  type TreeOp,
} from "holdfast";
import { type AnyView, defineView } from "holdfast/live";
import { html } from "hono/html";

/** A place where one ship lies until its time is up. */
const Berth = defineObject({
  name: "berth",
  vsn: 2,
  state: () => ({
    ship: null as string | null,
    cargo: [] as { what: string; tons: number }[],
    harbourMaster: { name: "Ines", password: "not for your eyes" },
    visits: 0,
  }),
  handlers: {
    dock: ({ state, schedule }, ship: string, forMs: number) => {
      if (state.ship !== null) return false;
      state.ship = ship;
      state.cargo = [{ what: "kelp", tons: 12 }, { what: "rope", tons: 3 }];
      state.visits++;
      schedule("leave", forMs);
      return true;
    },
    look: { readOnly: true, run: ({ state }) => state.ship },
  },
  alarms: {
    leave: ({ state }) => void (state.ship = null),
  },
});

/** A chart that everybody marks buoys on. */
const Chart = treeDocument({ name: "chart", vsn: 1 });

/** The objects of the demo. */
export const objects: readonly AnyObjectDefinition[] = [Berth];

const berths = ["north", "east", "south", "west", "quay/1", "quay/2", "quay/3"];
const ships = ["Kelp", "Petrel", "Marlin", "Gannet", "Fulmar"];

/** A page that counts, for the sockets. */
export const Gate: AnyView = defineView({
  name: "gate",
  stored: ["passed"],
  state: () => ({ passed: 0 }),
  async mount(ctx) {
    const chart = await ctx.join(Chart, "bay", { readOnly: true });
    if (ctx.connected) chart.here({ at: "the gate" });
  },
  events: { pass: ({ state }) => void state.passed++ },
  render: ({ state }) =>
    html`
      <h1>The harbour</h1>
      <p>${state.passed} have passed the gate. <button data-live-click="pass">Pass</button></p>
      <p><a href="/_holdfast">What this process holds</a></p>
    `,
});

/** Puts a buoy on the chart, or says what is new about one that is there. */
function mark(tide: number): TreeOp {
  const id = `buoy-${tide / 8 % 6}`;
  const attrs = { depth: tide % 7, seenAt: `tide ${tide}` };
  if (tide > 6 * 8) return { op: "update", id, set: attrs };
  return { op: "put", nodes: [{ id, type: "buoy", attrs, parent: null }] };
}

/** Lets ships come and go until the function it returns is called. */
export function traffic(holdfast: Holdfast): () => void {
  let tide = 0;
  const bay = holdfast.document(Chart, "bay");
  const wave = async (): Promise<void> => {
    tide++;
    const height = 3 + Math.round(6 * Math.abs(Math.sin(tide / 40)));
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < height; i++) {
      const id = berths[(tide * 3 + i) % berths.length] ?? "north";
      const berth = holdfast.object(Berth, id);
      calls.push(berth.dock(ships[(tide + i) % ships.length] ?? "Kelp", 400 + 300 * i));
      if (i % 2 === 0) calls.push(berth.look());
    }
    if (tide % 8 === 0) calls.push(bay.mutate(mark(tide), { actor: ships[tide % 5] ?? null }));
    await Promise.allSettled(calls);
  };
  const timer = setInterval(() => void wave(), 250);
  return () => clearInterval(timer);
}

import { defineStash, type StashDefinition } from "../../src/stash/definition.ts";

/** What a cart holds. */
export interface CartState {
  items: string[];
  count: number;
  note: string | undefined;
}

const state = (): CartState => ({ items: [], count: 0, note: "" });

/** Two keys of the session and a draft. */
export const Cart: StashDefinition<CartState> = defineStash<CartState>({
  name: "cart",
  vsn: 1,
  stored: { items: "session", count: "session", note: "reconnect" },
  state,
});

/** The cart of the next deployment: its items are objects. */
export interface CartState2 {
  lines: { name: string; amount: number }[];
  count: number;
  note: string | undefined;
}

export const Cart2: StashDefinition<CartState2> = defineStash<CartState2>({
  name: "cart",
  vsn: 2,
  stored: { lines: "session", count: "session", note: "reconnect" },
  state: () => ({ lines: [], count: 0, note: "" }),
  migrate: (_from, { items, note, ...rest }) => ({
    ...rest,
    ...(Array.isArray(items) ? { lines: items.map((name) => ({ name, amount: 1 })) } : {}),
    ...(typeof note === "string" ? { note: `${note} (moved)` } : {}),
  }),
});

/** The cart of the next deployment, by somebody who does not care for old data. */
export const Cart2Bare: StashDefinition<CartState> = defineStash<CartState>({
  name: "cart",
  vsn: 2,
  stored: { items: "session", count: "session", note: "reconnect" },
  state,
});

/** Another part of the session. */
export const Prefs: StashDefinition<{ theme: string; count: number }> = defineStash({
  name: "prefs",
  vsn: 1,
  stored: ["theme", "count"],
  state: () => ({ theme: "light", count: 0 }),
});

/** What a browser session keeps, and for how long. */
import { defineStash, type StashDefinition } from "holdfast";

/** Something that was put into the cart. Its id comes from the form, so sending it twice adds once. */
export interface Line {
  id: string;
  product: string;
  quantity: number;
}

export interface Address {
  name: string;
  street: string;
  postcode: string;
  city: string;
}

export interface PlacedOrder {
  id: string;
  lines: Line[];
  cents: number;
}

export interface OrderState {
  lines: Line[];
  address: Address | null;
  /** The last ones, newest first. */
  placed: PlacedOrder[];
  /** What was typed for the packer; of one page instance, so that two tabs have two drafts. */
  note: string;
}

export const Order: StashDefinition<OrderState> = defineStash<OrderState>({
  name: "order",
  vsn: 1,
  stored: { lines: "session", address: "session", placed: "session", note: "reconnect" },
  state: () => ({ lines: [], address: null, placed: [], note: "" }),
});

export const themes = ["auto", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

export interface SettingsState {
  theme: Theme;
  /** Who is logged in; empty for nobody. */
  name: string;
}

export const Settings: StashDefinition<SettingsState> = defineStash<SettingsState>({
  name: "settings",
  vsn: 1,
  stored: ["theme", "name"],
  state: () => ({ theme: "auto", name: "" }),
});

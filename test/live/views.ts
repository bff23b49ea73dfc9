import * as v from "valibot";
import { defineView, type ViewDefinition } from "../../adapters/live/mod.ts";

/** What the settings hold. */
export interface SettingsState {
  theme: string;
  draft: string;
  count: number;
}

/** A session key, a draft, and something that is nowhere stored. */
export const Settings: ViewDefinition<SettingsState> = defineView({
  name: "settings",
  stored: { theme: "session", draft: "reconnect" },
  state: (): SettingsState => ({ theme: "light", draft: "", count: 0 }),
  events: {
    add: ({ state }) => ++state.count,
    edit: ({ state }, input) => {
      state.draft = String((input as { draft?: string }).draft);
    },
    theme: {
      input: v.object({ theme: v.picklist(["light", "dark", "dim"]) }),
      run({ state }, { theme }) {
        state.theme = theme;
      },
    },
  },
  render: ({ state, ctx }) =>
    `<p>${state.theme}|${state.draft}|${state.count}|${ctx.mounts}|${ctx.recovery}</p>`,
});

/** A list of things, in the session. */
export const Cart: ViewDefinition<{ items: string[] }> = defineView({
  name: "cart",
  stored: ["items"],
  state: () => ({ items: [] as string[] }),
  events: {
    put: ({ state }, input) => void state.items.push(String(input)),
    order: ({ state }, input) => {
      state.items.push(String((input as { item?: string }).item));
      return state.items.length;
    },
  },
  render: ({ state }) => `<ul>${state.items.map((item) => `<li>${item}</li>`).join("")}</ul>`,
});

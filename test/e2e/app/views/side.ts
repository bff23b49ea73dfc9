/** Stands beside another view of its page; has keys of the same names. */
import { type AnyView, defineView } from "holdfast/live";
import { html } from "hono/html";
import { facts } from "../facts.ts";

export const Side: AnyView = defineView({
  name: "side",
  stored: { count: "session", draft: "reconnect" },
  state: () => ({ count: 0, draft: "", unsaved: 0 }),
  events: {
    inc({ state }) {
      state.count++;
    },
    unsaved({ state }) {
      state.unsaved++;
    },
    async reset(ctx) {
      await ctx.resetStash();
      ctx.state.count = 0;
    },
  },
  render: ({ state, ctx }) =>
    html`<h2>Side</h2>
    <p><b data-testid="side-count">${state.count}</b>, <b data-testid="side-unsaved-count">${state.unsaved}</b> not stored</p>
    ${
      ["inc", "unsaved", "reset"].map((name) =>
        html`
          <button type="button" data-testid="side-${name}"
            data-live-click="${name}">${name}</button>
        `
      )
    }
    ${facts(ctx, state, "side-")}`,
});

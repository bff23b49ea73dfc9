/** Fails wherever a view can, next to one that goes on. */
import { type AnyView, defineView } from "holdfast/live";
import { html } from "hono/html";
import { facts, version } from "../facts.ts";

const vsn = Number(version);

/** Turns of `mount` that throw, for everybody; POST /boom/mount?fail=N sets it. */
export const mounts: { fail: number } = { fail: 0 };

export const Boom: AnyView = defineView({
  name: "boom",
  vsn,
  stored: { kept: "session", draft: "reconnect", poison: "session", explode: "session" },
  migrate(_, data) {
    if (data["explode"] === true) throw new Error("Cannot migrate: asked to");
    return data;
  },
  state: () => ({ kept: 0, draft: 0, unsaved: 0, poison: false, explode: false, render: false }),
  mount({ connected }) {
    if (connected && mounts.fail > 0) {
      mounts.fail--;
      throw new Error("Cannot mount: asked to");
    }
  },
  events: {
    keep({ state }) {
      state.kept++;
      state.draft++;
      state.unsaved++;
    },
    event() {
      throw new Error("Cannot handle: asked to");
    },
    // Never rendered, so never stored.
    render({ state }) {
      state.kept += 100;
      state.render = true;
    },
    // Rendered once, stored, and then no page can be rendered from it any more.
    poison({ state }) {
      state.poison = true;
    },
    migrate({ state }) {
      state.explode = true;
    },
  },
  render({ state, ctx }) {
    if (state.render) throw new Error("Cannot render: asked to");
    if (state.poison && ctx.recovery === "recovered") throw new Error("Cannot render: poisoned");
    return html`<h1>Boom</h1>
    <p><b data-testid="kept">${state.kept}</b> kept, <b data-testid="unsaved-count">${state.unsaved}</b> not stored</p>
    ${
      ["keep", "event", "render", "poison", "migrate"].map((name) =>
        html`
          <button type="button" data-testid="${name}" data-live-click="${name}">${name}</button>
        `
      )
    }
    ${facts(ctx, state)}`;
  },
});

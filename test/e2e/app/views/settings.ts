/** A theme that belongs to the session and a draft that belongs to the page; two versions. */
import { type AnyView, defineView } from "holdfast/live";
import { html } from "hono/html";
import * as v from "valibot";
import { facts, version } from "../facts.ts";

interface State {
  theme: string;
  draft: string;
  /** How often it was saved. */
  saves: number;
  /** Version 2 only: what version 1 had is `normal`. */
  contrast: string;
  /** Version 2 only: the version this was stored by. */
  from: number;
  /** Not stored: how often the change handler ran, and how often of these for form recovery. */
  changes: number;
  recoveries: number;
}

const vsn = Number(version);

export const Settings: AnyView = defineView({
  name: "settings",
  vsn,
  stored: {
    theme: "session",
    saves: "session",
    draft: "reconnect",
    ...(vsn === 2 ? { contrast: "session", from: "session" } as const : {}),
  },
  migrate: (from, data) => ({ ...data, contrast: "normal", from }),
  state: (): State => ({
    theme: "light",
    draft: "",
    saves: 0,
    contrast: "high",
    from: vsn,
    changes: 0,
    recoveries: 0,
  }),
  events: {
    edit: {
      input: v.object({ theme: v.optional(v.string(), "light"), draft: v.string() }),
      run({ state }, { theme, draft }, { recovering }) {
        state.theme = theme;
        state.draft = draft;
        state.changes++;
        if (recovering) state.recoveries++;
      },
    },
    save: {
      input: v.object({ theme: v.picklist(["light", "dark"]), draft: v.string() }),
      run({ state }, { theme }) {
        state.theme = theme;
        state.draft = "";
        state.saves++;
      },
    },
    async reset(ctx) {
      await ctx.resetStash();
      Object.assign(ctx.state, { theme: "light", draft: "", saves: 0 });
    },
  },
  render: ({ state, ctx }) =>
    html`
      <h1>Settings</h1>
          <div class="theme-${state.theme}" data-testid="themed">This box is ${state.theme}</div>
          <form id="settings" method="post" data-live-change="edit" data-live-submit="save">
        <label>Theme <select id="theme" name="theme" data-testid="theme">
              ${["light", "dark"].map((theme) =>
                html`<option value="${theme}" ${
                  state.theme === theme ? "selected" : ""
                }>${theme}</option>`
              )}
            </select></label>
        <label>Draft <textarea id="draft" name="draft" rows="4" data-testid="draft">${`\n${state.draft}`}</textarea></label>
        <button name="_event" value="save" data-testid="save">Save</button>
        <button type="button" data-live-click="reset" data-testid="reset">Reset</button>
      </form>
          <p>Saved <b data-testid="saves">${state.saves}</b> times</p>
          ${facts(ctx, state)}
    `,
});

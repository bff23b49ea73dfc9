/** A count for the whole session, one for this mount only, and a note that belongs to the page. */
import { type AnyView, defineView } from "holdfast/live";
import { html } from "hono/html";
import * as v from "valibot";
import { facts, pause } from "../facts.ts";

export const Counter: AnyView = defineView({
  name: "counter",
  stored: { count: "session", note: "reconnect", late: "reconnect", page: "reconnect" },
  state: () => ({ count: 0, unsaved: 0, note: "", late: "", page: 0 }),
  events: {
    inc({ state }) {
      state.count++;
    },
    dec({ state }) {
      state.count--;
    },
    unsaved({ state }) {
      state.unsaved++;
    },
    page({ state }) {
      state.page++;
    },
    // The first takes longest, and still comes first.
    async slow(ctx) {
      await pause(Math.max(0, 150 - 50 * ctx.state.count));
      ctx.state.count++;
    },
    async reset(ctx) {
      await ctx.resetStash();
      ctx.state.count = 0;
      ctx.state.note = "";
    },
    note: {
      input: v.object({ note: v.string() }),
      run({ state }, { note }) {
        state.note = note;
      },
    },
    late: {
      input: v.object({ late: v.string() }),
      run({ state }, { late }) {
        state.late = late;
      },
    },
  },
  render: ({ state, ctx }) =>
    html`
        <h1>Counter</h1>
            <p>
              <b data-testid="count">${state.count}</b> in the session,
              <b data-testid="page-count">${state.page}</b> on this page,
              <b data-testid="unsaved-count">${state.unsaved}</b> not stored
            </p>
            <p>
              ${["inc", "dec", "slow", "page", "unsaved", "reset"].map((name) =>
                html`
                  <button type="button" data-testid="${name}" data-live-click="${name}">${name}</button>
                `
              )}
            </p>
            <form id="note-form" data-live-change="note">
        <label>Note <input id="note" name="note" data-testid="note" value="${state
          .note}" autocomplete="off"></label>
      </form>
      <form id="late-form" data-live-change="late">
        <label>Sent late <input id="late" name="late" data-testid="late" value="${state.late}"
          data-live-debounce="60000" autocomplete="off"></label>
      </form>
            ${facts(ctx, state)}
    `,
});

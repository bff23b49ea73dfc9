/** Fifty rows that can be changed, moved and removed. */
import { type AnyView, defineView } from "holdfast/live";
import { html } from "hono/html";
import * as v from "valibot";
import { facts } from "../facts.ts";

const Row = v.object({ id: v.pipe(v.string(), v.toNumber(), v.integer()) });

export const List: AnyView = defineView({
  name: "list",
  stored: ["rows"],
  state: () => ({ rows: Array.from({ length: 50 }, (_, i) => ({ id: i, done: false })) }),
  events: {
    toggle: {
      input: Row,
      run({ state }, { id }) {
        const row = state.rows.find((one) => one.id === id);
        if (row !== undefined) row.done = !row.done;
      },
    },
    remove: {
      input: Row,
      run({ state }, { id }) {
        state.rows = state.rows.filter((row) => row.id !== id);
      },
    },
    reverse({ state }) {
      state.rows.reverse();
    },
    add({ state }) {
      const id = Math.max(-1, ...state.rows.map((row) => row.id)) + 1;
      state.rows.unshift({ id, done: false });
    },
  },
  render: ({ state, ctx }) =>
    html`<h1>List</h1>
    <p><b data-testid="rows">${state.rows.length}</b> rows</p>
    <button type="button" data-testid="reverse" data-live-click="reverse">reverse</button>
    <button type="button" data-testid="add" data-live-click="add">add</button>
    <ul>
      ${
      state.rows.map(({ id, done }) =>
        html`<li id="row-${id}" data-testid="row-${id}">
          <button type="button" data-testid="toggle-${id}" data-live-click="toggle" data-live-value-id="${id}">${
          done ? "☑" : "☐"
        }</button>
          Row ${id} <input aria-label="Remark on row ${id}" id="remark-${id}" data-testid="remark-${id}">
          <button type="button" data-testid="remove-${id}" data-live-click="remove" data-live-value-id="${id}">remove</button>
        </li>`
      )
    }
    </ul>
    ${facts(ctx, state)}`,
});

/** Filters whose change takes the list back to its first page; the page is in the address. */
import { type AnyView, defineView } from "holdfast/live";
import { html } from "hono/html";
import * as v from "valibot";
import { facts } from "../facts.ts";

export const Filters: AnyView = defineView({
  name: "filters",
  stored: { q: "reconnect", only: "reconnect" },
  state: () => ({ q: "", only: "", page: 1, changes: 0 }),
  params({ state }, { searchParams }) {
    state.page = Math.max(1, Number(searchParams.get("page")) || 1);
  },
  events: {
    filter: {
      input: v.object({ q: v.string(), only: v.optional(v.string(), "") }),
      run(ctx, { q, only }) {
        Object.assign(ctx.state, { q, only, changes: ctx.state.changes + 1 });
        ctx.patch("?page=1", { replace: true });
      },
    },
    next(ctx) {
      ctx.patch(`?page=${ctx.state.page + 1}`);
    },
  },
  render: ({ state, ctx }) =>
    html`
      <h1>Filters</h1>
          <form id="filters" data-live-change="filter">
        <label>Search <input id="q" name="q" data-testid="q" value="${state
          .q}" autocomplete="off"></label>
        <label><input type="checkbox" id="only" name="only" data-testid="only" ${state.only === ""
          ? ""
          : "checked"}>Only these</label>
      </form>
          <p>Page <b data-testid="page">${state.page}</b>, filtered <b data-testid="changes">${state
            .changes}</b> times</p>
          <button type="button" data-testid="next" data-live-click="next">Next page</button>
          <a href="?page=7" data-live-link="patch" data-testid="page-7">Page 7</a>
          ${facts(ctx, state)}
    `,
});

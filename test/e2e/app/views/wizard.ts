/** Three steps. The steps that are done are stored, the one under way is brought back by its form. */
import { type AnyView, defineView } from "holdfast/live";
import { html } from "hono/html";
import * as v from "valibot";
import { facts, type Markup } from "../facts.ts";

interface State {
  step: 1 | 2 | 3 | 4;
  name: string;
  street: string;
  note: string;
  /** How often the recover handler ran. */
  restored: number;
}

const Fields = v.object({
  name: v.optional(v.string()),
  street: v.optional(v.string()),
  note: v.optional(v.string()),
});

/** Takes over the fields that were sent. */
function take(state: State, input: v.InferOutput<typeof Fields>): void {
  state.name = input.name ?? state.name;
  state.street = input.street ?? state.street;
  state.note = input.note ?? state.note;
}

export const Wizard: AnyView = defineView({
  name: "wizard",
  stored: { step: "reconnect", name: "reconnect", street: "reconnect" },
  state: (): State => ({ step: 1, name: "", street: "", note: "", restored: 0 }),
  events: {
    edit: { input: Fields, run: ({ state }, input) => take(state, input) },
    restore: {
      input: Fields,
      run({ state }, input) {
        take(state, input);
        state.restored++;
      },
    },
    next: {
      input: Fields,
      run({ state }, input) {
        take(state, input);
        if (state.step < 4) state.step++;
      },
    },
    back({ state }) {
      if (state.step > 1) state.step--;
    },
  },
  render: ({ state, ctx }) =>
    html`<h1>Wizard</h1>
    <p>Step <b data-testid="step">${state.step}</b></p>
    ${state.step === 4 ? html`<p data-testid="done">Done</p>` : stepForm(state)}
    <button type="button" data-testid="back" data-live-click="back">Back</button>
    ${facts(ctx, state)}`,
});

function stepForm(state: State): Markup {
  const name = (["name", "street", "note"] as const)[state.step - 1] ?? "name";
  return html`
    <form id="step-${state.step}" data-live-change="edit" data-live-recover="restore"
      data-live-submit="next">
      <label>${name} <input id="${name}" name="${name}" data-testid="${name}" value="${state[
        name
      ]}" autocomplete="off"></label>
      <button data-testid="next">Next</button>
    </form>
  `;
}

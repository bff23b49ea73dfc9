import { html } from "hono/html";
import { type AddressField, addressFields, type Mistakes } from "../forms.ts";
import type { Address } from "../stashes.ts";
import { type Html, layout, pageField, type View } from "./layout.ts";

/** Step 2: where to; with what was typed and what is wrong with it, if it was sent. */
export function addressPage(view: View, typed?: Address, mistakes: Mistakes = {}): Html {
  const address = typed ?? view.order.address;
  const wrong = addressFields.filter(({ name }) => mistakes[name] !== undefined);
  return layout(
    view,
    "Where shall it go?",
    html`
      ${wrong.length === 0 ? "" : html`<div class="alert" role="alert">
  <p>Please look at ${wrong.map(({ label }) => label.toLowerCase()).join(", ")}.</p>
</div>`}
      <form method="post" action="/address" class="panel">
        ${pageField(view)}
        ${addressFields.map((field) =>
          row(field, address?.[field.name] ?? "", mistakes[field.name])
        )}
        <p class="onward"><a href="/?page=${view.page}">Back to the items</a>
        <button>On to the review</button></p>
      </form>
    `,
  );
}

function row(
  { name, label, autocomplete }: AddressField,
  value: string,
  mistake: string | undefined,
): Html {
  return html`<div class="field">
  <label for="${name}">${label}</label>
  <input id="${name}" name="${name}" value="${value}" autocomplete="${autocomplete}" maxlength="120"
    required ${
    mistake === undefined ? "" : html`aria-invalid="true" aria-describedby="${name}-mistake"`
  }>
  ${mistake === undefined ? "" : html`<p class="mistake" id="${name}-mistake">${mistake}</p>`}
</div>`;
}

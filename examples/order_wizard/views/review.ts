import { html } from "hono/html";
import { rowsOf } from "../catalog.ts";
import { cartTable, type Html, layout, pageField, type View } from "./layout.ts";

/** Step 3: all of it once more. */
export function reviewPage(view: View): Html {
  const { lines, address, note } = view.order;
  return layout(
    view,
    "Is this right?",
    html`
      <section class="panel" aria-label="Items">${cartTable(rowsOf(lines))}</section>
      <section class="panel">
        <h2>Goes to</h2>
        <address>${address?.name}<br>${address?.street}<br>${address?.postcode} ${address
          ?.city}</address>
        <p><a href="/address?page=${view.page}">Change the address</a></p>
      </section>
      ${note === "" ? "" : html`
        <section class="panel">
          <h2>Note</h2>
          <p class="note">${note}</p>
        </section>
      `}
      <form method="post" action="/review" class="onward">
        ${pageField(view)}
        <input type="hidden" name="order" value="${crypto.randomUUID()}">
        <a href="/?page=${view.page}">Back to the items</a>
        <button>Place the order</button>
      </form>
    `,
  );
}

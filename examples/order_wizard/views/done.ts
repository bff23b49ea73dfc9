import { html } from "hono/html";
import { price, rowsOf } from "../catalog.ts";
import { cartTable, type Html, layout, type View } from "./layout.ts";

/** Step 4: what was ordered. */
export function donePage(view: View): Html {
  const [last, ...before] = view.order.placed;
  return layout(
    view,
    "Thank you, it is on its way",
    html`
      <section class="panel" aria-label="Your order">
        <p>Order <code>${(last?.id ?? "").slice(0, 8)}</code></p>
        ${cartTable(rowsOf(last?.lines ?? []))}
      </section>
      ${before.length === 0 ? "" : html`
        <section class="panel">
          <h2>Before that</h2>
          <ul>${before.map(({ id, cents }) =>
            html`<li><code>${id.slice(0, 8)}</code>, ${price(cents)}</li>`
          )}</ul>
        </section>
      `}
      <p class="onward"><a class="button" href="/">Order something else</a></p>
    `,
  );
}

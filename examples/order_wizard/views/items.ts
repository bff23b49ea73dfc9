import { html } from "hono/html";
import { catalog, maxQuantity, price, type Product, rowsOf } from "../catalog.ts";
import { type Html, layout, pageField, type View } from "./layout.ts";

/** Step 1: what to order. */
export function itemsPage(view: View): Html {
  const rows = rowsOf(view.order.lines);
  return layout(
    view,
    "What shall we pack?",
    html`
      <ul class="cards">${catalog.map((product) => {
        const inCart = rows.find((row) => row.product === product)?.quantity ?? 0;
        return card(view, product, inCart);
      })}</ul>
      <form method="post" action="/note" class="panel">
        ${pageField(view)}
        <label for="note">A note for the packer</label>
        <textarea id="note" name="note" rows="3" maxlength="1000"
          aria-describedby="note-hint">${`\n${view.order.note}`}</textarea>
        <p class="hint" id="note-hint">A draft of this tab: another tab has its own.</p>
        <button class="second">Keep the note</button>
      </form>
      <p class="onward">${rows.length === 0
        ? html`<span class="quiet-text">Put something into the cart to go on.</span>`
        : html`<a class="button" href="/address?page=${view.page}">On to the address</a>`}</p>
    `,
  );
}

function card(view: View, product: Product, inCart: number): Html {
  const field = `quantity-${product.id}`;
  return html`<li class="card">
  <h2>${product.name}</h2>
  <p class="about">${product.about}</p>
  <p class="price">${price(product.cents)}</p>
  <form method="post" action="/cart" class="add">
    ${pageField(view)}
    <input type="hidden" name="product" value="${product.id}">
    <input type="hidden" name="line" value="${crypto.randomUUID()}">
    <label class="quiet" for="${field}">How many of ${product.name}</label>
    <input id="${field}" name="quantity" type="number" inputmode="numeric" min="1"
      max="${String(maxQuantity)}" value="1">
    <button>Add<span class="quiet"> ${product.name}</span></button>
  </form>
  ${
    inCart === 0 ? "" : html`<form method="post" action="/cart/remove" class="remove">
    ${pageField(view)}
    <input type="hidden" name="product" value="${product.id}">
    <span>${String(inCart)} in the cart</span>
    <button class="plain">Remove<span class="quiet"> ${product.name}</span></button>
  </form>`
  }
</li>`;
}

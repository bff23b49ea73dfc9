/** An order form that two versions of a shop share: version 2 wraps gifts. */
import { defineStash } from "holdfast";
import { type AnyView, defineView, type ViewContext } from "holdfast/live";
import { html } from "hono/html";
import * as v from "valibot";

const prices: Readonly<Record<string, number>> = { lantern: 4900, rope: 1250, compass: 3600 };
const fields = {
  product: v.optional(v.picklist(Object.keys(prices)), "lantern"),
  quantity: v.optional(v.string(), "1"),
  name: v.optional(v.pipe(v.string(), v.maxLength(80)), ""),
  note: v.optional(v.pipe(v.string(), v.maxLength(2000)), ""),
  gift: v.optional(v.string(), ""),
};
const Form = v.object(fields);

/** What was ordered belongs to the session: every tab may order, and two of them at once. */
const Orders = defineStash({
  name: "orders",
  vsn: 1,
  stored: ["placed"],
  state: () => ({ placed: [] as string[] }),
});

interface State extends v.InferOutput<typeof Form> {
  orders: number;
}

/** Shows what is stored: this page's view knows only what it last read. */
async function read({ state, session }: ViewContext<State>): Promise<void> {
  state.orders = (await session.stash(Orders)).state.placed.length;
}

/** Orders, and empties the form. */
async function order({ state, session, eventId }: ViewContext<State>): Promise<void> {
  const orders = await session.stash(Orders);
  // Reads and writes in one step: of two tabs that order at once none loses its order. One that is
  // sent again, because its node was gone, has its name already.
  await orders.update(({ placed }) => {
    if (!placed.includes(eventId)) placed.push(eventId);
  });
  Object.assign(state, v.parse(Form, {}), { orders: orders.state.placed.length });
}

type Markup = ReturnType<typeof html>;

/** The view of one version, on one node. */
export function orderView(version: 1 | 2, node: string): AnyView {
  return defineView({
    name: "order",
    vsn: version,
    // What is typed belongs to the page.
    stored: {
      product: "reconnect",
      quantity: "reconnect",
      name: "reconnect",
      note: "reconnect",
      gift: "reconnect",
    },
    migrate: (_, data) => ({ ...data, gift: "" }),
    state: (): State => ({ ...v.parse(Form, {}), orders: 0 }),
    mount: read,
    // Another tab has stored something.
    info: read,
    events: {
      edit: { input: Form, run: ({ state }, input) => void Object.assign(state, input) },
      order: { input: Form, run: order },
    },
    render: ({ state, ctx }) => {
      const count = Math.min(99, Math.max(1, Math.trunc(Number(state.quantity)) || 1));
      const cents = (prices[state.product] ?? 0) * count + (state.gift === "" ? 0 : 300);
      return html`
        <p class="badge" data-version="${version}">
                  <b>Version ${version}</b> on node ${node}
                  <span>${ctx.mounts <= 0
                    ? "first connection"
                    : `reconnected ${ctx.mounts}×`}</span>
                </p>
        <form id="order" method="post" data-live-change="edit" data-live-submit="order">
                  <div class="row">${productField(state.product)} ${quantityField(
                    state.quantity,
                  )}</div>
                  <label for="name">Name</label>
                  <input id="name" name="name" value="${state
                    .name}" maxlength="80" autocomplete="off">
                  <label for="note">Note to the chandler</label>
                  <textarea id="note" name="note" rows="4" maxlength="2000">${`\n${state.note}`}</textarea>
                  ${version === 2 ? giftField(state.gift !== "") : ""}
                  <p class="total">
                    <span>Total, counted on the server</span>
                    <output>${(cents / 100).toFixed(2)} €</output>
                  </p>
                  <button name="_event" value="order">Order</button>
                  <p class="orders">${state.orders} ordered in this session</p>
                </form>
      `;
    },
  });
}

function productField(chosen: string): Markup {
  return html`<div><label for="product">Product</label>
    <select id="product" name="product">${
    Object.keys(prices).map((name) =>
      html`<option value="${name}" ${name === chosen ? "selected" : ""}>${name}</option>`
    )
  }</select></div>`;
}

function quantityField(quantity: string): Markup {
  return html`<div><label for="quantity">Quantity</label>
    <input id="quantity" name="quantity" type="number" min="1" max="99" value="${quantity}"></div>`;
}

function giftField(on: boolean): Markup {
  return html`<label class="gift"><input type="checkbox" id="gift" name="gift" ${
    on ? "checked" : ""
  }>
    Wrap it as a gift, 3.00 € <em>new in version 2</em></label>`;
}

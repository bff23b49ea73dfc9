/** The orders as a live view: what it watches, what can be done with it, and how it looks. */
import { type AnyView, defineView } from "holdfast/live";
import type { Sync } from "holdfast/postgres";
import { html } from "hono/html";
import type { Sql } from "postgres";
import * as v from "valibot";
import { type Order, type Organization, organizations } from "./schema.ts";

type Markup = ReturnType<typeof html>;

interface OrdersState {
  /** Whose orders are shown; nobody's until this browser has said so. A login would put it here. */
  organization: Organization | null;
  /** The order that is being typed. */
  draft: { item: string; quantity: string };
}

const Id = v.pipe(v.string(), v.toNumber(), v.integer(), v.minValue(1), v.maxValue(2 ** 31 - 1));
const Quantity = v.pipe(v.string(), v.toNumber(), v.integer(), v.minValue(1), v.maxValue(999));
const statuses = ["new", "packed", "sent"] as const;
const next = { new: "packed", packed: "sent", sent: "new" } as const;
const noDraft = { item: "", quantity: "1" };

/** What is written: only ever to orders of the organisation that is shown. */
function actsOn(sql: Sql) {
  return {
    order: async ({ organization }: OrdersState, item: string, quantity: number) =>
      organization !== null && await sql`INSERT INTO orders (organization, item, quantity)
        VALUES (${organization}, ${item}, ${quantity})`,
    step: ({ organization }: OrdersState, id: number, status: Order["status"]) =>
      sql`UPDATE orders SET status = ${status} WHERE id = ${id} AND organization = ${organization}`,
    remove: ({ organization }: OrdersState, id: number) =>
      sql`DELETE FROM orders WHERE id = ${id} AND organization = ${organization}`,
  };
}

/**
 * Makes the view.
 *
 * @param sql Writes the orders; what is shown comes from the sync, whoever wrote it.
 */
export function ordersView(sql: Sql, sync: Sync<Sql>): AnyView {
  const acts = actsOn(sql);
  return defineView({
    name: "orders",
    stored: { organization: "session", draft: "reconnect" },
    schema: v.object({
      organization: v.nullable(v.picklist(organizations)),
      draft: v.object({ item: v.string(), quantity: v.string() }),
    }),
    state: (): OrdersState => ({ organization: null, draft: noDraft }),
    watch: (rows) => ({
      orders: rows(sync, {
        table: "orders",
        // From the session, which only `enter` and `leave` change: whoever chooses the key sees the rows.
        key: ({ state }) => state.organization,
        load: (tx, key) => tx<Order[]>`SELECT * FROM orders WHERE organization = ${String(key)}`,
        where: true,
        orderBy: "id",
      }),
    }),
    events: {
      enter: {
        input: v.object({ organization: v.picklist(organizations) }),
        run: ({ state }, { organization }) => void (state.organization = organization),
      },
      leave: ({ state }) => void (state.organization = null),
      type: {
        input: v.object({ item: v.string(), quantity: v.string() }),
        run: ({ state }, draft) => void (state.draft = draft),
      },
      order: {
        input: v.object({
          item: v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(80)),
          quantity: Quantity,
        }),
        async run({ state }, { item, quantity }) {
          await acts.order(state, item, quantity);
          state.draft = noDraft;
        },
      },
      step: {
        input: v.object({ id: Id, status: v.picklist(statuses) }),
        run: async ({ state }, { id, status }) => void await acts.step(state, id, status),
      },
      remove: {
        input: v.object({ id: Id }),
        run: async ({ state }, { id }) => void await acts.remove(state, id),
      },
    },
    render: ({ state, ctx: { rows } }) => {
      if (state.organization === null) return entrance();
      const { value = [], status } = rows.orders;
      return page(state, value, status);
    },
  });
}

function entrance(): Markup {
  return html`
    <h1>Orders</h1>
    <form id="enter" class="enter" method="post" data-live-submit="enter">
      <input type="hidden" name="_event" value="enter">
      <p>Whose orders? Open another browser, or a private window, for the other one.</p>
      ${organizations.map((one) =>
        html`
          <button name="organization" value="${one}">${one}</button>
        `
      )}
    </form>
  `;
}

function page(state: OrdersState, orders: readonly Order[], status: string): Markup {
  const { draft, organization } = state;
  return html`
    <header>
      <h1>Orders of ${organization}</h1>
      <form id="leave" method="post" data-live-submit="leave">
        <button name="_event" value="leave">Change</button>
      </form>
    </header>
    <table class="${status}">
      <thead>
        <tr>
          <th>No</th>
          <th>Item</th>
          <th>Quantity</th>
          <th>Status</th>
          <th></th>
        </tr>
      </thead>
      <tbody>${orders.map(row)}</tbody>
    </table>
    <p class="count" role="status">${orders.length} orders, ${status}</p>
    <form id="order" class="add" method="post" data-live-change="type" data-live-submit="order">
      <label class="quiet" for="item">Item</label>
      <input id="item" name="item" value="${draft.item}" placeholder="What shall it be?" required
        maxlength="80" autocomplete="off">
      <label class="quiet" for="quantity">Quantity</label>
      <input id="quantity" name="quantity" type="number" value="${draft.quantity}" min="1" max="999"
        required>
      <button name="_event" value="order">Order</button>
    </form>
  `;
}

/** One form for each button, so that they work without JavaScript, too. */
function row({ id, item, quantity, status }: Order): Markup {
  return html`
    <tr id="row-${id}">
      <td>${id}</td>
      <td class="item">${item}</td>
      <td>${quantity}</td>
      <td><span class="badge ${status}">${status}</span></td>
      <td class="acts">
        <form id="step-${id}" method="post" data-live-submit="step">
          <input type="hidden" name="id" value="${id}">
          <input type="hidden" name="status" value="${next[status]}">
          <button name="_event" value="step" aria-label="${item}: ${next[status]}">${next[
            status
          ]}</button>
        </form>
        <form id="remove-${id}" method="post" data-live-submit="remove">
          <input type="hidden" name="id" value="${id}">
          <button name="_event" value="remove" aria-label="Remove ${item}">×</button>
        </form>
      </td>
    </tr>
  `;
}

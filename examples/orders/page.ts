import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { Order } from "./schema.ts";

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

const next = { new: "packed", packed: "sent", sent: "new" } as const;

/** The orders of one organisation; what the page is told again after each change. */
export function orderRows(organization: string, orders: readonly Order[]): Html {
  const rows = orders.map(({ id, item, quantity, status }) =>
    html`
      <tr>
        <td>${id}</td>
        <td>${item}</td>
        <td>${quantity}</td>
        <td>${status}</td>
        <td>
          <form method="post"
            action="/${organization}/orders/${id}"><button name="status" value="${next[
              status
            ]}">${next[status]}</button> <button name="status" value="gone">remove</button></form>
        </td>
      </tr>
    `
  );
  return html`${rows}`;
}

const style = "body{font:16px system-ui;margin:2rem auto;max-width:44rem}table{width:100%}" +
  "td,th{text-align:left;padding:.3rem}form{display:inline}.stale{opacity:.5}";

/** Forms are sent without leaving the page; what comes of them arrives with the events. */
const script = `
const body = document.querySelector("tbody");
const events = new EventSource(location.pathname + "/events");
events.addEventListener("rows", ({ data }) => { body.innerHTML = JSON.parse(data); });
events.addEventListener("status", ({ data }) => { body.className = data; });
document.addEventListener("submit", (event) => {
  event.preventDefault();
  const { target, submitter } = event;
  fetch(target.action, { method: "POST", body: new URLSearchParams(new FormData(target, submitter)) });
  if (target.id === "add") target.reset();
});`;

/** The page of one organisation. */
export function page(organization: string, orders: readonly Order[]): Html {
  return html`
    <!doctype html>
    <html lang="en">
      <meta charset="utf-8">
      <title>Orders of ${organization}</title>
      <style>${raw(style)}</style>
      <h1>Orders of ${organization}</h1>
      <table>
        <thead>
          <tr>
            <th>no<th>item<th>quantity<th>status<th></thead>
    <tbody>${orderRows(organization, orders)}</tbody></table>
    <form id="add" method="post" action="/${organization}/orders">
    <input name="item" placeholder="item" required maxlength="80">
    <input name="quantity" type="number" value="1" min="1" max="999" required>
    <button>order</button></form>
    <p>Change it from anywhere: <code>psql</code>, another browser, another organisation&#39;s page
    (which sees nothing of this one).</p>
    <script type="module">${raw(script)}</script></html>
  `;
}

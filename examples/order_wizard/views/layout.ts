/**
 * The frame of every page. Tagged templates of hono/html and not JSX: Node runs TypeScript as it is,
 * but not JSX, and these files run without a build on all three runtimes. Values are escaped alike.
 */
import { html } from "hono/html";
import type { About } from "../app.ts";
import { type CartRow, price, rowsOf, totalOf } from "../catalog.ts";
import { type OrderState, type Theme, themes } from "../stashes.ts";

/** What a page is made of. */
export type Html = ReturnType<typeof html>;

/** What every page knows. */
export interface View {
  readonly order: OrderState;
  /** The page instance, for the hidden fields. */
  readonly page: string;
  readonly theme: Theme;
  readonly name: string;
  readonly about: About;
  readonly path: string;
}

const wizard = [
  { path: "/", title: "Items" },
  { path: "/address", title: "Address" },
  { path: "/review", title: "Review" },
  { path: "/done", title: "Done" },
];

/** Carries the page instance along, so that its draft comes back. */
export function pageField({ page }: Pick<View, "page">): Html {
  return html`<input type="hidden" name="page" value="${page}">`;
}

/** A page of the wizard. */
export function layout(view: View, title: string, main: Html): Html {
  // The later steps show the items themselves.
  const summarised = view.path === "/" || view.path === "/address";
  return frame(
    view.theme,
    title,
    html`
      ${header(view)}
      ${stepper(view)}
      <div class="columns ${summarised ? "" : "single"}">
        <main id="main">
          <h1>${title}</h1>
          ${main}
        </main>
        ${summarised ? summary(rowsOf(view.order.lines)) : ""}
      </div>
      ${footer(view.about)}
    `,
  );
}

/** The document around anything. */
export function frame(theme: Theme, title: string, body: Html): Html {
  return html`
    <!doctype html>
    <html lang="en" data-theme="${theme}">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="${theme === "auto" ? "light dark" : theme}">
        <title>${title} · Holdfast Provisions</title>
        <link rel="stylesheet" href="/style.css">
      </head>
      <body>
    <a class="skip" href="#main">Skip to the content</a>
    ${body}
      </body>
    </html>
  `;
}

function header(view: View): Html {
  return html`<header class="top">
  <p class="brand"><a href="/?page=${view.page}">Holdfast <span>Provisions</span></a></p>
  <div class="tools">${themeForm(view)}${
    view.name === "" ? loginForm(view) : logoutForm(view)
  }</div>
</header>`;
}

function themeForm(view: View): Html {
  return html`<form method="post" action="/theme" class="theme" role="group" aria-label="Colours">
  ${pageField(view)}<input type="hidden" name="back" value="${view.path}">
  ${
    themes.map((theme) =>
      html`<button name="theme" value="${theme}" aria-pressed="${
        String(theme === view.theme)
      }">${theme}</button>`
    )
  }
</form>`;
}

function loginForm(view: View): Html {
  return html`<form method="post" action="/login" class="login">
  ${pageField(view)}<input type="hidden" name="back" value="${view.path}">
  <label class="quiet" for="login">Your name</label>
  <input id="login" name="name" required maxlength="40" placeholder="Your name" autocomplete="nickname">
  <button>Log in</button>
</form>`;
}

function logoutForm({ name }: View): Html {
  return html`<form method="post" action="/logout" class="login">
  <span>Aboard as <strong>${name}</strong></span>
  <button>Log out</button>
</form>`;
}

function stepper(view: View): Html {
  const now = wizard.findIndex(({ path }) => path === view.path);
  return html`
    <nav aria-label="Steps">
      <ol class="steps">
      ${wizard.map(({ path, title }, i) =>
        i === now
          ? html`<li class="now" aria-current="step"><span>${title}</span></li>`
          : i < now && view.path !== "/done"
          ? html`<li class="past"><a href="${path}?page=${view.page}">${title}</a></li>`
          : html`<li class="${i < now ? "past" : "next"}"><span>${title}</span></li>`
      )}
      </ol>
    </nav>
  `;
}

function summary(rows: readonly CartRow[]): Html {
  return html`<aside aria-labelledby="cart">
  <h2 id="cart">Your cart</h2>
  ${rows.length === 0 ? html`<p class="quiet-text">Nothing in it yet.</p>` : cartTable(rows)}
</aside>`;
}

/** The cart as a table. */
export function cartTable(rows: readonly CartRow[]): Html {
  return html`
    <table>
      <thead class="quiet">
        <tr>
          <th scope="col">Item</th>
          <th scope="col">Price</th>
        </tr>
      </thead>
      <tbody>${rows.map(({ product, quantity, cents }) =>
        html`
          <tr>
            <th scope="row"><span class="count">${String(quantity)} ×</span> ${product.name}</th>
            <td>${price(cents)}</td>
          </tr>
        `
      )}</tbody>
      <tfoot>
        <tr>
          <th scope="row">Together</th>
          <td>${price(totalOf(rows))}</td>
        </tr>
      </tfoot>
    </table>
  `;
}

/** Tells where everything is kept. */
export function footer({ runtime, stored, durable }: About): Html {
  const promise = durable ? " Kill the server, start it again and reload: nothing is lost." : "";
  return html`
    <footer>
      <p>Served by ${runtime}. This session is kept in ${stored}.${promise}</p>
    </footer>
  `;
}

/** @jsxImportSource hono/jsx */
import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { raw } from "hono/html";
import type { About } from "../app.ts";
import { type CartRow, price, rowsOf, totalOf } from "../catalog.ts";
import { type OrderState, type Theme, themes } from "../stashes.ts";

/** What a page is made of. */
export type Html = JSX.Element;

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

interface Viewed {
  readonly view: View;
}

const wizard = [
  { path: "/", title: "Items" },
  { path: "/address", title: "Address" },
  { path: "/review", title: "Review" },
  { path: "/done", title: "Done" },
];

/** Carries the page instance along, so that its draft comes back. */
export function PageField({ view }: { readonly view: Pick<View, "page"> }): Html {
  return <input type="hidden" name="page" value={view.page} />;
}

interface LayoutProps extends Viewed {
  readonly title: string;
  readonly children?: Child;
}

/** A page of the wizard. */
export function Layout({ view, title, children }: LayoutProps): Html {
  // The later steps show the items themselves.
  const summarised = view.path === "/" || view.path === "/address";
  return (
    <Frame theme={view.theme} title={title}>
      <Header view={view} />
      <Stepper view={view} />
      <div class={summarised ? "columns" : "columns single"}>
        <main id="main">
          <h1>{title}</h1>
          {children}
        </main>
        {summarised && <Summary rows={rowsOf(view.order.lines)} />}
      </div>
      <Footer about={view.about} />
    </Frame>
  );
}

interface FrameProps {
  readonly theme: Theme;
  readonly title: string;
  readonly children?: Child;
}

/** The document around anything. */
export function Frame({ theme, title, children }: FrameProps): Html {
  return (
    <>
      {raw("<!doctype html>")}
      <html lang="en" data-theme={theme}>
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content={theme === "auto" ? "light dark" : theme} />
          <title>{title} · Holdfast Provisions</title>
          <link rel="stylesheet" href="/style.css" />
        </head>
        <body>
          <a class="skip" href="#main">Skip to the content</a>
          {children}
        </body>
      </html>
    </>
  );
}

function Header({ view }: Viewed): Html {
  return (
    <header class="top">
      <p class="brand">
        <a href={`/?page=${view.page}`}>
          Holdfast <span>Provisions</span>
        </a>
      </p>
      <div class="tools">
        <ThemeForm view={view} />
        {view.name === "" ? <LoginForm view={view} /> : <LogoutForm name={view.name} />}
      </div>
    </header>
  );
}

function ThemeForm({ view }: Viewed): Html {
  return (
    <form method="post" action="/theme" class="theme" role="group" aria-label="Colours">
      <PageField view={view} />
      <input type="hidden" name="back" value={view.path} />
      {themes.map((theme) => (
        <button
          key={theme}
          type="submit"
          name="theme"
          value={theme}
          aria-pressed={theme === view.theme ? "true" : "false"}
        >
          {theme}
        </button>
      ))}
    </form>
  );
}

function LoginForm({ view }: Viewed): Html {
  return (
    <form method="post" action="/login" class="login">
      <PageField view={view} />
      <input type="hidden" name="back" value={view.path} />
      <label class="quiet" for="login">Your name</label>
      <input
        id="login"
        name="name"
        required
        maxlength={40}
        placeholder="Your name"
        autocomplete="nickname"
      />
      <button type="submit">Log in</button>
    </form>
  );
}

function LogoutForm({ name }: Pick<View, "name">): Html {
  return (
    <form method="post" action="/logout" class="login">
      <span>
        Aboard as <strong>{name}</strong>
      </span>
      <button type="submit">Log out</button>
    </form>
  );
}

function Stepper({ view }: Viewed): Html {
  const now = wizard.findIndex(({ path }) => path === view.path);
  return (
    <nav aria-label="Steps">
      <ol class="steps">
        {wizard.map(({ path, title }, i) =>
          i === now
            ? (
              <li key={path} class="now" aria-current="step">
                <span>{title}</span>
              </li>
            )
            : i < now && view.path !== "/done"
            ? (
              <li key={path} class="past">
                <a href={`${path}?page=${view.page}`}>{title}</a>
              </li>
            )
            : (
              <li key={path} class={i < now ? "past" : "next"}>
                <span>{title}</span>
              </li>
            )
        )}
      </ol>
    </nav>
  );
}

interface CartProps {
  readonly rows: readonly CartRow[];
}

function Summary({ rows }: CartProps): Html {
  return (
    <aside aria-labelledby="cart">
      <h2 id="cart">Your cart</h2>
      {rows.length === 0 ? <p class="quiet-text">Nothing in it yet.</p> : <CartTable rows={rows} />}
    </aside>
  );
}

/** The cart as a table. */
export function CartTable({ rows }: CartProps): Html {
  return (
    <table>
      <thead class="quiet">
        <tr>
          <th scope="col">Item</th>
          <th scope="col">Price</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ product, quantity, cents }) => (
          <tr key={product.id}>
            <th scope="row">
              <span class="count">{quantity} ×</span> {product.name}
            </th>
            <td>{price(cents)}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">Together</th>
          <td>{price(totalOf(rows))}</td>
        </tr>
      </tfoot>
    </table>
  );
}

/** Tells where everything is kept. */
export function Footer({ about: { runtime, stored, durable } }: { readonly about: About }): Html {
  return (
    <footer>
      <p>
        Served by {runtime}. This session is kept in {stored}.
        {durable && " Kill the server, start it again and reload: nothing is lost."}
      </p>
    </footer>
  );
}

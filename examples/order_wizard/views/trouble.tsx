/** @jsxImportSource hono/jsx */
import { HoldfastError } from "holdfast";
import type { About } from "../app.ts";
import type { Fields } from "../forms.ts";
import { Footer, Frame, type Html } from "./layout.tsx";

/** What to tell about an error. */
export interface Trouble {
  readonly status: 409 | 413 | 429 | 500 | 503;
  readonly title: string;
  readonly text: string;
  /** The same may work in a moment. */
  readonly retryable: boolean;
}

/** Finds the words for an error. */
export function troubleOf(error: unknown): Trouble {
  const code = error instanceof HoldfastError ? error.code : undefined;
  const retryable = error instanceof HoldfastError && error.retryable;
  switch (code) {
    case "ERR_TOO_LARGE":
      return trouble(413, "That is too much", "This order has become too large to keep.");
    case "ERR_SESSION_ENDED":
      return trouble(409, "You have logged out", "This was sent after the session had ended.");
    case "ERR_SESSION_REFUSED":
      return trouble(429, "Too many at once", "Please try again in a moment.", true);
    case "ERR_NEWER_VERSION":
      return trouble(503, "We are changing watch", "A newer version is taking over.", true);
    case undefined:
      return trouble(500, "Something broke", "It is our fault, and it has been noted.");
    default:
      return retryable
        ? trouble(503, "We cannot reach the hold", "Your cart is safe, but out of reach now.", true)
        : trouble(500, "Your cart cannot be read", "Logging out starts with an empty one.");
  }
}

function trouble(
  status: Trouble["status"],
  title: string,
  text: string,
  retryable = false,
): Trouble {
  return { status, title, text, retryable };
}

/** Names for what a form may hold; fields without one are not for people. */
const labels: Readonly<Record<string, string>> = {
  note: "Your note",
  name: "Name",
  street: "Street and number",
  postcode: "Postcode",
  city: "City",
  quantity: "How many",
};

/** The error page. What was sent stays in a form, to be sent again. */
export function troublePage(
  { title, text }: Trouble,
  sent: { readonly path: string; readonly fields: Fields } | null,
  about: About,
): Html {
  return (
    <Frame theme="auto" title={title}>
      <header class="top">
        <p class="brand">
          <a href="/">
            Holdfast <span>Provisions</span>
          </a>
        </p>
      </header>
      <div class="columns single">
        <main id="main">
          <h1>{title}</h1>
          <p>{text}</p>
          {sent === null
            ? (
              <p class="onward">
                <a class="button" href="">Try again</a>
              </p>
            )
            : (
              <form method="post" action={sent.path} class="panel">
                {Object.entries(sent.fields).map(([name, value]) => (
                  <Field key={name} name={name} value={value} />
                ))}
                <p class="onward">
                  <a href="/">Back to the items</a>
                  <button type="submit">Send it again</button>
                </p>
              </form>
            )}
        </main>
      </div>
      <Footer about={about} />
    </Frame>
  );
}

function Field({ name, value }: { readonly name: string; readonly value: string }): Html {
  const label = labels[name];
  if (label === undefined) return <input type="hidden" name={name} value={value} />;
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {name === "note"
        ? <textarea id="note" name="note" rows={3}>{`\n${value}`}</textarea>
        : <input id={name} name={name} value={value} />}
    </div>
  );
}

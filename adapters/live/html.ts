import type { Html } from "./types.ts";

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Writes a text so that it is one in HTML and in an attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => escapes[char] ?? char);
}

/** Marks a text as HTML: hono/html and hono/jsx take it as it is. */
export function asHtml(text: string): Html {
  return Object.assign(new String(text), { isEscaped: true as const }) as unknown as Html;
}

/** Writes the attributes of an element; `true` for one without a value. */
export function attributes(given: Readonly<Record<string, string | true>>): string {
  return Object.entries(given).map(([name, value]) =>
    value === true ? ` ${name}` : ` ${name}="${escapeHtml(value)}"`
  ).join("");
}

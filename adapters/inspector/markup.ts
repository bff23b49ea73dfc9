import { escapeHtml } from "../live/html.ts";

/** HTML that was put together by {@linkcode html}: it is not escaped again. */
export class Markup {
  readonly #text: string;

  /** @param text HTML that is safe. */
  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What can stand in a template: a text is escaped, nothing is left out. */
export type Part = Markup | string | number | undefined | readonly Part[];

/** Puts HTML together. Everything in it that is not markup is escaped. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  let text = strings[0] ?? "";
  for (const [i, part] of parts.entries()) text += textOf(part) + (strings[i + 1] ?? "");
  return new Markup(text);
}

function textOf(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Markup) return String(part);
  if (typeof part === "object") return part.map(textOf).join("");
  return escapeHtml(String(part));
}

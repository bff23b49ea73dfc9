import { isJsonObject, type JsonValue } from "../../src/core/json.ts";
import { html, Markup } from "./markup.ts";
import { type IsHidden, MASK, masked, type Shown } from "./mask.ts";

/** Values shown of one state; what is beyond is counted. */
const maxValues = 1000;

/** Characters shown of one text. */
const maxText = 400;

/** Levels that are open from the beginning. */
const openLevels = 2;

/**
 * Shows a value as a tree to open and close, without what is kept back.
 *
 * @param name Tells the tree from others on the page, so that what is open stays open as it changes.
 */
export function jsonTree(
  name: string,
  value: JsonValue,
  of: Shown,
  isHidden: IsHidden,
): Markup {
  return new Tree(name, of, isHidden).show(value);
}

class Tree {
  readonly #name: string;
  readonly #of: Shown;
  readonly #isHidden: IsHidden;
  #left = maxValues;

  constructor(name: string, of: Shown, isHidden: IsHidden) {
    this.#name = name;
    this.#of = of;
    this.#isHidden = isHidden;
  }

  show(value: JsonValue): Markup {
    const entries = entriesOf(value);
    if (entries === undefined) return html`<p class="tree">${scalar(value)}</p>`;
    return html`<ul class="tree">${this.#items(entries, [])}</ul>`;
  }

  #items(
    entries: readonly (readonly [string, JsonValue])[],
    path: readonly string[],
  ): readonly Markup[] {
    const items: Markup[] = [];
    for (const [key, value] of entries) {
      if (this.#left-- <= 0) {
        items.push(html`<li class="more">${entries.length - items.length} more, not shown</li>`);
        break;
      }
      items.push(this.#item(key, value, [...path, key]));
    }
    return items;
  }

  #item(key: string, value: JsonValue, path: readonly string[]): Markup {
    const name = html`<span class="key">${masked(key)}</span>`;
    if (this.#isHidden(path, value, this.#of)) {
      return html`<li>${name} <span class="mask">${MASK} <small>redacted</small></span></li>`;
    }
    const entries = entriesOf(value);
    if (entries === undefined) return html`<li>${name} ${scalar(value)}</li>`;
    if (entries.length === 0) {
      return html`<li>${name} <span class="empty">${
        Array.isArray(value) ? "[ ]" : "{ }"
      }</span></li>`;
    }
    const count = `${entries.length} ${entries.length === 1 ? "entry" : "entries"}`;
    const summary = html`<summary>${name} <small>${count}</small></summary>`;
    const items = html`<ul>${this.#items(entries, path)}</ul>`;
    const place = [this.#name, ...path].map(encodeURIComponent).join("/");
    // What was masked is no name: such an element is found by where it is.
    const id = masked(place) === place
      ? html`
        data-live-key="${place}"
      `
      : undefined;
    const open = path.length <= openLevels ? new Markup(" open") : undefined;
    return html`
      <li${id}>
        <details${open}>${summary}${items}</details></li>
    `;
  }
}

function entriesOf(value: JsonValue): readonly (readonly [string, JsonValue])[] | undefined {
  if (Array.isArray(value)) return value.map((item, i) => [String(i), item] as const);
  if (!isJsonObject(value)) return undefined;
  return Object.entries(value).map(([key, item]) => [key, item ?? null] as const);
}

function scalar(value: JsonValue): Markup {
  if (typeof value !== "string") return html`<span class="scalar">${String(value)}</span>`;
  // Masked first: a cut could leave half a token.
  const text = masked(value);
  const more = text.length - maxText;
  const shown = more > 0 ? `${text.slice(0, maxText)}…` : text;
  return html`<span class="text">"${shown}"</span>${
    more > 0
      ? html`
        <small>${more} more characters</small>
      `
      : undefined
  }`;
}

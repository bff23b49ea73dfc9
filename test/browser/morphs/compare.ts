/** A page for which two morphs do not do the same. */
export interface Difference {
  readonly seed: number;
  readonly old: string;
  readonly fresh: string;
  readonly one: string;
  readonly other: string;
}

/** What comparing found: the first difference, if any, and how much there was to compare. */
export interface Compared {
  readonly pages: number;
  /** Nodes that were kept, moved, added and taken away: of each there must be many. */
  readonly kept: number;
  readonly moved: number;
  readonly added: number;
  readonly removed: number;
  readonly difference?: Difference;
}

interface Callbacks {
  beforeNodeAdded(): boolean;
  afterNodeMorphed(): void;
  afterNodeRemoved(): void;
  beforeNodeMorphed(old: Node, fresh: Node): boolean;
  beforeNodeRemoved(old: Node): boolean;
  afterNodeAdded(added: Node): void;
  beforeAttributeUpdated(name: string, element: Element): boolean;
}

interface Library {
  morph(old: Element, fresh: Element, config: unknown): unknown;
}

/**
 * Morphs pages at random with two libraries, each given as the text of its module, and compares
 * what becomes of the page, node by node, and what is told meanwhile. Runs in a browser, where it is
 * sent as text: all it needs is in it.
 */
export class MorphComparison {
  readonly #libraries: readonly Library[];
  readonly #ids = ["a", "b", "c", "d", "e", "f.g", "h:1", 'q"'];
  readonly #total = { kept: 0, moved: 0, added: 0, removed: 0 };
  #state = 0;

  constructor(texts: readonly string[]) {
    this.#libraries = texts.map((text) =>
      new Function(`${text.replace(/\bexport \{.*\};?/, "")}\nreturn Idiomorph;`)()
    );
  }

  #chance(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let x = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  }

  #below(n: number): number {
    return Math.floor(this.#chance() * n);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T;
  }

  #maybe(share: number, text: string): string {
    return this.#chance() < share ? text : "";
  }

  #attributes(): string {
    return this.#maybe(0.35, ` id='${this.#pick(this.#ids)}'`) +
      this.#maybe(0.3, ` class="${this.#pick(["x", "y", "x y"])}"`) +
      this.#maybe(0.1, ` data-keep="${this.#below(3)}"`) + this.#maybe(0.06, " data-ignore") +
      this.#maybe(0.05, ` @click="${this.#below(2)}"`) +
      this.#maybe(0.1, ` name="${this.#pick(["n", "m", "id"])}"`);
  }

  #control(): string {
    const value = this.#maybe(0.6, ` value="${this.#pick(["", "1", "2"])}"`);
    const flags = this.#maybe(0.3, " checked") + this.#maybe(0.2, " disabled") +
      this.#maybe(0.15, " data-held");
    const type = this.#pick(["text", "checkbox", "radio", "hidden", "number", "file", "submit"]);
    switch (this.#below(4)) {
      case 0:
        return `<textarea${this.#attributes()}${flags}>${
          this.#pick(["", "1", "\n2", "1\n2"])
        }</textarea>`;
      case 1:
        return `<select${this.#attributes()}${flags}${this.#maybe(0.3, " multiple")}>${
          Array.from({ length: this.#below(4) }, (_, i) =>
            `<option${this.#maybe(0.3, ` value="${this.#below(3)}"`)}${
              this.#maybe(0.3, " selected")
            }>${i}</option>`)
            .join("")
        }</select>`;
      case 2:
        return `<button${this.#attributes()}${this.#maybe(0.2, " disabled")}${value}>${
          this.#below(3)
        }</button>`;
      default:
        return `<input type="${type}"${this.#attributes()}${value}${flags}>`;
    }
  }

  #nodes(depth: number): string {
    return Array.from({ length: this.#below(depth > 2 ? 3 : 6) }, () => this.#node(depth + 1)).join(
      "",
    );
  }

  #node(depth: number): string {
    const kind = this.#below(depth > 4 ? 5 : 12);
    if (kind < 2) return this.#pick(["one", "two", " ", "three"]);
    if (kind === 2) return `<!--${this.#pick(["", "x", "y"])}-->`;
    if (kind < 5) return this.#control();
    if (kind === 5) return `<template${this.#attributes()}>${this.#nodes(depth)}</template>`;
    if (kind === 6) {
      return `<svg${this.#attributes()}><g${this.#attributes()}><path${this.#attributes()}/></g></svg>`;
    }
    const tag = this.#pick(["div", "div", "span", "ul", "section", "form", "details", "fieldset"]);
    return `<${tag}${this.#attributes()}>${this.#nodes(depth)}</${tag}>`;
  }

  /** The page after: another one, or this one with some changes. */
  #changed(html: string): string {
    if (this.#chance() < 0.25) return this.#nodes(0);
    const { body } = new DOMParser().parseFromString(html, "text/html");
    for (let n = 1 + this.#below(4); n > 0; n--) {
      const all = [...body.querySelectorAll("*")];
      const one = all.length > 0 ? this.#pick(all) : body;
      const other = all.length > 0 ? this.#pick(all) : body;
      const how = this.#below(6);
      if (one === body || how === 0) one.insertAdjacentHTML("beforeend", this.#node(3));
      else if (how === 1) one.replaceWith();
      else if (how === 2 && !one.contains(other)) other.prepend(one);
      else if (how === 3) one.parentNode?.insertBefore(one, one.parentNode.firstChild);
      else if (how === 4) one.insertAdjacentHTML("beforebegin", this.#node(3));
      else one.outerHTML = this.#node(3);
    }
    return body.innerHTML;
  }

  /** All nodes below one, what is in templates included. */
  #allIn(root: Node): Node[] {
    const content = root instanceof HTMLTemplateElement ? [...root.content.childNodes] : [];
    return [...content, ...root.childNodes].flatMap((one) => [one, ...this.#allIn(one)]);
  }

  /** What a user did, by chance: the same on the same page. */
  #use(root: Element): void {
    for (const one of root.querySelectorAll<HTMLInputElement>("input,textarea,select,option")) {
      if (this.#chance() < 0.3 && /text|number|hidden/.test(one.type)) {
        one.value = this.#pick(["1", "7"]);
      }
      if (this.#chance() < 0.2) one.checked = !one.checked;
      if (this.#chance() < 0.2 && one instanceof HTMLOptionElement) one.selected = !one.selected;
      if (this.#chance() < 0.1) one.disabled = !one.disabled;
      if (this.#chance() < 0.1) one.focus();
    }
  }

  #look(numbers: ReadonlyMap<Node, number>, one: Node): string {
    const held = one as HTMLInputElement;
    const attributes = one instanceof Element
      ? [...one.attributes].map(({ name, value }) => `${name}=${JSON.stringify(value)}`).join()
      : JSON.stringify(one.nodeValue);
    const text = /hidden|text|number|submit/.test(held.type ?? "") ? held.value : "";
    const how = [held.checked, (one as Node as HTMLOptionElement).selected, held.disabled];
    return [
      numbers.get(one) ?? "new",
      one.nodeName,
      attributes,
      JSON.stringify(text),
      how.map((is) => is === true ? 1 : 0).join(""),
      one === document.activeElement ? "focus" : "",
    ].join(" ");
  }

  /** Morphs a page and says all that can be seen of it. */
  #run(library: Library, old: string, fresh: string, at: number, count: boolean): string {
    const root = document.createElement("main");
    root.innerHTML = old;
    document.body.replaceChildren(root);
    this.#state = at;
    this.#use(root);
    const { body } = new DOMParser().parseFromString(`<main>${fresh}</main>`, "text/html");
    const before = this.#allIn(root);
    const numbers = new Map(before.map((one, i) => [one, i] as const));
    const told: string[] = [];
    const callbacks: Callbacks = {
      beforeNodeAdded: () => true,
      afterNodeMorphed() {},
      afterNodeRemoved() {},
      beforeNodeMorphed: (one) => !(one instanceof Element && one.hasAttribute("data-ignore")),
      beforeNodeRemoved: (one) => told.push(`- ${this.#look(numbers, one)}`) > 0,
      afterNodeAdded: (one) => void told.push(`+ ${one.nodeName}`),
      beforeAttributeUpdated: (name, one) =>
        name !== "data-keep" && !(one.hasAttribute("data-held") && /value|checked/.test(name)),
    };
    try {
      library.morph(root, body.firstElementChild as Element, {
        restoreFocus: false,
        head: { style: "none" },
        callbacks,
      });
    } catch (error) {
      told.push(`threw ${error}`);
    }
    const after = this.#allIn(root);
    if (count) {
      const kept = after.filter((one) => numbers.has(one)).map((one) => numbers.get(one) ?? 0);
      this.#total.kept += kept.length;
      this.#total.moved += kept.filter((n, i) => n < (kept[i - 1] ?? -1)).length;
      this.#total.added += after.length - kept.length;
      this.#total.removed += before.length - kept.length;
    }
    return [...after.map((one) => this.#look(numbers, one)), ...told, root.outerHTML].join("\n");
  }

  run(seed: number, pages: number): Compared {
    const { moveBefore } = Element.prototype as { moveBefore?: unknown };
    for (let page = 0; page < pages; page++) {
      const at = Math.imul(seed + page, 0x9e3779b1) | 0;
      this.#state = at;
      const old = this.#nodes(0);
      const fresh = this.#changed(old);
      Object.assign(Element.prototype, {
        moveBefore: this.#chance() < 0.2 ? undefined : moveBefore,
      });
      const [one = "", other = ""] = this.#libraries.map((library, i) =>
        this.#run(library, old, fresh, at, i === 0)
      );
      if (one !== other) {
        return {
          pages: page + 1,
          ...this.#total,
          difference: { seed: seed + page, old, fresh, one, other },
        };
      }
    }
    return { pages, ...this.#total };
  }
}

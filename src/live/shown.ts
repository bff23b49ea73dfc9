import type { Outbox } from "./context.ts";
import type { Change } from "./protocol.ts";
import { splice } from "./splice.ts";

/** Bytes a replacement takes beside its text: numbers, brackets, commas. */
const perSplice = 24;

/** What the page shows of a view, as far as the server has told it. */
export class Shown {
  #text = "";
  #rev = 0;
  #title = "";

  get text(): string {
    return this.#text;
  }

  /** Version of the text; 0 before the first. */
  get rev(): number {
    return this.#rev;
  }

  get title(): string {
    return this.#title;
  }

  /** The version that a text is, or will be once the page is told of it. */
  revOf(text: string): number {
    return text === this.#text ? this.#rev : this.#rev + 1;
  }

  /** The first text. */
  begin(text: string, outbox: Outbox): void {
    this.#text = text;
    this.#rev = 1;
    this.#title = outbox.takeTitle() ?? "";
  }

  /** What the page has to be told to get to this text; `undefined` if nothing. */
  changeTo(text: string, outbox: Outbox): Change | undefined {
    const fx = outbox.takeEffects();
    const title = outbox.takeTitle();
    const isNewTitle = title !== undefined && title !== this.#title;
    if (isNewTitle) this.#title = title;
    if (text === this.#text && !isNewTitle && fx.length === 0) return undefined;
    return {
      ...(text === this.#text ? {} : this.#next(text)),
      ...(isNewTitle ? { title } : {}),
      ...(fx.length === 0 ? {} : { fx }),
    };
  }

  #next(text: string): Change {
    const base = this.#rev++;
    const splices = splice(this.#text, text);
    this.#text = text;
    const cost = splices.reduce((sum, [, , insert]) => sum + insert.length + perSplice, 0);
    return cost < text.length / 2
      ? { rev: this.#rev, base, splice: splices }
      : { rev: this.#rev, html: text };
  }
}

/** Somebody who types into a page without a break, and looks whether it is all there. */
import type { Page } from "playwright-core";
import { describe, Frames } from "./frames.ts";
import { by, connected, loadedMore, shows } from "./look.ts";

const alphabet = "abcdefghijklmnopqrstuvwxyz 0123456789 ";

interface Seen {
  readonly value: string;
  readonly caret: number;
  readonly focused: boolean;
  readonly mark: unknown;
}

/** How somebody types. */
export interface Pace {
  /** Milliseconds from key to key, on average. */
  readonly paceMs: number;
  /** Characters after which the form is sent. */
  readonly sendAfter: number;
}

export class Typist {
  readonly page: Page;
  readonly problems: string[] = [];
  readonly #name: string;
  readonly #paceMs: number;
  readonly #sendAfter: number;
  /** What the field has to hold. */
  #text = "";
  typed = 0;
  lost = 0;
  carets = 0;
  reloads = 0;
  sent = 0;
  unsent = 0;
  checks = 0;
  /** Whether it gave up. */
  stuck = 0;

  private constructor(page: Page, name: string, { paceMs, sendAfter }: Pace) {
    this.page = page;
    this.#name = name;
    this.#paceMs = paceMs;
    this.#sendAfter = sendAfter;
  }

  static async open(page: Page, url: string, number: number, pace: Pace): Promise<Typist> {
    const typist = new Typist(page, `page ${number}`, pace);
    Frames.of(page, 100);
    await page.goto(`${url}/settings`);
    await connected(page);
    // It has listeners of its own, which are no leak.
    await loadedMore(page);
    await page.evaluate(() => void Object.assign(globalThis, { soakMark: true }));
    await by(page, "draft").focus();
    return typist;
  }

  /** Types until it is told to stop, or the page does not go on. */
  async work(stopped: () => boolean): Promise<void> {
    await this.#unlessStuck(() => this.#work(stopped));
  }

  async #unlessStuck(act: () => Promise<void>): Promise<void> {
    try {
      if (this.stuck === 0) await act();
    } catch (error) {
      this.stuck++;
      this.problems.push(`${this.#name}: ${error}\n${await describe(this.page)}`);
    }
  }

  async #work(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      const length = 20 + Math.floor(Math.random() * 20);
      for (let i = 0; i < length && !stopped(); i++) await this.#type();
      await this.#look();
      if (this.#text.length > this.#sendAfter) await this.#send();
    }
  }

  /** Waits until the server has it all. */
  async settle(): Promise<void> {
    await this.#unlessStuck(() => this.#settle());
  }

  async #settle(): Promise<void> {
    await connected(this.page);
    const wanted = this.#text;
    const echoed = async () => JSON.parse(await by(this.page, "echo").textContent() ?? "{}").draft;
    const until = performance.now() + 10_000;
    while (await echoed() !== wanted && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    if (await echoed() !== wanted) this.problems.push(`${this.#name}: the server lacks text`);
    await this.#look();
  }

  async #type(): Promise<void> {
    const char = alphabet[Math.floor(Math.random() * alphabet.length)] ?? "a";
    this.#text += char;
    this.typed++;
    await this.page.keyboard.type(char);
    await new Promise((resolve) => setTimeout(resolve, this.#paceMs * (0.5 + Math.random())));
  }

  async #look(): Promise<void> {
    this.checks++;
    const { value, caret, focused, mark }: Seen = await this.page.evaluate(() => {
      const field = document.getElementById("draft") as HTMLTextAreaElement;
      return {
        value: field.value,
        caret: field.selectionStart,
        focused: document.activeElement === field,
        mark: Reflect.get(globalThis, "soakMark"),
      };
    });
    if (mark !== true) {
      this.reloads++;
      this.problems.push(`${this.#name} was loaded again`);
      await this.page.evaluate(() => void Object.assign(globalThis, { soakMark: true }));
    }
    if (value !== this.#text) {
      this.lost += difference(value, this.#text);
      this.problems.push(`${this.#name}: "${value}" should be "${this.#text}"`);
      this.#text = value;
    }
    if (!focused || caret !== value.length) {
      this.carets++;
      this.problems.push(`${this.#name}: caret at ${caret} of ${value.length}, focus ${focused}`);
      await by(this.page, "draft").focus();
      await this.page.keyboard.press("Control+End");
    }
  }

  /** Sends the form. If it says that it was not sent, sends it again. */
  async #send(): Promise<void> {
    await by(this.page, "save").click();
    const form = this.page.locator("#settings");
    const pending = this.page.locator("#settings[data-live-pending]");
    for (;;) {
      await pending.waitFor({ state: "detached" });
      await connected(this.page);
      if (await form.getAttribute("data-live-unsent") === null) break;
      this.unsent++;
      await by(this.page, "save").click();
    }
    this.sent++;
    await shows(this.page, "saves", this.sent);
    this.#text = "";
    await by(this.page, "draft").focus();
    await this.page.keyboard.press("Control+End");
  }
}

function difference(found: string, wanted: string): number {
  let same = 0;
  while (same < found.length && found[same] === wanted[same]) same++;
  return Math.max(found.length, wanted.length) - same;
}

/** What all pages together hold. */
export async function footprint(
  typists: readonly Typist[],
): Promise<{ listeners: number; nodes: number; heapMiB: number }> {
  const sum = { listeners: 0, nodes: 0, heapMiB: 0 };
  for (const { page } of typists) {
    const session = await page.context().newCDPSession(page);
    await session.send("HeapProfiler.collectGarbage");
    await session.send("Performance.enable");
    const { metrics } = await session.send("Performance.getMetrics");
    const value = (name: string) => metrics.find((one) => one.name === name)?.value ?? 0;
    sum.listeners += value("JSEventListeners");
    sum.nodes += value("Nodes");
    sum.heapMiB += value("JSHeapUsedSize") / 1_048_576;
    await session.detach();
  }
  return { ...sum, heapMiB: Math.round(sum.heapMiB * 10) / 10 };
}

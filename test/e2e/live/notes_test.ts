import type { Page } from "playwright-core";
import { assert, assertEquals } from "../../harness/mod.ts";
import { marked, until } from "./look.ts";
import { type Scene, Stage } from "./stage.ts";

const status = (page: Page) => page.locator("#status").textContent();

const notes = new Stage({
  script: "examples/notes_yjs/main.ts",
  env: (DATABASE) => ({
    DATABASE,
    SECRET: "a secret of the tests, as long as it has to be",
    PORT: "0",
  }),
  ready: (page) => until(async () => await status(page) === "Saved"),
}, "bun");

/** Somebody with a browser of their own, at the editor. */
async function writer(s: Scene, name: string): Promise<Page> {
  const page = await s.open("/", await s.context());
  await page.locator("#name").fill(name);
  await page.keyboard.press("Enter");
  await page.locator(".cm-content[contenteditable=true]").waitFor();
  await saved(page);
  return page;
}

const saved = (page: Page) => until(async () => await status(page) === "Saved");
/** What is written, without the carets of others in between. */
const text = (page: Page) =>
  page.locator(".cm-content").evaluate((content) => {
    const copy = content.cloneNode(true) as Element;
    for (const caret of copy.querySelectorAll(".cm-ySelectionCaret")) caret.remove();
    return [...copy.querySelectorAll(".cm-line")].map((line) => line.textContent).join("\n");
  });
const crew = (page: Page) => page.locator("#crew li").allTextContents();

/** Types at the end. */
async function type(page: Page, what: string): Promise<void> {
  await page.locator(".cm-content").focus();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(what);
}

async function all(pages: readonly Page[], expected: string): Promise<void> {
  for (const page of pages) {
    await until(async () => await text(page) === expected).catch(async () => {
      throw new Error(`it says ${JSON.stringify(await text(page))}, not ${expected}`);
    });
  }
}

notes.scenario(
  "[EX19] two browsers write into one note through a rolling restart and a kill -9",
  async (s) => {
    const first = await s.node("a");
    s.proxy.lead(first);
    const [ada, bob] = [await writer(s, "Ada"), await writer(s, "Bob")];
    const pages = [ada, bob];
    const stays = await Promise.all(pages.map(marked));
    await until(async () => String((await crew(bob)).toSorted()) === "Ada,Bob (you)");
    await type(ada, "kelp\n");
    await all(pages, "kelp\n");
    await type(bob, "rope\n");
    await all(pages, "kelp\nrope\n");
    // Where the other one is.
    await ada.locator(".cm-ySelectionInfo", { hasText: "Bob" }).waitFor({ state: "attached" });

    const second = await s.node("b");
    s.proxy.lead(second);
    first.kill("SIGTERM");
    await type(ada, "tar\n");
    assertEquals((await first.exited).code, 0);
    await all(pages, "kelp\nrope\ntar\n");

    await saved(ada);
    s.proxy.lead(await s.node("c"));
    second.kill("SIGKILL");
    await second.exited;
    await type(bob, "sail");
    await all(pages, "kelp\nrope\ntar\nsail");
    await saved(bob);
    await until(async () => String((await crew(ada)).toSorted()) === "Ada (you),Bob");
    // Undo is the browser's, and of what one has written oneself.
    await ada.locator(".cm-content").focus();
    for (let more = 20; more > 0 && (await text(ada)).includes("tar"); more--) {
      await ada.keyboard.press("Control+z");
    }
    await all(pages, "kelp\nrope\nsail");
    for (const kept of stays) await kept();
  },
);

notes.scenario(
  "[EX19] what is typed offline is merged, also when the page was loaded again",
  async (s) => {
    const node = await s.node("d");
    s.proxy.lead(node);
    const [cleo, dan] = [await writer(s, "Cleo"), await writer(s, "Dan")];
    const before = await text(cleo);
    await cleo.context().setOffline(true);
    await until(async () => (await status(cleo))?.startsWith("Offline") === true);
    await type(cleo, "|cleo|");
    await type(dan, "|dan|");
    await saved(dan);
    assert(!(await text(cleo)).includes("dan"), "it is not offline");
    await cleo.context().setOffline(false);
    await until(async () => (await text(cleo)).includes("|dan|"));
    await until(async () => (await text(dan)).includes("|cleo|"));
    assertEquals((await text(cleo)).length, before.length + 11);

    // The server is gone, and so is the page, before what was typed could be sent.
    node.kill("SIGKILL");
    await node.exited;
    await type(cleo, "|late|");
    s.proxy.lead(await s.node("e"));
    await cleo.reload();
    await cleo.locator(".cm-content[contenteditable=true]").waitFor();
    for (const page of [cleo, dan]) await until(async () => (await text(page)).includes("|late|"));
    assertEquals(await text(cleo), await text(dan));
  },
);

notes.scenario(
  "[EX19] who has not said who they are reads, before any script has run",
  async (s) => {
    s.proxy.lead(await s.node("f"));
    const eve = await writer(s, "Eve");
    await type(eve, "\nfor all to read");
    await saved(eve);
    const plain = await (await s.context({ javaScriptEnabled: false })).newPage();
    await plain.goto(s.proxy.url);
    assert((await plain.locator("#editor pre").textContent())?.includes("for all to read"));
    const reader = await s.open("/", await s.context());
    await reader.locator(".cm-content[contenteditable=false]").waitFor();
    assertEquals(await text(reader), await text(eve));
  },
);

import type { Page } from "playwright-core";
import { assertEquals } from "../../harness/mod.ts";
import { Frames } from "./frames.ts";
import { connected, marked, until } from "./look.ts";
import { type Scene, Stage } from "./stage.ts";

const board = new Stage({
  script: "examples/board/main.ts",
  env: (DATABASE) => ({
    DATABASE,
    SECRET: "a secret of the tests, as long as it has to be",
    PORT: "0",
  }),
}, "deno");

/** Somebody with a browser of their own. */
async function aboard(s: Scene, name: string): Promise<Page> {
  const page = await s.open("/", await s.context());
  await page.locator("#name").fill(name);
  await page.keyboard.press("Enter");
  await page.locator("#add-todo").waitFor();
  return page;
}

async function add(page: Page, column: string, title: string): Promise<void> {
  await page.locator(`#title-${column}`).fill(title);
  await page.keyboard.press("Enter");
  await card(page, column, title).waitFor();
}

const card = (page: Page, column: string, title: string) =>
  page.locator(`#column-${column} .card`, { hasText: title });
const titles = (page: Page, column: string) =>
  page.locator(`#column-${column} .title`).allTextContents();
const crew = (page: Page) => page.locator(".crew li").allTextContents();

/** Waits until two pages show the same of a column. */
async function both(pages: readonly Page[], column: string, expected: readonly string[]) {
  for (const page of pages) {
    await until(async () => String(await titles(page, column)) === String(expected));
  }
}

async function rejoined(page: Page, times: number): Promise<void> {
  await until(() => Frames.of(page).received("joined").length === times);
  await connected(page);
}

board.scenario(
  "[EX18] two browsers share the board through a rolling restart and a kill -9",
  async (s) => {
    const first = await s.node("a");
    s.proxy.lead(first);
    const [ada, bob] = [await aboard(s, "Ada"), await aboard(s, "Bob")];
    const pages = [ada, bob];
    const stays = await Promise.all(pages.map(marked));
    await until(async () => String(await crew(bob)) === "Ada,Bob (you)");
    for (const title of ["net", "hull", "rope"]) await add(ada, "todo", title);
    await both(pages, "todo", ["net", "hull", "rope"]);
    // By keyboard, and by drag.
    await card(bob, "todo", "net").getByRole("button", { name: "Move net to Under way" }).focus();
    await bob.keyboard.press("Enter");
    await both(pages, "doing", ["net"]);
    await card(ada, "todo", "rope").dragTo(ada.locator("#column-done"));
    await both(pages, "done", ["rope"]);
    await bob.locator("#title-doing").fill("half a ca");
    const second = await s.node("b");
    s.proxy.lead(second);
    first.kill("SIGTERM");
    assertEquals((await first.exited).code, 0);
    await Promise.all(pages.map((page) => rejoined(page, 2)));
    assertEquals(await bob.locator("#title-doing").inputValue(), "half a ca");
    await bob.locator("#title-doing").pressSequentially("rd");
    await bob.keyboard.press("Enter");
    await both(pages, "doing", ["net", "half a card"]);
    // What a process has acknowledged it has not only in memory, and who may undo it neither.
    await add(ada, "todo", "last");
    s.proxy.lead(await s.node("c"));
    second.kill("SIGKILL");
    await second.exited;
    await Promise.all(pages.map((page) => rejoined(page, 3)));
    await both(pages, "todo", ["hull", "last"]);
    await ada.locator("#undo button").click();
    await both(pages, "todo", ["hull"]);
    await ada.locator("#undo button").click();
    await both(pages, "todo", ["hull", "rope"]);
    await ada.locator("#redo button").click();
    await both(pages, "done", ["rope"]);
    await until(async () => String(await crew(ada)) === "Ada (you),Bob");
    for (const kept of stays) await kept();
  },
);

board.scenario(
  "[EX18] what somebody else has removed no undo brings back, and who leaves is gone",
  async (s) => {
    s.proxy.lead(await s.node("d"));
    const [cleo, dan] = [await aboard(s, "Cleo"), await aboard(s, "Dan")];
    await add(cleo, "todo", "sail");
    await card(cleo, "todo", "sail").getByRole("button", { name: "Move sail to Under way" })
      .click();
    await card(dan, "doing", "sail").waitFor();
    // Where somebody is shows at the card.
    await card(dan, "doing", "sail").getByRole("button", { name: "Rename sail" }).click();
    await card(cleo, "doing", "sail").locator(".at", { hasText: "Dan" }).waitFor();
    await dan.locator("[id^=rename-title]").fill("foresail");
    await dan.keyboard.press("Enter");
    await card(cleo, "doing", "foresail").waitFor();
    await card(dan, "doing", "foresail").getByRole("button", { name: "Remove foresail" }).click();
    await card(cleo, "doing", "foresail").waitFor({ state: "detached" });
    await cleo.locator("#undo button").click();
    await cleo.locator(".notice", { hasText: "Not done" }).waitFor();
    assertEquals(await cleo.locator(".card", { hasText: "foresail" }).count(), 0);
    await dan.locator("#undo button").click();
    await card(cleo, "doing", "foresail").waitFor();
    await dan.context().close();
    await until(async () => !(await crew(cleo)).some((one) => one.startsWith("Dan")));
  },
);

board.scenario("[EX18] a title that is half typed survives kill -9, with its form", async (s) => {
  const node = await s.node("f");
  s.proxy.lead(node);
  const page = await aboard(s, "Fay");
  await add(page, "todo", "mast");
  await card(page, "todo", "mast").getByRole("button", { name: "Rename mast" }).click();
  const field = page.locator("[id^=rename-title]");
  await field.fill("mast, half ty");
  await until(() => Frames.of(page).stored);
  node.kill("SIGKILL");
  await node.exited;
  s.proxy.lead(await s.node("g"));
  await rejoined(page, 2);
  assertEquals(await field.inputValue(), "mast, half ty");
  await page.keyboard.type("ped");
  await page.keyboard.press("Enter");
  await card(page, "todo", "mast, half typed").waitFor();
});

board.scenario("[EX18] the board works without JavaScript", async (s) => {
  s.proxy.lead(await s.node("e"));
  const page = await (await s.context({ javaScriptEnabled: false })).newPage();
  await page.goto(s.proxy.url);
  await page.locator("#name").fill("Eve");
  await page.getByRole("button", { name: "Come aboard" }).click();
  await add(page, "todo", "tar");
  await card(page, "todo", "tar").getByRole("button", { name: "Move tar to Under way" }).click();
  await card(page, "doing", "tar").waitFor();
  await page.locator("#undo button").click();
  await card(page, "todo", "tar").waitFor();
});

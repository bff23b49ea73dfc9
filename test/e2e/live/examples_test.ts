import type { Page } from "playwright-core";
import { assertEquals } from "../../harness/mod.ts";
import { Frames } from "./frames.ts";
import { connected, until } from "./look.ts";
import { Stage } from "./stage.ts";

const SECRET = "a secret of the tests, as long as it has to be";

const todos = new Stage({
  script: "examples/todo_live/main.ts",
  env: (DATABASE) => ({ DATABASE, SECRET, PORT: "0" }),
});

async function add(page: Page, text: string): Promise<void> {
  await page.locator("#text").fill(text);
  await page.keyboard.press("Enter");
  await page.locator(".items span", { hasText: text }).waitFor();
}

const itemsOf = (page: Page) => page.locator(".items span").allTextContents();

todos.scenario(
  "[EX16] the live todo list is the same in every tab, and survives kill -9",
  async (s) => {
    const node = await s.node();
    s.proxy.lead(node);
    const context = await s.context();
    const page = await s.open("/", context);
    for (const text of ["net", "kelp", "boat"]) await add(page, text);
    await page.locator("#item-2 .tick").click();
    await page.locator("#item-2.done").waitFor();
    await page.locator("#item-1 .remove").click();
    await until(async () => (await itemsOf(page)).length === 2);
    await page.locator("#text").fill("half a th");
    await page.keyboard.press("Tab");
    const second = await s.open("/", context);
    assertEquals(await itemsOf(second), ["kelp", "boat"]);
    assertEquals(await second.locator("#text").inputValue(), "");
    await second.locator("#text").fill("salt");
    await Promise.all([second.keyboard.press("Enter"), page.locator("#item-2 .tick").click()]);
    await second.locator(".items span", { hasText: "salt" }).waitFor();
    const both = async (tab: Page) => (await itemsOf(tab)).join() === "kelp,boat,salt";
    await until(async () => await both(page) && await both(second));
    await second.locator("#item-2:not(.done)").waitFor();
    node.kill("SIGKILL");
    await node.exited;
    s.proxy.lead(await s.node());
    // The loss is shown after a while only: till then it says that it is connected.
    await until(() => Frames.of(page).received("joined").length === 2);
    await connected(page);
    await page.locator("#item-3 .tick").click();
    await page.locator("#item-3.done").waitFor();
    assertEquals(await itemsOf(page), ["kelp", "boat", "salt"]);
    assertEquals(await page.locator("#text").inputValue(), "half a th");
  },
);

todos.scenario("[EX16] the live todo list works without JavaScript", async (s) => {
  s.proxy.lead(await s.node());
  const page = await (await s.context({ javaScriptEnabled: false })).newPage();
  await page.goto(s.proxy.url);
  for (const text of ["net", "kelp"]) await add(page, text);
  await page.locator("#item-1 .tick").click();
  await page.locator("#item-1.done").waitFor();
  await page.locator("#item-2 .remove").click();
  // The form leads back to the page; another load in the middle of that finds no page.
  await page.locator("#item-2").waitFor({ state: "detached" });
  await page.reload();
  assertEquals(await itemsOf(page), ["net"]);
});

todos.scenario(
  "[EX16] a tab that has not heard of a removal removes no other item, and a full list keeps what was typed",
  async (s) => {
    // Two processes without a cluster: neither tells the other what it has stored.
    s.proxy.lead(await s.node("deaf a"));
    const context = await s.context();
    const page = await s.open("/", context);
    await add(page, "net");
    s.proxy.lead(await s.node("deaf b"));
    const deaf = await s.open("/", context);
    await page.locator("#item-1 .remove").click();
    await page.locator("#item-1").waitFor({ state: "detached" });
    await add(page, "kelp");
    await deaf.locator("#item-1 .remove").click();
    await deaf.locator("#item-1").waitFor({ state: "detached" });
    await deaf.locator(".items span", { hasText: "kelp" }).waitFor();
    for (let i = 1; i < 100; i++) await add(deaf, `item ${i}.`);
    await deaf.locator("#text").fill("one too many");
    await deaf.keyboard.press("Enter");
    await until(() => Frames.of(deaf).received("reply").at(-1)?.ok === true);
    await deaf.locator("#new:not([data-live-pending])").waitFor();
    assertEquals(await deaf.locator("#text").inputValue(), "one too many");
    assertEquals((await itemsOf(deaf)).length, 100);
    await deaf.locator(".left", { hasText: "full" }).waitFor();
  },
);

const shop = new Stage({
  script: "examples/rolling_restart/main.ts",
  env: (DATABASE) => ({ DATABASE, SECRET, PORT: "0" }),
});

shop.scenario("[EX17] the order form goes from version 1 to 2 while a note is typed", async (s) => {
  const old = await s.node("a", { VERSION: "1" });
  s.proxy.lead(old);
  const page = await s.open("/");
  await page.locator("#product").selectOption("compass");
  await page.locator("#quantity").fill("2");
  await page.locator("#note").focus();
  const note = "to the harbour office, please";
  const typing = page.keyboard.type(note, { delay: 30 });
  s.proxy.lead(await s.node("b", { VERSION: "2" }));
  old.kill("SIGTERM");
  await typing;
  assertEquals(await old.exited, { code: 0, signal: null }, old.output());
  await page.locator('.badge[data-version="2"]').waitFor();
  await connected(page);
  assertEquals(await page.locator("#note").inputValue(), note);
  await page.locator("#gift").check();
  await page.locator("output", { hasText: "75.00 €" }).waitFor();
  await page.locator("form#order button").click();
  await page.locator(".orders", { hasText: "1 ordered" }).waitFor();
  assertEquals(await page.locator("#note").inputValue(), "");
});

shop.scenario("[EX17] two tabs that order at the same time lose no order", async (s) => {
  s.proxy.lead(await s.node("a", { VERSION: "2" }));
  const context = await s.context();
  const tabs = [await s.open("/", context), await s.open("/", context)];
  await Promise.all(tabs.map((tab) => tab.locator("form#order button").click()));
  for (const tab of tabs) await tab.locator(".orders", { hasText: "2 ordered" }).waitFor();
});

shop.scenario(
  "[EX17] what is ordered before the script is there, or without it, counts",
  async (s) => {
    s.proxy.lead(await s.node("a", { VERSION: "2" }));
    const page = await (await s.context({ javaScriptEnabled: false })).newPage();
    await page.goto(s.proxy.url);
    await page.locator("#note").fill("to the harbour office");
    await page.locator("form#order button").click();
    await page.locator(".orders", { hasText: "1 ordered" }).waitFor();
    assertEquals(new URL(page.url()).search, "");
  },
);

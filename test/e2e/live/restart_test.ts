import type { Page } from "playwright-core";
import { assert, assertEquals } from "../../harness/mod.ts";
import { Jar } from "../jar.ts";
import { Frames } from "./frames.ts";
import { by, connected, echo, marked, rejoined, shows, text, until } from "./look.ts";
import { Stage } from "./stage.ts";

const stage = new Stage();

const sentence = "The tide was out, and nobody on the quay had noticed that the server was new.";

/** Notes every state a page's root is in. */
async function statesOf(page: Page): Promise<() => Promise<readonly string[]>> {
  await page.evaluate(() => {
    const states: string[] = [];
    Object.assign(globalThis, { states });
    const root = document.querySelector("[data-live-view]");
    if (root === null) return;
    new MutationObserver(() => states.push(root.getAttribute("data-live-state") ?? ""))
      .observe(root, { attributes: true, attributeFilter: ["data-live-state"] });
  });
  return () => page.evaluate(() => Reflect.get(globalThis, "states") as string[]);
}

/** Where the caret is, and in what. */
function caretOf(page: Page): Promise<{ id: string; start: number | null; end: number | null }> {
  return page.evaluate(() => {
    const { id, selectionStart: start, selectionEnd: end } = document
      .activeElement as HTMLInputElement;
    return { id, start, end };
  });
}

stage.scenario(
  "[LB12] (20) a node drained while the user types loses no character, no caret and no focus, and ends with code 0",
  async (s) => {
    const old = await s.node("a");
    s.proxy.lead(old);
    const page = await s.open("/counter");
    const unmoved = await marked(page);
    const states = await statesOf(page);
    await by(page, "inc").click();
    await by(page, "note").focus();
    const typing = page.keyboard.type(sentence, { delay: 30 });
    await until(async () => (await by(page, "note").inputValue()).length > 10);
    s.proxy.lead(await s.node("b"));
    old.kill("SIGTERM");
    await typing;
    assertEquals(await old.exited, { code: 0, signal: null }, old.output());
    await rejoined(page, 1);
    await shows(page, "node", "b");
    await until(async () => (await echo(page))["note"] === sentence);
    assertEquals(await by(page, "note").inputValue(), sentence);
    assertEquals(await caretOf(page), { id: "note", start: sentence.length, end: sentence.length });
    assertEquals(await text(page, "count"), "1");
    const seen = await states();
    assert(!seen.includes("failed") && !seen.includes("offline"), seen.join(" "));
    await unmoved();
  },
);

stage.scenario(
  "[LB12] (20) a caret in the middle of a text stays there through two nodes drained in a row",
  async (s) => {
    const [first, second, third] = [await s.node("a"), await s.node("b"), await s.node("c")];
    s.proxy.lead(first);
    const page = await s.open("/settings");
    await by(page, "draft").fill("before | after");
    await by(page, "draft").evaluate((field) =>
      (field as HTMLTextAreaElement).setSelectionRange(7, 7)
    );
    s.proxy.lead(second);
    first.kill("SIGTERM");
    await page.keyboard.type("one ", { delay: 20 });
    await first.exited;
    s.proxy.lead(third);
    second.kill("SIGTERM");
    await page.keyboard.type("two ", { delay: 20 });
    assertEquals(await second.exited, { code: 0, signal: null }, second.output());
    await shows(page, "node", "c");
    await until(async () => (await echo(page))["draft"] === "before one two | after");
    assertEquals(await by(page, "draft").inputValue(), "before one two | after");
    assertEquals(await caretOf(page), { id: "draft", start: 15, end: 15 });
  },
);

stage.scenario(
  "[LB13] (23) what waits for a debounce is sent to the old node before it closes",
  async (s) => {
    const old = await s.node("a");
    s.proxy.lead(old);
    const page = await s.open("/counter");
    await by(page, "late").pressSequentially("still waiting");
    const frames = Frames.of(page);
    assertEquals(frames.sent("event"), []);
    s.proxy.lead(await s.node("b"));
    old.kill("SIGTERM");
    assertEquals(await old.exited, { code: 0, signal: null }, old.output());
    await rejoined(page, 1);
    const story = frames.all.filter(({ socket }) => socket === 0).map(({ frame }) => frame.t);
    const at = (t: string) => story.indexOf(t as typeof story[number]);
    assert(at("drain") < at("event") && at("event") < at("drained"), story.join(" "));
    assert(at("drained") < story.lastIndexOf("stash"), story.join(" "));
    await until(async () => (await echo(page))["late"] === "still waiting");
  },
);

stage.scenario(
  "[LB13] (21) what the server called durable is there after everything was killed",
  async (s) => {
    const node = await s.node("a");
    s.proxy.lead(node);
    const context = await s.context();
    const page = await s.open("/counter", context);
    for (let i = 0; i < 5; i++) await by(page, "inc").click();
    await shows(page, "count", 5);
    await until(() => Frames.of(page).stored);
    node.kill("SIGKILL");
    await page.close();
    await node.exited;
    s.proxy.lead(await s.node("a"));
    assertEquals(await text(await s.open("/counter", context), "count"), "5");
  },
);

stage.scenario(
  "[LB14] (25) a draft survives the HTML of a new version rendered while its page is away, and is migrated",
  async (s) => {
    s.proxy.lead(await s.node("old"));
    const context = await s.context();
    const page = await s.open("/boom", context);
    for (let i = 0; i < 2; i++) await by(page, "keep").click();
    await shows(page, "kept", 2);
    await until(() => Frames.of(page).stored);
    const next = await s.node("new", { APP_VERSION: "2" });
    s.proxy.refusing = true;
    s.proxy.cut();
    const cookies = await context.cookies();
    const jar = new Jar(cookies.map(({ name, value }) => `${name}=${value}`).join("; "));
    const { status, body } = await jar.get(`${next.url}/boom`);
    assertEquals(status, 200);
    assert(/data-testid="kept">2</.test(body), body);
    s.proxy.lead(next);
    s.proxy.refusing = false;
    await rejoined(page, 1);
    assertEquals(await text(page, "recovery"), "migrated");
    const { kept, draft } = await echo(page);
    assertEquals({ kept, draft }, { kept: 2, draft: 2 });
  },
);

stage.scenario(
  "[LB14] (24) a node of the old version never overwrites what the new one has stored, and sends its pages on",
  async (s) => {
    const old = await s.node("old");
    const context = await s.context();
    s.proxy.lead(old);
    const first = await s.open("/settings", context);
    await by(first, "save").click();
    await shows(first, "saves", 1);
    await until(() => Frames.of(first).stored);
    const stranger = await s.open("/settings", await s.context());
    s.proxy.lead(await s.node("new", { APP_VERSION: "2" }));
    const second = await s.open("/settings", context);
    assertEquals(await text(second, "recovery"), "migrated");
    await by(second, "save").click();
    await shows(second, "saves", 2);
    await until(() => Frames.of(second).stored);
    // Still on the old node.
    await by(first, "theme").selectOption("dark");
    await shows(first, "version", "2");
    await connected(first);
    await until(async () => (await echo(first))["theme"] === "dark");
    const { saves, contrast, from } = await echo(first);
    assertEquals({ saves, contrast, from }, { saves: 2, contrast: "normal", from: 1 });
    assertEquals(await text(stranger, "version"), "1");
  },
);

stage.scenario(
  "[LB15] (29) a new build is announced, and loaded with the next navigation only",
  async (s) => {
    const old = await s.node("a");
    s.proxy.lead(old);
    const page = await s.open("/counter");
    await page.evaluate(() => {
      addEventListener("live:update-available", () => Object.assign(globalThis, { told: true }));
    });
    const unmoved = await marked(page);
    s.proxy.lead(await s.node("a", { BUILD: "next" }));
    s.proxy.cut();
    await rejoined(page, 1);
    await until(() => page.evaluate(() => Reflect.get(globalThis, "told") === true));
    await unmoved();
    await by(page, "go-settings").click();
    await page.locator("#live-settings").waitFor();
    await connected(page);
    assertEquals(
      await page.evaluate(() => Reflect.get(globalThis, "holdfastMark") as unknown),
      undefined,
    );
  },
);

stage.scenario(
  "[LB26] a form that is sent while its node goes away counts once, or says that it was not sent",
  async (s) => {
    let node = await s.node("a");
    s.proxy.lead(node);
    const page = await s.open("/settings");
    let saved = 0;
    for (let round = 0; round < 6; round++) {
      const next = await s.node(round % 2 === 0 ? "b" : "a");
      s.proxy.lead(next);
      const click = by(page, "save").click();
      // Killed and drained in turn: there is an answer, or there is none.
      node.kill(round % 3 === 2 ? "SIGKILL" : "SIGTERM");
      await click;
      await rejoined(page, round + 1);
      await page.locator("#settings:not([data-live-pending])").waitFor();
      const unsent = await page.locator("#settings[data-live-unsent]").count() > 0;
      if (!unsent) saved++;
      assertEquals(await text(page, "saves"), String(saved), `round ${round}, unsent: ${unsent}`);
      node = next;
    }
    await by(page, "save").click();
    await shows(page, "saves", saved + 1);
  },
  { timeoutMs: 90_000 },
);

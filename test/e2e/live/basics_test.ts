import { assert, assertEquals } from "../../harness/mod.ts";
import { Jar } from "../jar.ts";
import { Frames } from "./frames.ts";
import { by, connected, echo, marked, rejoined, shows, text, until } from "./look.ts";
import { Stage } from "./stage.ts";

const stage = new Stage();

stage.scenario(
  "[LB1] (1) a page shows its state without JavaScript, and connects without another GET",
  async (s) => {
    s.proxy.lead(await s.node());
    const jar = new Jar();
    const got = await jar.get(`${s.proxy.url}/counter`);
    assert(/data-testid="count">0</.test(got.body), got.body);
    const [cookie = "", ...more] = got.headers["set-cookie"] ?? [];
    assertEquals(more, []);
    assert(/; HttpOnly/i.test(cookie), cookie);
    assert(
      /private|no-store/.test(got.headers["cache-control"] ?? ""),
      "a token in a shared cache",
    );
    const page = await s.open("/counter");
    assertEquals(s.proxy.count("GET", "/counter"), 2);
    await shows(page, "connected", "true");
    assertEquals(await text(page, "mounts"), "0");
    assertEquals(await text(page, "recovery"), "new");
    assertEquals(Frames.of(page).sockets, 1);
  },
);

stage.scenario(
  "[LB2] (2) events take effect in their order, however long each takes",
  async (s) => {
    s.proxy.lead(await s.node());
    const page = await s.open("/counter");
    await page.evaluate(() => {
      const seen: string[] = [];
      Object.assign(globalThis, { seen });
      const count = () => document.querySelector('[data-testid="count"]')?.textContent ?? "";
      new MutationObserver(() => seen.at(-1) === count() || seen.push(count()))
        .observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    for (let i = 0; i < 3; i++) await by(page, "slow").click({ noWaitAfter: true });
    await shows(page, "count", 3);
    assertEquals(await page.evaluate(() => Reflect.get(globalThis, "seen") as unknown), [
      "1",
      "2",
      "3",
    ]);
  },
);

stage.scenario(
  "[LB3] (4) what is stored for the session and for the page is back after a dropped connection",
  async (s) => {
    s.proxy.lead(await s.node());
    const page = await s.open("/counter");
    const unmoved = await marked(page);
    for (const name of ["inc", "inc", "page", "unsaved"]) await by(page, name).click();
    await by(page, "note").fill("half");
    await until(async () => (await echo(page))["note"] === "half");
    s.proxy.cut();
    await rejoined(page, 1);
    assertEquals(await echo(page), { count: 2, unsaved: 0, note: "half", late: "", page: 1 });
    assertEquals(await by(page, "note").inputValue(), "half");
    assertEquals(await text(page, "recovery"), "recovered");
    s.proxy.cut();
    await rejoined(page, 2);
    assertEquals((await echo(page))["page"], 1);
    await unmoved();
  },
);

stage.scenario(
  "[LB4] (5) a navigation keeps what is the session's, in the HTML already, and clears the draft",
  async (s) => {
    s.proxy.lead(await s.node());
    const page = await s.open("/settings");
    await by(page, "theme").selectOption("dark");
    await by(page, "draft").fill("half");
    await until(async () => (await echo(page))["draft"] === "half" && Frames.of(page).stored);
    await page.goto(`${s.proxy.url}/counter`);
    const response = await page.goto(`${s.proxy.url}/settings`);
    const html = await response?.text() ?? "";
    assert(html.includes('class="theme-dark"'), "the theme comes with the connection only");
    await connected(page);
    assertEquals(await by(page, "draft").inputValue(), "");
    await by(page, "draft").fill("other");
    await until(async () => (await echo(page))["draft"] === "other" && Frames.of(page).stored);
    const unmoved = await marked(page);
    await by(page, "go-counter").click();
    await page.locator("#live-counter").waitFor();
    // Before that a link is the browser's own.
    await connected(page);
    await by(page, "go-settings").click();
    await page.locator("#live-settings").waitFor();
    await connected(page);
    await shows(page, "mounts", 0);
    assertEquals(await by(page, "theme").inputValue(), "dark");
    assertEquals(await by(page, "draft").inputValue(), "");
    await unmoved();
    s.proxy.cut();
    await rejoined(page, 1);
    assertEquals(await by(page, "draft").inputValue(), "");
  },
);

stage.scenario(
  "[LB5] (7) (8) views with keys of the same name, and other browsers, have values of their own",
  async (s) => {
    s.proxy.lead(await s.node());
    const page = await s.open("/two");
    await by(page, "inc").click();
    for (let i = 0; i < 2; i++) await by(page, "side-inc").click();
    await shows(page, "side-count", 2);
    await shows(page, "count", 1);
    await until(() => Frames.of(page).received("stash").some(({ id }) => id === "live-side"));
    await until(() => Frames.of(page).stored);
    await page.reload();
    await connected(page);
    assertEquals([await text(page, "count"), await text(page, "side-count")], ["1", "2"]);
    await by(page, "side-reset").click();
    await shows(page, "side-count", 0);
    await page.reload();
    await connected(page);
    assertEquals([await text(page, "count"), await text(page, "side-count")], ["1", "0"]);
    const stranger = await s.open("/two", await s.context());
    assertEquals([await text(stranger, "count"), await text(stranger, "side-count")], ["0", "0"]);
  },
);

stage.scenario(
  "[LB25] (45) without JavaScript a form is posted, answered with a redirect, and stored",
  async (s) => {
    s.proxy.lead(await s.node());
    const context = await s.context({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${s.proxy.url}/settings`);
    await by(page, "theme").selectOption("dark");
    await by(page, "draft").fill("anything");
    await by(page, "save").click();
    await shows(page, "saves", 1);
    assertEquals(s.proxy.requests.map(({ method }) => method).filter((one) => one === "POST"), [
      "POST",
    ]);
    await page.goto(`${s.proxy.url}/settings`);
    assertEquals(await by(page, "theme").inputValue(), "dark");
    assertEquals(await text(page, "saves"), "1");
  },
);

stage.scenario(
  "[LB29] (44) every page works under a strict policy; the stage fails a scenario that breaks it",
  async (s) => {
    s.proxy.lead(await s.node());
    const page = await s.open("/counter");
    for (const path of ["counter", "settings", "signup", "wizard", "filters", "list", "two"]) {
      const response = await page.goto(`${s.proxy.url}/${path}`);
      const policy = response?.headers()["content-security-policy"] ?? "";
      assert(policy.includes("default-src 'none'; script-src 'self';"), policy);
      assert(!/unsafe|nonce|sha256/.test(policy), policy);
      await connected(page);
    }
    await by(page, "inc").click();
    await shows(page, "count", 1);
  },
);

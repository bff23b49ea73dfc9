import { assert, assertEquals } from "../../harness/mod.ts";
import { Frames } from "./frames.ts";
import { by, connected, echo, marked, rejoined, shows, text, until } from "./look.ts";
import { Stage } from "./stage.ts";

const stage = new Stage();

stage.scenario(
  "[LB23] (37) without its cookie a page goes on until it reconnects, then begins anew, without a loop",
  async (s) => {
    s.proxy.lead(await s.node());
    const context = await s.context();
    const page = await s.open("/counter", context);
    await by(page, "inc").click();
    await shows(page, "count", 1);
    await context.clearCookies();
    await by(page, "inc").click();
    await shows(page, "count", 2);
    s.proxy.cut();
    await shows(page, "count", 0);
    await connected(page);
    await by(page, "inc").click();
    await shows(page, "count", 1);
    const gets = s.proxy.count("GET", "/counter");
    assert(gets <= 3, `${gets} times the page was fetched`);
    assert(s.proxy.connections < 20, `${s.proxy.connections} connections`);
  },
);

stage.scenario("[LB24] a session that ends takes its pages along, in every tab", async (s) => {
  s.proxy.lead(await s.node());
  const context = await s.context();
  const first = await s.open("/settings", context);
  await by(first, "save").click();
  await shows(first, "saves", 1);
  await until(() => Frames.of(first).stored);
  const second = await s.open("/settings", context);
  const since = performance.now();
  await by(second, "logout").click();
  await shows(first, "saves", 0);
  const tookMs = performance.now() - since;
  assert(tookMs < 5_000, `${tookMs} ms`);
  await connected(first);
  await connected(second);
  assertEquals((await echo(second))["saves"], 0);
});

stage.scenario(
  "[LB24] after a login the pages of the session go on under its new id",
  async (s) => {
    s.proxy.lead(await s.node());
    const context = await s.context();
    const first = await s.open("/settings", context);
    const unmoved = await marked(first);
    await by(first, "theme").selectOption("dark");
    await by(first, "draft").fill("half");
    await until(async () => (await echo(first))["draft"] === "half" && Frames.of(first).stored);
    const second = await s.open("/settings", context);
    await by(second, "login").click();
    await connected(second);
    // Told to get a new token, with another page instance.
    await until(() => Frames.of(first).sent("join").length === 2);
    await connected(first);
    assertEquals(await text(first, "themed"), "This box is dark");
    await by(first, "save").click();
    await shows(first, "saves", 1);
    await unmoved();
  },
);

stage.scenario(
  "[LB27] state that no page can be rendered from is set aside after a few tries",
  async (s) => {
    s.proxy.lead(await s.node());
    const page = await s.open("/boom");
    await by(page, "keep").click();
    await by(page, "poison").click();
    await until(() => Frames.of(page).stored);
    s.proxy.cut();
    await until(async () => await text(page, "recovery") === "discarded");
    await connected(page);
    assertEquals((await echo(page))["kept"], 0);
    assert(Frames.of(page).sent("join").length < 12, "it tried too often");
  },
);

stage.scenario(
  "[LB28] a mount that throws is tried again, and the page is not loaded again",
  async (s) => {
    s.proxy.lead(await s.node());
    const page = await s.open("/boom");
    const unmoved = await marked(page);
    await page.evaluate(() => fetch("/boom/mount?fail=2", { method: "POST" }));
    s.proxy.cut();
    await rejoined(page, 1);
    await unmoved();
  },
);

import { assert, assertEquals } from "../../harness/mod.ts";
import { Frames } from "./frames.ts";
import { by, connected, echo, marked, rejoined, shows, text, until } from "./look.ts";
import { Stage } from "./stage.ts";

const stage = new Stage();

stage.scenario(
  "[LB8] (14) after kill -9 a page is connected again without being loaded, with all that was durable",
  async (s) => {
    const node = await s.node();
    s.proxy.lead(node);
    const page = await s.open("/counter");
    const unmoved = await marked(page);
    await by(page, "inc").click();
    await by(page, "page").click();
    await shows(page, "page-count", 1);
    await until(() => Frames.of(page).stored);
    node.kill("SIGKILL");
    await node.exited;
    await until(async () =>
      await page.locator("#live-counter").getAttribute("data-live-state") !== "connected"
    );
    s.proxy.lead(await s.node());
    await rejoined(page, 1);
    assertEquals(await echo(page), { count: 1, unsaved: 0, note: "", late: "", page: 1 });
    await by(page, "inc").click();
    await shows(page, "count", 2);
    assertEquals(s.proxy.count("GET", "/counter"), 1);
    await unmoved();
  },
);

stage.scenario(
  "[LB9] (15) a handler that throws takes its own view back to what is stored, and no other",
  async (s) => {
    s.proxy.lead(await s.node());
    const page = await s.open("/boom");
    const unmoved = await marked(page);
    for (let i = 0; i < 2; i++) await by(page, "keep").click();
    await by(page, "side-unsaved").click();
    await shows(page, "unsaved-count", 2);
    await shows(page, "side-unsaved-count", 1);
    await until(() => Frames.of(page).received("stash").some(({ id }) => id === "live-boom"));
    await by(page, "event").click();
    await rejoined(page, 1);
    const { kept, draft, unsaved } = await echo(page);
    assertEquals({ kept, draft, unsaved }, { kept: 2, draft: 2, unsaved: 0 });
    assertEquals([await text(page, "side-unsaved-count"), await text(page, "side-mounts")], [
      "1",
      "0",
    ]);
    assertEquals(Frames.of(page).sockets, 1);
    await unmoved();
  },
);

stage.scenario("[LB9] (17) a state that cannot be rendered is never stored", async (s) => {
  s.proxy.lead(await s.node());
  const page = await s.open("/boom");
  await by(page, "keep").click();
  await shows(page, "kept", 1);
  await until(() => Frames.of(page).stored);
  await by(page, "render").click();
  await rejoined(page, 1);
  assertEquals((await echo(page))["kept"], 1);
});

stage.scenario(
  "[LB10] (18) a connection on which nothing passes any more is noticed and replaced",
  async (s) => {
    s.proxy.lead(await s.node());
    const page = await s.open("/counter");
    await by(page, "inc").click();
    await shows(page, "count", 1);
    s.proxy.stall();
    await rejoined(page, 1);
    assertEquals(Frames.of(page).sockets, 2);
    assertEquals(await text(page, "count"), "1");
  },
);

stage.scenario(
  "[LB11] (19) a hidden page does not try to reconnect, and does at once when it is shown",
  async (s) => {
    s.proxy.lead(await s.node());
    const page = await s.open("/counter");
    await page.clock.install();
    const turn = (state: "hidden" | "visible") =>
      page.evaluate((state) => {
        Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
        Object.defineProperty(document, "hidden", {
          value: state === "hidden",
          configurable: true,
        });
        document.dispatchEvent(new Event("visibilitychange"));
      }, state);
    await turn("hidden");
    s.proxy.cut();
    await connected(page, "reconnecting");
    // Not connections: the browser may make one ahead of time, and the rest of the script may still be coming.
    const tries = () => s.proxy.requests.filter(({ path }) => !path.includes(".js")).length;
    const before = tries();
    await page.clock.runFor(3_600_000);
    assertEquals(tries(), before);
    await turn("visible");
    await page.clock.resume();
    await rejoined(page, 1);
  },
);

stage.scenario(
  "[LB11] (41) a page that is offline for an hour tries a bounded number of times, and is back with all that was typed",
  async (s) => {
    // With the waits that users have.
    s.proxy.lead(await s.node("unhurried", { BACKOFF_SCALE: "1" }));
    const context = await s.context();
    const page = await context.newPage();
    const frames = Frames.of(page);
    await page.clock.install();
    await page.goto(`${s.proxy.url}/counter`);
    await connected(page);
    const unmoved = await marked(page);
    await by(page, "page").click();
    await shows(page, "page-count", 1);
    s.proxy.refusing = true;
    s.proxy.cut();
    await connected(page, "reconnecting");
    await by(page, "note").fill("typed without a network");
    const before = frames.sockets;
    // In steps, so that each try meets the network.
    for (let i = 0; i < 360; i++) await page.clock.runFor(10_000);
    const tries = frames.sockets - before;
    assert(tries > 10 && tries < 1000, `${tries} tries in an hour`);
    s.proxy.refusing = false;
    await page.clock.resume();
    await page.evaluate(() => void dispatchEvent(new Event("online")));
    await connected(page);
    await until(async () => (await echo(page))["note"] === "typed without a network");
    assertEquals(await by(page, "note").inputValue(), "typed without a network");
    assertEquals((await echo(page))["page"], 1);
    assertEquals(s.proxy.count("GET", "/counter"), 1);
    await unmoved();
  },
  { timeoutMs: 120_000 },
);

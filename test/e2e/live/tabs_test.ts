import { assert, assertEquals } from "../../harness/mod.ts";
import { Frames } from "./frames.ts";
import { by, connected, echo, rejoined, shows, text, until } from "./look.ts";
import { fixtureApp, Stage } from "./stage.ts";

const stage = new Stage(fixtureApp, "node");

for (const nodes of [1, 2]) {
  stage.scenario(
    `[LB6] (10) two tabs change different keys at the same time on ${nodes} node(s), and both last`,
    async (s) => {
      const context = await s.context();
      s.proxy.lead(await s.node("a"));
      const first = await s.open("/settings", context);
      if (nodes === 2) s.proxy.lead(await s.node("b"));
      const second = await s.open("/settings", context);
      assertEquals(await text(first, "node"), "a");
      assertEquals(await text(second, "node"), nodes === 2 ? "b" : "a");
      await Promise.all([
        by(first, "theme").selectOption("dark"),
        by(second, "save").click(),
      ]);
      await shows(first, "themed", "This box is dark");
      await shows(second, "saves", 1);
      await until(() => Frames.of(first).stored && Frames.of(second).stored);
      const third = await s.open("/settings", context);
      const { theme, saves } = await echo(third);
      assertEquals({ theme, saves }, { theme: "dark", saves: 1 });
    },
  );
}

stage.scenario(
  "[LB6] (11) of two tabs that change one key the later one wins, whole",
  async (s) => {
    const context = await s.context();
    s.proxy.lead(await s.node("a"));
    const first = await s.open("/counter", context);
    s.proxy.lead(await s.node("b"));
    const second = await s.open("/counter", context);
    for (let i = 0; i < 3; i++) await by(first, "inc").click();
    await shows(first, "count", 3);
    await until(() => Frames.of(first).stored);
    await by(second, "dec").click();
    await shows(second, "count", -1);
    await until(() => Frames.of(second).stored);
    const third = await s.open("/counter", context);
    assertEquals(await text(third, "count"), "-1");
    await Promise.all([by(first, "inc").click(), by(second, "dec").click()]);
    await shows(first, "count", 4);
    await shows(second, "count", -2);
    await until(() => Frames.of(first).stored && Frames.of(second).stored);
    await third.reload();
    assert(["4", "-2"].includes(await text(third, "count")), await text(third, "count"));
    for (const page of [first, second]) assertEquals(Frames.of(page).received("error"), []);
  },
);

stage.scenario(
  "[LB7] (12) a second tab neither sees nor clears the draft of the first",
  async (s) => {
    s.proxy.lead(await s.node());
    const context = await s.context();
    const first = await s.open("/counter", context);
    await by(first, "page").click();
    await by(first, "note").fill("mine");
    await until(async () => (await echo(first))["note"] === "mine" && Frames.of(first).stored);
    // As duplicating a tab does: the same address, and a copy of the session storage.
    const [second] = await Promise.all([
      context.waitForEvent("page"),
      first.evaluate(() => void open(location.href)),
    ]);
    await connected(second);
    assertEquals(await by(second, "note").inputValue(), "");
    assertEquals(await text(second, "page-count"), "0");
    await by(second, "page").click();
    await by(second, "page").click();
    await shows(second, "page-count", 2);
    s.proxy.cut();
    await rejoined(first, 1);
    await rejoined(second, 1);
    assertEquals([await text(first, "page-count"), await text(second, "page-count")], ["1", "2"]);
    assertEquals(await by(first, "note").inputValue(), "mine");
  },
);

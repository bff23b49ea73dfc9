import type { Page } from "playwright-core";
import { assert, assertEquals } from "../../harness/mod.ts";
import { connected, marked, until } from "./look.ts";
import { type Scene, Stage } from "./stage.ts";

const stage = new Stage(
  { script: "examples/inspector/main.ts", env: () => ({ PORT: "0" }) },
  "deno",
);

const pages = [
  "",
  "/objects",
  "/objects/berth/north",
  "/documents/chart/bay",
  "/sessions",
  "/node",
];

async function open(s: Scene, path: string, options = {}): Promise<Page> {
  return await s.open(`/_holdfast${path}`, await s.context(options));
}

/** Texts whose color is too close to what is behind them, and controls too small for a finger. */
function hardToUse(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
    const light = (color: string) => {
      const [r = 0, g = 0, b = 0] = channels(color).map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element: Element | null): string => {
      if (element === null) return "rgb(255, 255, 255)";
      const { backgroundColor } = getComputedStyle(element);
      return channels(backgroundColor)[3] === 0 ? behind(element.parentElement) : backgroundColor;
    };
    const problems: string[] = [];
    for (const element of document.body.querySelectorAll("*")) {
      const box = element.getBoundingClientRect();
      const said = (element.textContent ?? "").trim();
      if (box.width < 2 || said === "") continue;
      if (element.matches("button, .top a, input, select") && box.height < 44) {
        problems.push(`small: ${said}`);
      }
      if (element.children.length > 0) continue;
      const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (contrast < 4.5) problems.push(`faint (${contrast.toFixed(1)}): ${said.slice(0, 40)}`);
    }
    return problems;
  });
}

stage.scenario(
  "[IN15] pages are kept current under their own policy, and by keyboard",
  async (s) => {
    const node = await s.node();
    s.proxy.lead(node);
    const page = await open(s, "");
    const stays = await marked(page);
    const rate = () => page.locator(".chart svg").first().getAttribute("aria-label");
    await until(async () => /now [1-9]/.test(await rate() ?? ""));
    assert(await page.locator(".chart polyline").count() > 0, "lines are drawn");
    await stays();
    // By keyboard: past the navigation, to the objects, to one of them.
    await page.keyboard.press("Tab");
    assertEquals(await page.locator(":focus").textContent(), "Skip to the content");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator("#id").fill("quay");
    await page.keyboard.press("Enter");
    await until(async () => await page.locator(".ids a").count() === 3);
    await page.locator(".ids a", { hasText: "quay/2" }).focus();
    await page.keyboard.press("Enter");
    await page.locator("h1", { hasText: "berth quay/2" }).waitFor();
    await connected(page);
    const still = await marked(page);
    const details = page.locator("details", { hasText: "harbourMaster" });
    assert(await details.getByText("redacted").count() === 2);
    await details.locator("summary").first().click();
    const rev = () => page.locator(".tile", { hasText: "rev" }).locator("dd").textContent();
    const before = await rev();
    await until(async () => await rev() !== before);
    assertEquals(await details.getAttribute("open"), null, "what was closed stays closed");
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Go on" }).waitFor();
    await still();
    // What was opened in a list stays open while others come before it.
    await page.goto(`${s.proxy.url}/_holdfast/documents/chart/bay`);
    await connected(page);
    const latest = page.locator(".history > li").first();
    const seq = await latest.getAttribute("id");
    await latest.locator("summary").first().click();
    await until(async () => await latest.getAttribute("id") !== seq);
    const opened = page.locator(".history > li > details[open]");
    assertEquals(await opened.locator("xpath=..").getAttribute("id"), seq);
  },
);

stage.scenario("[IN15] they fit a phone and can be read by day and by night", async (s) => {
  s.proxy.lead(await s.node());
  // By night the colors are others and the pages the same.
  for (const [colorScheme, some] of [["light", pages], ["dark", pages.slice(2, 4)]] as const) {
    const page = await open(s, "", { viewport: { width: 360, height: 740 }, colorScheme });
    for (const path of some) {
      await page.goto(`${s.proxy.url}/_holdfast${path}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert(wide <= 0, `${path} is ${wide} pixels too wide`);
      assertEquals(await hardToUse(page), [], `${path}, ${colorScheme}`);
    }
  }
});

stage.scenario("[IN15] buttons stop and drain, and telemetry has it", async (s) => {
  const node = await s.node();
  s.proxy.lead(node);
  const page = await open(s, "/documents/chart/bay");
  await page.getByRole("button", { name: "Stop it" }).click();
  await page.locator(".notice", { hasText: "It has left memory" }).waitFor();
  await page.goto(`${s.proxy.url}/_holdfast/node`);
  await page.locator("#confirm").fill("pier-2");
  await page.keyboard.press("Enter");
  await page.locator(".notice", { hasText: "Nothing was done" }).waitFor();
  await page.locator("#confirm").fill("pier-1");
  await page.getByRole("button", { name: "Drain this node" }).click();
  await page.locator(".notice", { hasText: "takes leave" }).waitFor();
  await page.locator(".status", { hasText: "draining" }).waitFor();
  await until(() => node.output().includes('"drain"'));
  const told = node.output().split("\n").filter((line) => line.startsWith("{"));
  assertEquals(told.map((line) => JSON.parse(line)), [
    {
      name: "holdfast.inspector.action",
      action: "stop",
      status: "done",
      ref: "bay",
      class: "chart",
      operator: "demo",
    },
    {
      name: "holdfast.inspector.action",
      action: "drain",
      status: "done",
      ref: "",
      operator: "demo",
    },
  ]);
});

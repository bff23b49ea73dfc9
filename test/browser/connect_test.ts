import { assert, assertEquals } from "../harness/mod.ts";
import { inBrowser, openConnected, showing } from "./fixtures/browser.ts";

inBrowser("[LC1] a page joins once and shows that it is connected", async (t) => {
  const { fake, page, said } = await openConnected(t, { html: "<p>0</p>" });
  assertEquals(
    fake.of("join").map(({ id, token, mounts, nav, v, url }) => ({
      id,
      token,
      mounts,
      nav,
      v,
      url,
    })),
    [
      { id: "v", token: "token", mounts: 0, nav: "navigate", v: 1, url: "/" },
    ],
  );
  assertEquals(await page.getAttribute("#v", "aria-busy"), null);
  assertEquals(said, []);
});

inBrowser("[LC1] a click reaches the view and what it renders the page", async (t) => {
  const html = (n: number) =>
    `<button data-live-click="inc" data-live-value-by="2">Add</button><p>${n}</p>`;
  const { fake, page } = await openConnected(t, { html: html(0) });
  fake.onEvent = () => ({ html: html(2), rev: ++fake.rev });
  await page.click("button");
  await page.waitForSelector("text=2");
  const [event] = fake.of("event");
  assertEquals([event?.name, event?.type, event?.value], ["inc", "click", { by: "2" }]);
});

inBrowser("[LC2] a cut connection is joined again, counted, without a reload", async (t) => {
  const { fake, page } = await openConnected(t);
  await page.evaluate("marker = 1");
  fake.cut();
  await fake.joins(2);
  await showing(page, "connected");
  assertEquals(fake.of("join").map(({ mounts }) => mounts), [0, 1]);
  assertEquals(await page.evaluate("marker"), 1);
  assert(fake.requests.filter((path) => path === "GET /").length === 1);
});

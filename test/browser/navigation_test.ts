import type { Page } from "playwright-core";
import { assertEquals } from "../harness/mod.ts";
import { inBrowser, loadedMore, openConnected, type Opened, showing } from "./fixtures/browser.ts";
import type { FakeOptions } from "./fixtures/fake.ts";

const links = `<a id="patch" href="/?page=2" data-live-link="patch">2</a>
<a id="go" href="/other#deep" data-live-link="navigate">Other</a>
<a id="replace" href="/?page=3" data-live-link="patch" data-live-replace>3</a><p style="height:3000px" id="tall"></p><p id="deep">deep</p>`;

async function openLinks(
  t: Parameters<typeof openConnected>[0],
  more: FakeOptions = {},
): Promise<Opened> {
  const opened = await openConnected(t, { html: links, ...more });
  await loadedMore(opened.page);
  await opened.page.evaluate("window.marker = 1");
  const { fake } = opened;
  fake.receive = new Proxy(fake.receive, {
    apply(receive, self, [frame, say]) {
      Reflect.apply(receive, self, [frame, say]);
      if (frame.t === "params") {
        say({
          t: "reply",
          id: frame.id,
          ref: frame.ref,
          ok: true,
          html: `${links}<i>${frame.url}</i>`,
          rev: ++fake.rev,
        });
      }
    },
  });
  return opened;
}

/** Scrolls, and leaves before there was a frame that could tell of it. */
function scrollAndGo(top: number, link: string): string {
  return `scrollTo(0, ${top}); document.getElementById('${link}').click()`;
}

function where(page: Page): string {
  const { pathname, search, hash } = new URL(page.url());
  return pathname + search + hash;
}

inBrowser(
  "[LC30] a patch link tells the view its address, and back and forward do, too",
  async (t) => {
    const { fake, page } = await openLinks(t);
    await page.click("#patch");
    await page.waitForSelector("i:text('/?page=2')");
    assertEquals(where(page), "/?page=2");
    await page.evaluate(scrollAndGo(700, "replace"));
    await page.waitForSelector("i:text('/?page=3')");
    assertEquals(await page.evaluate("scrollY"), 700, "the page stays where it is");
    await page.goBack();
    await page.waitForSelector("i:text-is('/')");
    await page.goForward();
    await page.waitForSelector("i:text('/?page=3')");
    await page.waitForFunction("scrollY === 700");
    assertEquals(fake.of("params").map(({ url }) => url), [
      "/?page=2",
      "/?page=3",
      "/",
      "/?page=3",
    ]);
    assertEquals([await page.evaluate("marker"), fake.of("join").length], [1, 1]);
    fake.cut();
    await fake.joins(2);
    assertEquals(fake.of("join")[1]?.url, "/?page=3", "a rejoin knows where the page is");
  },
);

inBrowser(
  "[LC30] going back to what looks the same scrolls there once, and no later patch scrolls",
  async (t) => {
    const { fake, page } = await openConnected(t, { html: links });
    await loadedMore(page);
    fake.receive = new Proxy(fake.receive, {
      apply(receive, self, [frame, say]) {
        Reflect.apply(receive, self, [frame, say]);
        if (frame.t === "params") say({ t: "reply", id: frame.id, ref: frame.ref, ok: true });
      },
    });
    const scrolled = (top: number) =>
      page.evaluate(`new Promise((done) => {
        document.addEventListener("scroll", () => scrollY === ${top} && done(), { once: true });
        scrollTo(0, ${top});
      })`);
    await scrolled(300);
    await page.evaluate("document.getElementById('patch').click()");
    await scrolled(900);
    await page.goBack();
    await page.waitForFunction("scrollY === 300");
    await scrolled(600);
    fake.patch(`${links}<i>later</i>`);
    await page.waitForSelector("i");
    assertEquals(await page.evaluate("scrollY"), 600);
  },
);

inBrowser(
  "[LC31] live navigation puts in the next page over the same connection, and back the one before",
  async (t) => {
    const { fake, page } = await openLinks(t);
    fake.onRequest = (request, response) => {
      if (request.url !== "/other") return false;
      response.setHeader("content-type", "text/html");
      response.end(
        fake.page(`<h1>Other</h1>${links}`).replace("<title>Fake", "<title>Other")
          .replace("<body>", '<body class="other">').replace('"token"', '"token 2"'),
      );
      return true;
    };
    fake.onJoin = ({ token }) => ({ html: token === "token 2" ? `<h1>Other</h1>${links}` : links });
    await page.evaluate(scrollAndGo(500, "go"));
    await page.waitForSelector("h1");
    await fake.joins(2);
    await showing(page, "connected");
    assertEquals([where(page), await page.title(), await page.getAttribute("body", "class")], [
      "/other#deep",
      "Other",
      "other",
    ]);
    const deep = await page.evaluate(
      "document.getElementById('deep').getBoundingClientRect().top < innerHeight",
    );
    assertEquals([deep, await page.evaluate("marker"), fake.opened], [true, 1, 1]);
    assertEquals(fake.of("leave"), [{ t: "leave", id: "v", why: "navigate" }]);
    const join = fake.of("join")[1];
    assertEquals([join?.token, join?.mounts, join?.nav, join?.url], [
      "token 2",
      0,
      "live",
      "/other#deep",
    ]);
    await page.goBack();
    await fake.joins(3);
    await page.waitForFunction("document.querySelector('h1') === null && scrollY === 500");
    assertEquals([where(page), await page.title(), await page.evaluate("marker")], [
      "/",
      "Fake",
      1,
    ]);
  },
);

inBrowser("[LC30] a place on the page is gone back from, and to", async (t) => {
  const { fake, page } = await openLinks(t, {
    html: `${links}<a id="place" href="#deep">down</a>`,
  });
  await page.evaluate(scrollAndGo(100, "patch"));
  await page.waitForSelector("i:text('/?page=2')");
  fake.patch(`${links}<a id="place" href="#deep">down</a><i>placed</i>`);
  await page.waitForSelector("#place");
  await page.evaluate(scrollAndGo(40, "place"));
  await page.waitForFunction("scrollY > 1000");
  await page.goBack();
  await page.waitForFunction("scrollY === 40");
  await page.goForward();
  await page.waitForFunction("scrollY > 1000");
  await page.evaluate("history.go(-2)");
  await page.waitForFunction("scrollY === 100 && location.search === ''");
});

inBrowser("[LC30] going back twice at once keeps where each was scrolled to", async (t) => {
  const { page } = await openLinks(t);
  await page.evaluate(scrollAndGo(100, "patch"));
  await page.waitForSelector("i:text('/?page=2')");
  await page.evaluate(`scrollTo(0, 200); document.getElementById('replace').remove()`);
  await page.evaluate(`{
    const link = document.getElementById("patch");
    link.href = "/?page=4";
    link.click();
  }`);
  await page.waitForSelector("i:text('/?page=4')");
  await page.evaluate(`scrollTo(0, 300); new Promise((done) => {
    let times = 0;
    addEventListener("popstate", () => ++times === 1 ? history.back() : done());
    history.back();
  })`);
  await page.waitForFunction("scrollY === 100 && location.search === ''");
  await page.goForward();
  await page.waitForFunction("scrollY === 200 && location.search === '?page=2'");
  await page.goForward();
  await page.waitForFunction("scrollY === 300 && location.search === '?page=4'");
});

inBrowser("[LC31] what a page names relative to its address is got from there", async (t) => {
  const { fake, page } = await openLinks(t);
  const asked: (string | undefined)[] = [];
  fake.onRequest = ({ url }, response) => {
    if (url?.endsWith(".css")) asked.push(url);
    if (url !== "/shop/cart") return false;
    response.setHeader("content-type", "text/html");
    response.end(fake.page('<h1>Cart</h1><link rel="stylesheet" href="tea.css">'));
    return true;
  };
  fake.onJoin = () => ({ html: '<h1>Cart</h1><link rel="stylesheet" href="tea.css">' });
  fake.send({ t: "nav", id: "v", kind: "navigate", to: "/shop/cart", replace: false });
  await fake.joins(2);
  await page.waitForLoadState("networkidle");
  assertEquals(asked, ["/shop/tea.css"]);
});

inBrowser(
  "[LC32] a page that is none, fails, or has other assets is loaded by the browser",
  async (t) => {
    for (const kind of ["json", "error", "assets", "plain"]) {
      const after = '<link rel="stylesheet" href="/a.css" data-live-track>';
      const { fake, page } = await openLinks(t, { after });
      fake.onRequest = (request, response) => {
        if (!request.url?.startsWith("/other")) return false;
        response.statusCode = kind === "error" ? 500 : 200;
        response.setHeader("content-type", kind === "json" ? "application/json" : "text/html");
        response.end(
          kind === "assets"
            ? fake.page("<h1>next</h1>").replace("/a.css", "/b.css")
            : "<h1>next</h1>",
        );
        return true;
      };
      await page.evaluate("document.getElementById('go').click()");
      await page.waitForFunction("window.marker === undefined && location.pathname === '/other'");
    }
  },
);

for (const moment of ["is lost", "is being made again"]) {
  inBrowser(
    `[LC30] who goes back while the connection ${moment} loses nothing, and gets there with it`,
    async (t) => {
      const { fake, page } = await openLinks(t);
      await page.click("#patch");
      await page.waitForSelector("i:text('/?page=2')");
      if (moment === "is lost") fake.refusing = true;
      else fake.onJoin = () => undefined;
      fake.cut();
      if (moment === "is lost") await showing(page, "reconnecting");
      else await fake.joins(2);
      await page.evaluate("history.back()");
      await page.waitForFunction("location.search === ''");
      fake.refusing = false;
      const join = fake.of("join")[1];
      if (join) fake.send(fake.joined(join));
      await page.waitForSelector("i:text-is('/')");
      assertEquals(await page.evaluate("[marker, location.search]"), [1, ""]);
    },
  );
}

inBrowser(
  "[LC32] links work by themselves while the view is not connected, and when they are held otherwise",
  async (t) => {
    const { fake, page } = await openLinks(t);
    fake.refusing = true;
    fake.cut();
    await showing(page, "reconnecting");
    await page.evaluate("document.getElementById('patch').click()");
    await page.waitForFunction("window.marker === undefined && location.search === '?page=2'");
  },
);

inBrowser("[LC31] what the view asks for: patch, navigate, redirect", async (t) => {
  const { fake, page } = await openLinks(t);
  fake.send({ t: "nav", id: "v", kind: "patch", to: "/?step=2", replace: false });
  await page.waitForFunction("location.search === '?step=2'");
  assertEquals(fake.of("params").length, 0, "the view is there already");
  fake.send({ t: "nav", id: "v", kind: "navigate", to: "/next", replace: false });
  await fake.joins(2);
  assertEquals(fake.of("join")[1]?.url, "/next");
  assertEquals(await page.evaluate("[location.pathname, marker]"), ["/next", 1]);
  fake.send({ t: "nav", id: "v", kind: "redirect", to: "/away", replace: true });
  await page.waitForFunction("window.marker === undefined && location.pathname === '/away'");
});

inBrowser("[LC32] a mount that redirects takes the page there", async (t) => {
  const { fake, page } = await openLinks(t);
  fake.onJoin = (frame) => {
    if (frame.mounts === 0) return {};
    queueMicrotask(() =>
      fake.send({
        t: "error",
        id: "v",
        ref: frame.ref,
        code: "mount_failed",
        retry: false,
        to: "/login",
      })
    );
    return undefined;
  };
  fake.cut();
  await page.waitForURL("**/login");
});

import { assert, assertEquals } from "../harness/mod.ts";
import {
  inBrowser,
  loadedMore,
  openConnected,
  openPage,
  record,
  showing,
} from "./fixtures/browser.ts";
import { type FakeServer, openFake } from "./fixtures/fake.ts";

/** A page that asks for its token again gets another one, as after a new session. */
function handsOutNewTokens(fake: FakeServer): void {
  fake.onRequest = (request, response) => {
    if (request.headers["x-live-navigation"] !== "1") return false;
    response.setHeader("content-type", "text/html");
    response.end(fake.page().replace('data-live-token="token"', 'data-live-token="new"'));
    return true;
  };
}

function takesNewTokensOnly(fake: FakeServer): void {
  fake.onJoin = ({ token }) => {
    if (token === "new") return {};
    queueMicrotask(() => fake.cut(4401));
    return undefined;
  };
}

/** Its hook says when it is there, and when it goes; the first one can be had as `old`. */
const pushingEditor = `document.addEventListener("live:start", ({ detail }) => {
  detail.hooks = {
    Editor: {
      mounted() { window.old ??= this; this.pushEvent("mounted"); },
      destroyed() { this.pushEvent("destroyed"); },
    },
  };
});`;

inBrowser(
  "[LC33] scenario 37: a page whose session is gone gets a new token and begins anew, once",
  async (t) => {
    const html = '<form id="f" data-live-change="edit"><input name="a" value=""></form>';
    const { fake, page } = await openConnected(t, { html });
    await page.evaluate("marker = 1");
    await page.fill("[name=a]", "of another user");
    handsOutNewTokens(fake);
    fake.cut(4401);
    await fake.joins(2);
    assertEquals(fake.of("join").map(({ token, mounts }) => [token, mounts]), [["token", 0], [
      "new",
      0,
    ]]);
    await showing(page, "connected");
    assertEquals(await page.inputValue("[name=a]"), "");
    assertEquals(await page.evaluate("marker"), 1);
    assertEquals(fake.requests.filter((path) => path === "GET /").length, 2);
  },
);

inBrowser(
  "[LC33] in a new session nothing is left of the old one in the control with the focus, nor waiting",
  async (t) => {
    const html = (a: string, b = "") =>
      `<form id="f" data-live-change="edit"><textarea name="a">${a}</textarea>${b}</form>
      <button data-live-click="pay" data-live-queue>Pay</button>`;
    const { fake, page } = await openConnected(t, { html: html("", '<input name="b" value="">') });
    await loadedMore(page);
    fake.onEvent = () => false;
    await page.fill("[name=b]", "of another user");
    fake.patch(html("of another user"));
    await page.waitForFunction("f.elements.length === 1");
    await page.focus("[name=a]");
    fake.onRequest = (request, response) => {
      if (request.headers["x-live-navigation"] !== "1") return false;
      fake.html = html("");
      response.setHeader("content-type", "text/html");
      response.end(fake.page().replace('data-live-token="token"', 'data-live-token="new"'));
      return true;
    };
    fake.refusing = true;
    fake.cut();
    await showing(page, "reconnecting");
    await page.evaluate("document.querySelector('button').click()");
    const before = fake.of("event").length;
    takesNewTokensOnly(fake);
    fake.refusing = false;
    await showing(page, "connected");
    assertEquals(await page.inputValue("[name=a]"), "");
    fake.patch(html("", '<input name="b" value="">'));
    await page.waitForFunction("f.elements.length === 2");
    assertEquals(await page.inputValue("[name=b]"), "");
    assertEquals(await page.evaluate("document.activeElement.name"), "a");
    assertEquals(fake.of("event").slice(before), []);
  },
);

inBrowser("[LC33] nor in controls outside of any form", async (t) => {
  const html = `<input id="a"><textarea id="b"></textarea><input type="checkbox" id="c">
    <select id="d"><option>1</option><option>2</option></select><input type="radio" id="e">
    <input id="g" form="out"><input type="file" id="h">`;
  const { fake, page } = await openConnected(t, { html, after: '<form id="out"></form>' });
  const held = "[a.value, b.value, c.checked, d.value, e.checked, g.value, h.files.length]";
  await page.setInputFiles("#h", { name: "a.txt", mimeType: "text/plain", buffer: Buffer.of(1) });
  for (const id of ["#a", "#g", "#b"]) await page.fill(id, "of another user");
  for (const id of ["#c", "#e"]) await page.check(id);
  await page.selectOption("#d", "2");
  handsOutNewTokens(fake);
  fake.cut(4401);
  await fake.joins(2);
  await showing(page, "connected");
  assertEquals(await page.evaluate(held), ["", "", false, "1", false, "", 0]);
});

inBrowser(
  "[LC33] nor in what hooks and the browser were left: ignored elements, kept attributes, a drawing",
  async (t) => {
    const html = `<div id="i" data-live-ignore data-live-hook="Editor">empty</div>
      <p id="k" data-live-keep="title" title="">kept</p><canvas id="c" width="1" height="1"></canvas>
      <details id="d"><summary>More</summary></details>
      <form id="f" data-live-change="edit"><input name="a" value=""></form>`;
    const fake = await openFake(t, { html });
    const opened = await openPage(t, fake, pushingEditor);
    const { page } = opened;
    await showing(page, "connected");
    await loadedMore(page);
    await page.evaluate(`i.textContent = k.title = "of another user"; d.open = true;
      c.getContext("2d").fillRect(0, 0, 1, 1); v.addEventListener("live:patch", () => patched = 1)`);
    await page.focus("[name=a]");
    await fake.events(1);
    handsOutNewTokens(fake);
    fake.refusing = true;
    fake.cut();
    await page.waitForSelector("text=Connection lost");
    takesNewTokensOnly(fake);
    fake.refusing = false;
    await showing(page, "connected");
    assertEquals(
      await page.evaluate(`[i.textContent, k.title, d.open, patched, document.activeElement.name,
        c.getContext("2d").getImageData(0, 0, 1, 1).data[3]]`),
      ["empty", "", false, 1, "a", 0],
    );
    await page.waitForSelector("text=Connected again");
    await fake.until("the new hook pushes", () => fake.of("event").length > 1);
    // The old one pushes on, when it goes and later, and reaches nobody.
    const said = await page.evaluate("old.pushEvent('late').catch(({ code }) => code)");
    assertEquals(said, "closed");
    assertEquals(fake.of("event").map(({ name }) => name), ["mounted", "mounted"]);
  },
);

inBrowser("[LC33] nor is it put back by the browser on the way back from a log-in", async (t) => {
  const html = `<p id="i" data-live-ignore></p><form id="f"><input id="a" name="a"></form>`;
  const { fake, page } = await openConnected(t, { html });
  await page.click("#a");
  await page.keyboard.type("of another user");
  await page.evaluate("i.textContent = 'of another user'");
  let isOut = true;
  fake.onRequest = (request, response) => {
    response.setHeader("content-type", "text/html");
    response.setHeader("cache-control", "no-store");
    if (isOut && request.url === "/") response.writeHead(303, { location: "/login" });
    else if (request.url !== "/login") return false;
    response.end("<h1>Log in</h1>");
    return true;
  };
  fake.cut(4401);
  await page.waitForSelector("text=Log in");
  isOut = false;
  await page.goBack();
  await showing(page, "connected");
  assertEquals(await page.evaluate("[a.value, i.textContent]"), ["", ""]);
});

inBrowser("[LC33] nor is it handed over where the page has to be loaded again", async (t) => {
  const html = '<form id="f" data-live-change="edit"><textarea id="a" name="a"></textarea></form>';
  const { fake, page } = await openConnected(t, { html });
  await page.fill("#a", "of another user");
  await fake.events(1);
  fake.onRequest = (request, response) => {
    if (request.headers["x-live-navigation"] !== "1") return false;
    response.writeHead(500).end();
    return true;
  };
  fake.cut(4401);
  await fake.joins(2);
  await showing(page, "connected");
  await page.fill("#a", "of this one");
  await fake.until(
    "it is told",
    () => fake.of("event").at(-1)?.form?.data[0]?.[1] === "of this one",
  );
  assertEquals(fake.of("event").length, 2, "nothing was told of the other one");
});

inBrowser("[LC33] a page that is sent elsewhere when it asks for a token goes there", async (t) => {
  const { fake, page } = await openConnected(t);
  fake.onRequest = (request, response) => {
    if (request.url === "/") response.writeHead(303, { location: "/login" });
    else if (request.url !== "/login") return false;
    else response.setHeader("content-type", "text/html");
    response.end("<h1>Log in</h1>");
    return true;
  };
  fake.cut(4401);
  await page.waitForSelector("text=Log in");
  assertEquals(new URL(page.url()).pathname, "/login");
});

inBrowser(
  "[LC34] a page no server knows is loaded again and hands over what was typed, once, and no secret",
  async (t) => {
    const html =
      `<form id="f" data-live-change="edit"><input name="a" value=""><input type="password" name="p">
    <input name="code" autocomplete="one-time-code" value=""></form>`;
    const { fake, page } = await openConnected(t, { html });
    await page.fill("[name=a]", "typed");
    await page.fill("[name=p]", "secret!");
    await page.fill("[name=code]", "123456");
    fake.html = html;
    await page.evaluate(`addEventListener("pagehide", () => {
    localStorage.kept = JSON.stringify(sessionStorage);
  })`);
    fake.cut(4426);
    await fake.until("it joins again", () => fake.of("join").length === 2);
    const [first, second] = fake.of("join");
    assertEquals([second?.mounts, second?.nav, second?.token], [1, "resume", "token"]);
    assert((second?.ref ?? 0) > (first?.ref ?? 0));
    assertEquals(fake.of("leave").length, 0);
    await fake.until("it is told", () => fake.of("event").some(({ recover }) => recover));
    assertEquals(fake.of("event").at(-1)?.form?.data, [["a", "typed"], ["p", ""], ["code", ""]]);
    assertEquals(await page.inputValue("[name=a]"), "typed");
    const kept = await page.evaluate(
      "localStorage.kept + JSON.stringify(sessionStorage)",
    ) as string;
    assert(kept.includes("typed") && !kept.includes("secret!") && !kept.includes("123456"));
    assertEquals(await page.evaluate("sessionStorage.getItem('holdfast:handover')"), null);
  },
);

inBrowser("[LC34] a page that would be loaded again and again is left as it is", async (t) => {
  const fake = await openFake(t);
  fake.onJoin = () => {
    queueMicrotask(() => fake.cut(4404));
    return undefined;
  };
  const { page } = await openPage(t, fake);
  await fake.until(
    "it has tried",
    () => fake.requests.filter((path) => path === "GET /").length === 4,
  );
  await showing(page, "failed");
  assertEquals(fake.requests.filter((path) => path === "GET /").length, 4);
});

inBrowser(
  "[LC35] leaving asks while something is unsaved and disconnected, and not otherwise",
  async (t) => {
    const html = '<form id="f" data-live-change="edit"><input name="a" value=""></form>';
    const { fake, page } = await openConnected(t, { html });
    await loadedMore(page);
    const asks = "!dispatchEvent(new Event('beforeunload', { cancelable: true }))";
    fake.onEvent = () => false;
    await page.fill("[name=a]", "x");
    assertEquals(await page.evaluate(asks), false, "connected: it is on its way");
    fake.refusing = true;
    fake.cut();
    await showing(page, "reconnecting");
    assertEquals(await page.evaluate(asks), true);
  },
);

inBrowser(
  "[LC36] where sockets never open, server-sent events and requests stand in, and the tab remembers",
  async (t) => {
    const fake = await openFake(t, { html: '<button data-live-click="inc">+</button>' });
    fake.refusing = true;
    const posted: string[] = [];
    fake.onRequest = (request, response) => {
      if (request.url === "/live/sse") {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write("event: open\ndata: c1\n\n");
        fake.stream = response;
        return true;
      }
      if (request.url !== "/live/send") return false;
      let body = "";
      posted.push(String(request.headers["x-live-connection"]));
      request.on("data", (part) => body += part);
      request.on("end", () => {
        response.end();
        for (const frame of JSON.parse(body)) {
          fake.receive(
            frame,
            (answer) => fake.stream?.write(`data: ${JSON.stringify(answer)}\n\n`),
          );
        }
      });
      return true;
    };
    const { page } = await openPage(t, fake);
    await showing(page, "connected");
    await page.click("button");
    await fake.events(1);
    assertEquals(posted[0], "c1");
    fake.stream?.write("event: close\ndata: 1012\n\n");
    await fake.joins(2);
    assertEquals(fake.of("join").at(-1)?.mounts, 1);
    await page.reload();
    await fake.joins(3);
    assertEquals(fake.opened, 0);
    assert(await page.evaluate("sessionStorage.getItem('holdfast:stream') !== null"));
  },
);

inBrowser("[LC37] scenario 29: a page of an older build is told and not reloaded", async (t) => {
  const { fake, page } = await openConnected(t, {
    after: '<link rel="stylesheet" href="/a.css" data-live-track>',
  });
  assertEquals(fake.of("join")[0]?.assets, ["/a.css", "/live/client.js"]);
  await record(page);
  fake.onJoin = () => ({ stale: true, build: "2" });
  fake.cut();
  await page.waitForFunction(
    "heard.some(([name, detail]) => name === 'update-available' && detail.build === '2')",
  );
  assertEquals(await page.getAttribute("#v", "data-live-update"), "");
  assertEquals(fake.requests.filter((path) => path === "GET /").length, 1);
});

inBrowser("[LC38] scenario 44: everything works under a strict policy", async (t) => {
  const policy =
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; base-uri 'none'; img-src data:";
  const { fake, page, said } = await openConnected(t, {
    html:
      '<form id="f" data-live-change="edit" data-live-submit="save"><input name="a" value=""><button>Save</button></form>',
    headers: { "content-security-policy": policy },
  });
  await loadedMore(page);
  await page.fill("[name=a]", "x");
  await page.click("button");
  await fake.events(2);
  fake.refusing = true;
  fake.cut();
  await page.waitForSelector("[role=status]", { state: "attached" });
  assertEquals(await page.evaluate("document.querySelector('[role=status]').offsetWidth"), 1);
  fake.refusing = false;
  await showing(page, "connected");
  assertEquals(said.filter((text) => /policy|csp/i.test(text)), []);
});

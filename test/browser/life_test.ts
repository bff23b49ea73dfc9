import type { Page } from "playwright-core";
import { assert, assertEquals } from "../harness/mod.ts";
import {
  heard,
  inBrowser,
  loadedMore,
  openConnected,
  openPage,
  record,
  showing,
} from "./fixtures/browser.ts";
import { openFake } from "./fixtures/fake.ts";

/** Makes the page believe that it is hidden, or seen again. */
function see(page: Page, visible: boolean): Promise<unknown> {
  return page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, !visible);
}

/** Makes the page believe that there is a network, or none. */
function connect(page: Page, online: boolean): Promise<unknown> {
  return page.evaluate((value) => {
    Object.defineProperty(navigator, "onLine", { value, configurable: true });
    dispatchEvent(new Event(value ? "online" : "offline"));
  }, online);
}

inBrowser(
  "[LC4] scenario 19: a hidden page makes no attempt, and one at once when it is seen",
  async (t) => {
    const { fake, page } = await openConnected(t);
    await see(page, false);
    fake.cut();
    await showing(page, "reconnecting");
    assertEquals(fake.opened, 1);
    await see(page, true);
    await fake.joins(2);
    await showing(page, "connected");
  },
);

inBrowser(
  "[LC4] scenario 41: an offline page makes no attempt, says so, and keeps what is typed",
  async (t) => {
    const html = '<form id="f" data-live-change="edit"><input name="a" value=""></form>';
    const { fake, page } = await openConnected(t, { html });
    await loadedMore(page);
    await connect(page, false);
    fake.cut();
    await showing(page, "offline");
    await page.fill("[name=a]", "offline text");
    assertEquals(fake.opened, 1);
    assertEquals(
      await page.textContent("[role=status]"),
      "You are offline. What you type is kept.",
    );
    await connect(page, true);
    await fake.joins(2);
    await fake.events(1);
    assertEquals(fake.of("event")[0]?.form?.data, [["a", "offline text"]]);
    await showing(page, "connected");
    assertEquals(await page.inputValue("[name=a]"), "offline text");
  },
);

inBrowser(
  "[LC5] scenario 18: a connection that swallows everything is found dead by its heartbeat",
  async (t) => {
    const fake = await openFake(t, { timing: { pongMs: 150, joinMs: 200 } });
    fake.onJoin = () => ({ heartbeatMs: 50 });
    const { page } = await openPage(t, fake);
    await fake.until("it beats", () => fake.of("ping").length >= 2);
    fake.stalled = true;
    await showing(page, "reconnecting");
    fake.stalled = false;
    await showing(page, "connected");
    // An answer that is late on a busy machine ends a connection as well: then it is not the second join.
    assert((fake.of("join").at(-1)?.mounts ?? 0) >= 1, "it was joined before");
    assertEquals(fake.requests.filter((path) => path === "GET /").length, 1);
  },
);

inBrowser("[LC5] a join that is not answered is tried again, and does not count", async (t) => {
  const fake = await openFake(t, { timing: { joinMs: 300 } });
  fake.onJoin = (frame) => frame.attempts < 2 ? undefined : {};
  const { page } = await openPage(t, fake);
  await showing(page, "connected");
  assertEquals(fake.of("join").map(({ mounts, attempts }) => [mounts, attempts]), [[0, 0], [0, 1], [
    0,
    2,
  ]]);
});

inBrowser("[LC27] a connection that is back at once was never shown to be lost", async (t) => {
  const { fake, page } = await openConnected(t, { timing: { quietMs: 5000 } });
  await record(page);
  fake.cut();
  await fake.joins(2);
  await page.waitForFunction("heard.some(([name]) => name === 'reconnecting')");
  await fake.until("it beats", () => fake.of("join").length === 2);
  assertEquals(await page.getAttribute("#v", "data-live-state"), "connected");
  assertEquals(await heard(page), ["reconnecting"]);
});

inBrowser(
  "[LC27] a loss that lasts is shown, told to scripts and to screen readers, and so is its end",
  async (t) => {
    const { fake, page } = await openConnected(t, { timing: { retryMs: [300] } });
    await loadedMore(page);
    await record(page);
    fake.refusing = true;
    fake.cut();
    await showing(page, "reconnecting");
    assertEquals(await page.getAttribute("#v", "aria-busy"), "true");
    assertEquals(await page.textContent("[role=status]"), "Connection lost. Reconnecting.");
    fake.refusing = false;
    await showing(page, "connected");
    assertEquals(await page.getAttribute("#v", "aria-busy"), null);
    assertEquals(await page.textContent("[role=status]"), "Connected again.");
    const names = await heard(page);
    assertEquals(names.filter((name) => name !== "reconnecting"), ["disconnected", "connected"]);
  },
);

inBrowser(
  "[LC26] [LC23] a drain: what waits is sent, then drained; what is done after it is kept for the next server",
  async (t) => {
    const html =
      '<form id="f" data-live-change="edit"><input name="a" value="" data-live-debounce="60000"></form><button data-live-click="go">Go</button>';
    const { fake, page } = await openConnected(t, { html });
    await record(page);
    await page.fill("[name=a]", "pending");
    fake.send({ t: "drain", withinMs: 1000, spreadMs: 10, reason: "shutdown" });
    await fake.until("it has drained", () => fake.of("drained").length === 1);
    assertEquals(fake.frames.slice(-2).map(({ t: kind }) => kind), ["event", "drained"]);
    assertEquals(fake.of("event")[0]?.form?.data, [["a", "pending"]]);
    await showing(page, "draining");
    fake.onJoin = () => undefined;
    fake.cut(1012);
    await fake.joins(2);
    await page.click("button");
    const join = fake.of("join").at(-1);
    assert(join !== undefined);
    fake.send(fake.joined(join));
    await fake.until(
      "the click is there",
      () => fake.of("event").some(({ name }) => name === "go"),
    );
    await showing(page, "connected");
    assert(!(await heard(page)).includes("disconnected"));
    assert(!(await heard(page)).includes("dropped"));
  },
);

inBrowser(
  "[LC23] a click while disconnected is dropped and told, unless it is to be kept",
  async (t) => {
    const html =
      '<button id="a" data-live-click="a">a</button><button id="b" data-live-click="b" data-live-queue>b</button>';
    const { fake, page } = await openConnected(t, { html, timing: { retryMs: [400] } });
    await record(page);
    fake.refusing = true;
    fake.cut();
    await showing(page, "reconnecting");
    await page.click("#a");
    await page.click("#b");
    assertEquals(await page.getAttribute("#b", "data-live-pending"), "");
    assert((await heard(page)).includes("dropped"));
    fake.refusing = false;
    await fake.events(1);
    assertEquals(fake.of("event").map(({ name }) => name), ["b"]);
    await page.waitForSelector("#b:not([data-live-pending])");
  },
);

inBrowser(
  "[LC7] [LC42] a view that crashes is joined again, and the other one on the page keeps what it has",
  async (t) => {
    const other =
      '<div id="w" data-live-view="other" data-live-token="second"><p id="p">0</p></div>';
    const { fake, page } = await openConnected(t, { html: "<p>v</p>", after: other });
    fake.send({ t: "patch", id: "w", rev: 50, html: '<p id="p">7</p>' });
    await page.waitForSelector("text=7");
    fake.send({ t: "error", id: "v", code: "crash", retry: true });
    await fake.joins(3);
    assertEquals(fake.of("join").map(({ id, mounts }) => [id, mounts]), [["v", 0], ["w", 0], [
      "v",
      1,
    ]]);
    assertEquals([await page.textContent("#p"), fake.opened], ["7", 1]);
  },
);

inBrowser(
  "[LC7] scenario 16: a mount that keeps failing ends in failed, without a reload, and reconnect() helps",
  async (t) => {
    const fake = await openFake(t, {
      tag: "",
      after:
        '<script type="module">window.c = (await import(document.querySelector("script[data-live-auto]").src)).client</script>',
    });
    fake.onJoin = (frame) => {
      queueMicrotask(() =>
        fake.send({ t: "error", id: frame.id, ref: frame.ref, code: "mount_failed", retry: true })
      );
      return undefined;
    };
    const { page } = await openPage(t, fake);
    await showing(page, "failed");
    assertEquals(fake.of("join").length, 4);
    assertEquals(fake.requests.filter((path) => path === "GET /").length, 1);
    fake.onJoin = () => ({});
    await page.evaluate("c.reconnect()");
    await showing(page, "connected");
  },
);

inBrowser("[LC6] a page that another has replaced waits for the user", async (t) => {
  const { fake, page } = await openConnected(t);
  fake.cut(4409);
  await showing(page, "failed");
  assertEquals(fake.opened, 1);
  await page.click("#v");
  await showing(page, "connected");
  assertEquals(fake.of("join").at(-1)?.mounts, 1);
});

inBrowser("[LC6] a page whose frames are bad gives up", async (t) => {
  const { fake, page } = await openConnected(t);
  await record(page);
  fake.cut(4400);
  await showing(page, "failed");
  assertEquals((await heard(page)).sort(), ["disconnected", "error"]);
  assertEquals(fake.opened, 1);
});

inBrowser(
  "[LC43] leaving the page takes leave of its drafts, the cache of the browser does not",
  async (t) => {
    const { fake, page } = await openConnected(t);
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))");
    await fake.until("it is closed", () => fake.sockets.size === 0);
    assertEquals(fake.of("leave"), []);
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))");
    await fake.joins(2);
    await showing(page, "connected");
    assertEquals(fake.of("join").at(-1)?.mounts, 1);
    await page.goto("about:blank");
    await fake.until("it takes leave", () => fake.of("leave").length === 1);
    assertEquals(fake.of("leave")[0], { t: "leave", id: "v", why: "unload" });
  },
);

inBrowser("[LC29] what is stored is told", async (t) => {
  const { fake, page } = await openConnected(t);
  await record(page);
  fake.send({ t: "stash", id: "v", rev: 3, durable: true });
  await page.waitForFunction(
    "heard.some(([name, detail]) => name === 'saved' && detail.durable && detail.rev === 3)",
  );
});

inBrowser("[LC39] 200 rejoins leave no listener behind", async (t) => {
  const html =
    '<div data-live-hook="H"><form id="f" data-live-change="edit"><input name="a" value=""></form></div>';
  const fake = await openFake(t, { html, timing: { retryMs: [1], firstRetryMs: 1 } });
  const opened = await openPage(
    t,
    fake,
    `
    document.addEventListener("live:start", ({ detail }) => {
      detail.hooks = { H: { mounted() { this.handleEvent("x", () => {}); } } };
    });
    window.count = 0;
    const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
    EventTarget.prototype.addEventListener = function (type, listener, options) {
      count++;
      options?.signal?.addEventListener?.call;
      return add.call(this, type, listener, options);
    };
    EventTarget.prototype.removeEventListener = function (type, listener, options) {
      count--;
      return remove.call(this, type, listener, options);
    };`,
  );
  await showing(opened.page, "connected");
  await loadedMore(opened.page);
  const session = await opened.page.context().newCDPSession(opened.page);
  const listeners = async (): Promise<number> => {
    let sum = 0;
    for (const expression of ["window", "document", "document.body", "v", "f"]) {
      const { result } = await session.send("Runtime.evaluate", { expression });
      const { listeners: found } = await session.send("DOMDebugger.getEventListeners", {
        objectId: result.objectId ?? "",
      });
      sum += found.length;
    }
    return sum;
  };
  fake.cut();
  await fake.joins(2);
  const before = [await listeners(), await opened.page.evaluate("count")];
  for (let n = 3; n <= 202; n++) {
    fake.html = `<p>${n}</p>${html}`;
    fake.cut();
    await fake.joins(n);
    await fake.until("it is open", () => fake.sockets.size === 1);
  }
  await opened.page.waitForSelector("text=202");
  assertEquals([await listeners(), await opened.page.evaluate("count")], before);
  assertEquals(fake.of("join").at(-1)?.mounts, 201);
});

inBrowser(
  "[LC47] of what comes faster than the page can show it the last is shown, and its user can type",
  async (t) => {
    const html = (n: number) => `<p id="p" data-live-hook="Slow">${n}</p><input id="i" value="">`;
    const fake = await openFake(t, { html: html(0) });
    const before = `document.addEventListener("live:start", ({ detail }) => detail.hooks = { Slow: {
      updated() {
        const end = performance.now() + 100;
        while (performance.now() < end);
      },
    } });
    window.heard = [];
    addEventListener("live:push", ({ detail }) => heard.push(detail.data));
    window.patches = 0;
    addEventListener("live:patch", () => patches++);`;
    const { page } = await openPage(t, fake, before);
    await showing(page, "connected");
    await loadedMore(page);
    const already = Number(await page.evaluate("patches"));
    const all = Array.from({ length: 40 }, (_, n) => n + 1);
    for (const n of all) {
      const fx = [{ k: "push", name: "n", data: n }] as const;
      fake.send({ t: "patch", id: "v", rev: ++fake.rev, html: html(n), fx });
    }
    await page.locator("#i").pressSequentially("typed");
    await page.waitForFunction("p.textContent === '40' && heard.length === 40");
    assertEquals(await page.evaluate("heard"), all, "what is to be done is all done, in order");
    assertEquals(await page.inputValue("#i"), "typed");
    const patches = Number(await page.evaluate("patches")) - already;
    assert(patches < 10, `${patches} patches`);
  },
);

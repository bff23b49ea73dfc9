import { assertEquals } from "../harness/mod.ts";
import {
  inBrowser,
  loadedMore,
  openConnected,
  type Opened,
  openPage,
  showing,
} from "./fixtures/browser.ts";
import { openFake } from "./fixtures/fake.ts";

const hooks = `document.addEventListener("live:start", ({ detail }) => {
  window.log = [];
  const say = (what) => function () { log.push(what + ":" + this.el.id); };
  detail.hooks = { H: {
    mounted() {
      say("mounted").call(this);
      this.handleEvent("news", (data) => log.push(data));
    },
    beforeUpdate: say("before"), updated: say("updated"), destroyed: say("destroyed"),
    disconnected: say("disconnected"), reconnected: say("reconnected"),
  }, Bad: { mounted() { throw new Error("a hook that fails"); } } };
  window.ask = undefined;
  detail.hooks.Deaf = { mounted() {
    this.handleEvent("news", () => { throw new Error("a listener that fails"); });
  } };
  detail.hooks.Ask = { mounted() { window.ask = (value) => this.pushEvent("ask", value); } };
});`;

async function openHooks(t: Parameters<typeof openConnected>[0], html: string): Promise<Opened> {
  const opened = await openPage(t, await openFake(t, { html }), hooks);
  await showing(opened.page, "connected");
  return opened;
}

inBrowser("[LC28] hooks hear of their element and the connection", async (t) => {
  const html = (n: number) => `<b id="a" data-live-hook="H">${n}</b>`;
  const { fake, page } = await openHooks(t, html(1));
  fake.patch(html(1) + "<i>other</i>");
  await page.waitForSelector("i");
  fake.patch(html(2));
  await page.waitForSelector("b:text('2')");
  fake.refusing = true;
  fake.cut();
  await showing(page, "reconnecting");
  fake.refusing = false;
  await showing(page, "connected");
  fake.patch("<p>gone</p>");
  await page.waitForSelector("text=gone");
  assertEquals(await page.evaluate("log"), [
    "mounted:a",
    "before:a",
    "updated:a",
    "disconnected:a",
    "reconnected:a",
    "destroyed:a",
  ]);
});

inBrowser(
  "[LC28] a hook asks the view and gets its answer, or an error when there is none",
  async (t) => {
    const { fake, page } = await openHooks(t, '<b id="a" data-live-hook="Ask"></b>');
    fake.onEvent = ({ value }) => ({ value: { you: value ?? null } });
    assertEquals(await page.evaluate("ask({ n: 1 })"), { you: { n: 1 } });
    assertEquals(fake.of("event")[0]?.type, "hook");
    fake.onEvent = () => ({ ok: false, code: "unknown_event" });
    assertEquals(
      await page.evaluate("ask(1).catch(({ message, code }) => [message, code])"),
      ["Cannot push: unknown_event", "unknown_event"],
    );
    fake.refusing = true;
    fake.onEvent = () => false;
    const lost = page.evaluate("ask(1).catch(({ code }) => code)");
    await fake.events(3);
    fake.cut();
    assertEquals(await lost, "disconnected");
  },
);

inBrowser(
  "[LC28] what a hook has asked when the page is left is rejected, and the next page hears nothing of it",
  async (t) => {
    const html =
      '<b id="a" data-live-hook="Ask"></b><a href="/next" data-live-link="navigate">Next</a>';
    const { fake, page } = await openHooks(t, html);
    fake.onEvent = () => false;
    await page.evaluate(`window.dropped = 0; addEventListener("live:dropped", () => dropped++)`);
    const code = page.evaluate("ask(1).catch(({ code }) => code)");
    await fake.events(1);
    await page.click("a");
    await fake.joins(2);
    assertEquals(await code, "disconnected");
    assertEquals(await page.evaluate("dropped"), 0);
  },
);

inBrowser(
  "[LC28] a hook that fails and one that is not there keep nothing from working",
  async (t) => {
    const { page, said } = await openHooks(
      t,
      '<b data-live-hook="Bad"></b><b data-live-hook="None"></b><b id="a" data-live-hook="H"></b>',
    );
    assertEquals(await page.evaluate("log"), ["mounted:a"]);
    assertEquals(said, ["uncaught: a hook that fails", 'holdfast: there is no hook "None"']);
  },
);

inBrowser(
  "[LC29] effects: what is pushed, the focus, a form reset, the place, and the title",
  async (t) => {
    const html =
      '<b id="a" data-live-hook="H"></b><form id="f"><input id="i" name="i" value="s"></form><p style="height:3000px"></p><p id="end">end</p>';
    const { fake, page } = await openHooks(t, html);
    await page.evaluate("addEventListener('live:push', ({ detail }) => window.pushed = detail)");
    await page.fill("#i", "typed");
    fake.send({
      t: "patch",
      id: "v",
      title: "New title",
      fx: [
        { k: "push", name: "news", data: { n: 1 } },
        { k: "reset", form: "f" },
        { k: "scroll", to: "end" },
        { k: "focus", id: "i" },
      ],
    });
    await page.waitForFunction(
      "document.activeElement.id === 'i' && document.title === 'New title'",
    );
    assertEquals(await page.evaluate("[log.at(-1), pushed]"), [
      { n: 1 },
      { name: "news", data: { n: 1 } },
    ]);
    assertEquals(await page.inputValue("#i"), "s");
    assertEquals(await page.evaluate("scrollY > 0"), true);
    fake.patch(html.replace('value="s"', 'value="next"') + "<i>x</i>");
    await page.waitForSelector("text=x");
    await page.evaluate("i.blur()");
    fake.patch(html.replace('value="s"', 'value="last"'));
    await page.waitForFunction("i.value === 'last'");
  },
);

inBrowser(
  "[LC28] [LC29] a listener that fails, and an effect that cannot be had, keep no other from its own",
  async (t) => {
    const html =
      '<b id="bad" data-live-hook="Deaf"></b><b id="a" data-live-hook="H"></b><i id="i" tabindex="0"></i>';
    const { fake, page, said } = await openHooks(t, html);
    await loadedMore(page);
    fake.send({
      t: "patch",
      id: "v",
      title: "Done",
      fx: [
        { k: "push", name: "news", data: { n: 2 } },
        { k: "reset", form: "i" },
        { k: "focus", id: "i" },
      ],
    });
    await page.waitForFunction("document.activeElement.id === 'i' && log.length === 2");
    assertEquals(await page.evaluate("log.at(-1)"), { n: 2 });
    assertEquals(said, ["uncaught: a listener that fails", "uncaught: Illegal invocation"]);
  },
);

inBrowser("[LC45] those who develop are told what will not work", async (t) => {
  const { fake, page, said } = await openConnected(t, {
    html: '<form data-live-change="edit"><input></form><button data-live-click="nope">x</button>' +
      '<p contenteditable>x</p><input data-live-change="edit">',
  });
  fake.onEvent = () => ({ ok: false, code: "unknown_event" });
  await loadedMore(page);
  await page.click("button");
  await page.waitForSelector("button:not([data-live-pending])");
  assertEquals(said, [
    "holdfast: a form without id is not recovered",
    "holdfast: what is typed into a contenteditable goes with the next patch: it needs data-live-ignore",
    "holdfast: a control without name is not sent",
    "holdfast: nope: unknown_event",
  ]);
});

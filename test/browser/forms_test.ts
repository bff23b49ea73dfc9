import { assert, assertEquals } from "../harness/mod.ts";
import { inBrowser, loadedMore, openConnected, showing } from "./fixtures/browser.ts";
import { openCounting, recovered, rejoin } from "./fixtures/rejoin.ts";

const controls = `<input name="t" value=""><textarea name="x"></textarea>
<select name="s"><option value="1" selected>1<option value="2">2</select>
<input type="checkbox" name="c"><input type="radio" name="r" value="a" checked><input type="radio" name="r" value="b">
<input type="range" name="g" min="0" max="10" value="5"><input type="hidden" name="h" value="server">
<fieldset disabled><input name="off" value="off"></fieldset><input type="file" name="u">`;
const signup =
  `<form id="f" data-live-change="edit" data-live-submit="save">${controls}<button>Save</button></form>`;

inBrowser(
  "[LC16] [LC17] [LC21] scenario 30, 34, 36: a half-typed form is told to the server that does not have it",
  async (t) => {
    const opened = await openCounting(t, signup, { after: '<input name="o" form="f" value="">' });
    const { fake, page } = opened;
    await page.fill("[name=t]", "text");
    await page.fill("[name=x]", "more\ntext");
    await page.selectOption("[name=s]", "2");
    await page.check("[name=c]");
    await page.check("[value=b]");
    await page.fill("[name=g]", "7");
    await page.fill("[name=o]", "outside");
    await page.setInputFiles("[name=u]", {
      name: "a",
      mimeType: "text/plain",
      buffer: Buffer.of(1),
    });
    const before = fake.of("event").length;
    await rejoin(opened);
    const [event] = recovered(opened);
    assertEquals(fake.of("event").length, before + 1);
    assertEquals([event?.name, event?.type, event?.form?.id], ["edit", "change", "f"]);
    const data = [...event?.form?.data ?? []].sort();
    assertEquals(data, [
      ["c", "on"],
      ["g", "7"],
      ["h", "server"],
      ["o", "outside"],
      ["r", "b"],
      ["s", "2"],
      ["t", "text"],
      ["x", "more\ntext"],
    ]);
    assertEquals([...event?.form?.touched ?? []].sort(), ["c", "g", "o", "r", "s", "t", "u", "x"]);
    assertEquals(await page.evaluate("[...new FormData(f).values()].map((v) => v.size ?? v)"), [
      "text",
      "more\ntext",
      "2",
      "on",
      "b",
      "7",
      "server",
      1,
      "outside",
    ]);
  },
);

inBrowser(
  "[LC16] [LC17] scenario 35: a form the server has as it is is not told, and values of others stay the server's",
  async (t) => {
    const html = (page: number, text: string) =>
      `<form id="filter" data-live-change="filter"><input type="hidden" name="page" value="${page}">
    <input name="q" value="${text}"></form><form id="g" data-live-change="edit"><input name="a" value="1"></form>`;
    const opened = await openCounting(t, html(1, ""));
    opened.fake.html = html(3, "stashed");
    await rejoin(opened);
    assertEquals(recovered(opened), []);
    assertEquals(await opened.page.inputValue("[name=q]"), "stashed");
    // What the stash brought back needs no telling either.
    await opened.page.fill("[name=q]", "typed");
    opened.fake.html = html(3, "typed");
    await rejoin(opened, 3);
    assertEquals(recovered(opened), []);
  },
);

inBrowser(
  "[LC18] scenario 31: a form without id, or with recover=ignore, is not told, and what is typed stays",
  async (t) => {
    const html = `<form data-live-change="edit"><input id="a" value=""></form>
    <form id="g" data-live-change="edit" data-live-recover="ignore"><input id="b" name="b" value=""></form>
    <form id="h"><input id="c" name="c" value=""></form>`;
    const opened = await openCounting(t, html);
    opened.fake.onEvent = () => false;
    for (const id of "abc") await opened.page.fill(`#${id}`, `typed ${id}`);
    await rejoin(opened);
    assertEquals(recovered(opened), []);
    assertEquals(await opened.page.evaluate("[a.value, b.value, c.value]"), [
      "typed a",
      "typed b",
      "typed c",
    ]);
  },
);

inBrowser("[LC18] a form whose binding is another now is not told", async (t) => {
  const opened = await openCounting(
    t,
    '<form id="f" data-live-change="old"><input name="a" value=""></form>',
  );
  await opened.page.fill("[name=a]", "x");
  opened.fake.html = '<form id="f" data-live-change="new"><input name="a" value=""></form>';
  await rejoin(opened);
  assertEquals(recovered(opened), []);
});

inBrowser(
  "[LC16] scenario 32: a recover event of its own, and the page stays as it was until it is answered",
  async (t) => {
    const html = (step: number) =>
      `<h1>Step ${step}</h1><form id="w" data-live-change="edit" data-live-recover="back">
    <input name="a" value=""></form>`;
    const opened = await openCounting(t, html(3));
    const { fake, page } = opened;
    await page.fill("[name=a]", "half");
    await page.evaluate(`window.seen = []; new MutationObserver(() => {
    const text = document.querySelector("h1").textContent;
    if (seen.at(-1) !== text) seen.push(text);
  }).observe(v, { subtree: true, childList: true, characterData: true })`);
    fake.html = html(1);
    fake.onEvent = (frame) => frame.name === "back" ? { html: html(3), rev: ++fake.rev } : {};
    await rejoin(opened);
    assertEquals(recovered(opened).map(({ name }) => name), ["back"]);
    assertEquals(await page.textContent("h1"), "Step 3");
    assert(!(await page.evaluate("seen") as string[]).includes("Step 1"), "nothing flickered");
    assertEquals(await page.inputValue("[name=a]"), "half");
  },
);

inBrowser("[LC16] forms are told one after the other in the order of the document", async (t) => {
  const html = ["a", "b", "c"].map((id) =>
    `<form id="${id}" data-live-change="edit"><input name="n" value=""></form>`
  ).join("");
  const opened = await openCounting(t, html);
  for (const id of "cab") await opened.page.fill(`#${id} [name=n]`, id);
  await rejoin(opened);
  assertEquals(recovered(opened).map(({ form }) => form?.id), ["a", "b", "c"]);
});

inBrowser("[LC19] a connection that drops during recovery has it all told again", async (t) => {
  const html = '<form id="f" data-live-change="edit"><input name="n" value=""></form>';
  const opened = await openCounting(t, html);
  const { fake, page } = opened;
  await page.fill("[name=n]", "typed");
  await fake.events(1);
  fake.onEvent = () => false;
  fake.cut();
  await fake.until("it is told", () => recovered(opened).length === 1);
  fake.onEvent = () => ({});
  fake.cut();
  await fake.until("it is told again", () => recovered(opened).length === 2);
  await page.waitForFunction("recoveries === 1");
  assertEquals(await page.inputValue("[name=n]"), "typed");
  assertEquals(fake.of("join").map(({ mounts }) => mounts), [0, 1, 2]);
});

inBrowser(
  "[LC19] a view that crashes over a form is joined without it once, and what is typed stays",
  async (t) => {
    const html = '<form id="f" data-live-change="edit"><input name="n" value=""></form>';
    const opened = await openCounting(t, html);
    const { fake, page } = opened;
    await page.evaluate(
      "addEventListener('live:recover-failed', ({ detail }) => window.failed = detail.form)",
    );
    await page.fill("[name=n]", "typed");
    await fake.events(1);
    fake.onEvent = (frame) => {
      if (!frame.recover) return {};
      fake.send({ t: "error", id: "v", code: "crash", retry: true });
      return false;
    };
    fake.cut();
    await fake.joins(3);
    await page.waitForFunction("recoveries === 1");
    assertEquals(recovered(opened).length, 1);
    assertEquals(await page.evaluate("failed"), "f");
    assertEquals(await page.inputValue("[name=n]"), "typed");
  },
);

inBrowser("[LC16] a recovery that is not answered in time does not keep the page", async (t) => {
  const html = '<form id="f" data-live-change="edit"><input name="n" value=""></form>';
  const opened = await openCounting(t, html, { timing: { recoverMs: 50 } });
  await opened.page.fill("[name=n]", "typed");
  await opened.fake.events(1);
  opened.fake.onEvent = () => false;
  opened.fake.html = `<p>New</p>${html}`;
  await rejoin(opened);
  assertEquals(await opened.page.inputValue("[name=n]"), "typed");
  assertEquals(await opened.page.textContent("p"), "New");
});

inBrowser("[LC20] a form that appears after the rejoin gets its values and is told", async (t) => {
  const modal = '<form id="m" data-live-change="edit"><input name="n" value=""></form>';
  const opened = await openCounting(t, `<p>open</p>${modal}`);
  const { fake, page } = opened;
  // The part that remembers late forms comes a moment after the first join.
  await loadedMore(page);
  await page.fill("[name=n]", "typed");
  await fake.events(1);
  fake.html = "<p>closed</p>";
  await rejoin(opened);
  assertEquals(recovered(opened), []);
  fake.patch(`<p>open again</p>${modal}`);
  await fake.until("it is told", () => recovered(opened).length === 1);
  assertEquals(recovered(opened)[0]?.form?.data, [["n", "typed"]]);
  assertEquals(await page.inputValue("[name=n]"), "typed");
});

inBrowser(
  "[LC20] what was typed in a control that vanished is there when it is back",
  async (t) => {
    const step = (n: number) =>
      `<form id="w" data-live-submit="next">${
        n === 1 ? '<input name="a" value="">' : "<b>2</b>"
      }</form>`;
    const opened = await openConnected(t, { html: step(1) });
    const { fake, page } = opened;
    await loadedMore(page);
    await page.fill("[name=a]", "typed");
    fake.patch(step(2));
    await page.waitForSelector("b");
    fake.patch(step(1));
    await page.waitForSelector("[name=a]");
    assertEquals(await page.inputValue("[name=a]"), "typed");
  },
);

inBrowser(
  "[LC16] what was typed before the page was connected is told, what the browser filled in is not",
  async (t) => {
    const html =
      '<form id="f" data-live-change="edit"><input name="a" value=""><input name="b" value=""></form>';
    const opened = await openConnected(t, { html });
    const { fake, page } = opened;
    let first = true;
    fake.onJoin = () => {
      if (!first) return {};
      first = false;
      return undefined;
    };
    await page.reload();
    await fake.joins(2);
    await page.evaluate("document.querySelector('[name=b]').value = 'filled in'");
    await page.fill("[name=a]", "early");
    const join = fake.of("join").at(-1);
    assert(join !== undefined);
    fake.send(fake.joined(join));
    await fake.until("it is told", () => recovered(opened).length === 1);
    assertEquals(recovered(opened)[0]?.form?.data, [["a", "early"], ["b", ""]]);
  },
);

const send =
  '<form id="f" data-live-submit="save"><input name="a" value=""><button data-live-disable-with="Saving">Save</button></form>';

inBrowser(
  "[LC22] a submit locks its button until it is answered, and a second one is not sent",
  async (t) => {
    const { fake, page } = await openConnected(t, { html: send });
    fake.onEvent = () => false;
    await page.fill("[name=a]", "x");
    await page.click("button");
    await fake.events(1);
    assertEquals(await page.textContent("button"), "Saving");
    assertEquals(await page.getAttribute("button", "aria-disabled"), "true");
    await page.evaluate("f.requestSubmit()");
    fake.patch(`<p>1</p>${send}`);
    await page.waitForSelector("p");
    assertEquals(await page.textContent("button"), "Saving", "also after a patch");
    const [event] = fake.of("event");
    assertEquals([event?.type, event?.form?.data], ["submit", [["a", "x"]]]);
    fake.send({ t: "reply", id: "v", ref: event?.ref ?? 0, ok: true });
    await page.waitForFunction("document.querySelector('button').textContent === 'Save'");
    assertEquals(await page.getAttribute("button", "aria-disabled"), null);
    assertEquals(fake.of("event").length, 1);
  },
);

inBrowser(
  "[LC22] a submit whose answer was lost counts as done if the server has stored it",
  async (t) => {
    const { fake, page } = await openConnected(t, { html: send });
    fake.onEvent = () => false;
    await page.click("button");
    await fake.events(1);
    fake.onJoin = () => ({ submitted: fake.of("event")[0]?.ref ?? 0 });
    fake.cut();
    await page.waitForFunction("document.querySelector('button').textContent === 'Save'");
    assertEquals(await page.getAttribute("#f", "data-live-unsent"), null);
    assertEquals(fake.of("event").length, 1);
  },
);

inBrowser(
  "[LC22] a submit that may be lost is marked, not sent again, and the form can be sent anew",
  async (t) => {
    const { fake, page } = await openConnected(t, { html: send });
    fake.onEvent = () => false;
    await page.fill("[name=a]", "x");
    await page.click("button");
    await fake.events(1);
    fake.cut();
    await page.waitForSelector("#f[data-live-unsent]");
    assertEquals(await page.textContent("button"), "Save");
    assertEquals(fake.of("event").length, 1);
    fake.onEvent = () => ({});
    await page.click("button");
    await fake.events(2);
    await page.waitForSelector("#f:not([data-live-unsent])");
  },
);

inBrowser("[LC22] with data-live-retry it is sent again under the same number", async (t) => {
  const html = send.replace("<form", "<form data-live-retry");
  const { fake, page } = await openConnected(t, { html });
  fake.onEvent = () => false;
  await page.fill("[name=a]", "x");
  await page.click("button");
  await fake.events(1);
  fake.onEvent = () => ({});
  fake.cut();
  await fake.events(2);
  const [first, second] = fake.of("event");
  assertEquals(second, first);
  await page.waitForFunction("document.querySelector('button').textContent === 'Save'");
});

inBrowser(
  "[LC11] an answered submit lets the focused control take what the server says",
  async (t) => {
    const html = (value: string) => send.replace('value=""', `value="${value}"`);
    const { fake, page } = await openConnected(t, { html: html("draft") });
    fake.onEvent = () => ({ html: html(""), rev: ++fake.rev });
    await page.fill("[name=a]", "todo");
    await page.press("[name=a]", "Enter");
    await page.waitForFunction("document.querySelector('[name=a]').value === ''");
    assertEquals(fake.of("event")[0]?.form?.data, [["a", "todo"]]);
  },
);

inBrowser("[LC22] the button that was pressed is part of what is sent", async (t) => {
  const html =
    '<form id="f" data-live-submit="save"><button name="do" value="1">1</button><button name="do" value="2">2</button></form>';
  const { fake, page } = await openConnected(t, { html });
  await page.click("[value='2']");
  await fake.events(1);
  assertEquals(fake.of("event")[0]?.form?.data, [["do", "2"]]);
  await showing(page, "connected");
});

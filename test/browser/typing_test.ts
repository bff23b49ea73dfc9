import { assert, assertEquals } from "../harness/mod.ts";
import { inBrowser, openConnected, openPage, showing } from "./fixtures/browser.ts";
import { openFake } from "./fixtures/fake.ts";

function field(attributes = ""): string {
  return `<form id="f" data-live-change="edit" data-live-submit="save"><input id="a" name="a" ${attributes}>
  <input id="b" name="b" value=""><button>Save</button></form>`;
}

inBrowser(
  "[LC10] [LC12] scenario 33: who types on through disconnects, recovery and patches loses nothing",
  async (t) => {
    let echo = "";
    let revision = 0;
    const html = (): string => `<p id="p">${revision++}</p>${field(`value="${echo}"`)}`;
    const { fake, page, said } = await openConnected(t, { html: html() });
    fake.onJoin = () => ({ html: html() });
    fake.onEvent = ({ form, recover, ref }) => {
      const typed = form?.data.find(([name]) => name === "a")?.[1] ?? "";
      // A server that forgets, answers late, and changes what it was told.
      echo = recover ? typed : typed.slice(0, -1);
      setTimeout(
        () => fake.send({ t: "reply", id: "v", ref, ok: true, html: html(), rev: ++fake.rev }),
        15,
      );
      return false;
    };
    await page.focus("#a");
    const text = "The quick brown fox jumps over the lazy dog, 0123456789 times.";
    await page.evaluate(
      "document.getElementById('a').addEventListener('blur', () => window.blurred = true)",
    );
    let cuts = 0;
    for (const [i, key] of [...text].entries()) {
      await page.keyboard.type(key, { delay: 50 });
      if (i % 12 === 6) {
        echo = "";
        fake.cut(i % 24 === 6 ? 1012 : undefined);
        cuts++;
      }
    }
    await showing(page, "connected");
    await fake.joins(cuts + 1);
    assertEquals(await page.inputValue("#a"), text);
    assertEquals(
      await page.evaluate("[document.activeElement.id, document.activeElement.selectionStart]"),
      [
        "a",
        text.length,
      ],
    );
    assertEquals(await page.evaluate("window.blurred"), undefined);
    await fake.until("all is told", () => fake.of("event").at(-1)?.form?.data[0]?.[1] === text);
    await page.press("#a", "Enter");
    await fake.until("one submit", () => fake.of("event").some(({ type }) => type === "submit"));
    const submits = fake.of("event").filter(({ type }) => type === "submit");
    assertEquals(submits.map(({ form }) => form?.data[0]), [["a", text]]);
    assertEquals(said, []);
  },
);

inBrowser("[LC17] what was typed before the script ran is the user's", async (t) => {
  const html = '<form id="f" data-live-change="edit"><input name="a" value=""></form>' +
    '<form id="g"><input name="b" value=""></form>';
  const fake = await openFake(t, { html });
  const type = `document.addEventListener("readystatechange", () => {
    for (const { elements: [control] } of document.forms) control.value = "early " + control.name;
  }, { once: true });`;
  const { page } = await openPage(t, fake, type);
  await showing(page, "connected");
  assertEquals(fake.of("event").map(({ form, recover }) => [form?.data, recover]), [
    [[["a", "early a"]], true],
  ]);
  fake.patch(`<p id="p">p</p>${html}`);
  await page.waitForSelector("#p");
  assertEquals(await page.inputValue("[name=b]"), "early b");
});

for (const when of ["before", "after"]) {
  inBrowser(
    `[LC17] so is what the browser puts back on the way back, ${when} the page is connected`,
    async (t) => {
      const html = `<form id="f" data-live-change="edit"><textarea name="a"></textarea>
        <input name="b" value="said"></form>`;
      const { fake, page } = await openConnected(t, { html, after: '<img src="/slow">' });
      await page.fill("[name=a]", "half a letter");
      await page.fill("[name=b]", "typed");
      await fake.events(2);
      await page.goto(`${fake.url}/elsewhere`);
      await fake.joins(2);
      let loaded = () => {};
      // The browser puts things in when all of the page is loaded.
      if (when === "after") {
        fake.onRequest = ({ url }, response) => {
          if (url === "/slow") loaded = () => response.end();
          return url === "/slow";
        };
      }
      const back = page.goBack();
      await fake.joins(3);
      await showing(page, "connected");
      loaded();
      await back;
      await fake.events(3);
      // Where the server says something, it is newer than what the browser remembers.
      await page.waitForFunction("f.elements[1].value === 'said'");
      assertEquals(await page.inputValue("[name=a]"), "half a letter");
      const told = fake.of("event").slice(2).map(({ form }) => form?.data[0]);
      assertEquals(told, [["a", "half a letter"]]);
    },
  );
}

for (const when of ["before", "after"]) {
  inBrowser(
    `[LC17] but not over what another page has stored meanwhile, ${when} the page is connected`,
    async (t) => {
      const html = (text: string, checked = "") =>
        `<form id="f" data-live-change="edit"><textarea name="a">${text}</textarea>
        <input type="checkbox" name="b" ${checked}><input name="c"></form>`;
      const fake = await openFake(t, { html: html(""), after: '<img src="/slow">' });
      let loaded = () => {};
      let isSlow = false;
      fake.onRequest = ({ url }, response) => {
        // As the pages of a server have it; on the way back the browser does not ask all the same.
        const kept = url === "/slow" ? "no-store" : "private, no-cache";
        response.setHeader("cache-control", kept);
        if (url !== "/slow" || !isSlow) return false;
        loaded = () => response.end();
        return true;
      };
      const { page } = await openPage(t, fake);
      await showing(page, "connected");
      await page.fill("[name=a]", "old");
      await page.fill("[name=c]", "half a letter");
      await fake.events(2);
      fake.patch(html("old"));
      await page.waitForFunction("f.elements[0].defaultValue === 'old'");
      await page.goto(`${fake.url}/elsewhere`);
      await fake.joins(2);
      const gets = fake.requests.filter((path) => path === "GET /").length;
      fake.html = html("newer", "checked");
      isSlow = when === "after";
      const back = page.goBack();
      await fake.joins(3);
      await showing(page, "connected");
      if (isSlow) loaded();
      await back;
      await fake.events(3);
      assertEquals(fake.requests.filter((path) => path === "GET /").length, gets, "it was cached");
      assertEquals(await page.inputValue("[name=a]"), "newer");
      const told = fake.of("event").slice(2).map(({ form }) => form?.data);
      assertEquals(told, [[["a", "newer"], ["b", "on"], ["c", "half a letter"]]]);
    },
  );
}

inBrowser(
  "[LC24] what is debounced is sent once, after a rest, or when the control is left",
  async (t) => {
    const { fake, page } = await openConnected(t, {
      html: field('value="" data-live-debounce="60000"'),
    });
    await page.locator("#a").pressSequentially("abc");
    assertEquals(fake.of("event").length, 0);
    await page.focus("#b");
    await fake.events(1);
    assertEquals(fake.of("event")[0]?.form?.data, [["a", "abc"], ["b", ""]]);
    assertEquals(fake.of("event")[0]?.form?.target, ["a"]);
    // The browser is driven to begin at the front.
    await page.locator("#a").pressSequentially("d");
    await page.keyboard.press("Enter");
    await fake.events(3);
    assertEquals(fake.of("event").slice(1).map(({ type, form }) => [type, form?.data[0]?.[1]]), [
      ["change", "dabc"],
      ["submit", "dabc"],
    ]);
  },
);

inBrowser(
  "[LC24] a debounce ends by itself, and what waits in a form goes before the next",
  async (t) => {
    const { fake, page } = await openConnected(t, {
      html: field('value="" data-live-debounce="30"'),
    });
    await page.locator("#a").pressSequentially("x");
    await fake.events(1);
    const slow = await openConnected(t, { html: field('value="" data-live-debounce="blur"') });
    await slow.page.locator("#a").pressSequentially("x");
    await slow.page.evaluate(
      "b.value = 'y'; b.dispatchEvent(new InputEvent('input', { bubbles: true }))",
    );
    await slow.fake.events(2);
    assertEquals(slow.fake.of("event").map(({ form }) => form?.target), [["a"], ["b"]]);
  },
);

inBrowser(
  "[LC24] what is throttled is sent at once, then in the end, and a click too soon is none",
  async (t) => {
    const html = field('value="" data-live-throttle="400"') +
      '<button id="c" data-live-click="go" data-live-throttle="60000">c</button>';
    const { fake, page } = await openConnected(t, { html });
    await page.evaluate(`for (const text of ["1", "12", "123"]) {
    a.value = text; a.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }`);
    await fake.events(2);
    assertEquals(fake.of("event").map(({ form }) => form?.data[0]?.[1]), ["1", "123"]);
    await page.evaluate("c.click(); c.click(); c.click()");
    await page.focus("#b");
    await page.fill("#b", "after");
    await fake.until(
      "it is there",
      () => fake.of("event").some(({ form }) => form?.target?.[0] === "b"),
    );
    assertEquals(
      fake.of("event").filter(({ name }) => name === "go").length,
      1,
    );
  },
);

inBrowser(
  "[LC25] what is being composed is sent when it is done, and no patch touches it",
  async (t) => {
    const { fake, page } = await openConnected(t, { html: field('value=""') });
    const session = await page.context().newCDPSession(page);
    await page.focus("#a");
    await session.send("Input.imeSetComposition", {
      text: "に",
      selectionStart: 1,
      selectionEnd: 1,
    });
    await session.send("Input.imeSetComposition", {
      text: "にほ",
      selectionStart: 2,
      selectionEnd: 2,
    });
    fake.patch(`<p>patched</p>${field('value=""')}`);
    await page.waitForSelector("text=patched");
    assertEquals(await page.inputValue("#a"), "にほ");
    assertEquals(fake.of("event").length, 0);
    await session.send("Input.insertText", { text: "日本" });
    await fake.events(1);
    assertEquals(fake.of("event").at(-1)?.form?.data[0], ["a", "日本"]);
  },
);

inBrowser(
  "[LC24] a change that no input event announced is sent, one that was is not sent twice",
  async (t) => {
    const { fake, page } = await openConnected(t, { html: field('value=""') });
    await page.fill("#a", "typed");
    await page.focus("#b");
    await page.evaluate(
      "b.value = 'filled'; b.dispatchEvent(new Event('change', { bubbles: true }))",
    );
    await fake.events(2);
    assertEquals(fake.of("event").map(({ form }) => form?.target), [["a"], ["b"]]);
  },
);

inBrowser(
  "[LC41] touched names, the target's path and values go along; keys and focus are told",
  async (t) => {
    const html =
      `<form id="f" data-live-change="edit" data-live-value-x="1"><input name="user[tags][]" value=""></form>
    <input id="k" data-live-keydown="key" data-live-keys="Enter Escape" data-live-focus="in" data-live-blur="out">`;
    const { fake, page } = await openConnected(t, { html });
    await page.fill("[name='user[tags][]']", "a");
    await page.focus("#k");
    await page.keyboard.press("a");
    await page.keyboard.press("Escape");
    await page.evaluate("k.blur()");
    await fake.events(4);
    const [first, ...rest] = fake.of("event");
    assertEquals([first?.value, first?.form?.target, first?.form?.touched], [
      { x: "1" },
      ["user", "tags"],
      ["user[tags][]"],
    ]);
    assertEquals(rest.map(({ name, type, value }) => [name, type, value ?? null]), [
      ["in", "focus", null],
      ["key", "keydown", { key: "Escape" }],
      ["out", "blur", null],
    ]);
  },
);

const alone = (checked = "") =>
  `<input id="b" type="checkbox" name="done" value="yes" data-live-value-id="7" ${checked}
    data-live-change="toggle"><select id="s" name="tags[]" multiple data-live-change="tags"><option>a
    <option selected>b<option>c</select><textarea id="t" name="note" data-live-change="note"
    data-live-debounce="50">x</textarea><input type="file" id="u" name="u" data-live-change="file">
    <input type="radio" name="r" value="1" checked data-live-change="r"><input type="radio" name="r"
    id="r" value="2" data-live-change="r">`;

inBrowser(
  "[LC41] a control outside of a form sends what it holds as a form with nothing else would",
  async (t) => {
    const { fake, page } = await openConnected(t, { html: alone() });
    await page.check("#b");
    await page.uncheck("#b");
    await page.selectOption("#s", ["b", "c"]);
    // At once: on a busy machine two calls may be further apart than it waits.
    await page.evaluate(`for (t.value of ["half", "whole"]) {
      t.dispatchEvent(new Event("input", { bubbles: true }));
    }`);
    await fake.events(4);
    await page.setInputFiles("#u", { name: "a", mimeType: "text/plain", buffer: Buffer.of(1) });
    await page.check("#r");
    await fake.events(6);
    const sent = fake.of("event").map(({ name, type, value, form }) => ({
      name,
      type,
      value,
      form,
    }));
    const id = { id: "7" };
    const of = (name: string, as: string, data: readonly unknown[], value?: unknown) => ({
      name,
      type: "change",
      value,
      form: { id: "", data, touched: [as], target: [as.replace("[]", "")] },
    });
    assertEquals(sent, [
      of("toggle", "done", [["done", "yes"]], id),
      of("toggle", "done", [], id),
      of("tags", "tags[]", [["tags[]", "b"], ["tags[]", "c"]]),
      of("note", "note", [["note", "whole"]]),
      of("file", "u", []),
      of("r", "r", [["r", "2"]]),
    ]);
    // Answered, so what the server says of it is shown.
    assertEquals(await page.isChecked("#b"), false);
    fake.patch(alone("checked"));
    await page.waitForFunction("b.checked");
  },
);

inBrowser(
  "[LC16] what was done in one while there was no connection, or was not answered, is told after it",
  async (t) => {
    const { fake, page } = await openConnected(t, { html: alone() });
    fake.onEvent = () => false;
    await page.check("#b");
    await fake.events(1);
    fake.refusing = true;
    fake.cut();
    await showing(page, "reconnecting");
    await page.fill("#t", "lost");
    await page.fill("#t", "kept");
    await page.focus("#b");
    fake.onEvent = () => ({});
    fake.refusing = false;
    await showing(page, "connected");
    await fake.events(3);
    assertEquals(fake.of("event").slice(1).map(({ name, form }) => [name, form?.data]), [
      ["toggle", [["done", "yes"]]],
      ["note", [["note", "kept"]]],
    ]);
  },
);

inBrowser("[LC41] an event too large for a frame is not sent, and told", async (t) => {
  const { fake, page } = await openConnected(t, { html: field('value=""') });
  await page.evaluate("addEventListener('live:error', ({ detail }) => window.code = detail.code)");
  await page.fill("#a", "x".repeat(70_000));
  assertEquals(await page.evaluate("code"), "too_large");
  assert(fake.of("event").length === 0);
});

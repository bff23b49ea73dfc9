import type { Page } from "playwright-core";
import { assert, assertEquals } from "../harness/mod.ts";
import { inBrowser, loadedMore, openConnected, type Opened } from "./fixtures/browser.ts";

const form = `<form id="f"><input id="t" name="t" value="a"><textarea id="x" name="x">b</textarea>
<select id="s" name="s"><option value="1" selected>1</option><option value="2">2</option></select>
<input type="checkbox" id="c" name="c"><input type="file" id="u" name="u">
<details id="d"><summary>More</summary>text</details></form>`;

/** What the user has put into the form. */
function held(page: Page): Promise<unknown> {
  return page.evaluate(`({
    t: t.value, x: x.value, s: s.value, c: c.checked, files: u.files.length, open: d.open,
    focus: document.activeElement.id, caret: [x.selectionStart, x.selectionEnd],
  })`);
}

const typed = {
  t: "typed",
  x: "long text",
  s: "2",
  c: true,
  files: 1,
  open: true,
  focus: "x",
  caret: [4, 4],
};

async function typeAll({ page }: Opened): Promise<void> {
  await page.fill("#t", "typed");
  await page.selectOption("#s", "2");
  await page.check("#c");
  await page.setInputFiles("#u", { name: "a.txt", mimeType: "text/plain", buffer: Buffer.of(1) });
  await page.click("summary");
  await page.fill("#x", "long text");
  await page.evaluate(
    "x.setSelectionRange(4, 4); window.heard = [];" +
      "for (const type of ['focus', 'blur', 'change', 'input'])" +
      "  document.addEventListener(type, (event) => heard.push(type + event.target.id), true)",
  );
}

/** Renders something new and waits until the page shows it. */
async function patched({ fake, page }: Opened, html: string): Promise<void> {
  const marker = `<i id="m${fake.rev}"></i>`;
  fake.patch(html + marker);
  await page.waitForSelector(`#m${fake.rev - 1}`, { state: "attached" });
}

const withoutMove = "delete Element.prototype.moveBefore";

for (const variant of ["as it is", "without moveBefore"]) {
  inBrowser(
    `[LC10] [LC12] V7, V8, V9, V10 ${variant}: what is typed survives a patch`,
    async (t) => {
      const opened = await openConnected(t, { html: form });
      if (variant !== "as it is") await opened.page.evaluate(withoutMove);
      await typeAll(opened);
      await patched(opened, form);
      assertEquals(await held(opened.page), typed, "the same HTML");
      await patched(opened, `<div class="wrapper"><p>New</p>${form}</div>`);
      assertEquals(await held(opened.page), typed, "a wrapper added");
      await patched(opened, `<p>Before</p><section><div>${form}</div></section>`);
      assertEquals(await held(opened.page), typed, "moved");
      assertEquals(await opened.page.evaluate("heard"), [], "nobody hears of it");
      assertEquals(opened.said, []);
    },
  );
}

inBrowser("[LC10] other attributes of a control that is being typed in are patched", async (t) => {
  const html = (more: string) => `<form id="f"><input id="t" name="t" value="" ${more}></form>`;
  const opened = await openConnected(t, { html: html("") });
  await opened.page.fill("#t", "x");
  await patched(opened, html('aria-invalid="true" class="wrong"'));
  assertEquals(
    await opened.page.evaluate("[t.value, t.getAttribute('aria-invalid'), t.className]"),
    ["x", "true", "wrong"],
  );
});

inBrowser(
  "[LC11] a control whose edits have been answered takes what the server says",
  async (t) => {
    const html = (value: string) =>
      `<form id="f" data-live-change="edit"><input id="t" name="t" value="${value}"></form>
    <button id="b">b</button>`;
    const opened = await openConnected(t, { html: html("") });
    const { fake, page } = opened;
    fake.onEvent = () => ({ html: html("CLEAN"), rev: ++fake.rev });
    await page.fill("#t", "dirty");
    await fake.events(1);
    assertEquals(await page.inputValue("#t"), "dirty", "while it has the focus");
    await page.focus("#b");
    await patched(opened, html("CLEAN"));
    assertEquals(await page.inputValue("#t"), "CLEAN");
  },
);

inBrowser("[LC11] an answer to an older edit leaves a newer one alone", async (t) => {
  const html = (value: string) =>
    `<form id="f" data-live-change="edit"><input id="t" name="t" value="${value}"></form>
    <button id="b">b</button>`;
  const opened = await openConnected(t, { html: html("") });
  const { fake, page } = opened;
  fake.onEvent = () => false;
  await page.fill("#t", "one");
  await page.fill("#t", "two");
  await page.focus("#b");
  await fake.events(2);
  const [first] = fake.of("event");
  fake.send({
    t: "reply",
    id: "v",
    ref: first?.ref ?? 0,
    ok: true,
    html: `${html("one")}<i id="r"></i>`,
    rev: ++fake.rev,
  });
  await page.waitForSelector("#r", { state: "attached" });
  assertEquals(await page.inputValue("#t"), "two");
});

inBrowser("[LC11] of radio buttons the HTML says something if it has chosen one", async (t) => {
  const html = (n: number, checked = "") =>
    `<p>${n}</p><form id="f" data-live-change="edit"><input type="radio" name="r" value="1" ${checked}>
    <input type="radio" name="r" value="2"></form><button id="b">b</button>
    <form id="g"><input type="radio" name="r" value="3" checked></form>`;
  const opened = await openConnected(t, { html: html(0) });
  const shown = async (n: number, checked = "") => {
    await opened.page.focus("#b");
    await patched(opened, html(n, checked));
    return opened.page.evaluate("f.r.value + g.r.value");
  };
  await opened.page.check("[value='2']");
  await opened.fake.events(1);
  assertEquals(await shown(1), "23", "it says nothing");
  assertEquals(await shown(2, "checked"), "13", "it has chosen");
  assertEquals(await shown(3), "3", "it has chosen none any more");
});

inBrowser(
  "[LC11] what the HTML says nothing about is left to the user, also when it was answered",
  async (t) => {
    const html =
      `<form id="f" data-live-change="edit"><input id="t" name="t"><textarea id="x" name="x"></textarea>
    <input type="checkbox" id="c" name="c"><select id="s" name="s"><option>1<option>2</select></form><button id="b">b</button>`;
    const opened = await openConnected(t, { html });
    const { fake, page } = opened;
    await page.fill("#t", "a");
    await page.fill("#x", "b");
    await page.check("#c");
    await page.selectOption("#s", "2");
    await page.focus("#b");
    await fake.events(4);
    await patched(opened, html);
    assertEquals(await page.evaluate("[t.value, x.value, c.checked, s.value]"), [
      "a",
      "b",
      true,
      "2",
    ]);
  },
);

inBrowser("[LC10] a focused control takes the server's value where it is told to", async (t) => {
  const html = (value: string) =>
    `<form id="f"><input id="t" name="t" value="${value}" data-live-patch-focused></form>`;
  const opened = await openConnected(t, { html: html("a") });
  await opened.page.focus("#t");
  await patched(opened, html("b"));
  assertEquals(await opened.page.inputValue("#t"), "b");
});

inBrowser("[LC10] a group of radio buttons is protected as one", async (t) => {
  const html = '<form id="f"><input type="radio" name="r" value="a" checked>' +
    '<input type="radio" name="r" value="b"></form>';
  const opened = await openConnected(t, { html });
  await opened.page.check("[value=b]");
  await patched(opened, html);
  assertEquals(await opened.page.isChecked("[value=b]"), true);
});

inBrowser("[LC15] a chosen option that is gone stays, and the select is marked", async (t) => {
  const html = (options: string) =>
    `<form id="f"><select id="s" name="s">${options}</select></form>`;
  const opened = await openConnected(t, { html: html("<option>1<option>2<option>3") });
  await opened.page.selectOption("#s", "3");
  await patched(opened, html("<option>1<option>2"));
  assertEquals(await opened.page.inputValue("#s"), "3");
  assertEquals(await opened.page.getAttribute("#s", "data-live-stale"), "");
  await patched(opened, html("<option>1<option>2<option>3"));
  assertEquals(await opened.page.inputValue("#s"), "3");
  assertEquals(await opened.page.getAttribute("#s", "data-live-stale"), null);
});

inBrowser("[LC13] a field put in before another does not get what was typed there", async (t) => {
  const html = (names: readonly string[]) =>
    `<form id="f">${names.map((name) => `<input name="${name}" value="">`).join("")}</form>`;
  const opened = await openConnected(t, { html: html(["a", "b"]) });
  await opened.page.fill("[name=b]", "for b");
  await patched(opened, html(["a", "new", "b"]));
  assertEquals(
    await opened.page.evaluate("[...f.elements].map(({ name, value }) => name + value)"),
    ["a", "new", "bfor b"],
  );
});

inBrowser("[LC10] [LC11] a password that is shown and hidden again stays what it is", async (t) => {
  const html = (type: string, said = "") =>
    `<form id="f" data-live-change="edit"><input id="p" name="p" type="${type}" ${said}></form>
    <button id="b">b</button>`;
  const opened = await openConnected(t, { html: html("password") });
  const { fake, page } = opened;
  const held = () => page.evaluate("[p.type, p.value, new FormData(f).get('p')]");
  fake.onEvent = () => false;
  await page.fill("#p", "s3cret");
  await patched(opened, html("text"));
  assertEquals(await held(), ["text", "s3cret", "s3cret"], "not answered");
  fake.onEvent = () => ({});
  await page.fill("#p", "s3cret!");
  await fake.events(2);
  await page.focus("#b");
  await patched(opened, html("password"));
  assertEquals(await held(), ["password", "s3cret!", "s3cret!"], "answered");
  await patched(opened, html("text", 'value="said"'));
  assertEquals(await held(), ["text", "said", "said"], "what the server says");
  await page.fill("#p", "typed");
  await patched(opened, html("checkbox", 'value="on"'));
  assertEquals(await page.evaluate("[p.value, p.checked]"), ["on", false], "another control");
});

inBrowser("[LC13] elements with a key keep what they are when the order changes", async (t) => {
  const html = (keys: string) =>
    `<ul>${[...keys].map((key) => `<li data-live-key="${key}">${key}</li>`).join("")}</ul>`;
  const opened = await openConnected(t, { html: html("abc") });
  await opened.page.evaluate(
    "document.querySelectorAll('li').forEach((li) => li.was = li.textContent)",
  );
  await patched(opened, html("cxab"));
  assertEquals(
    await opened.page.evaluate("[...document.querySelectorAll('li')].map((li) => li.was ?? null)"),
    ["c", null, "a", "b"],
  );
});

inBrowser(
  "[LC14] ignored subtrees, kept attributes and open details are the browser's",
  async (t) => {
    const html = (n: number) =>
      `<p id="n">${n}</p><div id="i" data-live-ignore><b>${n}</b></div>
    <div id="k" data-live-keep="class style" class="a" title="${n}"></div>
    <details id="d"${n > 2 ? " open" : ""}><summary>s</summary></details>`;
    const opened = await openConnected(t, { html: html(1) });
    const { page } = opened;
    await page.evaluate("k.className = 'mine'; d.open = true");
    await patched(opened, html(2));
    const seen = "[n.textContent, i.textContent, k.className, k.title, d.open]";
    assertEquals(await page.evaluate(seen), ["2", "1", "mine", "2", true]);
    await page.evaluate("d.open = false");
    await patched(opened, html(2));
    assertEquals(await page.evaluate("d.open"), false);
    await patched(opened, html(3));
    assertEquals(await page.evaluate("d.open"), true, "the server has changed its mind");
  },
);

inBrowser(
  "[LC12] how far something is scrolled survives, with moveBefore and without",
  async (t) => {
    const list =
      `<div id="l" style="height:50px;overflow:auto"><div style="height:500px"></div></div>`;
    const opened = await openConnected(t, { html: list });
    await opened.page.evaluate(withoutMove);
    // Scrolling is heard of by what is loaded once the page is connected.
    await loadedMore(opened.page);
    await opened.page.evaluate("new Promise((done) => { l.onscroll = done; l.scrollTop = 77; })");
    await patched(opened, `<p id="p">x</p><section id="q">${list}</section>`);
    assertEquals(await opened.page.evaluate("l.scrollTop"), 77);
  },
);

inBrowser(
  "[LC8] splices are applied, and what does not fit makes the page ask for the whole, once",
  async (t) => {
    const { fake, page } = await openConnected(t, { html: "<p>one</p>" });
    fake.send({
      t: "patch",
      id: "v",
      rev: ++fake.rev,
      base: fake.rev - 1,
      splice: [[3, 3, "two"]],
    });
    await page.waitForSelector("text=two");
    fake.send({ t: "patch", id: "v", rev: 99, base: 98, splice: [[3, 3, "three"]] });
    fake.send({ t: "patch", id: "v", rev: 100, base: 99, splice: [[3, 5, "four"]] });
    await fake.until("it asks", () => fake.of("full").length > 0);
    fake.send({ t: "patch", id: "v", rev: 101, html: "<p>five</p>" });
    await page.waitForSelector("text=five");
    assertEquals(fake.of("full").length, 1);
  },
);

inBrowser("[LC38] scripts and handlers in a patch never run", async (t) => {
  const opened = await openConnected(t);
  await patched(opened, "<script>window.ran = 1</script><p>there</p>");
  assert(await opened.page.evaluate("window.ran === undefined"));
});

inBrowser("[LC13] a list of others takes the place of one, and what has an id stays", async (t) => {
  const list = (from: number) =>
    Array.from({ length: 300 }, (_, n) => `<li id="r${n + from}">${n + from}</li>`).join("");
  const opened = await openConnected(t, {
    html: `<ul>${list(0)}</ul><div id="old"><input id="kept" value=""></div>`,
  });
  const { page } = opened;
  await page.fill("#kept", "typed");
  await patched(opened, `<ul>${list(1000)}</ul><section><input id="kept" value=""></section>`);
  const seen = "[v.querySelectorAll('li').length, v.querySelector('li').id, kept.value]";
  assertEquals(await page.evaluate(seen), [300, "r1000", "typed"]);
  assertEquals(await page.evaluate("document.activeElement.id"), "kept");
});

inBrowser(
  "[LC46] a form may have controls of any name, also of what forms can do",
  async (t) => {
    const names = ["id", "name", "action", "method", "remove", "reset", "submit", "children"];
    const controls = names.map((name) => `<input id="${name}-1" name="${name}" value="a">`).join(
      "",
    );
    const one = `<form id="one" data-live-change="edit">${controls}</form>`;
    const two = `<form id="two">${controls.replaceAll("-1", "-2")}</form>`;
    const opened = await openConnected(t, { html: `${one}${two}<p id="p">p</p>` });
    const { fake, page } = opened;
    await loadedMore(page);
    await page.fill("#remove-1", "typed");
    await page.waitForFunction("!document.querySelector('[data-live-pending]')");
    fake.send({ t: "patch", id: "v", fx: [{ k: "reset", form: "one" }] });
    await page.waitForFunction("document.getElementById('remove-1').value === 'a'");
    // Moved, then taken away.
    await patched(opened, `<p id="p">p</p>${two}${one}`);
    assertEquals(
      await page.evaluate(
        "[...document.querySelectorAll('form')].map((f) => f.getAttribute('id'))",
      ),
      ["two", "one"],
    );
    await patched(opened, `<p id="p">q</p>${one}`);
    await patched(opened, `<p id="p">r</p>`);
    assertEquals(await page.evaluate("document.querySelectorAll('form').length"), 0);
    assertEquals(opened.said, []);
  },
);

for (const by of ["data-live-key", "id"]) {
  inBrowser(
    `[LC13] a row with ${by} that is taken away leaves what was typed there to no other row`,
    async (t) => {
      const row = (key: string) =>
        `<li ${by}="${key}"><input name="item[]" value=""><input name="note" value=""></li>`;
      const html = (keys: string) => `<form id="f"><ul>${[...keys].map(row).join("")}</ul></form>`;
      const opened = await openConnected(t, { html: html("abc") });
      const { page } = opened;
      await loadedMore(page);
      for (const key of "abc") {
        for (const name of ["item[]", "note"]) {
          await page.fill(`[${by}=${key}] [name="${name}"]`, `${name} of ${key}`);
        }
      }
      const values = "[...f.elements].map(({ value }) => value)";
      const of = (keys: string) =>
        [...keys].flatMap((key) => [`item[] of ${key}`, `note of ${key}`]);
      await patched(opened, html("ac"));
      assertEquals(await page.evaluate(values), of("ac"));
      await patched(opened, html("c"));
      assertEquals(await page.evaluate(values), of("c"));
      await patched(opened, html("xc"));
      assertEquals(await page.evaluate(values), ["", "", ...of("c")]);
    },
  );
}

inBrowser(
  "[LC13] [LC45] controls of one name in rows without a key are told apart by their place, and that is said",
  async (t) => {
    const html = (count: number) =>
      `<form id="f">${'<p><input name="tag" value=""></p>'.repeat(count)}</form>`;
    const opened = await openConnected(t, { html: html(1) });
    const { page, said } = opened;
    await loadedMore(page);
    await patched(opened, html(3));
    await page.locator("[name=tag]").nth(1).fill("second");
    await patched(opened, `<p>above</p>${html(2)}`);
    assertEquals(await page.evaluate("[...f.elements].map(({ value }) => value)"), ["", "second"]);
    assertEquals(said, [
      'holdfast: several controls of the form "f" are named "tag", and are told apart by their place: ' +
      "give each an id, or its row an id or a data-live-key",
    ]);
  },
);

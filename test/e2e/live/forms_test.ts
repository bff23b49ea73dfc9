import type { Page } from "playwright-core";
import { Buffer } from "node:buffer";
import { assert, assertEquals } from "../../harness/mod.ts";
import { Frames } from "./frames.ts";
import { by, echo, marked, rejoined, shows, text, until } from "./look.ts";
import { type Scene, Stage } from "./stage.ts";

const stage = new Stage();

/** Kills the node of a scene and starts it anew; something may be done meanwhile. */
async function restart(s: Scene, page: Page, meanwhile?: () => Promise<void>): Promise<void> {
  const node = await s.node();
  node.kill("SIGKILL");
  await node.exited;
  const mounts = Number(await text(page, "mounts"));
  await meanwhile?.();
  s.proxy.lead(await s.node());
  await rejoined(page, mounts + 1);
}

stage.scenario(
  "[LB16] (30) every kind of control has its value back after kill -9, on the page and on the server, told once",
  async (s) => {
    s.proxy.lead(await s.node());
    const page = await s.open("/signup");
    const unmoved = await marked(page);
    const typed = { name: "Ada Lovelace", email: "ada@example.com", password: "sekrit", age: "36" };
    for (const [id, value] of Object.entries(typed)) await by(page, id).fill(value);
    await by(page, "bio").fill("two\nlines");
    await by(page, "birthday").fill("1815-12-10");
    await by(page, "country").selectOption("pl");
    await by(page, "langs").selectOption(["en", "it"]);
    for (const id of ["topic-sea", "topic-sand", "plan-pro", "terms"]) await by(page, id).check();
    await by(page, "volume").fill("8");
    await by(page, "referral").fill("a friend");
    const fields = {
      ...typed,
      bio: "two\nlines",
      country: "pl",
      langs: ["en", "it"],
      topics: ["sea", "sand"],
      terms: "on",
      plan: "pro",
      volume: "8",
      birthday: "1815-12-10",
      referral: "a friend",
      extra: [],
      nickname: "",
    };
    await until(async () =>
      JSON.stringify(sorted((await echo(page))["fields"])) === JSON.stringify(sorted(fields))
    );
    await restart(s, page);
    const { fields: back, recoveries, changes, touched } = await echo(page);
    assertEquals(sorted(back), sorted(fields));
    assertEquals({ recoveries, changes }, { recoveries: 1, changes: 1 });
    assert(Array.isArray(touched) && !touched.includes("nickname"), String(touched));
    for (const [id, value] of Object.entries(typed)) {
      assertEquals(await by(page, id).inputValue(), value);
    }
    assertEquals(await by(page, "bio").inputValue(), "two\nlines");
    assertEquals(await by(page, "referral").inputValue(), "a friend");
    assertEquals(await by(page, "volume").inputValue(), "8");
    for (const id of ["topic-sea", "topic-sand", "plan-pro", "terms"]) {
      assert(await by(page, id).isChecked(), id);
    }
    for (const id of ["topic-sky", "plan-free"]) assert(!await by(page, id).isChecked(), id);
    assertEquals(
      await by(page, "langs").evaluate((one) =>
        [...(one as HTMLSelectElement).selectedOptions].map(({ value }) => value)
      ),
      ["en", "it"],
    );
    await unmoved();
  },
);

function sorted(fields: unknown): [string, unknown][] {
  return Object.entries(Object(fields)).sort(([a], [b]) => (a < b ? -1 : 1));
}

stage.scenario(
  "[LB17] (31) a form without id, and one that is not to be recovered, sends nothing and keeps what was typed",
  async (s) => {
    s.proxy.lead(await s.node());
    const page = await s.open("/signup");
    await restart(s, page, async () => {
      await by(page, "anonymous").fill("of no form");
      await by(page, "unrecovered").fill("not told again");
    });
    assertEquals(Frames.of(page).recoveries, []);
    assertEquals(await by(page, "anonymous").inputValue(), "of no form");
    assertEquals(await by(page, "unrecovered").inputValue(), "not told again");
  },
);

stage.scenario(
  "[LB18] (32) a wizard is at its step again, with what was done and what was half typed",
  async (s) => {
    s.proxy.lead(await s.node());
    const page = await s.open("/wizard");
    await by(page, "name").fill("Ada");
    await by(page, "next").click();
    await shows(page, "step", 2);
    await by(page, "street").fill("Quay 1");
    await by(page, "next").click();
    await shows(page, "step", 3);
    await until(() => Frames.of(page).stored);
    await by(page, "note").fill("half a no");
    await until(async () => (await echo(page))["note"] === "half a no");
    await restart(s, page);
    assertEquals(await echo(page), {
      step: 3,
      name: "Ada",
      street: "Quay 1",
      note: "half a no",
      restored: 1,
    });
    assertEquals(await by(page, "note").inputValue(), "half a no");
    await by(page, "next").click();
    await by(page, "done").waitFor();
  },
);

stage.scenario(
  "[LB19] (33) who types on through disconnect, reconnect and recovery finds every character in its place",
  async (s) => {
    const node = await s.node();
    s.proxy.lead(node);
    const page = await s.open("/settings");
    const sentence = "0123456789 abcdefghijklmnopqrstuvwxyz 0123456789 the end";
    await by(page, "draft").focus();
    const typing = page.keyboard.type(sentence, { delay: 50 });
    await until(async () => (await by(page, "draft").inputValue()).length > 8);
    s.proxy.cut();
    await rejoined(page, 1);
    node.kill("SIGKILL");
    await node.exited;
    s.proxy.lead(await s.node());
    await typing;
    await rejoined(page, 2);
    await until(async () => (await echo(page))["draft"] === sentence);
    const caret = await by(page, "draft").evaluate((field) => {
      const { value, selectionStart } = field as HTMLTextAreaElement;
      return { value, selectionStart, focused: document.activeElement === field };
    });
    assertEquals(caret, { value: sentence, selectionStart: sentence.length, focused: true });
    await by(page, "save").click();
    await shows(page, "saves", 1);
  },
);

stage.scenario("[LB20] (34) a file that was chosen stays chosen, and is not sent", async (s) => {
  s.proxy.lead(await s.node());
  const page = await s.open("/upload");
  await by(page, "file").setInputFiles({
    name: "chart.txt",
    mimeType: "text/plain",
    buffer: Buffer.from("sea"),
  });
  await by(page, "title").fill("A chart");
  await until(async () => (await echo(page))["title"] === "A chart");
  await restart(s, page);
  await until(async () => (await echo(page))["recoveries"] === 1);
  assertEquals((await echo(page))["sent"], ["title"]);
  const names = await by(page, "file").evaluate((one) =>
    [...(one as HTMLInputElement).files ?? []].map(({ name }) => name)
  );
  assertEquals(names, ["chart.txt"]);
});

stage.scenario(
  "[LB21] (35) a form nobody was in, or that is stored already, is not told again",
  async (s) => {
    s.proxy.lead(await s.node());
    const page = await s.open("/filters");
    await by(page, "next").click();
    await shows(page, "page", 2);
    s.proxy.cut();
    await rejoined(page, 1);
    assertEquals(await text(page, "page"), "2");
    await by(page, "q").fill("rope");
    await until(async () => (await echo(page))["q"] === "rope");
    await shows(page, "page", 1);
    await until(() => Frames.of(page).stored);
    await by(page, "next").click();
    await shows(page, "page", 2);
    s.proxy.cut();
    await rejoined(page, 2);
    assertEquals(await text(page, "page"), "2");
    assertEquals(await by(page, "q").inputValue(), "rope");
    assertEquals(Frames.of(page).recoveries, []);
  },
);

stage.scenario(
  "[LB22] (36) disabled controls are not sent, and fields that were added are there once",
  async (s) => {
    s.proxy.lead(await s.node());
    const page = await s.open("/signup");
    for (let i = 0; i < 2; i++) await by(page, "more").click();
    await by(page, "extra-1").waitFor();
    await until(() => Frames.of(page).stored);
    await by(page, "extra-0").fill("zero");
    await by(page, "extra-1").fill("one");
    await until(async () =>
      JSON.stringify((await echo(page))["fields"]).includes('"extra":["zero","one"]')
    );
    await restart(s, page);
    await until(async () =>
      JSON.stringify((await echo(page))["fields"]).includes('"extra":["zero","one"]')
    );
    assertEquals(await page.locator('[name="extra[]"]').count(), 2);
    assertEquals(await by(page, "extra-0").inputValue(), "zero");
    assertEquals(await by(page, "extra-1").inputValue(), "one");
    const { sent } = await echo(page);
    assert(Array.isArray(sent) && !sent.includes("locked"), String(sent));
  },
);

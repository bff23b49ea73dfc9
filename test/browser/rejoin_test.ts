import { assertEquals } from "../harness/mod.ts";
import { inBrowser, loadedMore } from "./fixtures/browser.ts";
import { openCounting, recovered, rejoin } from "./fixtures/rejoin.ts";

/** What a page is told that the server has answered and stored "mine", and what it renders after a rejoin. */
interface Meanwhile {
  readonly what: string;
  /** What the form says after the rejoin. */
  readonly says: string;
  /** What is told of it; nothing if absent. */
  readonly told?: string;
  readonly saved?: boolean;
  readonly status?: "recovered" | "not_found";
  /** Typed after it was stored. */
  readonly typed?: string;
}

const meanwhile: readonly Meanwhile[] = [
  { what: "is not told over what another page has stored", says: "theirs" },
  { what: "is told if it was only answered", says: "theirs", saved: false, told: "mine" },
  { what: "is told if more was typed", says: "theirs", typed: "mine, too", told: "mine, too" },
  { what: "is told if the server says what it said before", says: "first", told: "mine" },
  { what: "is told if none of it was recovered", says: "new", status: "not_found", told: "mine" },
];

for (const { what, says, told, saved = true, status = "recovered", typed } of meanwhile) {
  inBrowser(`[LC49] what was typed and stored ${what}`, async (t) => {
    const form = (value: string) =>
      `<form id="f" data-live-change="edit"><input name="a" value="${value}"></form>`;
    const opened = await openCounting(t, form("first"));
    const { fake, page } = opened;
    await loadedMore(page);
    await page.fill("[name=a]", "mine");
    await fake.events(1);
    await page.evaluate("document.activeElement.blur()");
    fake.patch(form("mine"));
    if (saved) fake.send({ t: "stash", id: "v", rev: fake.rev, durable: true });
    await page.waitForFunction("document.querySelector('[name=a]').defaultValue === 'mine'");
    fake.onEvent = ({ recover }) => recover === true ? {} : false;
    if (typed !== undefined) await page.fill("[name=a]", typed);
    await page.evaluate("document.activeElement.blur()");
    fake.html = form(says);
    fake.onJoin = () => ({ status });
    await rejoin(opened);
    const data = recovered(opened).map((event) => event.form?.data);
    assertEquals(data, told === undefined ? [] : [[["a", told]]]);
    assertEquals(await page.inputValue("[name=a]"), told ?? "theirs");
  });
}

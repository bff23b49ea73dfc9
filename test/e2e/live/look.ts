/** Looks at a page of the fixture app, and waits for what is to be seen. */
import type { Locator, Page } from "playwright-core";

/** A condition that does not hold after so long never will. */
const LIMIT_MS = 30_000;

/** Waits until a condition holds. Looks every few milliseconds; only a failure waits for the limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const limit = performance.now() + LIMIT_MS;
  while (!await condition()) {
    if (performance.now() > limit) throw new Error(`Waited in vain for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What has a `data-testid`. */
export function by(page: Page, id: string): Locator {
  return page.locator(`[data-testid="${id}"]`);
}

/** Its text. */
export async function text(page: Page, id: string): Promise<string> {
  return await by(page, id).textContent() ?? "";
}

/** The state on the server. */
export async function echo(page: Page, prefix = ""): Promise<Readonly<Record<string, unknown>>> {
  return JSON.parse(await text(page, `${prefix}echo`));
}

/** Waits until what is loaded later is there, in a way that no policy of the page forbids. */
export async function loadedMore(page: Page): Promise<void> {
  const address = await page.evaluate(() =>
    new Promise<string>((resolve) => {
      new PerformanceObserver((list) => {
        const found = list.getEntries().find(({ name }) => name.includes("more.js"));
        if (found !== undefined) resolve(found.name);
      }).observe({ type: "resource", buffered: true });
    })
  );
  // Known to be there is known to have run.
  await page.evaluate((name) => import(name).then(() => {}), address);
}

/** Waits until an element has a text. */
export async function shows(page: Page, id: string, expected: string | number): Promise<void> {
  await until(async () => await text(page, id) === String(expected)).catch(async () => {
    throw new Error(`"${id}" is "${await text(page, id)}" and not "${expected}"`);
  });
}

/** Waits until every root of a page is in a state. */
export async function connected(page: Page, state = "connected"): Promise<void> {
  const roots = page.locator("[data-live-view]");
  await roots.first().waitFor({ state: "attached" });
  await until(async () => {
    const states = await roots.evaluateAll((all) =>
      all.map((one) => one.getAttribute("data-live-state"))
    );
    return states.every((one) => one === state);
  });
}

/** Waits until a page is connected for the so-manieth time. */
export async function rejoined(page: Page, mounts: number): Promise<void> {
  await shows(page, "mounts", mounts);
  await connected(page);
}

/** Leaves a mark that a reload would wipe out; the function it returns says whether it is there. */
export async function marked(page: Page): Promise<() => Promise<void>> {
  await page.evaluate(() => void Object.assign(globalThis, { holdfastMark: "kept" }));
  return async () => {
    const mark = await page.evaluate(() => Reflect.get(globalThis, "holdfastMark") as unknown);
    if (mark !== "kept") throw new Error("The page was loaded again");
  };
}

import { fileURLToPath } from "node:url";
import { Hono } from "hono";
import type { Browser, Page, WebSocket } from "playwright-core";
import { rolldown } from "rolldown";
import { documentSocket } from "../../../adapters/hono/mod.ts";
import { memoryStorage } from "../../../adapters/memory/mod.ts";
import type { Server } from "../../../adapters/web/serving.ts";
import { createHoldfast, type Storage } from "../../../mod.ts";
import { assertEquals, skip, test, type TestContext } from "../../harness/mod.ts";
import { open } from "../../object_model/world.ts";
import { serve, upgradeWebSocket } from "../runtime.ts";
import { executable, launch } from "./browser.ts";
import { List } from "./fixtures/list.ts";
import { until } from "./look.ts";

/** A server of lists with a page that shows one, and how often it was asked for a connection. */
interface Place {
  readonly server: Server;
  asked: number;
}

let script: Promise<string> | undefined;

async function bundled(): Promise<string> {
  const input = fileURLToPath(new URL("fixtures/list_page.ts", import.meta.url));
  const bundle = await rolldown({ input, platform: "browser", tsconfig: true });
  const { output: [{ code }] } = await bundle.generate({ format: "esm" });
  await bundle.close();
  return code;
}

async function place(t: TestContext, storage: Storage, port = 0): Promise<Place> {
  const secrets = ["a secret of the tests, as long as it has to be"];
  const holdfast = createHoldfast({ storage: open(storage), secrets, cookie: { dev: true } });
  const code = await (script ??= bundled());
  const app = new Hono();
  app.get(
    "/",
    (c) => c.html('<pre id="list"></pre><script type="module" src="/page.js"></script>'),
  );
  app.get("/page.js", (c) => c.body(code, 200, { "content-type": "text/javascript" }));
  app.get("/away", (c) => c.html("away"));
  const here = { asked: 0 } as { server: Server; asked: number };
  const access = () => {
    here.asked++;
    return { actor: null };
  };
  // What the route needs of a context, Hono's has; its type says more than can be told here.
  app.get(
    "/list",
    documentSocket(holdfast, List, { upgradeWebSocket, access, id: () => "a" }) as never,
  );
  here.server = await serve({ fetch: app.fetch, port, holdfast, signals: [] });
  t.defer(async () => void await here.server.close());
  return here;
}

/** One browser for each test, and in it one context for each page. */
const browsers: WeakMap<TestContext, Promise<Browser>> = new WeakMap();

async function page(
  t: TestContext,
  { server }: Place,
  onSocket: (socket: WebSocket) => void = () => {},
): Promise<Page> {
  const launched = browsers.get(t) ?? launch();
  if (!browsers.has(t)) t.defer(async () => await (await launched).close());
  browsers.set(t, launched);
  const opened = await (await (await launched).newContext()).newPage();
  opened.on("websocket", onSocket);
  await opened.goto(server.url);
  await until(async () => await status(opened) === "connected");
  return opened;
}

const status = (page: Page) =>
  page.evaluate(() => (globalThis as never as Shown).list.getSnapshot().status);
const items = (page: Page) =>
  page.evaluate(() => (globalThis as never as Shown).list.getSnapshot().state.items.join());
const add = (page: Page, item: string) =>
  page.evaluate((what) => void (globalThis as never as Shown).list.mutate({ add: what }), item);

/** What the page has made of itself. */
interface Shown {
  readonly list: {
    getSnapshot(): {
      readonly status: string;
      readonly state: { readonly items: readonly string[] };
    };
    mutate(op: { readonly add: string }): Promise<unknown>;
  };
}

/** Makes the page believe that it is hidden, or seen again. */
function see(page: Page, visible: boolean): Promise<unknown> {
  return page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, !visible);
}

const inBrowser: typeof test = executable === undefined
  ? (title) => skip(title, "only on machines with Chromium")
  : test;

inBrowser(
  "[DC3] in Chromium, what is done offline or without a server is sent once there is one",
  async (t) => {
    const storage = memoryStorage();
    const first = await place(t, storage);
    const ada = await page(t, first);
    const bob = await page(t, first);
    await add(ada, "kelp");
    await until(async () => await items(bob) === "kelp");
    await ada.context().setOffline(true);
    await until(async () => await status(ada) === "offline");
    await add(ada, "rope");
    await add(bob, "tar");
    assertEquals(await items(ada), "kelp,rope");
    await ada.context().setOffline(false);
    for (const each of [ada, bob]) await until(async () => await items(each) === "kelp,tar,rope");

    await first.server.close();
    await until(async () => await status(ada) === "connecting");
    await add(ada, "sail");
    const second = await place(t, storage, first.server.port);
    for (const each of [ada, bob]) {
      await until(async () => await items(each) === "kelp,tar,rope,sail");
    }
    assertEquals(second.asked >= 2, true);
  },
);

inBrowser(
  "[DC12] in Chromium, a hidden page does not try again, and does at once when it is seen",
  async (t) => {
    const storage = memoryStorage();
    const first = await place(t, storage);
    const ada = await page(t, first);
    await see(ada, false);
    await first.server.close();
    await until(async () => await status(ada) === "connecting");
    const second = await place(t, storage, first.server.port);
    // It would have tried at least twice by then, were it seen.
    const bob = await page(t, second);
    await add(bob, "kelp");
    await bob.waitForTimeout(1000);
    assertEquals([second.asked, await items(ada)], [1, ""]);
    await see(ada, true);
    await until(async () => await items(ada) === "kelp");
    assertEquals(second.asked, 2);
  },
);

inBrowser(
  "[DC12] in Chromium, a page that is seen or has focus again asks whether its connection is alive",
  async (t) => {
    const here = await place(t, memoryStorage());
    const pings: string[] = [];
    const ada = await page(t, here, (socket) =>
      socket.on("framesent", ({ payload }) => {
        if (String(payload).includes('"ping"')) pings.push(String(payload));
      }));
    assertEquals(pings, []);
    await see(ada, false);
    assertEquals(pings, []);
    await see(ada, true);
    await until(() => pings.length === 1);
    await ada.evaluate(() => dispatchEvent(new Event("focus")));
    await until(() => pings.length === 2);
    assertEquals([here.asked, await status(ada)], [1, "connected"]);
  },
);

inBrowser(
  "[DC12] in Chromium, a page that comes out of the cache has a connection again",
  async (t) => {
    const here = await place(t, memoryStorage());
    const ada = await page(t, here);
    // Chromium keeps no page for a program that steers it: the events are what such a page would get.
    await ada.evaluate(() =>
      dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }))
    );
    assertEquals(await status(ada), "connecting");
    await add(ada, "kelp");
    assertEquals(here.asked, 1);
    await ada.evaluate(() =>
      dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))
    );
    await until(async () => await status(ada) === "connected");
    const bob = await page(t, here);
    await until(async () => await items(bob) === "kelp");
  },
);

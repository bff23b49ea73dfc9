import { html } from "hono/html";
import { Hono } from "hono";
import { createLive, defineView } from "../../adapters/live/mod.ts";
import { session, type SessionEnv } from "../../adapters/hono/mod.ts";
import type { TelemetryEvent } from "../../mod.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { secretA, secretB } from "../stash/world.ts";
import { Cart, Settings } from "./views.ts";
import { Jar, liveWorld, origin, Page, rootsOf } from "./world.ts";

test("[LW1] scenario 1: a page shows its view, sets one cookie, and is in no shared cache", async () => {
  const at = liveWorld();
  const node = at.live([Settings]);
  const response = await node.app.request(`${origin}/settings`);
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("cache-control"), "private, no-cache");
  const cookies = response.headers.getSetCookie();
  assertEquals(cookies.length, 1);
  assert(
    /^__Host-holdfast=r1\.[^;]+; Path=\/; Secure; HttpOnly; SameSite=Lax$/.test(cookies[0] ?? ""),
  );
  const text = await response.text();
  const [root] = rootsOf(text);
  assertEquals([root?.id, root?.view, root?.html], [
    "live-settings",
    "settings",
    "<p>light||0|-1|new</p>",
  ]);
  assert(text.includes('<script type="module" src="/live/client.js?v='), text);
  assert(text.includes('data-live-auto data-live-path="/live"'));
  assert(!text.includes(root?.token.split(".")[1] === "" ? "" : "sid="), "no id in the page");
});

test("[LW1] without the middleware a page opens its session by itself, and several roots share one", async () => {
  const at = liveWorld();
  const holdfast = at.node();
  const live = createLive(holdfast, { views: [Settings, Cart] });
  const app = new Hono();
  app.all("/alone", live.page(Settings));
  const alone = await app.request(`${origin}/alone`);
  assertEquals(alone.headers.getSetCookie().length, 1);

  const both = new Hono<SessionEnv>();
  both.use(session(holdfast));
  both.get("/", async (c) => {
    const settings = await live.root(c, Settings);
    const cart = await live.root(c, Cart, { id: "basket" });
    return c.html(html`<main>${settings}${cart}</main>${live.script()}`);
  });
  const response = await both.request(`${origin}/`);
  assertEquals(response.headers.getSetCookie().length, 1);
  assertEquals(rootsOf(await response.text()).map(({ id }) => id), ["live-settings", "basket"]);
});

test("[LW10] hono/html, asynchronous parts and layouts come out as written, text escaped", async () => {
  const at = liveWorld();
  const holdfast = at.node();
  const Templated = defineView({
    name: "templated",
    state: () => ({ text: '<b>&"' }),
    mount: ({ title }) => title("A & B"),
    events: { set: ({ state }) => void (state.text = "'") },
    render: ({ state }) => html`<p title="${state.text}">${Promise.resolve(state.text)}</p>`,
  });
  const live = createLive(holdfast, { views: [Templated] });
  const app = new Hono();
  app.all(
    "/",
    live.page(Templated, {
      id: "root",
      layout: ({ content, script, title }) =>
        html`<!DOCTYPE html><title>${title}</title>${content}${script}`,
    }),
  );
  const text = await (await app.request(`${origin}/`)).text();
  assert(text.startsWith('<!DOCTYPE html><title>A &amp; B</title><div id="root"'), text);
  const escaped = "&lt;b&gt;&amp;&quot;";
  assert(text.includes(`<p title="${escaped}">${escaped}</p>`), text);
});

test("[LW2] a token is worth nothing changed, expired, under another secret, or with another cookie", async () => {
  const at = liveWorld();
  const node = at.live([Settings, Cart]);
  const refused = async (page: Page, code: string): Promise<void> => {
    await page.connect();
    page.sendJoins();
    await at.until(() => page.closedWith !== undefined);
    assertEquals([page.closedWith, page.of("error")[0]?.code], [4401, code]);
  };
  const flipped = await Page.load(at, node, "/settings");
  const { token } = flipped.root();
  flipped.root().token = token.slice(0, -5) + (token.at(-5) === "A" ? "B" : "A") + token.slice(-4);
  await refused(flipped, "unauthorized");

  const none = await Page.load(at, node, "/settings");
  const [head = "", body = ""] = none.root().token.split(".");
  none.root().token = `${btoa('{"alg":"none"}').replaceAll("=", "")}.${body}.`;
  await refused(none, "unauthorized");
  none.root().token = `${head}.${body}.`;
  await refused(await renewed(none), "unauthorized");

  const stolen = await Page.load(at, node, "/settings");
  const other = await Page.load(at, node, "/settings", new Jar());
  other.root().token = stolen.root().token;
  await refused(other, "unauthorized");

  const bare = await Page.load(at, node, "/settings");
  bare.jar.cookie = undefined;
  await refused(bare, "unauthorized");

  const foreign = await Page.load(at, at.live([Settings], {}, { secrets: [secretB] }), "/settings");
  foreign.node = node;
  await refused(foreign, "unauthorized");

  const old = await Page.open(at, node, "/settings");
  await old.event("theme", { value: { theme: "dark" } });
  await old.saved();
  const { token: first } = old.root();
  old.socket?.drop();
  await at.clock.advance(23 * 3_600_000);
  await old.reconnect();
  await at.clock.advance(2 * 3_600_000);
  old.socket?.drop();
  old.root().token = first;
  await refused(old, "expired");

  // Of another session it is not only too old: what is on that page is of another user.
  const others = await Page.load(at, node, "/settings", new Jar());
  others.root().token = first;
  await refused(others, "unauthorized");
});

async function renewed(page: Page): Promise<Page> {
  page.frames.length = 0;
  page.closedWith = undefined;
  return await Promise.resolve(page);
}

test("[LW2] a token of any listed secret is good, and renewed under the first", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Settings], {}, { secrets: [secretA] }), "/settings");
  await page.event("theme", { value: { theme: "dark" } });
  await page.saved();
  const next = at.live([Settings], {}, { secrets: [secretB, secretA] });
  const before = page.root().token;
  await page.reconnect(next);
  assert(page.root().html.startsWith("<p>dark|"));
  const kid = (token: string): unknown => JSON.parse(atob(token.split(".")[0] ?? "")).kid;
  assert(kid(before) !== kid(page.root().token));
  await page.reconnect(next);
  assert(page.root().html.startsWith("<p>dark|"));
});

test("[LW2] an unknown view is refused so that the page is loaded again", async () => {
  const at = liveWorld();
  const page = await Page.load(at, at.live([Settings]), "/settings");
  await page.connect(at.live([Cart]));
  page.sendJoins();
  await at.until(() => page.closedWith !== undefined);
  assertEquals([page.closedWith, page.of("error")[0]?.code], [4404, "unknown_view"]);
});

test("[LW3] scenario 39: a socket is opened for pages of this host alone, before anything is read", async () => {
  const at = liveWorld();
  const node = at.live([Settings]);
  const page = await Page.load(at, node, "/settings");
  const calls = { ...at.storage.calls };
  const ask = async (given: Record<string, string>, on = node): Promise<number> => {
    const headers = { upgrade: "websocket", ...given };
    return (await page.jar.request(on, "/live/socket", { headers })).status;
  };
  for (
    const bad of [
      "https://evil.example",
      "null",
      "https://app.example.evil.test",
      "https://app.example:8443",
      "http://app.example",
      "https://app.example/",
      "file://",
      "",
    ]
  ) {
    assertEquals(await ask({ origin: bad }), 403, bad);
  }
  assertEquals(await ask({}), 403, "a missing one");
  assertEquals(node.sockets.length, 0);
  assertEquals(at.storage.calls, calls);
  assertEquals(await ask({ origin }), 200);
  const listed = at.live([Settings], { origins: ["https://other.example"] });
  assertEquals(await ask({ origin: "https://other.example" }, listed), 200);
  assertEquals(await ask({ origin }, listed), 403, "a list is the list");
  assertEquals(await ask({}, at.live([Settings], { allowMissingOrigin: true })), 200);
  const proxied = at.live([Settings], { trustForwardedHost: true });
  const forwarded = { origin: "https://public.example", "x-forwarded-host": "public.example" };
  assertEquals(await ask(forwarded, proxied), 200);
  assertEquals(await ask(forwarded), 403, "a header anybody can send");
});

test("[LW15] a page of another origin is refused, and told to telemetry with the host that was asked", async () => {
  const at = liveWorld();
  const node = at.live([Settings], { trustForwardedHost: true });
  const page = await Page.load(at, node, "/settings");
  const told: TelemetryEvent[] = [];
  node.holdfast.subscribe("holdfast.origin.refuse", (event) => told.push(event));
  const evil = "https://evil.example";
  const asks:
    readonly (readonly [path: string, method: string, headers: Record<string, string>])[] = [
      ["/live/socket", "GET", { origin: evil, upgrade: "websocket" }],
      ["/live/socket", "GET", { upgrade: "websocket" }],
      ["/live/sse", "GET", { origin: evil }],
      ["/live/send", "POST", { origin: evil }],
      ["/settings", "POST", { origin: evil }],
      ["/live/socket", "GET", {
        origin: `https://${"a".repeat(300)}`,
        "x-forwarded-host": "b".repeat(300),
      }],
    ];
  for (const [path, method, headers] of asks) {
    assertEquals((await page.jar.request(node, path, { method, headers })).status, 403, path);
  }
  const name = "holdfast.origin.refuse" as const;
  const host = new URL(origin).host;
  const one = { name, what: "live" as const, origin: evil, host };
  const long = { ...one, origin: `https://${"a".repeat(192)}`, host: "b".repeat(200) };
  assertEquals(told, [one, { ...one, origin: "" }, one, one, one, long]);
});

test("[LW6] the script is served for good by its name, and a request for a socket that is none is told so", async () => {
  const at = liveWorld();
  const node = at.live([Settings]);
  const page = await (await node.app.request(`${origin}/settings`)).text();
  const src = /src="([^"]*)"/.exec(page)?.[1] ?? "";
  const script = await node.app.request(origin + src);
  assertEquals(script.headers.get("cache-control"), "public, max-age=31536000, immutable");
  assert(script.headers.get("content-type")?.startsWith("text/javascript"));
  const integrity = /integrity="sha384-([^"]*)"/.exec(page)?.[1];
  const bytes = new Uint8Array(await script.arrayBuffer());
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-384", bytes));
  assertEquals(btoa(String.fromCharCode(...digest)), integrity);
  const plain = await node.app.request(`${origin}/live/client.js`);
  assertEquals(plain.headers.get("cache-control"), "no-cache");
  const etag = plain.headers.get("etag") ?? "";
  const again = { headers: { "if-none-match": etag } };
  assertEquals((await node.app.request(`${origin}/live/client.js`, again)).status, 304);
  assertEquals((await node.app.request(`${origin}/live/nothing`)).status, 404);
  const socket = await node.app.request(`${origin}/live/socket`, { headers: { origin } });
  assertEquals(socket.status, 426);
});

test("[LW12] a page of another build is told that there is a newer one, for as long as it stays", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Settings], { build: "a" }), "/settings");
  assertEquals(page.root().joined?.stale, undefined);
  const next = at.live([Settings], { build: "b", node: "next" });
  for (let times = 0; times < 2; times++) {
    await page.reconnect(next);
    const { stale, build, node } = page.root().joined ?? {};
    assertEquals([stale, build, node], [true, "b", "next"]);
  }
  await page.reconnect(page.node);
  page.socket?.drop();
  await page.connect();
  await page.join({ assets: ["/live/client.js?v=other"] });
  assertEquals(page.root().joined?.stale, true);
});

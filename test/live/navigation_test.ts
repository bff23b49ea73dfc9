import { defineView } from "../../adapters/live/mod.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { liveWorld, origin, Page } from "./world.ts";

const Shop = defineView({
  name: "shop",
  state: () => ({ page: "1", heard: 0 }),
  mount(ctx) {
    ctx.title("Shop");
    const to = ctx.url.searchParams.get("go");
    if (to !== null && (ctx.connected || ctx.url.searchParams.has("early"))) ctx.redirect(to);
  },
  params(ctx, url) {
    ctx.state.page = url.searchParams.get("page") ?? "1";
    ctx.state.heard++;
    if (ctx.state.page === "0") ctx.patch("?page=1", { replace: true });
    if (ctx.state.page === "loop") ctx.patch("?page=loop");
  },
  events: {
    next: (ctx) => ctx.patch(`?page=${Number(ctx.state.page) + 1}`),
    item: (ctx) => ctx.navigate("/item/7?from=shop#top"),
    out: (ctx) => ctx.redirect("https://elsewhere.example/"),
    evil: (ctx) => ctx.redirect("javascript:alert(1)"),
    cross: (ctx) => ctx.patch("//other.example/"),
    slashes(ctx) {
      ctx.navigate("/.//other.example/");
      ctx.redirect(`${ctx.url.origin}//other.example/`);
    },
    effects(ctx) {
      ctx.title("Sold");
      ctx.focus("search");
      ctx.resetForm("order");
      ctx.push("confetti", { amount: 3 });
      ctx.push("plain");
    },
  },
  render: ({ state, ctx }) => `<p>${state.page}|${state.heard}|${ctx.url.search}</p>`,
});

const Where = defineView({
  name: "where",
  state: () => ({}),
  render: ({ ctx }) => `<p>${ctx.url.href}</p>`,
});

test("[LV16] params hears of the address after mount, and at each patch of the page", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Shop]), "/shop?page=3");
  assertEquals(page.root().html, "<p>3|1|?page=3</p>");
  assertEquals(page.root().joined?.title, "Shop");
  await page.patch("/shop?page=4");
  assertEquals(page.root().html, "<p>4|2|?page=4</p>");
  await page.reconnect();
  assertEquals(page.root().html, "<p>4|1|?page=4</p>", "the latest address comes along");
});

test("[LV16] a view changes the address of its page, and params hears of it before it is shown", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Shop]), "/shop?page=3");
  await page.event("next");
  assertEquals(page.root().html, "<p>4|2|?page=4</p>");
  assertEquals(page.of("nav"), [
    { t: "nav", id: "live-shop", kind: "patch", to: "/shop?page=4", replace: false },
  ]);
  await page.patch("/shop?page=0");
  assertEquals(page.root().html, "<p>1|4|?page=1</p>");
  assertEquals(page.of("nav").map(({ to, replace }) => [to, replace]).at(-1), [
    "/shop?page=1",
    true,
  ]);
  const get = await page.node.app.request(`${origin}/shop?page=0`);
  assertEquals([get.status, get.headers.get("location")], [303, "/shop?page=1"]);
});

test("[LV16] it goes to another page, or away, but not where a script would run or to another origin", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Shop]), "/shop");
  await page.event("item");
  await page.event("out");
  assertEquals(page.of("nav").map(({ kind, to }) => [kind, to]), [
    ["navigate", "/item/7?from=shop#top"],
    ["redirect", "https://elsewhere.example/"],
  ]);
  for (const name of ["evil", "cross"]) {
    const before = page.of("error").length;
    page.fire(name);
    await at.until(() => page.of("error").length > before);
    assertEquals(page.of("error").at(-1)?.code, "crash");
    await page.join();
  }
  assertEquals(page.of("nav").length, 2);
});

test("[LV16] a path that begins with two slashes is one of this origin, and no host", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Shop]), "/shop");
  await page.event("slashes");
  assertEquals(page.of("nav").map(({ to }) => to), ["/.//other.example/", "/.//other.example/"]);
});

test("[LV16] a page whose path begins with two slashes connects, and goes on from there", async () => {
  const at = liveWorld();
  const node = at.live([Where], { trustForwardedHost: true });
  node.app.all("*", node.live.page(Where));
  const page = await Page.open(at, node, "//other.example/?a=1");
  assertEquals(page.root().html, `<p>${origin}//other.example/?a=1</p>`);
  assertEquals(page.of("error"), []);
  for (const path of ["//third.example/", "/\\third.example/", "/\t/third.example/"]) {
    await page.patch(path);
    assertEquals(page.root().html, `<p>${origin}//third.example/</p>`, path);
  }
  for (const url of ["third", "", "https://third.example/", "@third.example/"]) {
    const next = await Page.open(at, node, "//other.example/");
    next.send({ t: "params", id: "live-where", ref: 99, url });
    await at.until(() => next.of("error").length > 0);
    assertEquals(next.of("error")[0]?.code, "bad_message", url);
  }
});

test("[LV16] addresses that keep changing end the view", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Shop]), "/shop");
  page.send({ t: "params", id: "live-shop", ref: 99, url: "/shop?page=loop" });
  await at.until(() => page.of("error").length > 0);
  assertEquals(page.of("error")[0]?.code, "crash");
});

test("[LV16] a mount that goes elsewhere answers a GET with 303, and a join with where to", async () => {
  const at = liveWorld();
  const node = at.live([Shop]);
  const early = await node.app.request(`${origin}/shop?early&go=/login`);
  assertEquals([early.status, early.headers.get("location")], [303, "/login"]);
  const page = await Page.load(at, node, "/shop?go=/login");
  await page.connect();
  page.sendJoins();
  await at.until(() => page.of("error").length > 0);
  const error = page.of("error")[0];
  assertEquals([error?.code, error?.retry, error?.to], ["mount_failed", false, "/login"]);
});

test("[LV16] effects come after the change, in order, and the title when it is another one", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Shop]), "/shop");
  const reply = await page.event("effects");
  assertEquals([reply.title, reply.html, reply.splice], ["Sold", undefined, undefined]);
  assertEquals(reply.fx, [
    { k: "focus", id: "search" },
    { k: "reset", form: "order" },
    { k: "push", name: "confetti", data: { amount: 3 } },
    { k: "push", name: "plain", data: null },
  ]);
  assertEquals((await page.event("effects")).title, undefined);
});

test("[LV15] a page that has lost the text gets it whole", async () => {
  const at = liveWorld();
  const Long = defineView({
    name: "long",
    state: () => ({ n: 0 }),
    events: { add: ({ state }) => void state.n++ },
    render: ({ state }) => `<p>${state.n}</p>${"<i>same</i>".repeat(100)}`,
  });
  const page = await Page.open(at, at.live([Long]), "/long");
  const reply = await page.event("add");
  assertEquals(reply.splice, [[3, 1, "1"]]);
  assert(JSON.stringify(reply).length < 120, "and it is short");
  page.send({ t: "full", id: "live-long" });
  await at.until(() => page.of("patch").length === 1);
  assertEquals([page.of("patch")[0]?.html, page.of("patch")[0]?.rev], [page.root().html, 2]);
});

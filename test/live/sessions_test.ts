import { assert, assertEquals, test } from "../harness/mod.ts";
import { hour, minute, partsOf } from "../stash/world.ts";
import { Cart, Settings } from "./views.ts";
import { liveWorld, origin, Page } from "./world.ts";

const theme = { value: { theme: "dark" } };

test("[LW5] sockets end with their session: destroyed, given a new id, expired", async () => {
  for (const end of ["destroy", "rotate", "expire"] as const) {
    const at = liveWorld();
    const node = at.live([Settings]);
    node.app.post("/end", async (c) => {
      if (end === "destroy") await c.var.session.destroy();
      else await c.var.session.rotate();
      return c.text("done");
    });
    const page = await Page.open(at, node, "/settings");
    const bystander = await Page.open(at, node, "/settings");
    await page.event("theme", theme);
    await page.saved();
    await bystander.event("theme", theme);
    await bystander.saved();
    const { socket } = page;
    if (end === "expire") {
      // The other one is used meanwhile.
      await at.clock.advance(23 * hour);
      await bystander.event("add");
      assertEquals(page.closedWith, undefined);
      await at.clock.advance(hour + 1000);
    } else {
      const { cookie } = page.jar;
      await at.finish(page.jar.request(node, "/end", { method: "POST" }));
      page.jar.cookie = cookie;
      await at.clock.advance(1000);
    }
    assertEquals([page.closedWith, bystander.closedWith], [4401, undefined], end);
    const before = socket?.received.length;
    page.fire("add");
    await at.clock.advance(1000);
    assertEquals(socket?.received.length, before, "a message after it is ignored");
    await page.connect();
    page.sendJoins();
    await at.until(() => page.closedWith !== undefined);
    assertEquals(page.closedWith, 4401, "and so is the old cookie");
  }
});

test("[LW5] another node notices at the next write that the session is over", async () => {
  const at = liveWorld();
  const [one, two] = [at.live([Settings]), at.live([Settings])];
  two.app.post("/end", async (c) => {
    await c.var.session.destroy();
    return c.text("done");
  });
  const page = await Page.open(at, one, "/settings");
  await page.event("theme", theme);
  await page.saved();
  await at.finish(page.jar.request(two, "/end", { method: "POST" }));
  await page.event("theme", { value: { theme: "dim" } });
  await at.until(() => page.closedWith !== undefined);
  assertEquals(page.closedWith, 4401);
});

test("[LW5] scenario 37: with other cookies than it was made with a page is sent for new ones", async () => {
  const at = liveWorld();
  const node = at.live([Settings]);
  const page = await Page.open(at, node, "/settings");
  await page.event("theme", theme);
  await page.saved();
  page.jar.cookie = undefined;
  assertEquals((await page.event("add")).ok, true, "the socket there is goes on");
  page.socket?.drop();
  await page.connect();
  page.sendJoins();
  await at.until(() => page.closedWith !== undefined);
  assertEquals(page.closedWith, 4401);
  const anew = await Page.open(at, node, "/settings", page.jar);
  assertEquals(anew.root().html, "<p>light||0|0|new</p>");
});

test("[LW14] two tabs of who has stored nothing yet have one session, also after an hour", async () => {
  const at = liveWorld();
  const node = at.live([Settings, Cart]);
  const one = await Page.open(at, node, "/settings");
  const two = await Page.open(at, node, "/cart", one.jar);
  assertEquals(one.jar.got.length, 1);
  await at.clock.advance(3 * hour);
  assertEquals([one.closedWith, two.closedWith], [undefined, undefined]);
  await two.event("put", { value: "kelp" });
  await two.saved();
  await one.event("theme", theme);
  await one.saved();
  assertEquals(Object.keys((await at.theSession()).views).sort(), ["cart", "settings"]);
  const third = await Page.open(at, node, "/cart", one.jar);
  assertEquals(third.root().html, "<ul><li>kelp</li></ul>");
});

test("[LW14] a plain handler begins the session of a page that is open", async () => {
  const at = liveWorld();
  const node = at.live([Cart]);
  node.app.post("/add", async (c) => {
    const cart = await c.var.session.stash(Cart.stash);
    cart.state.items.push("by request");
    await cart.stash();
    return c.text("done");
  });
  const page = await Page.open(at, node, "/cart");
  const { sid } = partsOf(page.jar.cookie?.replace(/=r1\.([^.]*)\.([^.]*)\.[^.]*\./, "=v1.$1.$2."));
  await page.jar.request(node, "/add", { method: "POST" });
  assert(page.jar.cookie?.includes(`.${sid}.`), "under the id the page has");
  await page.reconnect();
  assertEquals(page.root().html, "<ul><li>by request</li></ul>");
});

test("[LW14] scenario 38: a forged cookie counts as none", async () => {
  const at = liveWorld();
  const node = at.live([Settings]);
  const real = await Page.load(at, node, "/settings");
  const good = real.jar.cookie ?? "";
  const bad = [
    good.slice(0, -1),
    `${good}x`,
    "__Host-holdfast=",
    `__Host-holdfast=${"x".repeat(10_240)}`,
  ];
  for (const cookie of [...bad, good.replace("r1.", "v1."), good.replace("r1.", "r2.")]) {
    const response = await node.app.request(`${origin}/settings`, { headers: { cookie } });
    assertEquals(response.status, 200);
    assertEquals(response.headers.getSetCookie().length, 1, cookie.slice(0, 60));
  }
  assertEquals(at.storage.calls.get, 0);
});

test("[LW12] what is told of live views names no value, no cookie and no token", async () => {
  const at = liveWorld();
  const page = await Page.open(at, at.live([Settings]), "/settings?secret-query");
  await page.event("edit", { form: { id: "f", data: [["draft", "secret-draft"]] } });
  await page.saved();
  await page.event("theme", { value: { theme: "secret-theme" } });
  page.socket?.send("secret-garbage");
  await at.clock.advance(minute);
  const names = new Set(
    at.events.map(({ name }) => name).filter((n) => n.startsWith("holdfast.live")),
  );
  assertEquals([...names].sort(), [
    "holdfast.live.event",
    "holdfast.live.join",
    "holdfast.live.leave",
    "holdfast.live.refuse",
  ]);
  const told = JSON.stringify(at.events) +
    String(at.events.map((event) => "error" in event && event.error));
  for (const secret of ["secret-", page.root().token, page.jar.cookie?.split(".")[2] ?? "?"]) {
    assert(!told.includes(secret), secret);
  }
});

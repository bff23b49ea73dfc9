import { Hono } from "hono";
import { session, type SessionEnv } from "../../adapters/hono/mod.ts";
import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";
import { Cart, cartOf, cookieOf, cookiesOf, fill, rig } from "./app.ts";

test("[HO1] a handler finds the session, and the next request its state", async (t) => {
  const { app } = rig(t);
  app.post("/", async (c) => {
    await (await fill(c)).stash();
    return c.redirect("/", 303);
  });
  app.get("/", async (c) => c.json((await c.var.session.stash(Cart)).state.items));
  const posted = await app.request("/", { method: "POST" });
  assertEquals([posted.status, posted.headers.get("location")], [303, "/"]);
  const got = await app.request("/", { headers: { cookie: cookieOf(posted) } });
  assertEquals(await got.json(), ["kelp"]);
});

test("[HO1] without a root there is no middleware", () => {
  assertThrows(() => session(undefined as unknown as Parameters<typeof session>[0]), /createHold/);
});

test("[HO2] a response has the cookie only when the session began or changed its id", async (t) => {
  const { app } = rig(t);
  app.get("/read", async (c) => c.json((await c.var.session.stash(Cart)).state));
  app.get("/idle", (c) => c.text("idle"));
  app.post("/add", async (c) => c.json(await (await fill(c)).stash()));
  app.post("/login", async (c) => c.json(await c.var.session.rotate() ?? null));
  const empty = [await app.request("/read"), await app.request("/idle")];
  assertEquals(empty.flatMap(cookiesOf), []);
  const begun = await app.request("/add", { method: "POST" });
  const cookie = cookieOf(begun);
  assertEquals(begun.headers.get("cache-control"), "no-store");
  const again = await app.request("/add", { method: "POST", headers: { cookie } });
  const read = await app.request("/read", { headers: { cookie } });
  assertEquals([again, read].flatMap(cookiesOf), []);
  const login = await app.request("/login", { method: "POST", headers: { cookie } });
  assert(cookieOf(login) !== cookie, "the id has changed");
});

test("[HO2] logging out removes the cookie, once", async (t) => {
  const { app, holdfast } = rig(t);
  app.post("/add", async (c) => c.json(await (await fill(c)).stash()));
  app.post("/logout", async (c) => {
    await c.var.session.destroy();
    return c.body(null, 204);
  });
  const cookie = cookieOf(await app.request("/add", { method: "POST" }));
  const out = await app.request("/logout", { method: "POST", headers: { cookie } });
  assertEquals(cookiesOf(out).map((line) => line.includes("Max-Age=0")), [true]);
  assertEquals(await cartOf(holdfast, cookie), []);
});

test("[HO3] a hundred readers without a cookie cost nothing and get nothing", async (t) => {
  const { app, storage } = rig(t, { autoStash: true });
  app.get("/", async (c) => c.json((await c.var.session.stash(Cart)).state));
  for (let i = 0; i < 100; i++) {
    const response = await app.request("/");
    assertEquals([response.status, response.headers.getSetCookie()], [200, []]);
  }
  assertEquals(storage.calls, { get: 0, put: 0, delete: 0, list: 0 });
});

test("[HO4] with autoStash what has changed is stored before the response leaves", async (t) => {
  const { app, holdfast } = rig(t, { autoStash: true });
  app.post("/", async (c) => {
    await fill(c);
    return c.text("ok");
  });
  const response = await app.request("/", { method: "POST" });
  assertEquals(await cartOf(holdfast, cookieOf(response)), ["kelp"]);
});

test("[HO4] with autoStash a handler that throws stores nothing", async (t) => {
  const { app, storage } = rig(t, { autoStash: true });
  app.post("/", async (c) => {
    await fill(c);
    throw new Error("half way");
  });
  const response = await app.request("/", { method: "POST" });
  assertEquals([response.status, cookiesOf(response)], [500, []]);
  assertEquals(storage.calls.put, 0);
});

test("[HO5] a failure of autoStash is the error page, without what spoke of the body", async (t) => {
  const { app, storage } = rig(t, { autoStash: true });
  storage.plan = ({ operation }) => operation === "put" ? "refuse" : "none";
  let cancelled = false;
  app.post("/", async (c) => {
    await fill(c);
    const body = new ReadableStream({ cancel: () => void (cancelled = true) });
    return c.body(body, 201, { "content-length": "5", etag: '"x"', "x-kept": "1" });
  });
  const response = await app.request("/", { method: "POST" });
  assertEquals(response.status, 500);
  assert((await response.text()).startsWith("error page: Cannot "), "made by onError");
  const { headers } = response;
  assertEquals([headers.get("content-length"), headers.get("etag")], [null, null]);
  assertEquals([headers.get("x-kept"), cookiesOf(response)], ["1", []]);
  assert(cancelled, "the stream nobody will read is cancelled");
});

test("[HO6] a session that began before the handler threw keeps its cookie", async (t) => {
  const { app, holdfast } = rig(t);
  app.post("/", async (c) => {
    await (await fill(c)).stash();
    throw new Error("afterwards");
  });
  const response = await app.request("/", { method: "POST" });
  assertEquals([response.status, await response.text()], [500, "error page: afterwards"]);
  assertEquals(await cartOf(holdfast, cookieOf(response)), ["kelp"]);
});

test("[HO6] a session that began before autoStash failed keeps its cookie", async (t) => {
  const { app, holdfast } = rig(t, { autoStash: true });
  app.post("/", async (c) => {
    const cart = await fill(c);
    await cart.stash();
    cart.state.items.push(10n as unknown as string);
    c.header("set-cookie", "other=1", { append: true });
    return c.text("ok");
  });
  const response = await app.request("/", { method: "POST" });
  assertEquals(response.status, 500);
  assertEquals(await cartOf(holdfast, cookieOf(response)), ["kelp"]);
  assert(response.headers.getSetCookie().includes("other=1"), "other cookies stay");
});

test("[HO6] a session that began before another middleware threw keeps its cookie", async (t) => {
  const { holdfast } = rig(t);
  const app = new Hono<SessionEnv>();
  app.onError((error) => new Response(error.message, { status: 500 }));
  // As hono/combine does it: what the inner one throws comes out of next().
  app.use((c) =>
    session(holdfast)(c, async () => {
      await (await fill(c)).stash();
      throw new Error("refused");
    })
  );
  app.get("/", (c) => c.text("never reached"));
  const response = await app.request("/");
  assertEquals([response.status, await response.text()], [500, "refused"]);
  assertEquals(await cartOf(holdfast, cookieOf(response)), ["kelp"]);
});

test("[HO7] the cookie is added beside those of the handler", async (t) => {
  const { app } = rig(t);
  app.post("/", async (c) => {
    await (await fill(c)).stash();
    c.header("set-cookie", "a=1", { append: true });
    c.header("set-cookie", "b=2", { append: true });
    c.header("cache-control", "private, max-age=60");
    c.header("x-own", "kept");
    return c.json({ ok: true }, 201);
  });
  const response = await app.request("/", { method: "POST" });
  assertEquals(response.headers.getSetCookie().slice(0, 2), ["a=1", "b=2"]);
  assertEquals(response.headers.getSetCookie().length, 3);
  cookieOf(response);
  assertEquals([response.status, await response.json()], [201, { ok: true }]);
  assertEquals(response.headers.get("cache-control"), "private, max-age=60");
  assertEquals(response.headers.get("x-own"), "kept");
});

test("[HO7] a response whose headers cannot be changed gets the cookie", async (t) => {
  const { app } = rig(t);
  app.post("/", async (c) => {
    await (await fill(c)).stash();
    return Response.redirect("https://example.com/", 302);
  });
  const response = await app.request("/", { method: "POST" });
  cookieOf(response);
  assertEquals([response.status, response.headers.get("location")], [302, "https://example.com/"]);
});

test("[HO8] a stream keeps streaming, and cannot begin a session any more", async (t) => {
  const { app, holdfast } = rig(t);
  let late: unknown;
  let go = () => {};
  const gate = new Promise<void>((resolve) => go = resolve);
  app.post("/", async (c) => {
    const used = c.req.query("begin") === "yes";
    const cart = await fill(c);
    if (used) await cart.stash();
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await gate;
        cart.state.items.push("late");
        await cart.stash().catch((error) => late = error.code);
        controller.enqueue(new TextEncoder().encode("done"));
        controller.close();
      },
    });
    return c.body(body);
  });
  const begun = await app.request("/?begin=yes", { method: "POST" });
  const sealed = await app.request("/", { method: "POST" });
  go();
  assertEquals([await begun.text(), await sealed.text()], ["done", "done"]);
  assertEquals(await cartOf(holdfast, cookieOf(begun)), ["kelp", "late"]);
  assertEquals([cookiesOf(sealed), late], [[], "ERR_SESSION_SEALED"]);
});

test("[HO9] a switch of protocols is left as it is", async (t) => {
  const { holdfast } = rig(t);
  const c = {
    req: { raw: new Request("http://localhost/") },
    res: { status: 101 } as Response,
    error: undefined,
    finalized: true,
    var: {} as SessionEnv["Variables"],
    get: () => undefined,
    set(_key: "session", value: SessionEnv["Variables"]["session"]) {
      this.var.session = value;
    },
  };
  const upgraded = c.res;
  await session(holdfast)(c, async () => void await (await fill(c)).stash());
  assert(c.res === upgraded, "the response is the same");
});

test("[HO10] mounted twice, there is one session and one cookie", async (t) => {
  const { app, holdfast } = rig(t);
  const sub = new Hono<SessionEnv>();
  const asked: string[] = [];
  const admit = (request: Request) => asked.push(new URL(request.url).pathname) > 0;
  sub.use(session(holdfast, { autoStash: true, admit }));
  sub.onError((error, c) => c.text(`sub: ${error.message}`, 500));
  sub.post("/add", async (c) => {
    await fill(c);
    return c.text("ok");
  });
  sub.post("/fail", async (c) => {
    await (await fill(c)).stash();
    throw new Error("in the sub-app");
  });
  app.use(async (c, next) => {
    const before = c.var.session;
    await next();
    assert(c.var.session === before, "the same session");
  });
  app.route("/sub", sub);
  const added = await app.request("/sub/add", { method: "POST" });
  assertEquals(await cartOf(holdfast, cookieOf(added)), ["kelp"]);
  const failed = await app.request("/sub/fail", { method: "POST" });
  assertEquals(await failed.text(), "sub: in the sub-app");
  assertEquals(await cartOf(holdfast, cookieOf(failed)), ["kelp"]);
  assertEquals(asked, ["/sub/add", "/sub/fail"]);
});

test("[HO11] every admit is asked before a session begins, and each can refuse", async (t) => {
  const { app, holdfast } = rig(t, { admit: (request) => !request.headers.has("x-flood") });
  app.post("/", session(holdfast, { admit: () => false }), async (c) => {
    await (await fill(c)).stash();
    return c.text("ok");
  });
  app.post("/open", async (c) => {
    await (await fill(c)).stash();
    return c.text("ok");
  });
  const refused = [
    await app.request("/", { method: "POST" }),
    await app.request("/open", { method: "POST", headers: { "x-flood": "1" } }),
  ];
  assertEquals(refused.map((response) => response.status), [500, 500]);
  assertEquals(refused.flatMap(cookiesOf), []);
  cookieOf(await app.request("/open", { method: "POST" }));
});

test("[HO12] while storage fails the cookie is left alone, and the state is back afterwards", async (t) => {
  const first = rig(t);
  first.app.post("/", async (c) => c.json(await (await fill(c)).stash()));
  const cookie = cookieOf(await first.app.request("/", { method: "POST" }));
  // Another process, with nothing in its memory yet.
  const { app, storage } = rig(t, { autoStash: true }, first);
  app.get("/", async (c) => {
    const { status, state } = await c.var.session.stash(Cart);
    return c.json({ status, items: state.items }, status === "error" ? 503 : 200);
  });
  storage.plan = () => "refuse";
  const broken = await app.request("/", { headers: { cookie } });
  assertEquals([broken.status, broken.headers.getSetCookie()], [503, []]);
  storage.plan = () => "none";
  const whole = await app.request("/", { headers: { cookie } });
  assertEquals(await whole.json(), { status: "recovered", items: ["kelp"] });
});

test("[HO13] an id that the session has left is dead, whatever answers were still on their way", async (t) => {
  const { app, holdfast } = rig(t);
  let go = () => {};
  const gate = new Promise<void>((resolve) => go = resolve);
  let reading = () => {};
  const read = new Promise<void>((resolve) => reading = resolve);
  app.post("/add", async (c) => c.json(await (await fill(c)).stash()));
  app.post("/login", async (c) => c.json(await c.var.session.rotate() ?? null));
  app.get("/slow", async (c) => {
    const cart = await c.var.session.stash(Cart);
    reading();
    await gate;
    cart.state.items.push("late");
    const late = await cart.stash().catch((error) => error.code);
    return c.json({ late });
  });
  const old = cookieOf(await app.request("/add", { method: "POST" }));
  const slow = app.request("/slow", { headers: { cookie: old } });
  await read;
  const next = cookieOf(await app.request("/login", { method: "POST", headers: { cookie: old } }));
  go();
  const answer = await slow;
  assertEquals(answer.headers.getSetCookie(), []);
  assertEquals(await answer.json(), { late: "ERR_SESSION_ENDED" });
  assertEquals(await cartOf(holdfast, old), []);
  assertEquals(await cartOf(holdfast, next), ["kelp"]);
});

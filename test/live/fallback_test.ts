import { assert, assertEquals, test } from "../harness/mod.ts";
import * as v from "valibot";
import { defineView } from "../../adapters/live/mod.ts";
import type { ServerFrame } from "../../src/live/protocol.ts";
import { Cart, Settings } from "./views.ts";
import { Jar, type LiveNode, type LiveWorld, liveWorld, origin, rootsOf } from "./world.ts";

const Form = defineView({
  name: "form",
  stored: ["name"],
  state: () => ({ name: "" }),
  events: {
    save: {
      input: v.object({ name: v.pipe(v.string(), v.minLength(2)) }),
      run({ state, redirect }, { name }) {
        state.name = name;
        if (name === "away") redirect("/elsewhere");
      },
    },
    boom: () => {
      throw new Error("boom");
    },
  },
  render: ({ state }) => `<p>${state.name}</p>`,
});

function post(jar: Jar, node: LiveNode, body: string, headers: Record<string, string> = {}) {
  return jar.request(node, "/form?tab=1", {
    method: "POST",
    body,
    headers: { "content-type": "application/x-www-form-urlencoded", origin, ...headers },
  });
}

test("[LW4] scenario 45: without JavaScript a form is an event, stored before the answer, and shown by the next GET", async () => {
  const at = liveWorld();
  const node = at.live([Form]);
  const jar = new Jar();
  await jar.request(node, "/form?tab=1");
  const posted = await at.finish(post(jar, node, "_event=save&name=Kim"));
  assertEquals([posted.status, posted.headers.get("location")], [303, "/form?tab=1"]);
  assertEquals((await at.theSession()).views["form"]?.keys, { name: "Kim" });
  const [root] = rootsOf(await (await jar.request(node, "/form?tab=1")).text());
  assertEquals(root?.html, "<p>Kim</p>");
  const away = await at.finish(post(jar, node, "_event=save&name=away"));
  assertEquals([away.status, away.headers.get("location")], [303, "/elsewhere"]);
  // Also from somebody who never had a page of ours.
  const first = await at.finish(post(new Jar(), node, "_event=save&name=New"));
  assertEquals([first.status, first.headers.getSetCookie().length], [303, 1]);
});

test("[LW4] the answer leads back to this site, whatever the address of the page looks like", async () => {
  const at = liveWorld();
  const node = at.live([Form]);
  node.app.all("*", node.live.page(Form));
  const posted = await at.finish(Promise.resolve(
    node.app.request(`${origin}//other.example/?a=1`, {
      method: "POST",
      body: "_event=save&name=Kim",
      headers: { "content-type": "application/x-www-form-urlencoded", origin },
    }),
  ));
  const to = posted.headers.get("location") ?? "";
  assertEquals([posted.status, to], [303, "/.//other.example/?a=1"]);
  assertEquals(new URL(to, origin).origin, origin);
});

test("[LW4] what the schema refuses shows the page again, and nothing else is taken in", async () => {
  const at = liveWorld();
  const node = at.live([Form]);
  const jar = new Jar();
  assertEquals((await post(jar, node, "_event=save&name=K")).status, 422);
  assertEquals((await post(jar, node, "_event=nope")).status, 400);
  assertEquals((await post(jar, node, "name=Kim")).status, 400);
  assertEquals((await post(jar, node, "{}", { "content-type": "application/json" })).status, 400);
  const large = `_event=save&name=${"x".repeat(1024 * 1024)}`;
  assertEquals((await post(jar, node, large)).status, 400);
  assertEquals((await post(jar, node, "_event=boom")).status, 500);
  assertEquals(at.memory.size, 0);
});

test("[LW4] a form of another site is refused, one of this site whose policy hides it is not", async () => {
  const at = liveWorld();
  const node = at.live([Form]);
  const jar = new Jar();
  const body = "_event=save&name=Kim";
  const status = async (headers: Record<string, string>) =>
    (await at.finish(post(jar, node, body, headers))).status;
  assertEquals(await status({ origin: "https://evil.example" }), 403);
  assertEquals(await status({ origin: "null" }), 403);
  assertEquals(await status({ origin: "null", "sec-fetch-site": "cross-site" }), 403);
  assertEquals(at.memory.size, 0);
  assertEquals(await status({ origin: "null", "sec-fetch-site": "same-origin" }), 303);
});

/** A page that has no sockets: events down, posts up. */
class Stream {
  readonly frames: ServerFrame[] = [];
  id = "";
  closedWith: number | undefined;
  readonly #at: LiveWorld;
  readonly #jar: Jar;
  readonly #node: LiveNode;

  constructor(at: LiveWorld, jar: Jar, node: LiveNode) {
    this.#at = at;
    this.#jar = jar;
    this.#node = node;
  }

  async open(headers: Record<string, string> = {}): Promise<Response> {
    const response = await this.#jar.request(this.#node, "/live/sse", { headers });
    if (response.status === 200) void this.#read(response);
    await this.#at.clock.advance(0);
    return response;
  }

  async send(frames: readonly unknown[], node: LiveNode = this.#node, jar: Jar = this.#jar) {
    return await jar.request(node, "/live/send", {
      method: "POST",
      body: JSON.stringify(frames),
      headers: { origin, "x-live-connection": this.id, "content-type": "application/json" },
    });
  }

  async #read(response: Response): Promise<void> {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      const events = text.split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) this.#take(event);
    }
  }

  #take(event: string): void {
    const name = /^event: (.*)$/m.exec(event)?.[1];
    const data = /^data: (.*)$/m.exec(event)?.[1] ?? "";
    if (name === "open") this.id = data;
    else if (name === "close") this.closedWith = Number(data);
    else if (data !== "") this.frames.push(JSON.parse(data));
  }
}

const join = (id: string, token: string) => ({
  t: "join",
  id,
  ref: 1,
  v: 1,
  token,
  url: "/cart",
  mounts: 0,
  attempts: 0,
  nav: "navigate",
});

test("[LW7] without sockets a page connects over plain requests, and everything else is the same", async () => {
  const at = liveWorld();
  const node = at.live([Settings, Cart]);
  const jar = new Jar();
  const [root] = rootsOf(await (await jar.request(node, "/cart")).text());
  const stream = new Stream(at, jar, node);
  const opened = await stream.open();
  assertEquals(opened.headers.get("content-type"), "text/event-stream; charset=utf-8");
  assert(stream.id.length === 32, stream.id);
  const put = { t: "event", id: "live-cart", ref: 2, name: "put", type: "click", value: "kelp" };
  const sent = await stream.send([join("live-cart", root?.token ?? ""), put]);
  assertEquals(sent.status, 204);
  await at.until(() => stream.frames.length >= 3);
  assertEquals(stream.frames.map(({ t }) => t), ["joined", "reply", "stash"]);
  const report = at.finish(node.live.drain());
  await at.until(() => stream.frames.some(({ t }) => t === "drain"));
  assertEquals((await stream.send([{ t: "drained" }])).status, 204);
  assertEquals((await report).flushed, 1);
  await at.until(() => stream.closedWith !== undefined);
  assertEquals(stream.closedWith, 1012);
});

test("[LW7] a post that reaches another node, or comes from another session, is told so", async () => {
  const at = liveWorld();
  const [one, two] = [at.live([Cart]), at.live([Cart])];
  const jar = new Jar();
  await jar.request(one, "/cart");
  const stream = new Stream(at, jar, one);
  await stream.open();
  assertEquals((await stream.send([{ t: "ping", n: 1 }], two)).status, 409);
  const other = new Jar();
  await other.request(one, "/cart");
  assertEquals((await stream.send([{ t: "ping", n: 1 }], one, other)).status, 403);
  assertEquals((await stream.send([{ t: "ping", n: 1 }])).status, 204);
  await at.until(() => stream.frames.some(({ t }) => t === "pong"));
  const evil = { origin: "https://evil.example" };
  assertEquals((await new Stream(at, jar, one).open(evil)).status, 403);
  assertEquals(
    (await new Stream(at, jar, one).open({ "sec-fetch-site": "cross-site" })).status,
    403,
  );
  assertEquals((await new Stream(at, new Jar(), one).open()).status, 401);
  const bad = await jar.request(one, "/live/send", {
    method: "POST",
    body: "no list",
    headers: { origin, "x-live-connection": stream.id },
  });
  assertEquals(bad.status, 400);
  await stream.send(["garbage"]);
  await at.until(() => stream.closedWith !== undefined);
  assertEquals(stream.closedWith, 4400);
  assertEquals((await stream.send([])).status, 409, "it is gone");
  // So deep that some runtimes read it, but cannot write it again.
  const next = new Stream(at, jar, one);
  await next.open();
  const deep = await jar.request(one, "/live/send", {
    method: "POST",
    body: "[".repeat(100_000) + "]".repeat(100_000),
    headers: { origin, "x-live-connection": next.id },
  });
  assert([204, 400].includes(deep.status), `it was answered ${deep.status}`);
});

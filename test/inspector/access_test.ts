import { Hono } from "hono";
import process from "node:process";
import { createInspector, type InspectorAction } from "../../adapters/inspector/mod.ts";
import type { InspectorEvent } from "../../src/ports/telemetry.ts";
import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";
import { Jar, Page } from "../live/world.ts";
import { world } from "../stash/world.ts";
import { base, Berth, Chart, type Harbour, harbour, origin } from "./world.ts";

const told = ({ events }: Harbour): readonly InspectorEvent[] =>
  events.filter((event) => event.name === "holdfast.inspector.action");

const stopBerth = { kind: "object", class: "berth", id: "north" };

test("[IN1] in production there is no inspector without authorize", (t) => {
  const before = process.env["NODE_ENV"];
  t.defer(() => {
    if (before === undefined) delete process.env["NODE_ENV"];
    else process.env["NODE_ENV"] = before;
  });
  const holdfast = world().node();
  process.env["NODE_ENV"] = "production";
  const error = assertThrows(() => createInspector(holdfast), /in production it needs "authorize"/);
  assertEquals(error.code, "ERR_NO_AUTHORIZE");
  assert(createInspector(holdfast, { authorize: () => false }).node !== "");
  process.env["NODE_ENV"] = "development";
  assert(createInspector(holdfast).node !== "");
});

test("[IN1] without authorize only who asks for this machine is let in, and nobody through a proxy", async () => {
  const app = new Hono();
  const at = world();
  app.all(`${base}/*`, createInspector(at.node()).routes());
  const ask = async (host: string, headers: Record<string, string> = {}) =>
    (await at.finish(Promise.resolve(app.request(`http://${host}${base}`, { headers })))).status;
  for (const host of ["localhost", "127.0.0.1:3000", "[::1]:80", "app.localhost"]) {
    assertEquals(await ask(host), 200, host);
  }
  for (const host of ["app.example", "localhost.example", "127.0.0.2", "10.0.0.1"]) {
    assertEquals(await ask(host), 403, host);
  }
  // A name of somebody else that leads here, and a proxy that hides where the request comes from.
  assertEquals(await ask("localhost", { host: "evil.example" }), 403);
  assertEquals(await ask("localhost", { "x-forwarded-for": "203.0.113.7" }), 403);
  assertEquals(await ask("localhost", { forwarded: "for=203.0.113.7" }), 403);
});

test("[IN2] everything is asked about, and only true or an operator lets in", async () => {
  const asked: string[] = [];
  let verdict: unknown;
  const node = harbour({
    authorize(c, action) {
      asked.push(`${action.name} ${new URL(c.req.raw.url).pathname.slice(base.length)}`);
      return verdict as boolean;
    },
  });
  const paths = ["", "/objects", "/objects/berth/north", "/documents", "/sessions", "/node"];
  for (verdict of [false, undefined, null, 1, "yes", {}, { operator: 7 }]) {
    for (const path of [...paths, "/live/socket", "/live/ready", "/nowhere"]) {
      const response = await node.ask(path);
      assertEquals([response.status, await response.text()], [403, "This is not allowed"], path);
    }
  }
  assertEquals(asked.slice(0, 2), ["view ", "view /objects"]);
  assertEquals(asked.length, 7 * 9);
  for (verdict of [true, { operator: "ada" }]) {
    for (const path of paths) assertEquals((await node.ask(path)).status, 200, path);
  }
  assertEquals((await node.ask("/nowhere")).status, 404);
  // What everybody may have says nothing about the process.
  verdict = false;
  assertEquals((await node.ask("/style.css")).status, 200);
  assertEquals((await node.ask("/live/client.js")).status, 200);
});

test("[IN2] authorize that throws lets nobody in", async () => {
  const node = harbour({ authorize: () => Promise.reject(new Error("no directory")) });
  node.app.onError((_, c) => c.text("error page", 500));
  assertEquals(await (await node.ask("/objects")).text(), "error page");
  assertEquals((await node.post("/stop", stopBerth)).status, 500);
});

test("[IN3] an action is for pages of this origin, and for whom authorize lets do it", async () => {
  const asked: InspectorAction[] = [];
  let allowed = true;
  const node = harbour({
    authorize(_, action) {
      asked.push(action);
      return action.name === "view" || (allowed && { operator: "ada" });
    },
  });
  await node.at.finish(node.holdfast.object(Berth, "north").dock());
  for (
    const headers of [
      { origin: "https://evil.example" },
      { origin: "https://app.example:8443" },
      { origin: "null" },
      { origin: "", "sec-fetch-site": "cross-site" },
    ]
  ) assertEquals((await node.post("/stop", stopBerth, headers)).status, 403);
  const bare = await node.app.request(`${origin}${base}/stop`, {
    method: "POST",
    body: new URLSearchParams(stopBerth),
  });
  assertEquals(bare.status, 403);
  assertEquals([asked, told(node)], [[], []], "nobody was asked, nothing was done");
  const refused = node.events.filter(({ name }) => name === "holdfast.origin.refuse");
  assertEquals(refused.length, 5);
  allowed = false;
  assertEquals((await node.post("/stop", stopBerth)).status, 403);
  assertEquals(asked, [{ name: "stop", ...stopBerth }]);
  allowed = true;
  const done = await node.post("/stop", stopBerth);
  assertEquals(done.status, 303);
  assertEquals(done.headers.get("location"), `${base}/objects/berth/north?done=stopped`);
  assertEquals(node.events.filter(({ name }) => name === "holdfast.object.shutdown").length, 1);
  const about = { name: "holdfast.inspector.action", action: "stop", ref: "north", class: "berth" };
  assertEquals(told(node), [
    { ...about, status: "refused" },
    { ...about, status: "done", operator: "ada" },
  ]);
});

test("[IN3] a document is stopped as well, and what is none is refused", async () => {
  const node = harbour();
  const chart = node.holdfast.document(Chart, "bay");
  const ends: unknown[] = [];
  await node.at.finish(
    chart.join({ deliver: (frame) => void (frame.t === "end" && ends.push(frame)) }),
  );
  const done = await node.post("/stop", { kind: "document", class: "chart", id: "bay" });
  assertEquals(done.headers.get("location"), `${base}/documents/chart/bay?done=stopped`);
  assertEquals(ends.length, 1);
  for (
    const fields of [
      {},
      { kind: "session", class: "berth", id: "north" },
      { kind: "object", class: "nothing", id: "north" },
      { kind: "object", class: "berth", id: "" },
      { kind: "object", class: "berth", id: "north/../../x" },
      { kind: "__proto__", class: "berth", id: "north" },
    ]
  ) assertEquals((await node.post("/stop", fields)).status, 400, JSON.stringify(fields));
  assertEquals((await node.ask("/stop")).status, 404);
  assertEquals((await node.ask("/objects", { method: "DELETE" })).status, 405);
});

test("[IN3] an action that fails is told as one that failed", async () => {
  const node = harbour({
    live: {
      node: "pier-9",
      draining: false,
      connections: 0,
      drain: () => Promise.reject(new Error("stuck")),
    },
  });
  assertEquals((await node.post("/drain", { confirm: "pier-9" })).status, 303);
  await node.at.until(() => told(node).length > 0);
  assertEquals(told(node).map(({ status, error }) => [status, String(error)]), [
    ["failed", "Error: stuck"],
  ]);
});

test("[IN11] a node is drained when its name was typed", async () => {
  const node = harbour();
  assert((await node.page("/node")).includes('<b class="id">pier-1</b>'));
  for (const confirm of ["", "pier-2", "PIER-1"]) {
    const response = await node.post("/drain", { confirm });
    assertEquals(response.headers.get("location"), `${base}/node?done=unconfirmed`);
  }
  assertEquals([node.shop.draining, told(node).length], [false, 0]);
  assert((await node.page("/node?done=unconfirmed")).includes("Nothing was done"));
  const response = await node.post("/drain", { confirm: "pier-1" });
  assertEquals(response.headers.get("location"), `${base}/node?done=draining`);
  assertEquals(node.shop.draining, true);
  await node.at.until(() => told(node).length > 0);
  assertEquals(told(node)[0]?.status, "done");
  const after = await node.page("/node");
  assert(!after.includes("<form") && after.includes("draining"), "there is nothing left to drain");
});

test("[IN11] without live views there is nothing to drain", async () => {
  const node = harbour({ live: [], node: "pier-3" });
  assert(!(await node.page("/node")).includes("<form"));
  assertEquals((await node.post("/drain", { confirm: "pier-3" })).status, 400);
});

test("[IN13] no answer is kept, framed, or takes in anything of elsewhere", async () => {
  const node = harbour();
  for (const path of ["", "/objects", "/nowhere", "/live/sse"]) {
    const { headers } = await node.ask(path);
    assert(/no-store|no-cache/.test(headers.get("cache-control") ?? ""), path);
    const policy = headers.get("content-security-policy") ?? "";
    assert(policy.includes("default-src 'none'") && policy.includes("frame-ancestors 'none'"));
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("x-frame-options"), "DENY");
  }
  const page = await node.page("");
  assert(!/ style=|<style|<script(?! type="module" src="\/_holdfast\/live\/)/.test(page));
  assert(!/(?:src|href)="(?:https?:|\/\/)/.test(page), "nothing of elsewhere");
});

test("[IN14] a connection ends after a while, and the next is asked about anew", async () => {
  let allowed = true;
  const node = harbour({ authorize: () => allowed, reauthorizeMs: 60_000 });
  const jar = new Jar();
  const page = await Page.open(node.at, node, base, jar);
  await node.at.clock.advance(59_000);
  assertEquals(page.closedWith, undefined);
  await node.at.clock.advance(1000);
  assertEquals(page.closedWith, 1012);
  await page.reconnect();
  allowed = false;
  await node.at.clock.advance(60_000);
  assertEquals(page.closedWith, 1012);
  assertEquals((await page.connect()).status, 403);
});

test("[IN14] a stream of events ends as well", async () => {
  const node = harbour({ reauthorizeMs: 2000 });
  const jar = new Jar();
  await node.at.finish(jar.request(node, base));
  const response = await node.at.finish(jar.request(node, `${base}/live/sse`));
  assertEquals(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  let ended = false;
  const read = response.text().finally(() => ended = true);
  await node.at.clock.advance(1999);
  // A connection that nobody joins over is ended too, but after five seconds.
  assertEquals(ended, false);
  await node.at.clock.advance(1);
  assert((await node.at.finish(read, 100)).startsWith("event: open"));
});

test("[IN1] options that make no sense are refused", () => {
  const holdfast = world().node();
  const bad = (options: object) => () => createInspector(holdfast, options);
  assertThrows(bad({ authorize: true }), /"authorize" is not a function/);
  assertThrows(bad({ redact: ["a", 7] }), /"redact" is neither/);
  assertThrows(bad({ redact: "a.b" }), /"redact" is neither/);
  assertThrows(bad({ path: "no slash" }), /"path" is not a path/);
  assertThrows(bad({ reauthorizeMs: 10 }), /"reauthorizeMs" is 10/);
});

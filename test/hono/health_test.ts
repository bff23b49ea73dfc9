import { Hono } from "hono";
import { health, type HealthOptions } from "../../adapters/hono/mod.ts";
import { memoryCluster } from "../../adapters/memory/mod.ts";
import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";
import { world } from "../stash/world.ts";

type World = ReturnType<typeof world>;

/** An app with probes, and what they answer. */
function probed(w: World, options: HealthOptions = {}, node = w.node()) {
  const { alive, ready } = health(node, options);
  const app = new Hono();
  app.get("/livez", alive);
  app.get("/readyz", ready);
  const ask = async (path = "/readyz") => {
    const response = await w.finish(Promise.resolve(app.request(path)), 10_000);
    return [response.status, await response.json()] as const;
  };
  return { node, app, ask };
}

const ready = { status: "ready", failing: [] };

test("[HO14] a process is alive and ready, tells no more than that, and sets no cookie", async () => {
  const w = world();
  const { app, ask } = probed(w);
  assertEquals(await ask("/livez"), [200, { status: "alive" }]);
  assertEquals(await ask(), [200, ready]);
  const head = await app.request("/readyz", { method: "HEAD" });
  assertEquals([head.status, await head.text()], [200, ""]);
  assertEquals(head.headers.get("cache-control"), "no-store");
  assertEquals(head.headers.getSetCookie(), []);
  assertEquals(await w.memory.list(""), []);
});

test("[HO14] storage is looked at once a second, however many ask, and never waited for too long", async () => {
  const w = world();
  let looks = 0;
  w.storage.plan = ({ operation }) => {
    if (operation === "get") looks++;
    return { kind: "none", latencyMs: 5 };
  };
  const { ask } = probed(w, { probeMs: 500 });
  await Promise.all(Array.from({ length: 20 }, () => ask()));
  await ask();
  assertEquals(looks, 1);
  await w.clock.advance(1000);
  await ask();
  assertEquals(looks, 2);
  await w.clock.advance(1000);
  w.storage.plan = () => "hang";
  const began = w.clock.monotonic();
  assertEquals(await ask(), [200, { status: "ready", failing: ["storage"] }]);
  assert(w.clock.monotonic() - began <= 505, `${w.clock.monotonic() - began} ms`);
});

test("[HO14] storage that fails is named at once, and makes a process unready when it has failed for long", async () => {
  const w = world();
  const { ask } = probed(w, { storageDownMs: 10_000, probeMs: 100 });
  const patient = probed(w, { storageDownMs: Infinity, probeMs: 100 });
  assertEquals(await ask(), [200, ready]);
  w.storage.plan = () => "refuse";
  await w.clock.advance(2000);
  assertEquals(await ask(), [200, { status: "ready", failing: ["storage"] }]);
  await w.clock.advance(10_000);
  assertEquals(await ask(), [503, { status: "unready", failing: ["storage"] }]);
  assertEquals(await ask("/livez"), [200, { status: "alive" }]);
  assertEquals(await patient.ask(), [200, { status: "ready", failing: ["storage"] }]);
  w.storage.plan = () => "none";
  await w.clock.advance(1000);
  assertEquals(await ask(), [200, ready]);
});

test("[HO14] a process that takes leave is not ready, from its live views on", async () => {
  const w = world();
  const live = { draining: false };
  const { node, ask } = probed(w, { live });
  assertEquals(await ask(), [200, ready]);
  live.draining = true;
  assertEquals(await ask(), [503, { status: "draining", failing: [] }]);
  live.draining = false;
  assertEquals(await ask(), [200, ready]);
  await w.finish(node.close());
  assertEquals(await ask(), [503, { status: "draining", failing: [] }]);
  assertEquals(await ask("/livez"), [200, { status: "alive" }]);
});

test("[HO14] a cluster without a link and rows that are not followed are named, and no reason", async () => {
  const w = world();
  const cluster = memoryCluster({ timer: (ms, callback) => w.clock.timer(ms, callback) });
  const node = w.node({ cluster });
  const sync = { status: { state: "live" } };
  const { ask } = probed(w, { sync }, node);
  await w.clock.advance(1000);
  assertEquals(await ask(), [200, ready]);
  sync.status.state = "connecting";
  assertEquals(await ask(), [200, { status: "ready", failing: ["sync"] }]);
  cluster.link(node.nodes?.address ?? "", false);
  assertEquals(await ask(), [200, { status: "ready", failing: ["cluster", "sync"] }]);
  await w.finish(node.close());
});

test("[HO14] numbers out of range and another root are refused", () => {
  const w = world();
  assertThrows(() => health(w.node(), { probeMs: 0 }), /probeMs is 0/);
  assertThrows(() => health(w.node(), { storageDownMs: -1 }), /storageDownMs is -1/);
  assertThrows(() => health({} as never), /createHoldfast/);
});

import { memoryCluster } from "../../adapters/memory/mod.ts";
import type { Cluster } from "../../src/ports/cluster.ts";
import { listDocument, listen } from "../document/list.ts";
import { assert, assertEquals, test } from "../harness/mod.ts";
import { second, world } from "../object_model/world.ts";

/** Nodes that look by themselves so seldom that a test would not see it. */
const documents = { followEveryMs: 3600 * second, presenceTtlMs: 10 * second };

/** Three nodes of one cluster. */
async function three(t: { defer(undo: () => Promise<void> | void): void }) {
  const w = world();
  const cluster = memoryCluster({
    timer: (delayMs, callback) => w.clock.timer(delayMs, callback),
  });
  const List = listDocument();
  const nodes = [0, 1, 2].map(() => w.node({ cluster, documents }));
  for (const node of nodes) t.defer(async () => void await w.finish(node.close()));
  await w.clock.advance(3 * second);
  const [a, b, c] = nodes.map((node) => node.document(List, "a"));
  assert(a !== undefined && b !== undefined && c !== undefined);
  const kill = (index: number) => cluster.kill(nodes[index]?.nodes?.address ?? "");
  const close = async (index: number) =>
    void await w.finish(Promise.resolve(nodes[index]?.close()));
  return { ...w, cluster, lists: [a, b, c] as const, kill, close };
}

test("[CU14] a subscriber hears at once what is done on any node, in one order", async (t) => {
  const w = await three(t);
  const heard = await w.finish(Promise.all(w.lists.map((list) => listen(list))));
  const texts = Array.from({ length: 30 }, (_, index) => `item ${index}`);
  await w.finish(Promise.all(texts.map((add, index) => w.lists[index % 3]?.mutate({ add }))));
  await w.clock.advance(50);
  const [first] = heard;
  assertEquals(first?.added().toSorted(), texts.toSorted());
  for (const { added } of heard) assertEquals(added(), first?.added());
});

test("[CU14] a document that is deleted on one node ends for the subscribers of all", async (t) => {
  const w = await three(t);
  const [a, b] = w.lists;
  await w.finish(a.mutate({ add: "kelp" }));
  const { frames } = await w.finish(listen(b));
  assertEquals(await w.finish(a.delete()), true);
  await w.clock.advance(50);
  assertEquals(frames, [{ t: "end", code: "ERR_DELETED", retry: false }]);
});

test("[CU14] presence of all nodes is told on each, also to one that comes later", async (t) => {
  const w = await three(t);
  const [a, b, c] = w.lists;
  const ada = await w.finish(listen(a, { client: "1", actor: "ada" }));
  const bea = await w.finish(listen(b, { client: "2", actor: "bea" }));
  ada.member.here({ line: 1 });
  bea.member.here({ line: 2 });
  await w.clock.advance(200);
  for (const { member } of [ada, bea]) {
    const seen = Object.values(member.presence).map(({ actor, data }) => [actor, data]);
    assertEquals(seen.toSorted(), [["ada", { line: 1 }], ["bea", { line: 2 }]]);
  }
  const cyd = await w.finish(listen(c, { client: "3", actor: "cyd" }));
  await w.clock.advance(200);
  assertEquals(Object.keys(cyd.member.presence).toSorted(), ["1", "2"]);
  assertEquals(cyd.member.presence["1"]?.color, ada.member.presence["1"]?.color);

  // Who changes nodes is here all the time, and goes once.
  const again = await w.finish(listen(c, { client: "1", actor: "ada" }));
  again.member.here({ line: 3 });
  ada.member.leave();
  await w.clock.advance(200);
  for (const { member } of [bea, cyd]) assertEquals(member.presence["1"]?.data, { line: 3 });
  again.member.leave();
  await w.clock.advance(200);
  for (const { member } of [bea, cyd]) assertEquals(Object.keys(member.presence), ["2"]);
});

test("[CU14] who is heard of stays present everywhere, whose node closes or is killed does not", async (t) => {
  const w = await three(t);
  const [a, b, c] = w.lists;
  const [ada, bea, cyd] = await w.finish(Promise.all([
    listen(a, { client: "1" }),
    listen(b, { client: "2" }),
    listen(c, { client: "3" }),
  ]));
  for (const { member } of [ada, bea, cyd]) member.here({});
  for (let i = 0; i < 10; i++) {
    await w.clock.advance(3 * second);
    for (const { member } of [ada, bea, cyd]) member.heard();
  }
  for (const { member, frames } of [ada, bea, cyd]) {
    assertEquals(Object.keys(member.presence).toSorted(), ["1", "2", "3"]);
    // That they are still here is no news.
    const gone = frames.flatMap((frame) => frame.t === "presence" ? frame.gone : []);
    assertEquals(gone, []);
  }
  await w.close(1);
  await w.clock.advance(100);
  assertEquals(Object.keys(cyd.member.presence).toSorted(), ["1", "3"]);
  w.kill(0);
  for (let i = 0; i < 6; i++) {
    await w.clock.advance(3 * second);
    cyd.member.heard();
  }
  assertEquals(Object.keys(cyd.member.presence), ["3"]);
});

test("[CU14] a message about documents that is none of ours changes nothing", async (t) => {
  const w = await three(t);
  const { member, frames } = await w.finish(listen(w.lists[0]));
  const stranger = (w.cluster as Cluster).join("stranger", {
    request: () => Promise.resolve(""),
    broadcast: () => {},
    linked: () => {},
  });
  await w.clock.advance(100);
  const key = "app/document/list/a";
  const one = { t: "presence", key, from: "x", gone: [] };
  for (
    const body of [
      null,
      7,
      { t: "wrote", key },
      { t: "wrote", key, seq: 9 },
      { t: "presence", key },
      { ...one, set: { a: 1 } },
      { ...one, set: { a: { actor: 1, data: 1 } } },
      { ...one, set: {}, gone: [1] },
      { t: "other", key },
    ]
  ) stranger.broadcast(JSON.stringify({ kind: "note", topic: "document", body }));
  await w.clock.advance(second);
  assertEquals([frames, member.presence], [[], {}]);
  await w.finish(w.lists[1].mutate({ add: "kelp" }));
  await w.clock.advance(100);
  assertEquals(member.state, { items: ["kelp"] });
});

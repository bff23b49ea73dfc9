import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { minute, second, world } from "../object_model/world.ts";
import { listDocument, listen } from "./list.ts";

test("[DO11] concurrent callers get one document, loaded once", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  await w.finish(Promise.all([list.state(), list.info(), listen(list), listen(list)]));
  assertEquals(w.told("holdfast.document.open").length, 1);
});

test("[DO11] it leaves memory the grace period after the last subscriber left", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  const { member } = await w.finish(listen(list));
  await w.clock.advance(5 * minute);
  assertEquals(w.told("holdfast.document.close"), []);
  member.leave();
  await w.clock.advance(29 * second);
  assertEquals(w.told("holdfast.document.close"), []);
  const again = await w.finish(listen(list));
  await w.clock.advance(minute);
  assertEquals(w.told("holdfast.document.close"), []);
  again.member.leave();
  await w.clock.advance(30 * second);
  assertEquals(w.told("holdfast.document.close").length, 1);
});

test("[DO11] it stays while it cannot be stored, and loses nothing over it", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  const { member } = await w.finish(listen(list));
  w.storage.plan = ({ operation }) => operation === "put" ? "refuse" : undefined;
  const adding = member.mutate({ add: "kelp" }).catch(() => {});
  await w.clock.advance(second);
  member.leave();
  await w.clock.advance(10 * minute);
  await adding;
  assertEquals(w.told("holdfast.document.close"), []);
  w.storage.plan = () => "none";
  await w.clock.advance(minute);
  assertEquals(w.told("holdfast.document.close").length, 1);
  assertEquals(await w.finish(w.node().document(listDocument(), "a").state()), { items: ["kelp"] });
});

test("[DO11] one that is opened again while it is being put away is not lost", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  const { member } = await w.finish(listen(list));
  await w.finish(member.mutate({ add: "kelp" }));
  w.storage.plan = ({ operation }) =>
    operation === "put" ? { kind: "none", latencyMs: 500 } : undefined;
  member.leave();
  await w.clock.advance(30 * second);
  const again = await w.finish(listen(list));
  await w.clock.advance(10 * second);
  assertEquals(w.told("holdfast.document.close"), []);
  assertEquals((await w.finish(again.member.mutate({ add: "rope" }))).status, "commit");
  assertEquals(again.added(), ["rope"]);
});

test("[DO8] a snapshot is made on the interval, after so many operations, and at stop", async () => {
  const w = world();
  const snapshots = () => w.told("holdfast.document.snapshot").length;
  const list = w.node().document(listDocument({ snapshotOps: 3 }), "a");
  await w.finish(listen(list));
  await w.finish(list.mutate({ add: "one" }));
  await w.clock.advance(59 * second);
  assertEquals(snapshots(), 0);
  await w.clock.advance(second);
  assertEquals(snapshots(), 1);
  await w.clock.advance(10 * minute);
  assertEquals(snapshots(), 1);
  for (const add of ["two", "three", "four"]) await w.finish(list.mutate({ add }));
  await w.clock.advance(0);
  assertEquals(snapshots(), 2);
  await w.finish(list.mutate({ add: "five" }));
  await w.finish(list.stop());
  assertEquals(snapshots(), 3);
  assertEquals((await w.finish(list.info())).snapshotSeq, 5);
});

test("[DO8] without an interval there is none for it", async () => {
  const w = world();
  const list = w.node().document(listDocument({ snapshotIntervalMs: null }), "a");
  await w.finish(listen(list));
  await w.finish(list.mutate({ add: "one" }));
  await w.clock.advance(10 * minute);
  assertEquals(w.told("holdfast.document.snapshot"), []);
});

test("[DO8] a snapshot that fails changes nothing, and a later one succeeds", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  await w.finish(listen(list));
  w.storage.plan = ({ operation, key }) =>
    operation === "put" && key.endsWith("/head") ? "refuse" : undefined;
  await w.finish(list.mutate({ add: "one" }));
  await w.clock.advance(2 * minute);
  assert(w.told("holdfast.document.snapshot_failed").length > 0);
  assertEquals(await w.finish(list.mutate({ add: "two" })), { status: "commit", seq: 2 });
  w.storage.plan = () => "none";
  await w.clock.advance(2 * minute);
  const { snapshotSeq } = await w.finish(list.info());
  assertEquals(snapshotSeq, 2);
});

test("[DO8] a snapshot that failed is tried again without another operation", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  await w.finish(listen(list));
  w.storage.plan = ({ operation, key }) =>
    operation === "put" && key.endsWith("/head") ? "refuse" : undefined;
  await w.finish(list.mutate({ add: "one" }));
  await w.clock.advance(minute + second);
  assertEquals(w.told("holdfast.document.snapshot_failed").length, 1);
  w.storage.plan = () => "none";
  await w.clock.advance(minute);
  assertEquals((await w.finish(list.info())).snapshotSeq, 1);
});

test("[DO22] info() tells how it is doing, stop() lets go of it and tells the subscribers", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a b");
  const { frames } = await w.finish(listen(list));
  await w.finish(list.mutate({ add: "kelp" }));
  const { epoch, bytes, ...info } = await w.finish(list.info());
  assert(epoch.length > 8 && bytes > 10);
  assertEquals(info, { id: "a b", seq: 1, subscribers: 1, snapshotSeq: 0, unsavedBytes: 0 });
  await w.finish(list.stop());
  assertEquals(frames.at(-1), { t: "end", code: "ERR_CLOSED", retry: true });
  assertEquals(await w.finish(list.state()), { items: ["kelp"] });
});

test("[DO22] close() makes everything durable, tells the subscribers, and accepts nothing more", async () => {
  const w = world();
  const node = w.node();
  const list = node.document(listDocument(), "a");
  const { frames } = await w.finish(listen(list));
  w.storage.plan = ({ operation }) =>
    operation === "put" ? { kind: "none", latencyMs: 100 } : undefined;
  const adding = list.mutate({ add: "kelp" });
  const report = await w.finish(node.close());
  assertEquals(report, { complete: true, unfinished: 0 });
  assertEquals((await adding).status, "commit");
  assertEquals(frames.at(-1), { t: "end", code: "ERR_CLOSED", retry: true });
  await assertRejects(() => list.mutate({ add: "rope" }), ({ code }) => code === "ERR_CLOSED");
  assertEquals(await w.finish(w.node().document(listDocument(), "a").state()), { items: ["kelp"] });
});

test("[DO22] close() reports what could not be stored", async () => {
  const w = world();
  const node = w.node();
  const list = node.document(listDocument(), "a");
  await w.finish(list.state());
  w.storage.plan = ({ operation }) => operation === "put" ? "refuse" : undefined;
  const adding = list.mutate({ add: "kelp" });
  const closing = node.close({ withinMs: 1000 });
  await assertRejects(() => w.finish(adding), ({ code }) => code === "ERR_CLOSED");
  assertEquals((await w.finish(closing)).complete, false);
});

test("[DO19] a deleted document stays deleted, for subscribers, for other nodes, and for late writes", async () => {
  const w = world();
  const [ours, theirs] = [w.node(), w.node()].map((node) => node.document(listDocument(), "a"));
  assert(ours !== undefined && theirs !== undefined);
  const { frames, member } = await w.finish(listen(theirs));
  await w.finish(ours.mutate({ add: "kelp" }));
  await w.finish(theirs.state());
  assertEquals(await w.finish(ours.delete()), true);
  await assertRejects(
    () => w.finish(member.mutate({ add: "late" })),
    ({ code }) => code === "ERR_DELETED",
  );
  assertEquals(frames.at(-1), { t: "end", code: "ERR_DELETED", retry: false });
  for (const list of [ours, theirs, w.node().document(listDocument(), "a")]) {
    await assertRejects(() => w.finish(list.state()), ({ code }) => code === "ERR_DELETED");
    assertEquals(await w.finish(list.delete()), false);
  }
  const left = await w.memory.list("app/document/");
  for (const key of left) {
    const stored = await w.memory.get(key);
    assert(stored?.value.includes("kelp") === false, key);
  }
  assertEquals(await w.finish(w.node().document(listDocument(), "none").delete()), false);
});

test("[DO21] a damaged document is refused and left as it is", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  await w.finish(list.mutate({ add: "kelp" }));
  await w.finish(list.stop());
  for (const place of ["head", "log/0000000000000002"]) {
    const key = `app/document/list/a/${place}`;
    const before = await w.memory.get(key);
    for (const text of ["nonsense", '{"f":1,"rev":1,"by":"x.1","state":{"v":1}}']) {
      await w.memory.put(key, text);
      const other = w.node().document(listDocument(), "a");
      await assertRejects(
        () => w.finish(other.mutate({ add: "rope" })),
        ({ code }) => code === "ERR_CORRUPT_RECORD",
      );
      assertEquals((await w.memory.get(key))?.value, text);
    }
    if (before === undefined) await w.memory.delete(key);
    else await w.memory.put(key, before.value);
  }
  assertEquals(await w.finish(w.node().document(listDocument(), "a").state()), { items: ["kelp"] });
});

test("[DO24] events tell what a document does, without an id or a value", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "canary-id");
  const { member } = await w.finish(listen(list));
  await w.finish(list.mutate({ add: "canary" }));
  member.leave();
  await w.finish(list.stop());
  await w.finish(list.delete());
  assertEquals(
    new Set(w.told("holdfast.document.")),
    new Set([
      "holdfast.document.open",
      "holdfast.document.join",
      "holdfast.document.commit",
      "holdfast.document.leave",
      "holdfast.document.snapshot",
      "holdfast.document.close",
      "holdfast.document.delete",
    ]),
  );
  const told = JSON.stringify(w.events.filter(({ name }) => name.startsWith("holdfast.document")));
  assertEquals(told.includes('"canary"'), false);
});

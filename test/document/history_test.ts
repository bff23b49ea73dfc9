import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { begin, minute, second, world } from "../object_model/world.ts";
import { listDocument, listen } from "./list.ts";

test("[DO18] history tells who did what and when, and is filtered by all of it", async () => {
  const w = world();
  const list = w.node().document(listDocument({ parts: wordParts }), "a");
  for (const [index, add] of ["kelp", "rope", "tar"].entries()) {
    await w.finish(list.mutate({ add }, { actor: index === 1 ? "bob" : "ada" }));
    await w.clock.advance(minute - (w.clock.now() - begin) % minute);
  }
  const all = await w.finish(list.history());
  assertEquals(all.map(({ seq, actor, op }) => [seq, actor, op]), [
    [1, "ada", { add: "kelp" }],
    [2, "bob", { add: "rope" }],
    [3, "ada", { add: "tar" }],
  ]);
  const seqs = async (options: Parameters<typeof list.history>[0]) =>
    (await w.finish(list.history(options))).map(({ seq }) => seq);
  assertEquals(await seqs({ sinceSeq: 1 }), [2, 3]);
  assertEquals(await seqs({ sinceSeq: 3 }), []);
  assertEquals(await seqs({ since: begin + minute }), [2, 3]);
  assertEquals(await seqs({ until: begin + minute }), [1]);
  assertEquals(await seqs({ where: ({ actor }) => actor === "ada" }), [1, 3]);
  assertEquals(await seqs({ part: "rope" }), [2]);
  assertEquals(await seqs({ limit: 2 }), [1, 2]);
  await assertRejects(() => list.history({ limit: 0 }), /limit is 0/);
  await assertRejects(() => list.history({ sinceSeq: -1 }), /sinceSeq is -1/);
});

const wordParts = {
  touched: (op: object) => [String(Object.values(op)[0])],
  part: (): undefined => undefined,
  merge: <S>(state: S): S => state,
};

test("[DO18] history goes on over a restart, and from the middle of a write", async () => {
  const w = world();
  const node = w.node();
  const List = listDocument({ snapshotOps: 5 });
  const list = node.document(List, "a");
  const texts = Array.from({ length: 50 }, (_, index) => `item ${index}`);
  await w.finish(Promise.all(texts.map((add) => list.mutate({ add }))));
  await w.finish(node.close());
  const again = w.node().document(List, "a");
  const late = await w.finish(again.history({ sinceSeq: 20 }));
  assertEquals(late.map(({ seq }) => seq), Array.from({ length: 30 }, (_, index) => 21 + index));
});

test("[DO18] a former state can be read, and put in the place of the present one", async () => {
  const w = world();
  const list = w.node().document(listDocument({ snapshotOps: 2 }), "a");
  const { frames } = await w.finish(listen(list));
  const client = { id: "c", seq: 1 };
  await w.finish(list.mutate({ add: "kelp" }, { client }));
  for (const add of ["rope", "tar", "oar"]) await w.finish(list.mutate({ add }));
  assertEquals(await w.finish(list.stateAt(0)), { items: [] });
  assertEquals(await w.finish(list.stateAt(2)), { items: ["kelp", "rope"] });
  assertEquals(await w.finish(list.stateAt(4)), { items: ["kelp", "rope", "tar", "oar"] });
  await assertRejects(() => w.finish(list.stateAt(5)), /it has 0 to 4/);

  const restored = list.restore(1, { actor: "ada" });
  assertEquals(await w.finish(restored), { status: "commit", seq: 5 });
  assertEquals(await w.finish(list.state()), { items: ["kelp"] });
  const last = frames.at(-1);
  assert(last?.t === "ops");
  assertEquals(last.entries[0]?.restore, { items: ["kelp"] });
  // Who did what is not forgotten with it.
  assertEquals((await w.finish(list.mutate({ add: "kelp" }, { client }))).status, "commit");
  assertEquals((await w.finish(list.mutate({ add: "new" }))).status, "commit");
  assertEquals(await w.finish(list.stateAt(5)), { items: ["kelp"] });
});

test("[DO9] history keeps as much as was asked for, and not much more", async () => {
  const w = world();
  const node = w.node();
  const List = listDocument({ snapshotOps: 10, historyOps: 30, historyMs: 3_600_000 });
  const list = node.document(List, "a");
  await w.finish(listen(list));
  const add = async (from: number, count: number) => {
    for (let index = from; index < from + count; index++) {
      await w.finish(list.mutate({ add: `item ${index}` }));
    }
    await w.clock.advance(0);
  };
  await add(0, 200);
  assertEquals((await w.finish(list.history())).length, 200);
  w.clock.jump(2 * 3_600_000);
  await add(200, 20);
  await w.finish(list.stop());
  const kept = (await w.finish(list.history({ limit: 10_000 }))).length;
  assert(kept >= 30 && kept < 200, `${kept} entries are kept`);
  assert(w.told("holdfast.document.trim").length > 0);
  const first = 220 - kept;
  assertEquals((await w.finish(list.stateAt(first))).items.length, first);
  await assertRejects(() => w.finish(list.stateAt(first - 1)), /its history begins after/);
  assertEquals((await w.finish(list.state())).items.length, 220);
});

test("[DO14] undo takes back the actor's own last step, redo brings it back", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  const items = async () => (await w.finish(list.state())).items;
  for (const [add, actor] of [["kelp", "ada"], ["rope", "bob"], ["tar", "ada"]] as const) {
    await w.finish(list.mutate({ add }, { actor }));
  }
  assertEquals((await w.finish(list.undo("ada"))).status, "commit");
  assertEquals(await items(), ["kelp", "rope"]);
  assertEquals((await w.finish(list.undo("ada"))).status, "commit");
  assertEquals(await items(), ["rope"]);
  assertEquals((await w.finish(list.undo("ada"))).status, "discard");
  assertEquals((await w.finish(list.redo("ada"))).status, "commit");
  assertEquals(await items(), ["rope", "kelp"]);
  assertEquals((await w.finish(list.undo("ada"))).status, "commit");
  assertEquals((await w.finish(list.redo("ada"))).status, "commit");
  assertEquals((await w.finish(list.redo("ada"))).status, "commit");
  assertEquals(await items(), ["rope", "kelp", "tar"]);
  assertEquals((await w.finish(list.redo("ada"))).status, "discard");
  assertEquals((await w.finish(list.redo("bob"))).status, "discard");
});

test("[DO14] something new makes what was undone history", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  await w.finish(list.mutate({ add: "kelp" }, { actor: "ada" }));
  await w.finish(list.undo("ada"));
  await w.finish(list.mutate({ add: "rope" }, { actor: "ada" }));
  assertEquals((await w.finish(list.redo("ada"))).status, "discard");
});

test("[DO14] a step that somebody else has made pointless is passed over", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  await w.finish(list.mutate({ add: "kelp" }, { actor: "ada" }));
  await w.finish(list.mutate({ add: "rope" }, { actor: "ada" }));
  await w.finish(list.mutate({ remove: "rope" }, { actor: "bob" }));
  assertEquals((await w.finish(list.undo("ada"))).status, "commit");
  assertEquals((await w.finish(list.state())).items, []);
});

test("[DO14] undo goes on over a restart and a snapshot, and right after an operation", async () => {
  const w = world();
  const node = w.node();
  const list = node.document(listDocument({ snapshotOps: 1 }), "a");
  await w.finish(list.mutate({ add: "kelp" }, { actor: "ada" }));
  await w.finish(list.mutate({ add: "rope" }, { actor: "ada" }));
  await w.finish(node.close());
  const again = w.node().document(listDocument(), "a");
  await w.finish(again.undo("ada"));
  assertEquals(await w.finish(again.state()), { items: ["kelp"] });
  const both = [again.mutate({ add: "tar" }, { actor: "ada" }), again.undo("ada")];
  await w.finish(Promise.all(both));
  assertEquals(await w.finish(again.state()), { items: ["kelp"] });
  assertEquals((await w.finish(again.undo("ada"))).status, "commit");
  assertEquals(await w.finish(again.state()), { items: [] });
});

test("[DO17] an older document is migrated, with the operations in its log, and written back", async () => {
  const w = world();
  const old = w.node();
  const before = old.document(listDocument({ snapshotOps: 2 }), "a");
  for (const add of ["kelp", "rope", "tar"]) await w.finish(before.mutate({ add }));
  const New = listDocument({
    vsn: 2,
    apply: ({ items }, op) => {
      const text = "push" in op ? String(op.push) : undefined;
      return text === undefined ? { reject: "old" } : { state: { items: [...items, text] } };
    },
    migrate: (_, state) => ({ items: (state as { items: string[] }).items.map((i) => `${i}!`) }),
    migrateOp: (_, op) => ({ push: (op as { add: string }).add }),
  });
  const node = w.node();
  const after = node.document(New, "a");
  assertEquals(await w.finish(after.state()), { items: ["kelp!", "rope!", "tar"] });
  await w.clock.advance(second);
  const head = await w.memory.get("app/document/list/a/head");
  assertEquals(JSON.parse(head?.value ?? "{}").state.v, 2);

  // The old version finds out before it answers anything, and overwrites nothing.
  await assertRejects(
    () =>
      w.finish((async () => {
        await after.mutate({ push: "oar" } as never);
        return await before.mutate({ add: "late" });
      })()),
    ({ code, message }) =>
      code === "ERR_NEWER_VERSION" && /with vsn \d+, and this one has vsn \d+$/.test(message),
  );
  await assertRejects(
    () => w.finish(w.node().document(listDocument(), "a").state()),
    ({ code }) => code === "ERR_NEWER_VERSION",
  );
  assertEquals(await w.finish(after.state()), { items: ["kelp!", "rope!", "tar", "oar"] });
});

test("[DO17] what is told, undone and restored of an older version has the shape of today", async () => {
  const w = world();
  const before = w.node().document(listDocument(), "a");
  for (const add of ["kelp", "rope", "tar"]) {
    await w.finish(before.mutate({ add }, { actor: "ada" }));
  }
  await w.finish(before.restore(2));
  const { epoch } = await w.finish(before.info());
  // The old node dies: nothing of it but the log is there.
  const New = listDocument({
    vsn: 2,
    apply: ({ items }, op) =>
      "push" in op
        ? { state: { items: [...items, String(op.push)] }, inverse: { pull: op.push } as never }
        : "pull" in op
        ? { state: { items: items.filter((item) => item !== op.pull) } }
        : { reject: "old" },
    migrate: (_, state) => state as { items: string[] },
    migrateOp: (_, op) => {
      const { add, remove } = op as { add?: string; remove?: string };
      return add === undefined ? { pull: remove } : { push: add };
    },
  });
  const after = w.node().document(New, "a");
  const told = [{ push: "rope" }, { push: "tar" }, undefined] as const;
  const { catchUp } = (await w.finish(listen(after, { since: { epoch, seq: 1 } }))).member;
  assert(catchUp.kind === "ops");
  assertEquals(catchUp.entries.map(({ op }) => op as unknown), told);
  const history = async (list: typeof after) =>
    (await w.finish(list.history({ sinceSeq: 1 }))).map(({ op }) => op as unknown);
  assertEquals(await history(after), told);
  assertEquals((await w.finish(after.undo("ada"))).status, "commit");
  assertEquals((await w.finish(after.undo("ada"))).status, "commit");
  assertEquals((await w.finish(after.state())).items, ["kelp"]);
  await w.finish(after.stop());
  assertEquals(await history(after), [...told, { pull: "tar" }, { pull: "rope" }]);
});

test("[DO17] without migrate an older document is refused, and stays", async () => {
  const w = world();
  const before = w.node().document(listDocument({ snapshotOps: 1 }), "a");
  await w.finish(before.mutate({ add: "kelp" }));
  const after = w.node().document(listDocument({ vsn: 2 }), "a");
  await assertRejects(
    () => w.finish(after.state()),
    ({ code, message }) => code === "ERR_INVALID_STATE" && message.includes("no migrate"),
  );
  assertEquals(await w.finish(before.state()), { items: ["kelp"] });
});

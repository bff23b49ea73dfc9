import { assert, assertEquals, assertRejects, assertThrows, test } from "../harness/mod.ts";
import * as v from "valibot";
import { defineDocument } from "../../src/document/definition.ts";
import { second, world } from "../object_model/world.ts";
import { listDocument, listen } from "./list.ts";

test("[DO1] a definition that makes no sense is refused, naming the document", () => {
  assertThrows(() => listDocument({ name: "a b" }), /1 to 64 of A-Z/);
  assertThrows(() => listDocument({ vsn: 0 }), /document "list"/);
  assertThrows(() => listDocument({ gracePeriodMs: -1 }), /document "list": gracePeriodMs is -1/);
  assertThrows(() => listDocument({ historyMs: 1000 }), /historyMs is 1000/);
  assertThrows(
    () => defineDocument({ ...listDocument().spec, apply: 1 } as never),
    /"apply" is not a function/,
  );
  assertThrows(() => listDocument({ schema: {} as never }), /no Standard Schema/);
});

test("[DO1] two definitions of one name, and an id that is none, are refused", async () => {
  const holdfast = world().node();
  holdfast.document(listDocument(), "a");
  assertThrows(() => holdfast.document(listDocument(), "a"), /another definition has this name/);
  assertThrows(() => holdfast.document(listDocument({ name: "other" }), ""), /it is empty/);
  assertThrows(() => holdfast.document({} as never, "a"), /not one of defineDocument/);
  await holdfast.close();
});

test("[DO2] operations are applied one after the other, asynchronous checks or not", async () => {
  const w = world();
  const List = listDocument({ authorize: async () => await Promise.resolve(true) });
  const list = w.node().document(List, "a");
  const texts = Array.from({ length: 50 }, (_, index) => `item ${index}`);
  const answers = await w.finish(Promise.all(texts.map((add) => list.mutate({ add }))));
  assertEquals(answers.map((answer) => "seq" in answer && answer.seq), texts.map((_, i) => i + 1));
  assertEquals(await w.finish(list.state()), { items: texts });
});

test("[DO3] neither answer nor subscriber hears of an operation before the log has it", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  const { added } = await w.finish(listen(list));
  w.storage.plan = ({ operation }) =>
    operation === "put" ? { kind: "none", latencyMs: 100 } : undefined;
  let answered = false;
  const adding = list.mutate({ add: "kelp" }).then(() => answered = true);
  await w.clock.advance(99);
  assertEquals([answered, added()], [false, []]);
  await w.clock.advance(1);
  await adding;
  assertEquals(added(), ["kelp"]);
});

test("[DO3] an answer that depends on what is not durable waits for it", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  await w.finish(list.state());
  w.storage.plan = ({ operation }) =>
    operation === "put" ? { kind: "none", latencyMs: 100 } : undefined;
  const told: string[] = [];
  void list.mutate({ add: "kelp" }).then(() => told.push("added"));
  void list.mutate({ add: "kelp" }).then(({ status }) => told.push(status));
  await w.clock.advance(99);
  assertEquals(told, []);
  await w.clock.advance(1);
  assertEquals(told, ["added", "discard"]);
});

test("[DO4] what is asked for during a write goes into the next one, and into one frame", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  const { frames } = await w.finish(listen(list));
  w.storage.plan = ({ operation }) =>
    operation === "put" ? { kind: "none", latencyMs: 30 } : undefined;
  const before = w.storage.calls.put;
  const all = [list.mutate({ add: "first" })];
  await w.clock.advance(10);
  for (let index = 0; index < 500; index++) all.push(list.mutate({ add: `item ${index}` }));
  await w.finish(Promise.all(all));
  assertEquals(w.storage.calls.put - before, 2);
  assertEquals(frames.map((frame) => frame.t === "ops" && frame.entries.length), [1, 500]);
});

test("[DO15] an operation is committed, put right, discarded or rejected, and says so", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  const { frames } = await w.finish(listen(list));
  assertEquals(await w.finish(list.mutate({ add: "kelp" })), { status: "commit", seq: 1 });
  assertEquals(await w.finish(list.mutate({ add: "ROPE" })), {
    status: "rectified",
    seq: 2,
    op: { add: "rope" },
  });
  assertEquals(await w.finish(list.mutate({ add: "kelp" })), {
    status: "discard",
    reason: "it is there",
  });
  assertEquals(await w.finish(list.mutate({ add: "" })), {
    status: "rejected",
    reason: "it is empty",
  });
  assertEquals(frames.length, 2);
  assertEquals(await w.finish(list.state()), { items: ["kelp", "rope"] });
});

test("[DO15] apply() that throws changes nothing and reaches the caller", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  await assertRejects(() => w.finish(list.mutate({ fail: "no way" })), /no way/);
  assertEquals(await w.finish(list.mutate({ add: "kelp" })), { status: "commit", seq: 1 });
});

test("[DO15] apply() that answers nonsense is a TypeError", async () => {
  const w = world();
  const Odd = listDocument({ apply: () => undefined as never });
  const error = await assertRejects(() =>
    w.finish(w.node().document(Odd, "a").mutate({ add: "kelp" }))
  );
  assert(error instanceof TypeError, String(error));
});

test("[DO15] what the schema or the rights refuse never reaches apply()", async () => {
  const w = world();
  const List = listDocument({
    schema: v.object({ add: v.string() }) as never,
    authorize: ({ actor, what, op }) =>
      what !== "mutate" || actor === "ada" || (op as { add: string }).add !== "secret",
  });
  const list = w.node().document(List, "a");
  const refused = await w.finish(list.mutate({ remove: "kelp" }));
  assertEquals(refused.status, "rejected");
  assert("reason" in refused && refused.reason.includes("add"), JSON.stringify(refused));
  const secret = () => list.mutate({ add: "secret" }, { actor: "bob" });
  assertEquals(await w.finish(secret()), { status: "rejected", reason: "not allowed" });
  const byAda = list.mutate({ add: "secret" }, { actor: "ada" });
  assertEquals(await w.finish(byAda), { status: "commit", seq: 1 });
});

test("[DO15] a read-only subscriber changes nothing, and who may not join does not", async () => {
  const w = world();
  const List = listDocument({ authorize: ({ actor }) => actor === "ada" });
  const list = w.node().document(List, "a");
  const { member } = await w.finish(listen(list, { actor: "ada", readOnly: true }));
  const rejected = { status: "rejected" as const, reason: "the connection is read-only" };
  assertEquals(await w.finish(member.mutate({ add: "kelp" })), rejected);
  assertEquals(await w.finish(member.undo()), rejected);
  await assertRejects(
    () => w.finish(listen(list, { actor: "bob" })),
    ({ code }) => code === "ERR_REFUSED",
  );
});

test("[DO16] an operation that is no JSON, or too large, is refused with its path", async () => {
  const w = world();
  const list = w.node().document(listDocument({ maxOpBytes: 100 }), "a");
  await assertRejects(
    () => list.mutate({ add: new Date() as never }),
    ({ code, message }) => code === "ERR_INVALID_VALUE" && message.includes('"add"'),
  );
  await assertRejects(
    () => list.mutate({ add: "x".repeat(120) }),
    ({ code }) => code === "ERR_TOO_LARGE",
  );
  assertEquals(await w.finish(list.mutate({ add: "x".repeat(80) })), { status: "commit", seq: 1 });
});

test("[DO16] a document that would grow too large refuses, and goes on", async () => {
  const w = world();
  const List = listDocument({ maxDocumentBytes: 1024 });
  const list = w.node().document(List, "a");
  let refused = 0;
  for (let index = 0; index < 40; index++) {
    const adding = list.mutate({ add: `${index}`.padStart(50, "x") });
    await w.finish(adding).catch((error) => {
      assertEquals(error.code, "ERR_TOO_LARGE");
      refused++;
    });
  }
  const { items } = await w.finish(list.state());
  assertEquals(items.length + refused, 40);
  assert(items.length >= 15, `only ${items.length} were accepted`);
  assertEquals(
    await w.finish(list.mutate({ remove: items[0] ?? "" })).then((a) => a.status),
    "commit",
  );
});

test("[DO16] more than may wait is refused, retryably", async () => {
  const w = world();
  const list = w.node({ limits: { mailbox: 10 } }).document(listDocument(), "a");
  await w.finish(list.state());
  w.storage.plan = ({ operation }) =>
    operation === "put" ? { kind: "none", latencyMs: 100 } : undefined;
  const results = await w.finish(Promise.allSettled(
    Array.from({ length: 15 }, (_, index) => list.mutate({ add: `item ${index}` })),
  ));
  const refused = results.flatMap((result) => result.status === "rejected" ? [result.reason] : []);
  assertEquals(refused.map(({ code, retryable }) => [code, retryable]), [
    ...Array.from({ length: 5 }, () => ["ERR_MAILBOX_FULL", true]),
  ]);
});

test("[DO16] while storage is down operations wait, up to a number of bytes, and none is lost", async () => {
  const w = world();
  const List = listDocument({ maxUnsavedBytes: 1024 });
  const list = w.node().document(List, "a");
  const { frames } = await w.finish(listen(list));
  w.storage.plan = ({ operation }) => operation === "put" ? "refuse" : undefined;
  const waiting = Array.from(
    { length: 30 },
    (_, index) =>
      list.mutate({ add: `item ${index}`.padEnd(40, ".") }).then(
        (answer) => answer.status,
        (e) => e.code,
      ),
  );
  await w.clock.advance(10 * second);
  assertEquals(frames, []);
  const more = list.mutate({ add: "one more" });
  await assertRejects(() => w.finish(more), ({ code }) => code === "ERR_MAILBOX_FULL");
  assert(w.told("holdfast.document.store_failed").length > 0);
  w.storage.plan = () => "none";
  const answers = await w.finish(Promise.all(waiting));
  const { items } = await w.finish(list.state());
  assertEquals(answers.filter((answer) => answer === "commit").length, items.length);
  assert(items.length > 10, String(items.length));
});

test("[DO16] a caller is not kept longer than allowed, and can send the operation again", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  await w.finish(list.state());
  w.storage.plan = ({ operation }) => operation === "put" ? "refuse" : undefined;
  const client = { id: "c", seq: 1 };
  const adding = list.mutate({ add: "kelp" }, { client });
  await assertRejects(() => w.finish(adding), ({ code }) => code === "ERR_DEADLINE");
  w.storage.plan = () => "none";
  const again = list.mutate({ add: "kelp" }, { client });
  assertEquals(await w.finish(again), { status: "commit", seq: 1 });
  assertEquals(await w.finish(list.state()), { items: ["kelp"] });
});

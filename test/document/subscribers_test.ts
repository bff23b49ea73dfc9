import { assert, assertEquals, test } from "../harness/mod.ts";
import { colorFor } from "../../src/document/color.ts";
import type { DocumentFrame } from "../../src/document/frame.ts";
import { second, world } from "../object_model/world.ts";
import { Tail } from "../../src/document/tail.ts";
import { listDocument, listen } from "./list.ts";

test("[DO12] a join is one answer: nothing is missed and nothing comes twice", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  w.storage.plan = ({ operation }) =>
    operation === "put" ? { kind: "none", latencyMs: 10 } : undefined;
  const adding: Promise<unknown>[] = [];
  const joining: ReturnType<typeof listen>[] = [];
  for (let index = 0; index < 60; index++) {
    adding.push(list.mutate({ add: `item ${index}` }));
    if (index % 6 === 0) joining.push(listen(list));
    await w.clock.advance(3);
  }
  await w.finish(Promise.all(adding));
  const { items } = await w.finish(list.state());
  for (const { member, added } of await Promise.all(joining)) {
    const { catchUp } = member;
    assert(catchUp.kind === "snapshot");
    const had = (catchUp.state as unknown as { items: string[] }).items;
    assertEquals([...had, ...added()], items);
  }
});

test("[DO12] a replaced subscription is told, and its late end does not end the new one", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  const old = await w.finish(listen(list, { client: "tab", actor: "ada" }));
  const fresh = await w.finish(listen(list, { client: "tab", actor: "ada" }));
  assertEquals(old.frames, [{ t: "end", code: "replaced", retry: false }]);
  fresh.member.here({ line: 1 });
  old.member.leave();
  old.member.here({ line: 9 });
  assertEquals((await w.finish(list.info())).subscribers, 1);
  await w.finish(list.mutate({ add: "kelp" }));
  assertEquals(fresh.added(), ["kelp"]);
  assertEquals(old.added(), []);
  await w.clock.advance(100);
  const third = await w.finish(listen(list));
  assertEquals(Object.keys(third.member.presence), ["tab"]);
  assertEquals(third.member.presence["tab"]?.data, { line: 1 });
});

test("[DO12] of two joins of one client the later stays, though rights are slower for the earlier", async () => {
  const w = world();
  const pauses = [500, 5];
  const authorize = async ({ what }: { what: string }) => {
    const pauseMs = what === "join" ? pauses.shift() ?? 0 : 0;
    await new Promise<void>((resolve) => void w.clock.timer(pauseMs, resolve));
    return true;
  };
  const list = w.node().document(listDocument({ authorize }), "a");
  const joining = listen(list, { client: "tab", actor: "ada" });
  const fresh = await w.finish(listen(list, { client: "tab", actor: "ada" }));
  const old = await w.finish(joining);
  assertEquals(old.frames, [{ t: "end", code: "replaced", retry: false }]);
  old.member.leave();
  assertEquals((await w.finish(list.info())).subscribers, 1);
  await w.finish(list.mutate({ add: "kelp" }));
  assertEquals([fresh.added(), old.added()], [["kelp"], []]);
});

test("[DO12] a subscriber that throws or rejects disturbs nobody", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  await w.finish(list.join({
    deliver: () => {
      throw new Error("no");
    },
  }));
  await w.finish(list.join({ deliver: (() => Promise.reject(new Error("no"))) as never }));
  const { added } = await w.finish(listen(list));
  assertEquals((await w.finish(list.mutate({ add: "kelp" }))).status, "commit");
  assertEquals(added(), ["kelp"]);
});

test("[DO13] presence is told in bundles, expires, ends with its connection, and is not stored", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  const ada = await w.finish(listen(list, { client: "1", actor: "ada" }));
  const bob = await w.finish(listen(list, { client: "2", actor: "bob" }));
  for (let line = 0; line < 10; line++) ada.member.here({ line });
  bob.member.here(null);
  await w.clock.advance(50);
  const told = ada.frames.filter(({ t }) => t === "presence");
  assertEquals(told, [{
    t: "presence",
    set: {
      1: { actor: "ada", color: colorFor("ada"), data: { line: 9 } },
      2: { actor: "bob", color: colorFor("bob"), data: null },
    },
    gone: [],
  }]);
  for (let passed = 0; passed < 70; passed++) {
    ada.member.heard();
    await w.clock.advance(second);
  }
  assertEquals(ada.frames.at(-1), { t: "presence", set: {}, gone: ["2"] });
  bob.member.here("back");
  await w.clock.advance(50);
  bob.member.leave();
  await w.clock.advance(50);
  assertEquals(ada.frames.at(-1), { t: "presence", set: {}, gone: ["2"] });
  assertEquals(await w.memory.list("app/document/"), []);
});

test("[DO13] a colour is the same for the same name, and differs for others", () => {
  const names = ["ada", "bob", "eve", "kim", "lou", "mia"];
  assertEquals(names.map(colorFor), names.map(colorFor));
  assertEquals(new Set(names.map(colorFor)).size, names.length);
});

test("[DO20] a subscriber that is too slow gets nothing until it goes on, then what it missed", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  const frames: DocumentFrame[] = [];
  let full = false;
  const member = await w.finish(list.join({
    deliver: (frame) => {
      if (!full) frames.push(frame);
      return !full;
    },
  }));
  await w.finish(list.mutate({ add: "one" }));
  full = true;
  for (const add of ["two", "three", "four"]) await w.finish(list.mutate({ add }));
  assertEquals(frames.length, 1);
  full = false;
  member.resume();
  await w.finish(list.mutate({ add: "five" }));
  const [, caughtUp, last] = frames;
  assert(caughtUp?.t === "catch_up" && caughtUp.catchUp.kind === "ops");
  assertEquals(caughtUp.catchUp.from, 1);
  assertEquals(caughtUp.catchUp.entries.map(({ seq }) => seq), [2, 3, 4]);
  assert(last?.t === "ops" && last.entries[0]?.seq === 5);
});

test("[DO10] who comes back gets what was missed, or everything where that is less", async () => {
  const w = world();
  const node = w.node();
  const list = node.document(listDocument({ snapshotOps: 10_000 }), "a");
  const before = await w.finish(listen(list));
  const { epoch } = (await w.finish(list.mutate({ add: "kelp" })), await w.finish(list.info()));
  before.member.leave();
  const since = { epoch, seq: 1 };
  await w.finish(list.mutate({ add: "rope" }));
  const few = (await w.finish(listen(list, { since }))).member.catchUp;
  assert(few.kind === "ops" && few.entries.length === 1 && few.from === 1);

  const many: Promise<unknown>[] = [];
  for (let index = 0; index < 900; index++) {
    many.push(list.mutate({ add: "x" }), list.mutate({ remove: "x" }));
    if (index % 200 === 0) await w.finish(Promise.all(many.splice(0)));
  }
  await w.finish(Promise.all(many));
  const all = (await w.finish(listen(list, { since }))).member.catchUp;
  assertEquals(all, { kind: "snapshot", seq: 1802, state: { items: ["kelp", "rope"] } });
});

test("[DO10] another log, a number of the future, and a trimmed log are no errors", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  await w.finish(list.mutate({ add: "kelp" }));
  const { epoch } = await w.finish(list.info());
  for (const since of [{ epoch: "another", seq: 1 }, { epoch, seq: 99 }, { epoch, seq: -5 }]) {
    const { catchUp } = (await w.finish(listen(list, { since }))).member;
    assertEquals(catchUp, { kind: "snapshot", seq: 1, state: { items: ["kelp"] } });
  }
  const { catchUp } = (await w.finish(listen(list, { since: { epoch, seq: 1 } }))).member;
  assertEquals(catchUp, { kind: "ops", from: 1, entries: [] });
});

test("[DO10] who comes back to a node that has just begun is told what was missed, as far as the log goes", async () => {
  const w = world();
  const List = listDocument({ snapshotOps: 10, historyOps: 30, historyMs: 3_600_000 });
  const list = w.node().document(List, "a");
  const { member } = await w.finish(listen(list));
  const items = Array.from({ length: 220 }, (_, n) => `${n} `.padEnd(200, "x"));
  for (const [n, add] of items.entries()) {
    if (n === 200) w.clock.jump(2 * 3_600_000);
    await w.finish(list.mutate({ add }));
  }
  const { epoch } = await w.finish(list.info());
  member.leave();
  await w.finish(list.stop());
  const kept = (await w.finish(list.history({ limit: 1000 }))).length;
  assert(kept < 200, `nothing was cut: ${kept}`);
  const reader = w.node().document(List, "a");
  const back = async (seq: number) =>
    (await w.finish(listen(reader, { since: { epoch, seq } }))).member.catchUp;
  const whole = { kind: "snapshot", seq: 220, state: { items } } as const;
  for (const seq of [0, 220 - kept - 1]) assertEquals(await back(seq), whole);
  assertEquals(await back(220), { kind: "ops", from: 220, entries: [] });
  const missed = await back(215);
  assert(missed.kind === "ops" && missed.from === 215);
  assertEquals(missed.entries.map(({ op }) => op), items.slice(215).map((add) => ({ add })));

  // Storage that fails, and a snapshot that is as good.
  const other = w.node().document(List, "a");
  await w.finish(other.state());
  w.storage.plan = ({ operation }) => ({ kind: operation === "list" ? "refuse" : "none" });
  const failed = await w.finish(listen(other, { since: { epoch, seq: 218 } }));
  assertEquals(failed.member.catchUp, whole);
  w.storage.plan = () => "none";

  // What was read for one serves the next.
  let reads = 0;
  w.storage.plan = ({ operation }) => {
    if (operation === "list") reads++;
    return { kind: "none", latencyMs: 5 };
  };
  const many = w.node().document(List, "a");
  const all = await w.finish(Promise.all(
    Array.from({ length: 50 }, (_, n) => listen(many, { since: { epoch, seq: 210 + n % 5 } })),
  ));
  assertEquals(new Set(all.map(({ member: { catchUp } }) => catchUp.kind)), new Set(["ops"]));
  assert(reads <= 8, `${reads} lists`);
});

test("[DO16] what is kept of the log in memory has a limit in bytes, and in number", () => {
  const entry = (seq: number) => ({ seq, at: 0, actor: null, op: seq });
  const tail = new Tail({ entries: 100, bytes: 1000 });
  for (let seq = 1; seq <= 1000; seq++) {
    tail.push([entry(seq)], 50);
    assert(seq - (tail.first ?? 0) < 2 * 1000 / 50, `from ${tail.first} to ${seq}`);
    assertEquals(tail.between(seq - 1, seq)?.length, 1);
  }
  for (let seq = 1001; seq <= 2000; seq++) tail.push([entry(seq)], 1);
  assert(2000 - (tail.first ?? 0) >= 99 && 2000 - (tail.first ?? 0) < 200, `from ${tail.first}`);
  tail.push([entry(2001)], 5000);
  assertEquals(tail.between(2000, 2001)?.length, 1);
});

test("[DO12] a thousand joins at once read the document once or twice, and hold up no other", async () => {
  const w = world();
  const node = w.node();
  const List = listDocument();
  const [crowded, busy] = ["a", "b"].map((id) => node.document(List, id));
  await w.finish(crowded!.mutate({ add: "kelp" }));
  await w.finish(crowded!.stop());
  let reads = 0;
  w.storage.plan = ({ operation }) => {
    if (operation === "get" || operation === "list") reads++;
    return { kind: "none", latencyMs: 30 };
  };
  const alone = node.document(List, "c");
  const since = w.clock.monotonic();
  await w.finish(alone.mutate({ add: "x" }));
  const usualMs = w.clock.monotonic() - since;
  reads = 0;
  const joins = Promise.all(Array.from({ length: 1000 }, () => listen(crowded!)));
  const began = w.clock.monotonic();
  let tookMs = NaN;
  const writing = busy!.mutate({ add: "x" }).then(() => tookMs = w.clock.monotonic() - began);
  await w.finish(Promise.all([joins, writing]));
  assertEquals(tookMs, usualMs);
  assert(reads < 40, `${reads} reads`);
  await w.finish(crowded!.mutate({ add: "rope" }));
  for (const { added } of await joins) assertEquals(added(), ["rope"]);
});

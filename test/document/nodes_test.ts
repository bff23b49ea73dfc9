import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { seededRandom } from "../../adapters/testing/seeded_random.ts";
import { minute, second, world } from "../object_model/world.ts";
import { listDocument, listen } from "./list.ts";

test("[DO5] two nodes on one store lose nothing, repeat nothing, and agree on the order", async () => {
  const w = world();
  const lists = [w.node(), w.node()].map((node) => node.document(listDocument(), "a"));
  const texts = Array.from({ length: 100 }, (_, index) => `item ${index}`);
  const answers = await w.finish(Promise.all(
    texts.map((add, index) => lists[index % 2]?.mutate({ add })),
  ));
  const seqs = answers.map((answer) => answer !== undefined && "seq" in answer ? answer.seq : 0);
  assertEquals(seqs.toSorted((a, b) => a - b), texts.map((_, index) => index + 1));
  const [first, second] = await w.finish(Promise.all(lists.map((list) => list.state())));
  assertEquals(first, second);
  assertEquals(first?.items.toSorted(), texts.toSorted());
  assert(w.told("holdfast.document.conflict").length > 0, "there was no conflict to win");
});

test("[DO5] what was run before another node's operations is judged again after them", async () => {
  const w = world();
  const [ours, theirs] = [w.node(), w.node()].map((node) => node.document(listDocument(), "a"));
  assert(ours !== undefined && theirs !== undefined);
  await w.finish(ours.state());
  await w.finish(theirs.mutate({ add: "kelp" }));
  const { frames } = await w.finish(listen(ours));
  const answer = await w.finish(ours.mutate({ add: "kelp" }));
  assertEquals(answer, { status: "discard", reason: "it is there" });
  assertEquals(frames, []);
});

test("[DO5] a subscriber on a node that writes nothing hears of other nodes' operations", async () => {
  const w = world();
  const [ours, theirs] = [w.node(), w.node()].map((node) => node.document(listDocument(), "a"));
  assert(ours !== undefined && theirs !== undefined);
  const { added } = await w.finish(listen(ours));
  await w.finish(theirs.mutate({ add: "kelp" }));
  await w.clock.advance(2 * second);
  assertEquals(added(), ["kelp"]);
});

test("[DO6] an operation that is sent again is done once, and answered as before", async () => {
  const w = world();
  const node = w.node();
  const list = node.document(listDocument(), "a");
  const client = (seq: number) => ({ client: { id: "c", seq } });
  const first = await w.finish(list.mutate({ add: "KELP" }, client(1)));
  assertEquals(first, { status: "rectified", seq: 1, op: { add: "kelp" } });
  assertEquals(await w.finish(list.mutate({ add: "KELP" }, client(1))), first);
  await w.finish(list.mutate({ add: "rope" }, client(2)));
  await w.finish(node.close());

  const other = w.node().document(listDocument(), "a");
  const again = await w.finish(other.mutate({ add: "rope" }, client(2)));
  assertEquals(again, { status: "commit", seq: 2 });
  assertEquals(await w.finish(other.mutate({ add: "KELP" }, client(1))), first);
  assertEquals((await w.finish(other.info())).seq, 2);
  assertEquals(await w.finish(other.state()), { items: ["kelp", "rope"] });
});

test("[DO6] what was refused before it was asked for again is not taken for what was accepted", async () => {
  const w = world();
  const node = w.node();
  const list = node.document(listDocument(), "a");
  const client = (seq: number) => ({ client: { id: "c", seq } });
  await w.finish(list.mutate({ add: "kelp" }, client(1)));
  const refused = await w.finish(list.mutate({ add: "kelp" }, client(2)));
  assertEquals(refused, { status: "discard", reason: "it is there" });
  await w.finish(list.mutate({ add: "rope" }, client(3)));
  await w.finish(node.close());

  const other = w.node().document(listDocument(), "a");
  const again = await w.finish(other.mutate({ add: "kelp" }, client(2)));
  assertEquals(again.status, "discard");
  assertEquals(await w.finish(other.mutate({ add: "rope" }, client(3))), {
    status: "commit",
    seq: 2,
  });
  // What is accepted meanwhile does not hide what came before it.
  await w.finish(other.mutate({ add: "sail" }, client(4)));
  assertEquals(await w.finish(other.mutate({ add: "kelp" }, client(1))), {
    status: "commit",
    seq: 1,
  });
});

test("[DO6] after a restart, of what many clients send again the log is read once for each", async () => {
  const w = world();
  const node = w.node();
  const list = node.document(listDocument(), "a");
  for (let seq = 1; seq <= 20; seq++) {
    for (const id of ["b", "c"]) {
      await w.finish(list.mutate({ add: `${id}${seq}` }, { client: { id, seq } }));
    }
  }
  await w.finish(node.close());
  const other = w.node().document(listDocument(), "a");
  await w.finish(other.state());
  let reads = 0;
  w.storage.plan = ({ operation, key }) => {
    if (operation === "get" && key.includes("/log/")) reads++;
    return undefined;
  };
  for (let seq = 1; seq <= 20; seq++) {
    for (const [offset, id] of ["b", "c"].entries()) {
      const answer = await w.finish(other.mutate({ add: `${id}${seq}` }, { client: { id, seq } }));
      assertEquals(answer, { status: "commit", seq: 2 * seq - 1 + offset });
    }
  }
  assertEquals(reads, 2 * 40);
});

test("[DO6] an operation sent again while the first is still being stored is not done twice", async () => {
  const w = world();
  const list = w.node().document(listDocument(), "a");
  await w.finish(list.state());
  w.storage.plan = ({ operation }) =>
    operation === "put" ? { kind: "none", latencyMs: 100 } : undefined;
  const client = { id: "c", seq: 1 };
  const both = [list.mutate({ add: "kelp" }, { client }), list.mutate({ add: "kelp" }, { client })];
  assertEquals(await w.finish(Promise.all(both)), [
    { status: "commit", seq: 1 },
    { status: "commit", seq: 1 },
  ]);
});

test("[DO6] a client that is named wrongly is a TypeError", async () => {
  const list = world().node().document(listDocument(), "a");
  for (
    const client of [{ id: "", seq: 1 }, { id: "c", seq: 1.5 }, { id: "x".repeat(129), seq: 1 }]
  ) {
    const error = await assertRejects(() => list.mutate({ add: "kelp" }, { client }));
    assert(error instanceof TypeError);
  }
});

for (const fault of ["lose-answer", "lose-request", "refuse", "conflict"] as const) {
  test(`[DO7] a write of the log that meets "${fault}" loses and repeats nothing`, async () => {
    const w = world();
    const lists = [w.node(), w.node()].map((node) => node.document(listDocument(), "a"));
    w.storage.plan = ({ operation, key, count }) =>
      operation === "put" && key.includes("/log/") && count % 2 === 1 ? fault : undefined;
    const texts = Array.from({ length: 20 }, (_, index) => `item ${index}`);
    const answers = await w.finish(Promise.all(
      texts.map((add, index) => lists[index % 2]?.mutate({ add })),
    ));
    assertEquals(new Set(answers.map((answer) => answer?.status)), new Set(["commit"]));
    w.storage.plan = () => "none";
    const states = await w.finish(Promise.all(lists.map((list) => list.state())));
    assertEquals(states[0], states[1]);
    assertEquals(states[0]?.items.toSorted(), texts.toSorted());
  });
}

test("[DO9] a node that slept past the end of the kept log acknowledges nothing there", async () => {
  const w = world();
  const List = listDocument({ historyOps: 0, historyMs: 3_600_000, snapshotOps: 1 });
  const [sleeper, busy] = [w.node(), w.node()].map((node) => node.document(List, "a"));
  assert(sleeper !== undefined && busy !== undefined);
  await w.finish(sleeper.mutate({ add: "kelp" }));
  const { member } = await w.finish(listen(sleeper));
  // It hears of nothing while the others go on for hours and cut the log.
  for (let hours = 0; hours < 6; hours++) {
    await w.finish(busy.mutate({ add: `item ${hours}` }));
    await w.finish(busy.stop());
    w.clock.jump(3_600_000);
  }
  const log = await w.memory.list("app/document/list/a/log/");
  assert(log.length < 7, `nothing was cut: ${log.length}`);
  const answer = await w.finish(member.mutate({ add: "late" }), 5 * minute);
  assertEquals(answer, { status: "commit", seq: 8 });
  const { items } = await w.finish(busy.state());
  assertEquals(items.length, 8);
  assertEquals(member.state, { items });
});

test(
  "[DO23] nodes that come and go, faults and conflicts lose no acknowledged operation",
  async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const w = world();
      const random = seededRandom(seed);
      const List = listDocument({ snapshotOps: 3, historyOps: 4 });
      w.storage.plan = () => {
        const chance = random.number();
        const kinds = ["lose-answer", "lose-request", "refuse", "conflict", "hang-after"] as const;
        const kind = chance < 0.15 ? kinds[Math.floor(random.number() * kinds.length)] : "none";
        return { kind: kind ?? "none", latencyMs: Math.floor(random.number() * 20) };
      };
      const nodes = [w.node(), w.node()];
      const acknowledged: string[] = [];
      const attempts: Promise<void>[] = [];
      for (let step = 0; step < 40; step++) {
        const which = Math.floor(random.number() * 2);
        // A node that dies is not asked to finish anything: another takes its place.
        if (random.number() < 0.08) nodes[which] = w.node();
        const text = `item ${step}`;
        const adding = nodes[which]?.document(List, "a").mutate({ add: text }, {
          client: { id: text, seq: 1 },
        });
        attempts.push(
          Promise.resolve(adding).then(
            (answer) => {
              if (answer?.status === "commit") acknowledged.push(text);
            },
            () => {},
          ),
        );
        await w.clock.advance(Math.floor(random.number() * 30));
      }
      await w.finish(Promise.all(attempts), 10 * minute);
      w.storage.plan = () => "none";
      const fresh = w.node().document(List, "a");
      const { items } = await w.finish(fresh.state(), minute);
      assertEquals(acknowledged.filter((text) => !items.includes(text)), [], `seed ${seed}`);
      assertEquals(new Set(items).size, items.length, `seed ${seed}`);
      assert(acknowledged.length > 10, `seed ${seed}: only ${acknowledged.length} acknowledged`);
    }
  },
  { timeoutMs: 60_000 },
);

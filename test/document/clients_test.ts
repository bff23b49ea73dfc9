import { assert, assertEquals, test } from "../harness/mod.ts";
import { seededRandom } from "../../adapters/testing/seeded_random.ts";
import { Clients } from "../../src/document/clients.ts";
import type { Entry } from "../../src/document/stored.ts";

const entry = (seq: number, id: string, of: number): Entry => ({
  seq,
  at: seq,
  actor: null,
  op: {},
  client: { id, seq: of },
});

test("[DO6] of each client the latest operation is known, whoever came between", () => {
  const random = seededRandom(7);
  const expected = new Map<string, { clientSeq: number; seq: number; at: number }>();
  let clients = new Clients();
  for (let seq = 1; seq <= 2000; seq++) {
    const id = `c${Math.floor(random.number() * 200)}`;
    const of = (expected.get(id)?.clientSeq ?? 0) + 1;
    const before = clients;
    clients = clients.after([entry(seq, id, of)]);
    assertEquals(before.latestOf(id), expected.get(id));
    expected.delete(id);
    expected.set(id, { clientSeq: of, seq, at: seq });
    assertEquals(clients.latest({ id, seq: of }), expected.get(id));
    assertEquals(clients.latest({ id, seq: of + 1 }), undefined);
  }
  assertEquals([...clients.marks], [...expected]);
  const stored = new Clients(clients.marks);
  assertEquals([...stored.marks], [...expected]);
});

test("[DO6] of a thousand clients and more those are forgotten that have been quiet for longest", () => {
  let clients = new Clients();
  for (let seq = 1; seq <= 3000; seq++) {
    // The first one goes on now and then.
    const id = seq % 500 === 0 ? "c1" : `c${seq}`;
    clients = clients.after([entry(seq, id, seq)]);
  }
  const { marks } = clients;
  assertEquals(marks.size, 1000);
  assert(
    marks.has("c1") && marks.has("c2999") && !marks.has("c500"),
    "the wrong one was forgotten",
  );
  assertEquals(clients.latestOf("c3"), undefined);
});

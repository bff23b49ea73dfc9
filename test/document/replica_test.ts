import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";
import {
  answered,
  did,
  fresh,
  heard,
  joined,
  newReplica,
  type Replica,
  toSend,
} from "../../src/client/document/replica.ts";
import type { CatchUp } from "../../src/document/model.ts";
import { listDocument } from "./list.ts";

const { spec } = listDocument();
type List = Replica<{ readonly items: readonly string[] }, { add: string } | { remove: string }>;

const empty = (): List => newReplica(spec) as List;
const add = (replica: List, item: string): List =>
  did(spec, replica, { kind: "op", op: { add: item } }) as List;

/** The answer to a join, with everything that is certain. */
function snapshot(replica: List, epoch: string, items: readonly string[], acked = 0): List {
  const catchUp: CatchUp = { kind: "snapshot", seq: 7, state: { items: [...items] } };
  return fresh(
    spec,
    joined(spec, replica, { you: "tab", epoch, catchUp, presence: {}, acked }) as List,
  ) as List;
}

test("[DC9] what is pending shows on top of a reset, and is sent once more, in order", () => {
  const [before] = toSend(add(add(snapshot(empty(), "one", ["net"]), "kelp"), "rope"));
  assertEquals(toSend(before)[1], []);
  // Another log, or one that was trimmed: everything comes anew.
  const after = snapshot(before, "two", ["tar", "sail"]);
  assertEquals(after.confirmed, { items: ["tar", "sail"] });
  assertEquals(after.view, { items: ["tar", "sail", "kelp", "rope"] });
  assertEquals(toSend(after)[1].map(({ seq, op }) => [seq, op]), [
    [1, { add: "kelp" }],
    [2, { add: "rope" }],
  ]);
  assertEquals(add(after, "line").view.items.at(-1), "line");
});

test("[DC9] what a reset holds already shows once, and is asked for again until it is answered", () => {
  const [lost] = toSend(add(snapshot(empty(), "one", []), "kelp"));
  // The answer was lost, the operation was not.
  const after = snapshot(lost, "one", ["kelp"], 1);
  assertEquals(after.view, { items: ["kelp"] });
  assertEquals(toSend(after)[1].map(({ seq }) => seq), [1]);
  const done = answered(after, 1, { status: "commit", seq: 7 });
  assertEquals([done.pending, done.view], [[], { items: ["kelp"] }]);
});

test("[DC9] operations that come twice count once, and a missing one is a gap", () => {
  const replica = snapshot(empty(), "one", ["net"]);
  const entry = (seq: number, item: string) => ({ seq, at: 0, actor: "bob", op: { add: item } });
  const once = fresh(spec, heard(spec, replica, [entry(7, "net"), entry(8, "kelp")]));
  assertEquals([once.seq, once.view], [8, { items: ["net", "kelp"] }]);
  const error = assertThrows(() => heard(spec, once, [entry(10, "rope")]));
  assert(String(error).includes("after operation 8 comes 10"), String(error));
});

test("[DC9] a page that takes its place back numbers on from what the server has answered of it", () => {
  // A duplicated tab has done nine things under the same name meanwhile.
  const back = snapshot(empty(), "one", ["net"], 9);
  const [, sent] = toSend(add(back, "kelp"));
  assertEquals(sent.map(({ seq }) => seq), [10]);
  assertEquals(add(back, "kelp").view, { items: ["net", "kelp"] });
});

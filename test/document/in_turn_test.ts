import { StorageUnavailableError } from "../../src/core/errors.ts";
import { DocumentConnection } from "../../src/document/connection.ts";
import type { DocumentDefinition } from "../../src/document/model.ts";
import type { WireAnswer } from "../../src/document/wire.ts";
import type { HoldfastOptions } from "../../adapters/web/holdfast.ts";
import { assertEquals, test } from "../harness/mod.ts";
import { second, type World, world } from "../object_model/world.ts";
import { type List, listDocument, type ListOp } from "./list.ts";

/** A page that sends and notes what it is answered, as far as the server says anything. */
async function page(
  w: World,
  definition: DocumentDefinition<List, ListOp> = listDocument(),
  options: Partial<HoldfastOptions> = {},
) {
  const list = w.node(options).document(definition, "a");
  const answers: [seq: number, what: string][] = [];
  const connection = new DocumentConnection({
    clock: w.clock,
    // A list is JSON, and so are its operations.
    document: list as never,
    vsn: 1,
    actor: "ada",
    readOnly: false,
    active: () => {},
    nameOf: (client) => client,
    send: (text) => {
      const frame: { t: string; seq: number; answer: WireAnswer } = JSON.parse(text);
      if (frame.t !== "answer") return;
      const { answer } = frame;
      answers.push([frame.seq, answer.status === "error" ? answer.code : answer.status]);
    },
    buffered: () => 0,
    close: () => {},
  });
  const say = (frame: object) => connection.received(JSON.stringify(frame));
  say({ t: "join", v: 1, client: "0123456789abcdef" });
  await w.clock.advance(1 * second);
  /** Sends operations by their numbers, in one go; answers come within the second. */
  const send = async (...seqs: number[]) => {
    answers.length = 0;
    for (const seq of seqs) say({ t: "op", seq, op: { add: `item ${seq}` } });
    await w.clock.advance(1 * second);
    return [...answers];
  };
  const items = async () => (await w.finish(list.state())).items;
  return { say, send, items, answers };
}

/** Rights that cannot be looked up for some operations, a number of times. */
const failingRights = (fails: Map<string, number>) =>
  listDocument({
    authorize: async (access) => {
      const left = access.what === "mutate"
        ? fails.get((access.op as { add: string }).add) ?? 0
        : 0;
      await Promise.resolve();
      if (left === 0) return true;
      if (access.what === "mutate") fails.set((access.op as { add: string }).add, left - 1);
      throw new StorageUnavailableError("Cannot look up rights", "none");
    },
  });

test("[DC15] an operation that is refused for now is not overtaken by those after it", async () => {
  const w = world();
  const { send, items } = await page(w, failingRights(new Map([["item 2", 1]])));
  const later = "ERR_STORAGE_UNAVAILABLE";
  assertEquals(await send(1, 2, 3), [[1, "commit"], [2, later], [3, later]]);
  // What comes next has to wait for it, too.
  assertEquals(await send(4), [[4, later]]);
  assertEquals(await send(2, 3, 4), [[2, "commit"], [3, "commit"], [4, "commit"]]);
  assertEquals(await items(), ["item 1", "item 2", "item 3", "item 4"]);
});

test("[DC15] what was refused for its sake is not overtaken either once it has come again", async () => {
  const w = world();
  const { send, items } = await page(w, failingRights(new Map([["item 1", 1]])));
  const later = "ERR_STORAGE_UNAVAILABLE";
  assertEquals(await send(1, 2, 3), [[1, later], [2, later], [3, later]]);
  assertEquals(await send(1, 3), [[1, "commit"], [3, later]]);
  assertEquals(await send(2, 3), [[2, "commit"], [3, "commit"]]);
  assertEquals(await items(), ["item 1", "item 2", "item 3"]);
});

test("[DC15] an operation that found the line full is done before those that found a place in it", async () => {
  const w = world();
  const { say, answers, items } = await page(w, listDocument(), { limits: { mailbox: 2 } });
  w.storage.plan = ({ operation }) =>
    operation === "put" ? { kind: "none", latencyMs: 100 } : undefined;
  const add = (seq: number) => say({ t: "op", seq, op: { add: `item ${seq}` } });
  for (let seq = 1; seq <= 4; seq++) add(seq);
  // By now there is room again, but not for this one.
  await w.clock.advance(150);
  add(5);
  await w.clock.advance(1 * second);
  const full = "ERR_MAILBOX_FULL";
  assertEquals(answers.toSorted(([a], [b]) => a - b), [
    [1, "commit"],
    [2, "commit"],
    [3, full],
    [4, full],
    [5, full],
  ]);
  answers.length = 0;
  add(3);
  add(4);
  await w.clock.advance(1 * second);
  add(5);
  await w.clock.advance(1 * second);
  assertEquals(answers, [[3, "commit"], [4, "commit"], [5, "commit"]]);
  assertEquals(await items(), [1, 2, 3, 4, 5].map((n) => `item ${n}`));
});

test("[DC15] taking a step back and what was done after it come in one go, and in their order", async () => {
  const w = world();
  const { say, send, answers, items } = await page(w);
  await send(1);
  answers.length = 0;
  say({ t: "undo", seq: 2 });
  say({ t: "op", seq: 3, op: { add: "item 3" } });
  say({ t: "undo", seq: 4 });
  say({ t: "redo", seq: 5 });
  say({ t: "op", seq: 6, op: { add: "item 6" } });
  await w.clock.advance(1 * second);
  assertEquals(answers, [2, 3, 4, 5, 6].map((seq) => [seq, "commit"]));
  assertEquals(await items(), ["item 3", "item 6"]);
});

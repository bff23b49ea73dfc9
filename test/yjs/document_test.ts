import { type Doc, encodeStateAsUpdate, encodeStateVector } from "yjs";
import { changeYjs, openYjs, yjsDocument } from "../../adapters/yjs/mod.ts";
import type { YjsOp, YjsState } from "../../adapters/yjs/mod.ts";
import type { DocumentClient } from "../../mod.ts";
import { assert, assertEquals, assertRejects, test } from "../harness/mod.ts";
import { seededRandom } from "../../adapters/testing/seeded_random.ts";
import { encodeBase64url } from "../../src/core/base64url.ts";
import { world } from "../object_model/world.ts";
import { text } from "./notes.ts";

type Notes = DocumentClient<YjsState, YjsOp>;

const words = async (notes: Notes): Promise<string> => text(openYjs(await notes.state()));

const write = (notes: Notes, word: string, at = 0) =>
  changeYjs(notes, (doc) => doc.getText("body").insert(at, word));

test("[YJ1] what two nodes write at once is all there, on both and after a restart", async () => {
  const w = world();
  const Small = yjsDocument({ name: "notes", snapshotOps: 7 });
  const nodes = [w.node(), w.node()];
  const notes = nodes.map((node) => node.document(Small, "a")) as [Notes, Notes];
  const random = seededRandom(7);
  w.storage.plan = ({ operation }) =>
    operation === "put" && random.number() < 0.1 ? "lose-answer" : "none";
  const put = Array.from({ length: 60 }, (_, index) => `<${index}>`);
  const answers = await w.finish(Promise.all(
    put.map((word, index) => write(notes[index % 2] as Notes, word)),
  ));
  assertEquals(new Set(answers.map(({ status }) => status)), new Set(["commit"]));
  const [one, two] = await w.finish(Promise.all(notes.map(words)));
  assertEquals(one, two);
  await w.finish(Promise.all(nodes.map((node) => node.close())));
  const after = await w.finish(words(w.node().document(Small, "a")));
  assertEquals(after, one);
  for (const word of put) assert(after.includes(word), `${word} is lost`);
});

test("[YJ4] the server reads and changes a document, one update at a time", async () => {
  const w = world();
  const notes = w.node().document(yjsDocument({ name: "notes" }), "a");
  const heard: unknown[] = [];
  await w.finish(notes.join({
    deliver: (frame) => void (frame.t === "ops" && heard.push(...frame.entries)),
  }));
  const change = (doc: Parameters<Parameters<typeof changeYjs>[1]>[0]) => {
    doc.getText("body").insert(0, "kelp");
    doc.getMap("facts").set("fresh", true);
  };
  assertEquals(await w.finish(changeYjs(notes, change, { actor: "robot" })), {
    status: "commit",
    seq: 1,
  });
  assertEquals(heard.map((entry) => (entry as { actor: string }).actor), ["robot"]);
  assertEquals(openYjs(await w.finish(notes.state())).getMap("facts").toJSON(), { fresh: true });
  const nothing = await w.finish(changeYjs(notes, () => {}));
  assertEquals(nothing, { status: "discard", reason: "nothing was changed" });
  const late = changeYjs(notes, async () => await Promise.resolve());
  await assertRejects(() => w.finish(late), /asynchronous/);
  const failing = changeYjs(notes, (doc) => {
    doc.getText("body").insert(0, "half");
    throw new Error("no");
  });
  await assertRejects(() => w.finish(failing), /no/);
  assertEquals(await w.finish(words(notes)), "kelp");
});

test("[YJ11] what is refused for now is done when it is sent again later, and nothing overtakes it", async () => {
  const w = world();
  const notes = w.node().document(yjsDocument({ name: "notes" }), "dear");
  await w.finish(write(notes, "kelp"));
  const member = await w.finish(notes.join({ client: "eve", deliver: () => true }));
  const doc = openYjs(await w.finish(notes.state()));
  const dear = (): YjsOp => {
    const before = encodeStateVector(doc);
    // Of letters that are no text: each is a change.
    doc.transact(() => {
      for (let n = 0; n < 4000; n++) doc.getText("body").insert(0, "x");
    });
    return { update: encodeBase64url(encodeStateAsUpdate(doc, before)) };
  };
  let seq = 0;
  let refused: YjsOp | undefined;
  while (refused === undefined) {
    const op = dear();
    const answer = await w.finish(member.mutate(op, ++seq).catch((error: unknown) => error));
    if ((answer as { code?: string }).code === "ERR_MAILBOX_FULL") refused = op;
    else assertEquals((answer as { status: string }).status, "commit");
    assert(seq < 200, "it is never refused");
  }
  const small = { update: encodeBase64url(updateOf(doc)) };
  await assertRejects(() => w.finish(member.mutate(small, seq + 1)), "ERR_MAILBOX_FULL");
  await w.clock.advance(2000);
  assertEquals((await w.finish(member.mutate(refused, seq))).status, "commit");
  assertEquals((await w.finish(member.mutate(small, seq + 1))).status, "commit");
  assertEquals(await w.finish(words(notes)), text(doc));
});

/** One letter more. */
function updateOf(doc: Doc): Uint8Array {
  const before = encodeStateVector(doc);
  doc.getText("body").insert(0, "y");
  return encodeStateAsUpdate(doc, before);
}

test("[YJ9] what the server writes is under one number, and under as many as changes are made at a time", async () => {
  const w = world();
  const [Own, Other] = ["notes", "other"].map((name) => yjsDocument({ name }));
  const node = w.node();
  const [notes, other] = [Own!, Other!].map((each) => node.document(each, "a"));
  const add = (doc: Doc) => doc.getText("body").insert(0, "kelp ");
  const numbers = async (of = notes!) => openYjs(await w.finish(of.state())).store.clients.size;
  for (let i = 0; i < 20; i++) await w.finish(changeYjs(notes!, add));
  assertEquals([await numbers(), await w.finish(words(notes!))], [1, "kelp ".repeat(20)]);
  for (let round = 0; round < 3; round++) {
    await w.finish(Promise.all(Array.from({ length: 5 }, () => changeYjs(notes!, add))));
    await w.finish(changeYjs(other!, add));
  }
  // None has taken the place of another.
  assertEquals([await numbers(), await w.finish(words(notes!))], [5, "kelp ".repeat(35)]);
  assertEquals([await numbers(other!), await w.finish(words(other!))], [1, "kelp ".repeat(3)]);
});

test("[YJ9] a number is not used again that somebody else may have written under, or whose change may come yet", async () => {
  const w = world();
  const notes = w.node().document(yjsDocument({ name: "notes" }), "b");
  const add = (doc: Doc) => doc.getText("body").insert(0, "kelp ");
  await w.finish(changeYjs(notes, add));
  const doc = openYjs(await w.finish(notes.state()));
  [doc.clientID] = doc.store.clients.keys() as unknown as [number];
  const before = encodeStateVector(doc);
  add(doc);
  const update = encodeBase64url(encodeStateAsUpdate(doc, before));
  assertEquals((await w.finish(notes.mutate({ update }))).status, "commit");
  await w.finish(changeYjs(notes, add));
  assertEquals(openYjs(await w.finish(notes.state())).store.clients.size, 2);
  // It was done, and nobody has said so.
  const silent: typeof notes = {
    ...notes,
    id: notes.id,
    state: () => notes.state(),
    mutate: async (op) => {
      await notes.mutate(op);
      throw new Error("no answer");
    },
  };
  await assertRejects(() => w.finish(changeYjs(silent, add)), /no answer/);
  await w.finish(changeYjs(notes, add));
  assertEquals(await w.finish(words(notes)), "kelp ".repeat(5));
});

test("[YJ4] its history can be read; a former state is not put in its place", async () => {
  const w = world();
  const notes = w.node().document(yjsDocument({ name: "notes" }), "a");
  await w.finish(write(notes, "kelp"));
  await w.finish(write(notes, "tar "));
  assertEquals(text(openYjs(await w.finish(notes.stateAt(1)))), "kelp");
  assertEquals(await w.finish(notes.restore(1)), { status: "rejected", reason: "not allowed" });
  assertEquals((await w.finish(notes.undo("ada"))).status, "discard");
  assertEquals(await w.finish(words(notes)), "tar kelp");
});

test("[YJ4] rights are asked for as for every document", async () => {
  const w = world();
  const Own = yjsDocument({ name: "notes", authorize: ({ actor }) => actor === "ada" });
  const notes = w.node().document(Own, "a");
  const refused = await w.finish(write(notes, "tar"));
  assertEquals(refused, { status: "rejected", reason: "not allowed" });
  const change = (doc: Parameters<Parameters<typeof changeYjs>[1]>[0]) =>
    doc.getText("body").insert(0, "kelp");
  assertEquals((await w.finish(changeYjs(notes, change, { actor: "ada" }))).status, "commit");
  const joining = notes.join({ actor: "bob", deliver: () => {} });
  await assertRejects(() => w.finish(joining), "ERR_REFUSED");
});

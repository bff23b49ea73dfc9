import fc from "fast-check";
import { applyUpdate, Doc, encodeStateAsUpdate, encodeStateVector } from "yjs";
import { openYjs, type YjsOp, type YjsState } from "../../adapters/yjs/mod.ts";
import { encodeBase64url } from "../../src/core/base64url.ts";
import { assert, assertEquals, assertThrows, test } from "../harness/mod.ts";
import { apply, type Edit, edit, edits, empty, numbered, text, updatesOf } from "./notes.ts";

test("[YJ1] however updates are repeated and mixed, the content is what Yjs makes of them", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.nat(2), edits, fc.nat(3)), { maxLength: 40 }),
    fc.nat(),
    (rounds, seed) => {
      const clients = [1, 2, 3].map(numbered);
      const plain = new Doc();
      let state = empty;
      const sent: YjsOp[] = [];
      for (const [who, changes, catchUp] of rounds) {
        const client = clients[who] as Doc;
        // Some are at the present when they write, others are not.
        if (catchUp > 0) openYjs(state, client);
        for (const update of updatesOf(client, changes)) {
          sent.push({ update: encodeBase64url(update) });
          applyUpdate(plain, update);
          state = apply(state, sent.at(-1) as YjsOp);
        }
        const again = sent[seed % Math.max(1, sent.length)];
        if (again !== undefined) state = apply(state, again);
      }
      assertEquals(text(openYjs(state)), text(plain));
      for (const client of clients) assertEquals(text(openYjs(state, client)), text(plain));
    },
  ));
});

const clash = { reject: "it has other changes than there are under the same client number" };

test("[YJ10] what is written under a number that somebody else has used is refused, and not left out", () => {
  const op = (update: Uint8Array | undefined): YjsOp => ({ update: encodeBase64url(update!) });
  const [ada, eve] = [numbered(1), numbered(1)];
  const [first, second, third] = updatesOf(ada, [
    { at: 0, put: "kelp" },
    { at: 4, put: " and" },
    { at: 0, put: "x" },
  ]);
  let state = apply(empty, op(first));
  openYjs(state, eve);
  // Yjs has noticed, and drawn another one.
  eve.clientID = 1;
  const forged = updatesOf(eve, [{ at: 0, put: "tar!" }])[0];
  state = apply(state, op(forged));
  assertEquals(text(openYjs(state)), "tar!kelp");
  // Ada's own comes too late under her number, whether as long as it was or longer.
  assertEquals(edit(state, op(second)), clash);
  assertEquals(edit(state, op(encodeStateAsUpdate(ada))), clash);
  assertEquals(edit(apply(empty, op(first)), op(third)), {
    reject: "it builds on changes that are not here",
  });
  // The same letters at another place are another change.
  const [bob, bot] = [numbered(2), numbered(2)];
  for (const doc of [bob, bot]) openYjs(state, doc);
  state = apply(state, op(updatesOf(bob, [{ at: 0, put: "sea" }])[0]));
  assertEquals(edit(state, op(updatesOf(bot, [{ at: 8, put: "sea" }])[0])), clash);
  for (const doc of [numbered(3), numbered(3)]) {
    openYjs(state, doc);
    doc.clientID = 3;
    const before = encodeStateVector(doc);
    doc.getArray("list").insert(0, [doc.getArray("list").length, { deep: [1n, { is: doc.guid }] }]);
    const outcome = edit(state, op(encodeStateAsUpdate(doc, before)));
    if ("state" in outcome) state = outcome.state;
    else assertEquals(outcome, clash);
  }
});

test("[YJ10] what comes again in other pieces, of letters that were split or deleted since, is known", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.nat(2), edits), { minLength: 1, maxLength: 30 }),
    fc.nat(),
    (rounds, seed) => {
      const clients = [1, 2, 3].map(numbered);
      let state = empty;
      rounds.forEach(([who, changes], round) => {
        const client = clients[who] as Doc;
        if ((seed >> (round % 16)) % 2 === 0) openYjs(state, client);
        updatesOf(client, changes);
        client.getText("body").insert(0, "\u{1F600}");
        client.getArray("list").insert(0, [round, { is: [round] }]);
        // All that it has, whoever wrote it, and whatever of it is there in other pieces.
        const outcome = edit(state, { update: encodeBase64url(encodeStateAsUpdate(client)) });
        assert(!("reject" in outcome), JSON.stringify(outcome));
        if ("state" in outcome) state = outcome.state;
        // In between two halves of a letter, as no editor would.
        const body = client.getText("body");
        if (round % 3 === 0) body.insert(Math.min(1, body.length), "y");
      });
    },
  ));
});

test("[YJ1] a state that was applied to is still what it was", () => {
  const ada = numbered(1);
  const [first, second] = updatesOf(ada, [{ at: 0, put: "kelp" }, { at: 0, put: "tar" }]);
  const one = apply(empty, { update: encodeBase64url(first as Uint8Array) });
  const two = apply(one, { update: encodeBase64url(second as Uint8Array) });
  assertEquals([empty, one, two].map((state) => text(openYjs(state))), ["", "kelp", "tarkelp"]);
  // As when another node was first: the older state is built upon once more.
  assertEquals(
    text(openYjs(apply(one, { update: encodeBase64url(second as Uint8Array) }))),
    "tarkelp",
  );
});

test("[YJ2] ten thousand updates are kept in few, and what was deleted leaves them", () => {
  const ada = numbered(1);
  let state = empty;
  let most = 0;
  const write = (change: Edit) => {
    for (const update of updatesOf(ada, [change])) {
      state = apply(state, { update: encodeBase64url(update) });
    }
    most = Math.max(most, state.updates.length);
  };
  const typed = () => state.updates.reduce((sum, { length }) => sum + length, 0);
  for (let at = 0; at < 5000; at++) write({ at, put: String.fromCharCode(97 + at % 26) });
  const full = typed();
  assert(full < 30_000, `${full} characters for 5,000`);
  for (let left = 5000; left > 0; left--) write({ at: 0, drop: 1 });
  assertEquals(text(openYjs(state)), "");
  assert(most <= 20, `${most} updates were kept at once`);
  // One more that brings all together: the letters are gone.
  for (let round = 0; round < 50; round++) write({ at: 0, put: "sea ".repeat(50) });
  const kept = openYjs(state);
  assertEquals(text(kept).length, 10_000);
  assert(!state.updates.some((update) => decodesTo(update, "abcdefgh")), "deleted text is stored");
});

function decodesTo(update: string, needle: string): boolean {
  return atob(update.replaceAll("-", "+").replaceAll("_", "/")).includes(needle);
}

test("[YJ3] what is no update, or builds on what is not here, is rejected and changes nothing", () => {
  const ada = numbered(1);
  const [first, second] = updatesOf(ada, [{ at: 0, put: "kelp" }, { at: 4, put: "rope" }]);
  const op = (update?: Uint8Array): YjsOp => ({ update: encodeBase64url(update as Uint8Array) });
  const state = apply(empty, op(first));
  const refused = (given: unknown): string => {
    const outcome = outcomeOf(state, given);
    assert("reject" in outcome, `${JSON.stringify(given)} was not rejected`);
    return outcome.reject;
  };
  const none = "it is no update of Yjs in base64url";
  assertEquals(
    [null, 7, {}, { update: 7 }, { update: "=" }, { update: "a" }].map(refused),
    Array.from({ length: 6 }, () => none),
  );
  const broken = "it is no update of Yjs that can be taken in";
  assertEquals(refused(op(new Uint8Array([9, 9, 9, 9]))), broken);
  assertEquals(refused(op((second as Uint8Array).slice(0, -3))), broken);
  const gap = "it builds on changes that are not here";
  const later = updatesOf(ada, [{ at: 8, put: "tar" }])[0];
  assertEquals(refused(op(later)), gap);
  // Another's text in the middle of which it stands is not here either.
  const bob = numbered(2);
  applyUpdate(bob, encodeStateAsUpdate(ada));
  assertEquals(refused(op(updatesOf(bob, [{ at: 6, put: "!" }])[0])), gap);
  assertEquals(text(openYjs(apply(state, op(second)))), "kelprope");
});

test("[YJ3] an update without news is discarded, and only what is new of one is stored and sent", () => {
  const ada = numbered(1);
  const [first, second] = updatesOf(ada, [{ at: 0, put: "kelp" }, { at: 4, put: "rope" }]);
  const op = (update?: Uint8Array): YjsOp => ({ update: encodeBase64url(update as Uint8Array) });
  const state = apply(empty, op(first));
  assertEquals(outcomeOf(state, op(first)), { discard: "there is nothing new in it" });
  const both = outcomeOf(state, op(encodeStateAsUpdate(ada)));
  assert("op" in both && both.op !== undefined, "it was not accepted");
  assertEquals(both.op, op(second));
  assertEquals(outcomeOf(state, op(second)), { state: both.state });
});

test("[YJ3] updates with changed bytes never throw, and what is accepted every client can take in", () => {
  const ada = numbered(1);
  const updates = updatesOf(ada, [
    { at: 0, put: "kelp and rope" },
    { at: 4, put: " tar" },
    { at: 2, drop: 5 },
    { at: 0, put: "sea" },
  ]);
  fc.assert(
    fc.property(
      fc.nat(updates.length - 1),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      (which, changes) => {
        let state = empty;
        for (const update of updates.slice(0, which)) {
          state = apply(state, { update: encodeBase64url(update) });
        }
        const bytes = (updates[which] as Uint8Array).slice();
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        const outcome = outcomeOf(state, { update: encodeBase64url(bytes) });
        const next = "state" in outcome ? outcome.state : state;
        assertEquals(text(openYjs(next)), text(openYjs(next, openYjs(state))));
      },
    ),
    { numRuns: 1000 },
  );
});

test("[YJ3] values in values deeper than a browser may read are refused", () => {
  const nested = (depth: number) => {
    const doc = numbered(1);
    let value: unknown[] = [];
    for (let n = 1; n < depth; n++) value = [value];
    doc.getMap("facts").set("deep", value);
    return edit(empty, { update: encodeBase64url(encodeStateAsUpdate(doc)) });
  };
  assert("state" in nested(60), "sixty were refused");
  assertEquals(nested(2000), { reject: "it is no update of Yjs that can be taken in" });
});

test("[YJ2] a stored state that is damaged is refused with a code", () => {
  const error = assertThrows(() => openYjs({ updates: ["="] }));
  assertEquals((error as { code?: string }).code, "ERR_CORRUPT_RECORD");
});

function outcomeOf(state: YjsState, op: unknown) {
  return edit(state, op as YjsOp);
}

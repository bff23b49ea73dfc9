import { type Doc, encodeStateAsUpdate, UpdateEncoderV1 } from "yjs";
import { openYjs, type YjsOp, type YjsState } from "../../adapters/yjs/mod.ts";
import { seededRandom } from "../../adapters/testing/seeded_random.ts";
import { encodeBase64url } from "../../src/core/base64url.ts";
import { assertEquals, test } from "../harness/mod.ts";
import { apply, type Edit, empty, Notes, numbered, text, updatesOf } from "./notes.ts";

const allowed = (state: YjsState, op: YjsOp) =>
  Notes.spec.authorize?.({ actor: "ada", what: "mutate", op, id: "a" }, state);

const opOf = (update: Uint8Array): YjsOp => ({ update: encodeBase64url(update) });

/** One client's changes as bytes: no library makes them. */
function forged(
  of: { client: number; changes: ((to: UpdateEncoderV1) => void)[]; clock?: number }[],
) {
  const encoder = new UpdateEncoderV1();
  encoder.writeLen(of.length);
  for (const { client, changes, clock = 0 } of of) {
    encoder.writeLen(changes.length);
    encoder.writeClient(client);
    encoder.writeLen(clock);
    for (const change of changes) change(encoder);
  }
  encoder.writeLen(0);
  return opOf(encoder.toUint8Array());
}

/** A text at the beginning. */
const written = (content: string) => (to: UpdateEncoderV1) => {
  to.writeInfo(4);
  to.writeParentInfo(true);
  to.writeString("body");
  to.writeString(content);
};

/** A letter that says that it was put between the beginning and a letter far behind it. */
const between = (client: number, clock: number) => (to: UpdateEncoderV1) => {
  to.writeInfo(4 | 64);
  to.writeClient(client);
  to.writeLen(clock);
  to.writeString("x");
};

test("[YJ8] an update that is made up to be merged for minutes is refused in a moment", () => {
  const many = Array.from({ length: 12_000 }, (_, n) => between(9, n));
  const marks = { client: 9, changes: [written("m".repeat(many.length))] };
  assertEquals(allowed(empty, forged([marks, { client: 1, changes: many }])), false);
});

test("[YJ8] in pieces it is refused as soon as one of them takes long, and what is put side by side is not", () => {
  const length = 17_000;
  let state = apply(empty, forged([{ client: 9, changes: [written("m".repeat(length))] }]));
  // Every letter gets one beside it, as an editor would put it there.
  const beside = Array.from({ length: length - 1 }, (_, n) => (to: UpdateEncoderV1) => {
    to.writeInfo(4 | 64 | 128);
    for (const clock of [n, n + 1]) {
      to.writeClient(9);
      to.writeLen(clock);
    }
    to.writeString("x");
  });
  const op = forged([{ client: 1, changes: beside }]);
  assertEquals(allowed(state, op), true);
  state = apply(state, op);
  const piece = (count: number) =>
    forged([{ client: 2, changes: Array.from({ length: count }, () => between(9, length - 1)) }]);
  assertEquals([allowed(state, piece(60)), allowed(state, piece(300))], [true, false]);
});

test("[YJ8] what two have written at the same places for long, without a connection, is merged", () => {
  const random = seededRandom(3);
  const some = (doc: Doc, count: number) => {
    const changes = Array.from(
      { length: count },
      (_, n): Edit =>
        n % 5 === 4
          ? { at: Math.floor(random.number() * 400), drop: 3 }
          : { at: n % 10 === 0 ? 0 : Math.floor(random.number() * 400), put: `${n} ` },
    );
    updatesOf(doc, changes);
  };
  const [ada, bob] = [numbered(1), numbered(2)];
  updatesOf(ada, [{ at: 0, put: "kelp and rope" }]);
  let state = apply(empty, opOf(encodeStateAsUpdate(ada)));
  openYjs(state, bob);
  for (const doc of [ada, bob]) some(doc, 2000);
  for (const doc of [ada, bob]) {
    const op = opOf(encodeStateAsUpdate(doc));
    assertEquals(allowed(state, op), true);
    state = apply(state, op);
  }
  openYjs(state, ada);
  assertEquals(text(openYjs(state)), text(openYjs(state, bob)));
  assertEquals(text(ada), text(bob));
});

import { type Doc, encodeStateAsUpdate, UpdateEncoderV1 } from "yjs";
import { openYjs, yjsDocument, type YjsOp, type YjsState } from "../../adapters/yjs/mod.ts";
import { seededRandom } from "../../adapters/testing/seeded_random.ts";
import { encodeBase64url } from "../../src/core/base64url.ts";
import { assertEquals, test } from "../harness/mod.ts";
import { apply, type Edit, empty, Notes, numbered, text, updatesOf } from "./notes.ts";

const allowed = (state: YjsState, op: YjsOp) =>
  Notes.spec.authorize?.({ actor: "ada", what: "mutate", op, id: "a", at: 0 }, state);

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

/** A letter of another one between each two of a text of client 9, as an editor would put it there. */
const besideEach = (length: number) =>
  Array.from({ length: length - 1 }, (_, n) => (to: UpdateEncoderV1): void => {
    to.writeInfo(4 | 64 | 128);
    for (const clock of [n, n + 1]) {
      to.writeClient(9);
      to.writeLen(clock);
    }
    to.writeString("x");
  });

test("[YJ8] an update that is made up to be merged for minutes is refused in a moment", () => {
  const many = Array.from({ length: 12_000 }, (_, n) => between(9, n));
  const marks = { client: 9, changes: [written("m".repeat(many.length))] };
  assertEquals(allowed(empty, forged([marks, { client: 1, changes: many }])), false);
});

test("[YJ8] in pieces it is refused as soon as one of them takes long, and what is put side by side is not", () => {
  const length = 17_000;
  let state = apply(empty, forged([{ client: 9, changes: [written("m".repeat(length))] }]));
  const op = forged([{ client: 1, changes: besideEach(length) }]);
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

/** One client's deletions as bytes. */
function deletions(client: number, ranges: readonly (readonly [clock: number, length: number])[]) {
  const encoder = new UpdateEncoderV1();
  encoder.writeLen(0);
  encoder.writeLen(1);
  encoder.writeClient(client);
  encoder.writeLen(ranges.length);
  for (const [clock, length] of ranges) {
    encoder.writeDsClock(clock);
    encoder.writeDsLen(length);
  }
  return opOf(encoder.toUint8Array());
}

/** A text of so many letters by two people, each beside one of the other. */
function mixed(length: number): YjsState {
  const state = apply(empty, forged([{ client: 9, changes: [written("m".repeat(length))] }]));
  return apply(state, forged([{ client: 1, changes: besideEach(length) }]));
}

test("[YJ8] what is deleted over and over in one update is refused, and all of it at once is not", () => {
  const length = 5000;
  const state = mixed(length);
  const all = [0, length] as const;
  assertEquals(allowed(state, deletions(9, [all])), true);
  assertEquals(allowed(state, deletions(9, Array(2000).fill(all))), false);
  // What comes with it is gone through as well.
  assertEquals(allowed(empty, writtenAndDeleted(3000, 1)), true);
  assertEquals(allowed(empty, writtenAndDeleted(3000, 4000)), false);
});

/** Letters of one client that are not one text, and so many deletions of all of them. */
function writtenAndDeleted(letters: number, times: number): YjsOp {
  const encoder = new UpdateEncoderV1();
  encoder.writeLen(1);
  encoder.writeLen(letters);
  encoder.writeClient(7);
  encoder.writeLen(0);
  for (let n = 0; n < letters; n++) written("x")(encoder);
  encoder.writeLen(1);
  encoder.writeClient(7);
  encoder.writeLen(times);
  for (let n = 0; n < times; n++) {
    encoder.writeDsClock(0);
    encoder.writeDsLen(letters);
  }
  return opOf(encoder.toUint8Array());
}

test("[YJ11] who has the server merge without end waits between, and nobody else does", () => {
  const state = mixed(4000);
  const Own = yjsDocument({ name: "notes" });
  const ask = (client: string | undefined, op: YjsOp, at: number) => {
    const from = client === undefined ? {} : { client };
    try {
      return Own.spec.authorize?.({ actor: null, what: "mutate", op, id: "a", ...from, at }, state);
    } catch (error) {
      return error as { code?: string; retryable?: boolean };
    }
  };
  let number = 10;
  // Of so many changes that the server has to make a copy of the content.
  const dear = () => forged([{ client: ++number, changes: Array(65).fill(between(9, 5)) }]);
  const count = (client: string | undefined, at: number, most: number) => {
    for (let done = 0; done < most; done++) {
      const answer = ask(client, dear(), at);
      if (answer !== true) {
        const { code, retryable } = answer as { code?: string; retryable?: boolean };
        assertEquals([code, retryable], ["ERR_MAILBOX_FULL", true]);
        return done;
      }
    }
    return most;
  };
  const atOnce = count("eve", 1000, 1000);
  assertEquals(atOnce > 10 && atOnce < 100, true, `${atOnce} at once`);
  assertEquals(count("eve", 1000, 10), 0);
  assertEquals([count("ada", 1000, 3), count(undefined, 1000, 200)], [3, 200]);
  // A second later there is a tenth of a second of it again; a clock that went back takes nothing away.
  const later = count("eve", 2000, 1000);
  assertEquals(later > 5 && later < atOnce, true, `${later} a second later`);
  assertEquals(count("eve", 500, 10), 0);
  assertEquals(count("eve", 3000, 1000) > 5, true);
  // An editor is far below: a hundred letters in a second, for a minute.
  const doc = numbered(5);
  openYjs(state, doc);
  for (let n = 0; n < 6000; n++) {
    const [update] = updatesOf(doc, [{ at: n % 900, put: "a" }]);
    if (n % 20 !== 0) continue;
    assertEquals(ask("typing", opOf(update!), 1000 + n * 10), true);
  }
});
